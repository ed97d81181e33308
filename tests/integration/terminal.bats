#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC1003,SC2016 # what is typed is for other shells
# Commands on a terminal.  A person's side is played by tmux: keys go in, the screen comes out.

load ../lib/common

setup() {
	setup_home
	need tmux
	HOST=$BATS_TEST_TMPDIR/host.sock
	export PATH=$SUBSTRATE_BIN:$PATH # for the shell on the terminal
}

teardown() {
	tmux -S "$HOST" kill-server 2>/dev/null || true
	teardown_home
}

# terminal: open one of 30 rows and 100 columns, with a shell of the host's in $PWD.
terminal() {
	printf 'PS1="host\\$ "\nunset PROMPT_COMMAND\n' >"$BATS_TEST_TMPDIR/bashrc"
	tmux -S "$HOST" -f /dev/null new-session -d -x 100 -y 30 \
		"bash --noprofile --rcfile '$BATS_TEST_TMPDIR/bashrc' 3>&-" 3>&-
	tmux -S "$HOST" set-option -g status off
	tmux -S "$HOST" resize-window -x 100 -y 30
	shows 'host$'
}

# keys KEY...: press them, as tmux names them.
keys() {
	tmux -S "$HOST" send-keys "$@"
}

# line TEXT: type it, and Enter.
line() {
	tmux -S "$HOST" send-keys -l "$1"
	keys Enter
}

screen() {
	tmux -S "$HOST" capture-pane -p
}

has_line() {
	screen | grep -qxF -- "$1"
}

has_text() {
	screen | grep -qF -- "$1"
}

# shows LINE: it appears on the screen, and nothing else in that line (such as what was typed).
shows() {
	wait_until has_line "$1" && return 0
	screen | grep . >&2
	return 1
}

# shows_text TEXT: it appears somewhere.
shows_text() {
	wait_until has_text "$1" && return 0
	screen | grep . >&2
	return 1
}

# has_prompt: of bash, with or without start-up files that set it.
has_prompt() {
	has_text "$(id -un)@" || has_text bash-
}

# sleeps SECONDS: a process does.
sleeps() {
	pgrep -xf "sleep $1" >/dev/null
}

sleeps_no_more() {
	! sleeps "$1"
}

@test "a command has a terminal of the world's own, of the size of ours" {
	terminal
	line 'substrate run -- sh -c "tty; stty size; test -t 0 && test -t 2 && echo all"'
	shows /dev/pts/0
	shows "30 100"
	shows all
}

@test "it follows the size of ours" {
	terminal
	line $'substrate run -- sh -c \'trap "stty size" WINCH; echo ready; while :; do read x; done\''
	shows ready
	tmux -S "$HOST" resize-window -x 70 -y 20
	shows "20 70"
}

@test "where a standard stream is no terminal, the command has none" {
	terminal
	line 'substrate run -- sh -c "test -t 1 || echo no; test -t 0 || echo none" | cat'
	shows none
	line 'clear; substrate run --no-pty -- sh -c "test -t 1 || echo never"'
	shows never
	line 'clear; substrate run --pty -- sh -c "test -t 1 && echo forced" | cat'
	shows forced
	line 'clear; substrate run -- sh -c "test -t 1 || echo quiet" 2>err'
	shows quiet
}

@test "Ctrl-C interrupts, Ctrl-D ends the input, Ctrl-backslash quits" {
	terminal
	line 'substrate run -- sh -c "echo ready; exec sleep 1000"; echo "status $?"'
	shows ready
	keys C-c
	shows_text "status 130"
	line 'clear; substrate run -- sh -c "echo open; exec cat"; echo "status $?"'
	shows open
	line 'echoed'
	keys C-d
	shows "status 0"
	line 'clear; substrate run -- sh -c "ulimit -c 0; echo ready; exec sleep 1000"; echo "status $?"'
	shows ready
	keys 'C-\'
	shows_text "status 131"
}

@test "Ctrl-Z stops, fg continues, and between them the terminal is as it was" {
	terminal
	line 'stty -a >before; substrate run -- sh -c "echo started; read x; echo got \$x"'
	shows started
	keys C-z
	shows_text Stopped
	line 'stty -a >between; cmp before between && echo same'
	shows same
	line fg
	line word
	shows "got word"
	line 'stty -a >after; cmp before after && echo "again same"'
	shows "again same"
}

@test "bg lets a stopped command go on in the background" {
	terminal
	mkfifo go
	line 'substrate run -- sh -c "echo started; read x <go; echo; echo late; read x; echo got \$x"'
	shows started
	keys C-z
	shows_text Stopped
	line 'clear; bg'
	line 'echo >go'
	shows late
	line fg
	line word
	shows "got word"
}

@test "a shell inside has job control" {
	terminal
	line 'substrate run -- bash --norc --noprofile'
	shows_text 'bash-'
	line 'sh -c "echo asleep; exec sleep 1000"'
	shows asleep
	keys C-z
	shows_text Stopped
	line 'kill %1; sleep 0.3; jobs >/dev/null; echo "jobs: $(jobs | wc -l)"'
	shows "jobs: 0"
	line 'exec sh -i'
	line 'echo "shell $0"'
	shows "shell sh"
	line 'exit 7'
	line 'echo "status $?"'
	shows "status 7"
}

