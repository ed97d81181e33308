#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Python and npm at work in a world, without a network; and that neither writes outside.

# The scripts in single quotes are for the shell in the world.
# shellcheck disable=SC2016

load ../lib/common

setup() {
	setup_home
	dir=$(make_project)
	cd "$dir"
}

teardown() { teardown_home; }

# make_wheel: a wheel with one module, in ./wheels.
make_wheel() {
	mkdir -p wheels
	python3 - wheels/greeting-1.0-py3-none-any.whl <<-'PY'
		import sys, zipfile
		info = "greeting-1.0.dist-info/"
		files = {
		    "greeting.py": "def greet():\n    return 'hello from a wheel'\n",
		    info + "METADATA": "Metadata-Version: 2.1\nName: greeting\nVersion: 1.0\n",
		    info + "WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\n"
		                    "Tag: py3-none-any\n",
		}
		record = info + "RECORD"
		files[record] = "".join(name + ",,\n" for name in [*files, record])
		with zipfile.ZipFile(sys.argv[1], "w") as wheel:
		    for name, text in files.items():
		        wheel.writestr(name, text)
	PY
}

# make_npm_project: an npm package in greeting-1.0.0.tgz, and in ./app a project that wants it from
# the registry.
make_npm_project() {
	mkdir greeting app
	echo '{"name": "greeting", "version": "1.0.0", "main": "index.js"}' >greeting/package.json
	echo 'module.exports = () => "hello from a package";' >greeting/index.js
	substrate run -- npm pack --silent ./greeting
	rm -r greeting
	python3 - greeting-1.0.0.tgz app <<-'PY'
		import base64, hashlib, json, pathlib, sys
		digest = hashlib.sha512(pathlib.Path(sys.argv[1]).read_bytes()).digest()
		root = {"name": "app", "version": "1.0.0", "dependencies": {"greeting": "1.0.0"}}
		package = {
		    "version": "1.0.0",
		    "resolved": "https://registry.npmjs.org/greeting/-/greeting-1.0.0.tgz",
		    "integrity": "sha512-" + base64.b64encode(digest).decode(),
		}
		lock = {"name": "app", "version": "1.0.0", "lockfileVersion": 3, "requires": True,
		        "packages": {"": root, "node_modules/greeting": package}}
		app = pathlib.Path(sys.argv[2])
		(app / "package.json").write_text(json.dumps(root))
		(app / "package-lock.json").write_text(json.dumps(lock))
	PY
}

# refused FILE COMMAND...: the command in a world fails as on a read-only or closed directory, and
# FILE is on the host what it was.
refused() {
	local file=$1 before after
	shift
	before=$(stat -c '%i %s %Y %Z' "$file" 2>&1 || true)
	run substrate run -- "$@"
	after=$(stat -c '%i %s %Y %Z' "$file" 2>&1 || true)
	printf '%s\n' "$status" "$output"
	[ "$status" -ne 0 ] || return 1
	[ "$status" -ne 125 ] || return 1
	[[ "$output" == *"Read-only file system"* || "$output" == *"Permission denied"* ]] || return 1
	[ "$before" = "$after" ]
}

@test "a virtual environment is made and a local wheel installed into it" {
	need python3
	make_wheel
	substrate run -- sh -euxc '
		unset PIP_FIND_LINKS
		python3 -m venv venv
		venv/bin/pip install --disable-pip-version-check --no-index --find-links wheels greeting
		venv/bin/python -c "import greeting; print(greeting.greet())" >said
		venv/bin/pip check'
	[ "$(cat said)" = "hello from a wheel" ]
	[ "$(venv/bin/python -c 'import greeting; print(greeting.greet())')" = "hello from a wheel" ]
	substrate run -- venv/bin/pip uninstall -q -y greeting
	run venv/bin/python -c 'import greeting'
	[ "$status" -ne 0 ]
}

@test "an npm project installs from a warm cache, without a network" {
	need npm python3
	make_npm_project
	# The cache is the world's own: what a command puts in is there for the next one.
	substrate run -- npm cache add ./greeting-1.0.0.tgz
	rm greeting-1.0.0.tgz
	substrate run -- sh -euxc '
		cd app
		npm ci --offline --no-audit --no-fund
		node -e "console.log(require(\"greeting\")())" >said'
	[ "$(cat app/said)" = "hello from a package" ]
	[ -f app/node_modules/greeting/index.js ]
}

