# SPDX-License-Identifier: Apache-2.0
"""What the checks share: finding files below src/ and reading C and tools/modules."""

import pathlib
import re
import sys

sys.dont_write_bytecode = True

TOOLS = pathlib.Path(__file__).resolve().parent

TOKEN = re.compile(
    r"""(?P<comment>//(?:\\\n|[^\n])*|/\*.*?\*/)
      | (?P<text>"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')""",
    re.S | re.X,
)


def root_argument(usage):
    """The directory to check: the first argument, else the tree this script is in."""
    if len(sys.argv) > 2 or (len(sys.argv) == 2 and sys.argv[1].startswith("-")):
        sys.exit(usage)
    root = pathlib.Path(sys.argv[1]) if len(sys.argv) == 2 else TOOLS.parent
    if not (root / "src").is_dir():
        sys.exit(f"{root}: no src/ below it")
    return root


def sources(root, *suffixes):
    """The files below src/ with one of these suffixes, sorted."""
    return sorted(p for p in (root / "src").rglob("*") if p.suffix in suffixes and p.is_file())


def module_of(root, path):
    """The module a file below src/ belongs to."""
    return path.relative_to(root / "src").parts[0]


def module_dirs(root):
    return sorted(p for p in (root / "src").iterdir() if p.is_dir())


def _blank(match):
    return re.sub(r"[^\n]", " ", match.group())


def without_comments(text):
    """The text with every comment replaced by blanks, lines kept."""
    return TOKEN.sub(lambda m: _blank(m) if m.group("comment") else m.group(), text)


def code_only(text):
    """The text with comments and the content of strings replaced by blanks, lines kept."""
    return TOKEN.sub(_blank, text)


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


def read_modules(root):
    """tools/modules as {name: set of granted modules}, plus what is wrong with it."""
    grants, problems = {}, []
    path = root / "tools" / "modules"
    for number, line in enumerate(path.read_text().splitlines(), 1):
        line = line.split("#")[0].strip()
        if not line:
            continue
        name, colon, rest = line.partition(":")
        if not colon:
            problems.append(f"{path}:{number}: not of the form `name: modules`")
            continue
        granted = set()
        for word in rest.split():
            if word == "*":
                granted |= set(grants)
            elif word in grants:
                granted.add(word)
            else:
                problems.append(f"{path}:{number}: {name} may not use {word}: not listed above it")
        if name in grants:
            problems.append(f"{path}:{number}: {name} is listed twice")
        grants[name] = granted
    return grants, problems


def finish(name, problems, what):
    """Print the verdict and exit with it."""
    for problem in problems:
        print(problem)
    print(f"{name}: {len(problems)} problems in {what}")
    sys.exit(1 if problems else 0)