@test "a stopped command that is ended, ends" {
	terminal
	line 'substrate run -- sh -c "echo started; read x"'
	shows started
	keys C-z
	shows_text Stopped
	line 'clear; set -b; kill %1' # -b: told at once
	shows_text "Exit 143"
}

@test "vim, less, fzf, htop and tmux are usable" {
	need vim less fzf htop
	terminal
	line 'substrate run -- vim -u NONE -N note'
	shows_text '~'
	keys i
	keys -l 'written inside'
	keys Escape
	line ':wq'
	wait_until grep -qx 'written inside' note
	seq 1000 >numbers
	shows 'host$'
	line 'clear; substrate run -- less numbers'
	shows_text numbers
	keys G
	shows 1000
	keys q
	printf 'alpha\nbeta\ngamma\n' >words
	line 'clear; substrate run -- sh -c "fzf <words >chosen"'
	shows_text 3/3
	keys -l bet
	shows_text 1/3
	keys Enter
	wait_until grep -qx beta chosen
	line 'clear; substrate run -- htop'
	shows_text 'Load average'
	keys q
	line 'clear; substrate run -- tmux -f /dev/null new-session "echo within; read x; echo \$x >told"'
	shows within
	line secret
	wait_until grep -qx secret told
}

@test "the terminal is as it was when the command fails, is ended, or the daemon dies" {
	terminal
	line 'stty -a >before; substrate run -- no-such-command; stty -a >after; cmp before after && echo one'
	shows one
	line 'clear; substrate run --timeout 0.5 -- sleep 1000; stty -a >after; cmp before after && echo two'
	shows two
	line 'clear; substrate run -- sh -c "echo ready; sleep 1000"; stty -a >after; cmp before after && echo three'
	shows ready
	kill -KILL "$(daemon_pid)"
	shows three
}

@test "a client that is killed hangs its terminal up" {
	terminal
	mark=$((100000 + RANDOM))
	line "substrate run -- sh -c 'echo ready; sleep $mark'"
	shows ready
	pid=$(pgrep -f "^substrate run -- sh -c echo ready; sleep $mark")
	wait_until sleeps "$mark"
	kill -KILL "$pid"
	wait_until sleeps_no_more "$mark"
	[ "$(substrate trace --json | jq -r '.events[-1].signal')" = 1 ]
}

@test "what is left running keeps its terminal and is not hung up" {
	terminal
	line 'substrate run -- sh -c "(until test -e go; do sleep 0.1; done; echo x >/dev/tty; tty >&2; echo \$? >done) & echo early"; echo back'
	shows early
	shows back
	[ "$(substrate world status --json | jq '.worlds[0].processes | map(select(.survivor)) | length')" -gt 0 ]
	touch go
	wait_until test -e "done"
}

@test "all output arrives, also what is pending at the end" {
	for _ in 1 2 3 4 5; do
		substrate run --pty -- sh -c 'stty -opost; seq 50000' >out
		seq 50000 | cmp - out
	done
}

@test "input that is no terminal is typed, with its end" {
	seq 1000 | substrate run --pty -- sh -c 'cat >got'
	seq 1000 | cmp - got
	printf half | substrate run --pty -- sh -c 'cat >got'
	[ "$(cat got)" = half ]
	[ "$(substrate run --pty -- sh -c 'cat; echo end' </dev/null | tr -d '\r')" = end ]
}

@test "a slow reader slows a terminal's writer down" {
	substrate run --pty --status-fd 3 -- sh -c 'stty -opost; yes' 3>messages | {
		sleep 2
		head -c 300000 | wc -c >count
	}
	[ "$(cat count)" -eq 300000 ]
	kb=$(awk '/^VmHWM/ {print $2}' "/proc/$(daemon_pid)/status")
	echo "$kb"
	[ "$kb" -lt 60000 ]
}

@test "a command cannot stop the script that runs it" {
	python3 - "$SUBSTRATE_BIN/substrate" <<-'PY'
		import os, signal, subprocess, sys, time
		child = subprocess.Popen([sys.argv[1], "run", "--pty", "--status-fd", "2", "--", "sh", "-c",
		                          "kill -STOP $$; exit 5"], stdin=subprocess.DEVNULL,
		                         stderr=subprocess.PIPE, preexec_fn=os.setpgrp)
		for line in child.stderr:
		    if b'"stopped"' in line:
		        break
		time.sleep(0.3)
		pid, status = os.waitpid(child.pid, os.WNOHANG | os.WUNTRACED)
		assert pid == 0, status  # neither stopped nor ended
		child.send_signal(signal.SIGCONT)
		assert child.wait(30) == 5
	PY
}

@test "substrate alone is the user's shell in the world, with a history of its own" {
	terminal
	line 'export SHELL=/bin/bash; substrate'
	wait_until has_prompt
	line 'test -e /run/substrate/world && echo "in a world"'
	shows "in a world"
	line 'echo remembered; history -a; exit 4'
	line 'echo "status $?"'
	shows "status 4"
	line 'clear; substrate -c "grep -c remembered \$HOME/.cache/substrate-bash-history"'
	shows 1
	run substrate </dev/null
	[ "$status" -eq 2 ]
}
