#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What a command leaves in a repository for the host's git to run.
#
# Each trick has what a command does in a world, and what the user does on the host afterwards.  It
# tries to have ./payload run, a stand-in for a hostile program that drops a marker.

# The scripts in single quotes are for the shell in the world, or for that of the user.
# shellcheck disable=SC2016

load ../lib/common
load escape

setup() {
	setup_escape
	# For commits outside and inside.
	export GIT_AUTHOR_NAME=tester GIT_AUTHOR_EMAIL=tester@localhost
	export GIT_COMMITTER_NAME=tester GIT_COMMITTER_EMAIL=tester@localhost
}
teardown() { teardown_escape; }

declare -gA trick user

user[default]='git status; git diff; git log -1; git add -A; git commit -m user'

# Keys of the project's configuration.
trick[fsmonitor]='git config core.fsmonitor "$PWD/payload"'
trick[by-hand]='printf "[core]\n\tfsmonitor = $PWD/payload\n" >>.git/config'
trick[renamed]='cp .git/config c; git config -f c core.fsmonitor "$PWD/payload"; mv c .git/config'
trick[linked]='cp .git/config c; git config -f c core.fsmonitor "$PWD/payload"; ln -sf "$PWD/c" .git/config'
trick[include]='git config -f inc core.fsmonitor "$PWD/payload"; git config include.path "$PWD/inc"'
trick[include-if]='git config -f inc core.fsmonitor "$PWD/payload"
	git config includeIf.onbranch:main.path "$PWD/inc"'
trick[case]='printf "[CoRe] FSMonitor = $PWD/payload ; x\n" >>.git/config'
trick[continued]='printf "[core]\n\tfsmonitor = $PWD/pay\\\\\nload\n" >>.git/config'
trick[same-line]='printf "[core] bare = false\n[user] name = \"x\\\\\n\" \n[core] fsmonitor = $PWD/payload\n" >>.git/config'
trick[bom]='{ printf "\357\273\277"; cat .git/config; printf "[core]\n\tfsmonitor = $PWD/payload\n"; } >c; mv c .git/config'
trick[worktree-config]='git config extensions.worktreeConfig true; git config --worktree core.fsmonitor "$PWD/payload"'
trick[hooks-path]='mkdir h; cp payload h/pre-commit; git config core.hooksPath h'
trick[alias]='git config alias.st "!./payload"'
user[alias]='git st'
trick[editor]='git config core.editor ./payload'
user[editor]='git commit --allow-empty'
trick[external-diff]='echo x >>tracked; git config diff.external ./payload'
trick[textconv]='echo x >>tracked; echo "* diff=evil" >.gitattributes; git config diff.evil.textconv ./payload'
trick[filter]='echo x >>tracked; echo "* filter=evil" >.gitattributes; git config filter.evil.clean ./payload'
trick[signing]='git config commit.gpgsign true; git config gpg.program ./payload'
trick[ssh-command]='git remote add evil ssh://localhost/x; git config core.sshCommand ./payload'
user[ssh-command]='git fetch evil'
trick[ext-address]='git remote add evil "ext::./payload"; git config protocol.ext.allow always'
user[ext-address]='git fetch evil'
trick[instead-of]='git remote add evil evil:x; git config url.ext::./payload.insteadOf evil:x; git config protocol.ext.allow always'
user[instead-of]='git fetch evil'
trick[upload-pack]='git remote add evil "$PWD/.git"; git config remote.evil.uploadpack ./payload'
user[upload-pack]='git fetch evil'
trick[credential]='git config credential.helper "!./payload"'
user[credential]='echo url=https://localhost/x | git credential fill'

# The git directory.
trick[hook]='cp payload .git/hooks/pre-commit'
trick[hook-link]='ln -s ../../payload .git/hooks/pre-commit'
trick[common]='cp -r .git evil; git config -f evil/config core.fsmonitor "$PWD/payload"; echo "$PWD/evil" >.git/commondir'
trick[git-file]='cp -r .git evil; git config -f evil/config core.fsmonitor "$PWD/payload"
	rm -rf .git; mv .git away; echo "gitdir: $PWD/evil" >.git'
