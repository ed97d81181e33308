#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# System calls that reach the kernel, terminals, and other tables of system calls.

# The scripts in single quotes are for the shell in the world.
# shellcheck disable=SC2016

load ../lib/common
load escape

setup() { setup_escape; }
teardown() { teardown_escape; }

# A stdin that never ends: script(1) would pass its end on, maybe before what is typed.
endless() {
	mkfifo "$BATS_TEST_TMPDIR/endless"
	exec 9<>"$BATS_TEST_TMPDIR/endless"
}

# Typing on a terminal: the attack runs under script(1), which has a pty of its own, as a line of a
# shell would; what it types is a command for the shell that reads the terminal next.
typing='script -qec "./attack tiocsti /dev/tty \"touch typed
\" && read -r line && eval \"\$line\"" /dev/null'

@test "nothing is typed on a world's own terminal" {
	need script
	endless
	in_world sh -c "$typing" <&9
	gone typed
}

@test "companion: without the filter a command is typed" {
	need script
	[ "$(cat /proc/sys/dev/tty/legacy_tiocsti 2>/dev/null)" != 0 ] || skip "this kernel has no TIOCSTI"
	without seccomp:tty
	endless
	in_world sh -c "$typing" <&9
	[ -e typed ]
}

@test "the user's terminal is not in reach of a command" {
	need script
	cat >session <<-'EOF'
		stat -Lc "%d %i" /proc/self/fd/0 >outer
		"$SUBSTRATE_BIN/substrate" run -- sh -c './attack tiocsti /dev/tty "touch typed
		"; for fd in 0 1 2; do ./attack tiocsti /proc/self/fd/$fd "touch typed
		"; stat -Lc "%d %i" /proc/self/fd/$fd >>inner; done'
		"$SUBSTRATE_BIN/substrate" run --no-pty -- sh -c 'for fd in 0 1 2; do
		[ ! -t $fd ] || touch terminal; done'
		"$@"
		read -t 1 -r line
		eval "$line"
	EOF
	endless
	script -qec 'bash session' /dev/null <&9
	gone typed terminal
	[ "$(wc -l <inner)" -eq 3 ] # it has a terminal, and that is another one
	run grep -xF "$(cat outer)" inner
	[ "$status" -eq 1 ]
	# The companion: the same on the host.
	script -qec 'bash session ./attack tiocsti /dev/tty "touch typed
"' /dev/null <&9
	[ -e typed ] || skip "this kernel has no TIOCSTI"
}

@test "io_uring, userfaultfd and keys are refused" {
	held_back io-uring
	held_back userfaultfd
	held_back add-key escape
}

@test "companion: without the filter io_uring, userfaultfd and keys work" {
	without seccomp:kernel,seccomp:keys
	breaks_out userfaultfd
	breaks_out add-key escape
	[ "$(cat /proc/sys/kernel/io_uring_disabled 2>/dev/null || echo 0)" = 0 ] ||
		skip "io_uring is switched off here"
	breaks_out io-uring
}

# i386 and x32 are tables of x86_64.
x86_only() {
	[ "$(uname -m)" = x86_64 ] || skip "this architecture has one table"
}

@test "the x32 table of system calls kills" {
	x86_only
	in_world ./attack x32
	[ "$status" -eq 159 ] # SIGSYS
}

# getpid() by int $0x80 is harmless; a kernel that runs no i386 programs ends it by SIGSEGV.
@test "the i386 table of system calls kills" {
	x86_only
	run ./attack i386
	[ "$status" -ne 139 ] || skip "this kernel runs no i386 programs"
	in_world ./attack i386
	[ "$status" -eq 159 ]
}

@test "companion: without the filter another table of system calls is asked" {
	x86_only
	without seccomp:arch
	in_world ./attack x32
	[ "$status" -le 1 ]
	in_world ./attack i386
	[ "$status" -le 1 ] || [ "$status" -eq 139 ] # a kernel without that table faults
}

@test "an unknown system call is not known, and the filter stays with what is started" {
	in_world python3 -c 'import ctypes, errno
libc = ctypes.CDLL(None, use_errno=True)
assert libc.syscall(1023) == -1 and ctypes.get_errno() == errno.ENOSYS'
	[ "$status" -eq 0 ]
	in_world sh -c 'sh -c "setsid -w ./attack io-uring"'
	[ "$status" -eq 1 ]
	in_world sh -c 'env -i setsid -w sh -c "./attack mount-old $PWD"'
	[ "$status" -eq 1 ]
}
