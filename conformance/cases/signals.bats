#!/usr/bin/env bats
# Signals: from outside by kill (runtime.md), and through a runtime that stays in the foreground.
load ../lib

@test "kill takes real-time signals" {
	# runtime.md: "signal" is whatever the platform has; peers: numbers, and names of some.
	local s n
	for s in 34 64 SIGRTMIN+3 RTMAX-1; do
		case $s in SIGRTMIN+3) n=37 ;; RTMAX-1) n=63 ;; *) n=$s ;; esac
		[ "$n" = "$s" ] || [ -z "$CONF_PEER" ] || continue
		new_bundle /probe wait-signal
		run_bg
		await_out ready
		rt kill "$CID" "$s"
		await_out "got $n"
		await_exit
		delete
	done
}

@test "kill takes names in either case, and refuses what is none" {
	new_bundle /probe wait-signal
	run_bg
	await_out ready
	local s
	known_peer_failure crun "accepts unknown signal names"
	for s in SIG SIGNONE RTMIN+99 65 -1 ''; do
		[ "$s" != 65 ] || [ -z "$CONF_PEER" ] || continue
		[ -n "$s" ] || [ -z "$CONF_PEER" ] || continue
		[ "$s" != -1 ] || [ -z "$CONF_PEER" ] || continue
		refused kill "$CID" -- "$s"
	done
	[ -n "$CONF_PEER" ] || { rt kill "$CID" sigusr2; await_out 'got 12'; await_exit; }
}

@test "kill --all reaches every process" {
	new_bundle /bin/sh -c 'sleep 300 & sleep 300 & echo ready; wait'
	run_bg
	await_out ready
	rt kill --all "$CID" KILL
	await_exit
	status_is stopped
}

@test "kill --all reaches what exec has started" {
	new_bundle /probe sleep
	run_bg
	rt exec -d --pid-file "$T/exec" "$CID" /probe sleep
	rt kill --all "$CID" KILL
	await_exit
	until_true dead "$(cat "$T/exec")"
}

@test "kill --regex reaches every container that matches" {
	[ "$CONF_PEER" != runc ] || skip "runc has no --regex"
	local one two pids=()
	new_bundle /probe sleep
	run_bg
	one=$CID
	pids+=("$PID")
	new_bundle /probe sleep
	run_bg
	two=$CID
	pids+=("$PID")
	rt kill --regex "^$TOKEN-" KILL
	await_exit "${pids[0]}"
	await_exit "${pids[1]}"
	status_is stopped "$one"
	status_is stopped "$two"
}

# foreground VERB...: in the background of the case; its pid is in $FG, its output in $T/fg.
foreground() {
	: >"$T/fg" # here, or what the one before has said is read
	timeout -s KILL 30 "$RUNTIME" --root "$ROOT" "$@" </dev/null >"$T/fg" 2>"$T/fg.err" 3>&- 4>&- &
	FG=$!
}
fg_said() { grep -q -- "$1" "$T/fg"; }
# to the runtime itself, which timeout(1) has started
to_runtime() { kill "-$1" "$(cat "/proc/$FG/task/$FG/children")"; }

@test "run in the foreground forwards signals" {
	local s n
	for s in HUP INT USR1 TERM WINCH; do
		# runc keeps it to itself, to look at a terminal's size
		[ "$s$CONF_PEER" != WINCHrunc ] || continue
		new_bundle /probe wait-signal
		foreground run --bundle "$BUNDLE" "$CID"
		until_true fg_said ready
		to_runtime "$s"
		n=$(kill -l "$s")
		until_true fg_said "got $n"
		wait $FG || :
	done
}

@test "exec in the foreground forwards signals" {
	local s n
	new_bundle /probe sleep
	run_bg
	for s in HUP INT USR1 TERM WINCH; do
		[ "$s$CONF_PEER" != WINCHrunc ] || continue
		foreground exec "$CID" /probe wait-signal
		until_true fg_said ready
		to_runtime "$s"
		n=$(kill -l "$s")
		unless_peer crun "forwards nothing to exec" until_true fg_said "got $n" || break
		wait $FG || :
	done
	status_is running
	[ "$CONF_PEER" != crun ] || { rt kill --all "$CID" KILL; wait; }
}

@test "a caller that ignores SIGCHLD still gets the status" {
	new_bundle /probe exit 9
	local caller='import signal, os, sys; signal.signal(signal.SIGCHLD, signal.SIG_IGN); os.execv(sys.argv[1], sys.argv[1:])'
	command -v python3 >/dev/null || skip "needs python3"
	status=0
	timeout -s KILL 10 python3 -c "$caller" "$RUNTIME" --root "$ROOT" run --bundle "$BUNDLE" "$CID" </dev/null >"$T/o" 2>&1 3>&- 4>&- || status=$?
	known_peer_failure crun "loses the child"
	eq $status 9
}

@test "every one of many short containers ends with its status" {
	# youki hung here: a SIGCHLD that stands for two was taken for one.
	local n
	new_bundle
	for ((n = 0; n < ${CONF_MANY:-25}; n++)); do
		args /bin/sh -c "true & true & exit $((n % 50))"
		status=0
		run_fg 2>/dev/null || :
		eq "$status" $((n % 50))
	done
}
