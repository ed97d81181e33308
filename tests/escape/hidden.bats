#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Credentials, and the homes of others.

# The scripts in single quotes are for the shell in the world.
# shellcheck disable=SC2016

load ../lib/common
load escape

setup() {
	setup_escape
	use_home
	mkdir -p "$HOME"/{.ssh,.aws,.config/gh,.docker,.substrate,notes,.local/share/keyrings}
	for file in .ssh/id_ed25519 .ssh/other .aws/credentials .config/gh/hosts.yml .netrc .bash_history \
		.docker/config.json .local/share/keyrings/login.keyring .substrate/trace.jsonl; do
		echo "secret of $file" >"$HOME/$file"
	done
	echo "known" >"$HOME/.ssh/known_hosts"
	echo "no secret" >"$HOME/notes/file"
}

teardown() { teardown_escape; }

# What a world can read of the home, whatever it is called.
read_home='cat "$0"/* "$0"/.[a-z]* "$0"/*/* "$0"/.*/* "$0"/.*/*/* "$0"/.*/*/*/* 2>/dev/null; true'

no_secret() {
	if [[ "$output" == *secret\ of* ]]; then
		printf 'seen: %s\n' "$output" >&2
		return 1
	fi
}

@test "credentials are not read" {
	in_world sh -c "$read_home" "$HOME"
	no_secret
	[[ "$output" == *"no secret"* ]]
	[[ "$output" == *known* ]]
	for file in .ssh/id_ed25519 .aws/credentials .netrc .substrate/trace.jsonl; do
		in_world cat "$HOME/$file"
		[ "$status" -ne 0 ]
	done
}

@test "companion: without hiding they are read" {
	without hide
	in_world sh -c "$read_home" "$HOME"
	for file in .ssh/id_ed25519 .aws/credentials .netrc .local/share/keyrings/login.keyring \
		.substrate/trace.jsonl; do
		[[ "$output" == *"secret of $file"* ]]
	done
}

@test "credentials are not read through links, /proc or another name of the way to them" {
	ln -s "$HOME/.ssh" ssh
	ln -s "$HOME/.netrc" netrc
	ln -s "$HOME" home
	in_world sh -c 'cat ssh/id_ed25519 netrc home/.aws/credentials "/proc/self/root$0/.netrc" \
		"/proc/1/root$0/.netrc" "/proc/thread-self/root$0/.netrc" "$0/notes/../.netrc" "/../..$0/.netrc"
		ln -f "$0/.netrc" linked; cp -r "$0/.ssh" copied; cat linked copied/*' "$HOME"
	no_secret
	gone linked copied/id_ed25519
	without hide # the companion
	in_world cat ssh/id_ed25519 netrc home/.aws/credentials
	[[ "$output" == *"secret of .netrc"* ]]
}

@test "credentials that the host replaces while the world runs are not read" {
	substrate run -- true
	for file in .ssh/id_ed25519 .netrc .aws/credentials; do
		echo "secret of a new $file" >"$HOME/$file.new"
		mv "$HOME/$file.new" "$HOME/$file"
	done
	mv "$HOME/.docker" "$HOME/.docker.old"
	mkdir "$HOME/.docker"
	echo "secret of a new .docker" >"$HOME/.docker/config.json"
	rm -r "$HOME/.docker.old"
	in_world sh -c "$read_home" "$HOME"
	no_secret
}

@test "credentials that the host makes while the world runs are not read" {
	substrate run -- true
	mkdir -p "$HOME"/{.kube,.config/gcloud,.gnupg/private-keys-v1.d}
	for file in .kube/config .config/gcloud/access_tokens.db .gnupg/private-keys-v1.d/key .git-credentials \
		.npmrc .pgpass .ssh/new; do
		echo "secret of $file" >"$HOME/$file"
	done
	in_world sh -c "$read_home" "$HOME"
	no_secret
}

# Private caches make a home a skeleton, too.
@test "companion: without hiding and private caches what the host makes later is read" {
	without hide,cache
	substrate run -- true
	mkdir "$HOME/.kube"
	echo "secret of a new .kube" >"$HOME/.kube/config"
	echo "secret of a new .netrc" >"$HOME/.netrc.new"
	mv "$HOME/.netrc.new" "$HOME/.netrc"
	in_world sh -c "$read_home" "$HOME"
	[[ "$output" == *"secret of a new .kube"* ]]
	[[ "$output" == *"secret of a new .netrc"* ]]
}

# SECURITY.md names this limit.
@test "what a world was shown before it got a hidden name stays shown until a restart" {
	substrate run -- true
	mv "$HOME/notes" "$HOME/.kube"
	echo "secret of .kube" >"$HOME/.kube/config"
	in_world sh -c "$read_home" "$HOME"
	substrate world restart
	in_world sh -c "$read_home" "$HOME"
	no_secret
}

@test "a credential that is a link is not read where it leads" {
	rm -r "$HOME/.aws"
	mkdir "$HOME/dotfiles"
	echo "secret of dotfiles" >"$HOME/dotfiles/credentials"
	ln -s dotfiles "$HOME/.aws"
	in_world sh -c "$read_home" "$HOME"
	no_secret
}

@test "a second name of the home does not show the credentials" {
	other=$(home_dir)
	export other
	in_throwaway '
		mount --bind "$HOME" "$other"
		status=0; substrate run -- cat "$other/.netrc" || status=$?
		[ "$status" -eq 1 ]
		[ "$(substrate run -- cat "$other/notes/file")" = "no secret" ]
		start_daemon_without hide # the companion
		[ "$(substrate run -- cat "$other/.netrc")" = "secret of .netrc" ]'
}

@test "nothing is written to hidden places, nor put into their way" {
	in_world sh -c 'mkdir -p "$0/.aws" "$0/.kube"; echo evil >"$0/.aws/config"; echo evil >"$0/.ssh/authorized_keys"
		echo evil >"$0/.ssh/config"; mv "$0/.ssh" "$0/.s"; rm -rf "$0/.ssh" "$0/.netrc"' "$HOME"
	gone "$HOME/.aws/config" "$HOME/.ssh/authorized_keys" "$HOME/.ssh/config" "$HOME/.s" "$HOME/.kube"
	[ -e "$HOME/.ssh/id_ed25519" ]
	[ -e "$HOME/.netrc" ]
}

@test "SUBSTRATE_HOME and what is in it are not there" {
	echo "secret of the daemon" >"$SUBSTRATE_HOME/secret"
	in_world sh -c "$read_home" "$SUBSTRATE_HOME"
	no_secret
	without hide,tmp # the companion
	in_world sh -c "$read_home" "$SUBSTRATE_HOME"
	[[ "$output" == *"secret of the daemon"* ]]
}

@test "homes of others are not there" {
	root_only
	other=$(getent passwd "$SUBSTRATE_TEST_USER" | cut -d: -f6)
	[[ "$other" == /home/* && -d "$other" ]] || skip "there is no other home"
	in_world ls -d "$other"
	[ "$status" -ne 0 ]
	without hide # the companion
	substrate run -- ls -d "$other"
}
