#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# git at work in a world: clone, commit, push, linked worktrees, submodules; and the ssh client.

# The scripts in single quotes are for the shell in the world.
# shellcheck disable=SC2016

load ../lib/common

setup() {
	need git ssh
	setup_home
	dir=$(make_project)
	cd "$dir"
}

teardown() { teardown_home; }

# world_git SCRIPT: run the script in a world; its first failing command fails it.
world_git() {
	substrate run -- sh -euxc "$1"
}

@test "clone, commit, make branches and push them to a bare repository in the project" {
	world_git '
		git init -q --bare -b main store.git
		git clone -q store.git clone
		cd clone
		git config user.name inside
		git config user.email inside@localhost
		echo one >file
		git add file
		git commit -q -m one
		git push -q origin HEAD:main
		git switch -q -c topic
		echo two >>file
		git commit -q -a -m two
		git push -q -u origin topic
		git tag v1
		git push -q origin v1'
	[ "$(git -C store.git log --format=%s topic)" = $'two\none' ]
	[ "$(git -C store.git log --format=%s main)" = one ]
	[ "$(git -C store.git tag)" = v1 ]
}

@test "the project's own repository: commit, branch, merge, rebase, stash, push" {
	world_git '
		git init -q --bare -b main store.git
		echo store.git >.gitignore
		git add .gitignore
		git commit -q -m ignore
		git remote add origin store.git
		git push -q -u origin main
		git switch -q -c topic
		echo topic >file
		git add file
		git commit -q -m topic
		git push -q -u origin topic
		git switch -q main
		git merge -q --no-ff -m merge topic
		git branch -q -d topic
		echo dirty >>file
		git stash -q
		git stash pop -q
		git checkout -q file
		git gc -q
		git push -q'
	[ "$(git -C store.git log -1 --format=%s main)" = merge ]
	[ "$(git log -1 --format=%s)" = merge ]
	[ "$(git config branch.main.remote)" = origin ]
	git fsck
}

@test "a linked worktree commits and pushes through the repository it belongs to" {
	git worktree add -q -b side ../side
	cd ../side
	world_git '
		git init -q --bare -b main store.git
		git remote add origin "$PWD/store.git"
		echo side >file
		git add file
		git commit -q -m side
		git branch another
		git log -1 --format=%s
		git push -q origin side another'
	[ "$(git -C store.git log -1 --format=%s side)" = side ]
	[ "$(git -C store.git log -1 --format=%s another)" = side ]
	[ "$(git -C "$dir" log -1 --format=%s side)" = side ]
}

@test "a submodule commits and pushes to a bare repository, its superproject too" {
	make_project ../part >/dev/null
	git clone -q --bare ../part part.git
	git -c protocol.file.allow=always submodule --quiet add ./part.git part
	git -C part config user.name tester
	git -C part config user.email tester@localhost
	git commit -q -m 'add part' -- part .gitmodules
	cd part
	world_git '
		echo inside >file
		git add file
		git commit -q -m inside
		git switch -q -c topic
		git push -q -u origin topic
		cd ..
		git add part
		git commit -q -m "part moved"'
	[ "$(git -C "$dir/part.git" log -1 --format=%s topic)" = inside ]
	[ "$(git -C "$dir" log -1 --format=%s)" = 'part moved' ]
}

@test "a submodule is added, and cloned with its superproject, inside a world" {
	make_project ../part >/dev/null
	git clone -q --bare ../part part.git
	git commit -q --allow-empty -m second
	world_git '
		git -c protocol.file.allow=always submodule --quiet add "$PWD/part.git" part
		git commit -q -m "add part"
		git -c protocol.file.allow=always clone -q --recurse-submodules . copy
		git -C copy/part log -1 --format=%s'
	[ "$(git -C copy/part log -1 --format=%s)" = first ]
	git submodule status
}

@test "the ssh client accepts its configuration" {
	run substrate run -- ssh -G localhost
	echo "$output"
	[ "$status" -eq 0 ]
	[[ "$output" == *"hostname localhost"* ]]
}

# What follows is the list in SECURITY.md, "Operations that self-bound directories break".

@test "a directory on the way to a protected path cannot be renamed or removed: EBUSY" {
	run substrate run -- mv .git elsewhere
	echo "$output"
	[ "$status" -ne 0 ]
	[[ "$output" == *busy* ]]
	[ ! -e elsewhere ]
	run substrate run -- rm -rf .git
	[ "$status" -ne 0 ]
	[ -d .git/hooks ]
}

@test "hard links and renames across such a directory: EXDEV, and mv copies" {
	echo content >file
	run substrate run -- ln file .git/file
	echo "$output"
	[ "$status" -ne 0 ]
	[[ "$output" == *cross-device* ]]
	run substrate run -- python3 -c 'import os; os.rename("file", ".git/file")'
	echo "$output"
	[ "$status" -ne 0 ]
	[[ "$output" == *cross-device* ]]
	substrate run -- mv file .git/file
	[ "$(cat .git/file)" = content ]
	[ ! -e file ]
}

@test "moving an older worktree stops half way; git on the host mends it" {
	git worktree add -q -b side ./side
	echo kept >side/file
	run substrate run -- git worktree move side moved
	echo "$output"
	[ "$status" -ne 0 ]
	[ "$(cat moved/file)" = kept ]
	git worktree repair moved
	[ "$(git -C moved status --short)" = '?? file' ]
}

@test "removing an older worktree leaves its record; git on the host prunes it" {
	git worktree add -q -b side ./side
	run substrate run -- git worktree remove side
	[ ! -e side ]
	[ -e .git/worktrees/side/gitdir ]
	git worktree prune
	[ ! -e .git/worktrees/side ]
}

@test "a worktree that was made inside is moved and removed inside" {
	world_git '
		git worktree add -q -b side side
		git -C side commit -q --allow-empty -m side
		git worktree move side moved
		git worktree remove moved'
	[ "$(git log -1 --format=%s side)" = side ]
	[ ! -e moved ]
	[ "$(git worktree list | wc -l)" -eq 1 ]
}