@test "an agent has a cache of its own: it is cold for another one, and on the host" {
	need npm python3
	make_npm_project
	substrate run --agent warm -- npm cache add ./greeting-1.0.0.tgz
	run substrate run --agent cold --cwd app -- npm ci --offline --no-audit --no-fund
	echo "$output"
	[ "$status" -ne 0 ]
	[[ "$output" == *ENOTCACHED* ]]
	digest=$(sha512sum <greeting-1.0.0.tgz | cut -d' ' -f1)
	[ ! -e "$HOME/.npm/_cacache/content-v2/sha512/${digest:0:2}/${digest:2:2}/${digest:4}" ]
	substrate run --agent warm --cwd app -- npm ci --offline --no-audit --no-fund
}

@test "pip cannot write the system's packages, nor the user's" {
	need python3
	make_wheel
	places=(/usr/lib/python3 /usr/local/lib "$HOME")
	before=$(find "${places[@]}" -name 'greeting*' 2>/dev/null || true)
	pip=(python3 -m pip install --disable-pip-version-check --no-index --find-links wheels
		--break-system-packages greeting)
	refused /usr/lib/python3/dist-packages "${pip[@]}"
	refused /usr/lib/python3/dist-packages "${pip[@]}" --no-user
	refused /usr/lib/python3/dist-packages "${pip[@]}" --target /usr/lib/python3/dist-packages
	refused "$HOME" "${pip[@]}" --user
	[ "$(find "${places[@]}" -name 'greeting*' 2>/dev/null || true)" = "$before" ]
	[ -z "$before" ]
}

@test "npm cannot install for the whole system" {
	need npm python3
	make_npm_project
	# node makes ENOENT of the EROFS that its mkdir gets, so the message says nothing.
	in_world npm install -g --offline --prefix /usr ./greeting-1.0.0.tgz
	[ "$status" -ne 0 ]
	[ ! -e /usr/lib/node_modules/greeting ]
}

@test "files of the home cannot be changed, made or removed" {
	refused "$HOME/.bashrc" touch "$HOME/.bashrc"
	refused "$HOME/.bashrc" sh -c 'echo "touch pwned" >>"$HOME/.bashrc"'
	refused "$HOME/.bashrc" rm -f "$HOME/.bashrc"
	refused "$HOME/.bashrc" mv "$HOME/.bashrc" "$HOME/.bashrc.old"
	refused "$HOME/made-in-a-world" touch "$HOME/made-in-a-world"
	refused "$HOME/made-in-a-world" mkdir "$HOME/made-in-a-world"
	refused "$HOME/.config/made-in-a-world" mkdir -p "$HOME/.config/made-in-a-world"
	[ ! -e "$HOME/made-in-a-world" ]
}

@test "files of the system cannot be changed, made or removed" {
	for place in / /etc /usr /usr/bin /usr/local/bin /boot /opt /srv /home /var /var/lib /root; do
		refused "$place/made-in-a-world" touch "$place/made-in-a-world"
		[ ! -e "$place/made-in-a-world" ]
	done
	refused /etc/passwd sh -c 'echo evil:x:0:0::/:/bin/sh >>/etc/passwd'
	refused /etc/hostname rm -f /etc/hostname
	refused /usr/bin/env mv /usr/bin/env /usr/bin/env.old
	refused /usr/bin/env chmod 777 /usr/bin/env
	refused /etc/hosts touch /etc/hosts
}

@test "what may be written stays inside: temporary files and caches" {
	substrate run -- sh -euc '
		for place in /tmp /var/tmp /run /dev/shm ~/.cache ~/.npm; do
			touch "$place/made-in-a-world"
		done'
	for place in /tmp /var/tmp /run /dev/shm ~/.cache ~/.npm; do
		[ ! -e "$place/made-in-a-world" ]
	done
	substrate run -- test -e "$HOME/.cache/made-in-a-world"
}
