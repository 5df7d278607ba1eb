#!/usr/bin/env bats
# kill -9 of the runtime, at moments spread over the whole of a verb: whatever was reached, a caller can go on from it.
# runtime.md, Lifecycle and Operations. (tests/it kills at every system call; here it is the clock, so that it
# works with every runtime.)
load ../lib

ROUNDS=12

# how long VERB... takes here, in microseconds
timed() {
	local began=${EPOCHREALTIME/./}
	rt "$@"
	TOOK=$((${EPOCHREALTIME/./} - began))
}
# killed_at N VERB...: the verb, and SIGKILL to the runtime after N of ROUNDS parts of $TOOK.
killed_at() {
	local after
	printf -v after '0.%06d' $((TOOK * $1 / ROUNDS))
	shift
	status=0
	(
		exec 3>&- 4>&-
		export CONF_TOKEN=$TOKEN
		exec timeout -s KILL "$after" "$RUNTIME" --root "$ROOT" "$@" <"$CONF_NULL" >"$T/killed.out" 2>&1
	) 2>/dev/null || status=$?
}
# what is there can be told and taken away, and the id is free
taken_away() {
	# of what a killed create has begun its init may live for a moment yet
	until_true forced || { cat "$T/forced" >&2; return 1; }
	nothing_left
}
forced() {
	timeout 20 "$RUNTIME" --root "$ROOT" delete --force "$CID" <"$CONF_NULL" >"$T/forced" 2>&1 || return
	! timeout 20 "$RUNTIME" --root "$ROOT" state "$CID" <"$CONF_NULL" >/dev/null 2>&1
}
one_of() {
	local s
	rt state "$CID" 2>/dev/null || return 0 # there is none
	s=$(jq -r .status <<<"$out")
	[[ " $* " == *" $s "* ]] || { echo "status is '$s'" >&2; return 1; }
}

# bats test_tags=v2
@test "create killed: what is left has a status, and delete --force takes it away" {
	known_peer_failure runc "1.1 loses cgroups of a create that is killed before it has written its state"
	known_peer_failure crun "1.8 likewise"
	new_bundle /probe sleep
	timed create --bundle "$BUNDLE" "$CID"
	taken_away
	local n
	for ((n = 1; n <= ROUNDS; n++)); do
		killed_at $n create --bundle "$BUNDLE" "$CID"
		until_true one_of stopped created creating
		taken_away
	done
	create
	start
	status_is running
	delete --force
}

@test "run killed: a container in the foreground can be taken away" {
	known_peer_failure runc "1.1 loses cgroups of a run that is killed before it has written its state"
	known_peer_failure crun "1.8 likewise"
	new_bundle /probe exit 0
	timed run --bundle "$BUNDLE" "$CID"
	local n
	for ((n = 1; n <= ROUNDS; n++)); do
		killed_at $n run --bundle "$BUNDLE" "$CID"
		taken_away
	done
	run_fg
}

@test "start killed: the program runs or it does not, and start says which" {
	# runtime.md, Start: "This operation MUST generate an error if ... it is not `created`."
	known_peer_failure runc "1.1: a start that is killed before it opens its fifo can leave a container that says created and cannot be started"
	new_bundle /probe sleep
	create
	timed start "$CID"
	delete --force
	local n
	for ((n = 1; n <= ROUNDS; n++)); do
		create
		killed_at $n start "$CID"
		rt state "$CID"
		case $(jq -r .status <<<"$out") in
		created)
			# the word was not given, or it was and the program is about to run
			rt start "$CID" 2>/dev/null || until_true status_is running ;;
		running) refused start "$CID" ;;
		*) return 1 ;;
		esac
		until_true status_is running
		delete --force
		nothing_left
	done
}

@test "kill killed: the signal went out or it did not" {
	new_bundle /probe sleep
	run_bg
	timed kill "$CID" TERM
	await_exit
	delete
	local n
	for ((n = 1; n <= ROUNDS; n++)); do
		run_bg
		killed_at $n kill "$CID" KILL
		until_true one_of running stopped
		alive "$PID" || until_true status_is stopped
		taken_away
	done
	LIVE=()
}

@test "delete killed: another one finishes it" {
	new_bundle /probe exit 0
	create
	start
	await_exit
	timed delete "$CID"
	local n
	for ((n = 1; n <= ROUNDS; n++)); do
		create
		start
		await_exit
		killed_at $n delete "$CID"
		until_true one_of stopped
		taken_away
	done
	LIVE=()
}

@test "exec, pause, resume and update killed: the container can still be used" {
	needs_controller pids
	new_bundle /probe sleep
	run_bg
	local n verb
	timed exec "$CID" /probe exit 0
	for ((n = 1; n <= ROUNDS; n++)); do killed_at $n exec "$CID" /probe exit 0; done
	rt exec "$CID" /probe pid
	timed pause "$CID"
	rt resume "$CID"
	for ((n = 1; n <= ROUNDS; n++)); do
		killed_at $n pause "$CID"
		status_is running || rt resume "$CID"
		status_is running
		rt pause "$CID"
		killed_at $n resume "$CID"
		status_is running || rt resume "$CID"
		status_is running
	done
	timed update --pids-limit 50 "$CID"
	for ((n = 1; n <= ROUNDS; n++)); do killed_at $n update --pids-limit $((60 + n)) "$CID"; done
	rt update --pids-limit 33 "$CID"
	eq "$(cg pids pids.max pids.max)" 33
	rt exec "$CID" /probe pid
	delete --force
	nothing_left
}