trick[git-link]='cp -r .git evil; git config -f evil/config core.fsmonitor "$PWD/payload"; mv .git away; ln -s evil .git'
trick[bare-root]='cp -r .git/objects .git/refs .git/HEAD .; printf "[core]\n\trepositoryformatversion = 0\n\tbare = false
	worktree = $PWD\n\tfsmonitor = $PWD/payload\n" >config; rm .git/HEAD'

# Repositories that the command makes.
trick[clone]='git init -q sub; git -C sub config core.fsmonitor "$PWD/payload"'
user[clone]='git -C sub status'
trick[clone-hook]='git init -q sub; mkdir -p sub/.git/hooks; cp payload sub/.git/hooks/pre-commit'
user[clone-hook]='git -C sub commit --allow-empty -m user'
trick[gitlink]='git init -q sub; git -C sub commit -q --allow-empty -m one; git add sub
	git -C sub config core.fsmonitor "$PWD/payload"'
trick[deep-gitlink]='mkdir -p a/b/c; git init -q a/b/c/sub; git -C a/b/c/sub commit -q --allow-empty -m one
	git add a/b/c/sub; git -C a/b/c/sub config core.fsmonitor "$PWD/payload"'
trick[gitlink-elsewhere]='git init -q sub; git -C sub commit -q --allow-empty -m one; git add sub
	mv sub/.git evil; git config -f evil/config core.worktree ../sub; git config -f evil/config core.fsmonitor "$PWD/payload"
	echo "gitdir: ../evil" >sub/.git'
trick[submodule]='git init -q --bare other.git; git clone -q other.git o; git -C o commit -q --allow-empty -m one
	git -C o push -q origin HEAD; git -c protocol.file.allow=always submodule --quiet add "$PWD/other.git" sub
	git -C sub config core.fsmonitor "$PWD/payload"'
trick[submodule-hook]='git init -q --bare other.git; git clone -q other.git o; git -C o commit -q --allow-empty -m one
	git -C o push -q origin HEAD; git -c protocol.file.allow=always submodule --quiet add "$PWD/other.git" sub
	mkdir -p .git/modules/sub/hooks; cp payload .git/modules/sub/hooks/pre-commit'
user[submodule-hook]='git -C sub commit --allow-empty -m user'
trick[worktree]='git worktree add -q wt; cp -r .git evil; git config -f evil/config core.fsmonitor "$PWD/payload"
	echo "gitdir: $PWD/evil/worktrees/wt" >wt/.git'
user[worktree]='git -C wt status'
trick[worktree-common]='git worktree add -q wt; cp -r .git evil; git config -f evil/config core.fsmonitor "$PWD/payload"
	echo "$PWD/evil" >.git/worktrees/wt/commondir'
user[worktree-common]='git -C wt status'
trick[bare]='git init -q --bare evil; git -C evil config core.bare false; git -C evil config core.worktree ..
	git -C evil config core.fsmonitor "$PWD/payload"'
user[bare]='cd evil && git status'
trick[init-again]='mv .git/config c; git init -q; git config core.fsmonitor "$PWD/payload"'

# play NAME: in a new project, the trick in a world, then the user's commands.  Fails when the
# payload ran.
play() {
	local project="$BATS_TEST_TMPDIR/work/$1"
	make_project "$project" >/dev/null || exit 1
	cd "$project"
	echo one >tracked
	printf '#!/bin/sh\ntouch "%s/marker"\nexit 1\n' "$project" >payload
	chmod +x payload
	git add tracked
	git commit -q -m two
	in_world env GIT_AUTHOR_NAME=evil GIT_AUTHOR_EMAIL=evil@localhost GIT_COMMITTER_NAME=evil \
		GIT_COMMITTER_EMAIL=evil@localhost sh -c "${trick[$1]}" || exit 1
	sh -c "${user[$1]:-${user[default]}}" </dev/null >user.log 2>&1 || true
	[ ! -e marker ]
}

