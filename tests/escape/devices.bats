#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Devices of the host take data; what the host says about them stays as it is.

load ../lib/common

setup() {
	setup_home
	dir=$(make_project)
	cd "$dir"
}

teardown() { teardown_home; }

@test "root in a world cannot change a device of the host" {
	before=$(stat -c '%a %U %z' /dev/full)
	in_world sh -c 'chmod 666 /dev/full; touch -c /dev/full'
	[ "$(stat -c '%a %U %z' /dev/full)" = "$before" ]
}

@test "companion: root on the host can" {
	[ "$(id -u)" -eq 0 ] || skip "only root owns devices"
	before=$(stat -c '%z' /dev/full)
	chmod 666 /dev/full # the mode that it has
	[ "$(stat -c '%z' /dev/full)" != "$before" ]
}

@test "devices work in a world" {
	in_world sh -c 'echo x >/dev/null && head -c 3 /dev/urandom | wc -c && ! echo x 2>/dev/null >/dev/full'
	[ "$status" -eq 0 ]
	[ "$output" = 3 ]
}