@test "the host's git runs nothing that a command left" {
	ran=
	[ "${#trick[@]}" -gt 30 ]
	for name in "${!trick[@]}"; do
		play "$name" || ran+=" $name"
	done
	echo "ran:$ran"
	[ "$ran" = "" ]
}

@test "companion: without protection each trick works" {
	without protect
	failed=
	for name in "${!trick[@]}"; do
		if play "$name"; then failed+=" $name"; fi
	done
	echo "did not run:$failed"
	[ "$failed" = "" ]
}

is_clean() {
	[ -f .git/config ] || return 1
	run git config --get core.fsmonitor
	[ "$status" -eq 1 ]
}

@test "what a process changes after its command has ended is put back" {
	substrate run -- sh -c 'setsid sh -c "until [ -e go ]; do sleep 0.05; done
		git config core.fsmonitor ./payload; git config alias.st !./payload; touch changed" </dev/null >/dev/null 2>&1 &'
	touch go
	wait_until test -e changed
	wait_until is_clean
	run git config --get alias.st
	[ "$status" -eq 1 ]
}

@test "what is changed over and over is put back when the world is gone" {
	substrate run -- sh -c 'setsid sh -c "while :; do git config core.fsmonitor ./payload && touch changed; done" \
		</dev/null >/dev/null 2>&1 &'
	wait_until test -e changed
	substrate world stop
	wait_until is_clean
	rm -f .git/config.lock
	git status
}

# A file that a command removes may stay away: it runs nothing then.
@test "configuration that is no file any more, or none of git's, does not stay" {
	before=$(cat .git/config)
	for change in 'rm .git/config; mkfifo .git/config' 'rm .git/config; mkdir -p .git/config/a' \
		'ln -sf /dev/zero .git/config' 'truncate -s 100M .git/config' 'printf "[core\n" >>.git/config'; do
		in_world sh -c "$change"
		[ ! -L .git/config ]
		[ ! -e .git/config ] || [ -f .git/config ]
		[ ! -e .git/config ] || [ "$(cat .git/config)" = "$before" ]
		printf '%s\n' "$before" >.git/config
	done
}

@test "configuration is not changed in two steps" {
	for first in 'rm .git/config' 'mv .git/config .git/c' 'echo >.git/config' 'chmod 000 .git/config'; do
		in_world sh -c "$first"
		in_world sh -c 'chmod 600 .git/config; git init -q; git config core.fsmonitor ./payload'
		run git config --get core.fsmonitor
		[ "$status" -eq 1 ]
	done
}

@test "harmless configuration stays" {
	substrate run -- git config branch.main.remote origin
	[ "$(git config branch.main.remote)" = origin ]
}

@test "a repository in a project that had none runs nothing" {
	mkdir ../plain
	cd ../plain
	printf '#!/bin/sh\ntouch "%s/marker"\nexit 1\n' "$PWD" >payload
	chmod +x payload
	attack='git init -q; git config core.fsmonitor "$PWD/payload"; mkdir -p .git/hooks; cp payload .git/hooks/pre-commit
		git config alias.st "!./payload"'
	in_world sh -c "$attack"
	git status
	git -c user.name=u -c user.email=e commit -q --allow-empty -m user
	run git st
	gone marker
	rm -rf .git
	without protect # the companion
	in_world sh -c "$attack"
	git status
	[ -e marker ]
}

@test "a linked worktree's repository runs nothing" {
	git worktree add -q -b side ../side
	cd ../side
	printf '#!/bin/sh\ntouch "%s/marker"\nexit 1\n' "$PWD" >payload
	chmod +x payload
	attack='git config core.fsmonitor "$PWD/payload"; git config extensions.worktreeConfig true
		git config --worktree core.fsmonitor "$PWD/payload"; cp payload "$(git rev-parse --git-common-dir)/hooks/pre-commit"'
	in_world sh -c "$attack"
	git status
	git commit -q --allow-empty -m user
	git -C ../project status
	gone marker
	without protect # the companion
	in_world sh -c "$attack"
	git status
	[ -e marker ]
}
