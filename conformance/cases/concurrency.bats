#!/usr/bin/env bats
# Several callers at once: runtime.md has each operation succeed or "have no effect".
load ../lib

# at_once N VERB...: N calls of the runtime at the same time; $won of them succeed.
at_once() {
	local n=$1 i pids=() pid
	shift
	for ((i = 0; i < n; i++)); do
		timeout -k 2 60 "$RUNTIME" --root "$ROOT" "$@" <"$CONF_NULL" >"$T/o$i" 2>"$T/e$i" &
		pids+=($!)
	done
	won=0
	for pid in "${pids[@]}"; do if wait "$pid"; then won=$((won + 1)); fi; done
}

# bats test_tags=v2
@test "at once: of several creates with one id one makes the container" {
	# runtime.md, Create: "If the ID provided is not unique … the implementation MUST generate an
	# error and a new container MUST NOT be created."
	new_bundle /probe sleep
	LIVE+=("$CID")
	at_once 8 create --bundle "$BUNDLE" "$CID"
	eq "$won" 1
	status_is created
	start
	status_is running
}

@test "at once: of several starts one starts" {
	# runtime.md, Start: "Attempting to start a container that is not created MUST have no effect".
	new_bundle /bin/sh -c 'echo x >>/started; exec /probe sleep'
	create
	at_once 6 start "$CID"
	eq "$won" 1
	await_out sleeping
	eq "$(cat "$BUNDLE/rootfs/started")" x
}

@test "at once: of several deletes one deletes, and forced ones do no harm" {
	# runtime.md, Delete; with --force an absent container is no error.
	new_bundle
	create
	start
	await_exit
	status_is stopped
	known_peer_failure crun "several may succeed"
	known_peer_failure runc "several may succeed"
	at_once 6 delete "$CID"
	eq "$won" 1
	LIVE=()
	new_bundle /probe sleep
	run_bg
	await_out sleeping
	at_once 6 delete --force "$CID"
	eq "$won" 6
	LIVE=()
	nothing_left
}

@test "at once: state while it is made, started and killed is one of the spec's" {
	# runtime.md, State, status.
	new_bundle /probe sleep
	LIVE+=("$CID")
	(
		"$RUNTIME" --root "$ROOT" create --bundle "$BUNDLE" --pid-file "$T/pid.$CID" "$CID" <"$CONF_NULL" >"$T/o" 2>&1 &&
			"$RUNTIME" --root "$ROOT" start "$CID" && "$RUNTIME" --root "$ROOT" kill "$CID" KILL
		touch "$T/over"
	) &
	while [ ! -e "$T/over" ]; do
		if rt state "$CID" 2>/dev/null; then
			jq -e '.status | IN("creating", "created", "running", "stopped")' <<<"$out"
		fi
	done
	wait
	until_true status_is stopped
}

@test "at once: many containers of one bundle's kind, none in another's way" {
	local i n=12 pids=() pid
	for ((i = 0; i < n; i++)); do
		new_bundle /bin/sh -c "echo $i; exit $i"
		(
			status=0
			timeout -k 2 60 "$RUNTIME" --root "$ROOT" run --bundle "$BUNDLE" "$CID" <"$CONF_NULL" >"$T/many$i" 2>&1 || status=$?
			echo "status $status" >>"$T/many$i"
		) &
		pids+=($!)
	done
	for pid in "${pids[@]}"; do wait "$pid"; done
	for ((i = 0; i < n; i++)); do eq "$(paste -sd' ' "$T/many$i")" "$i status $i"; done
	nothing_left
}

@test "a hook may ask for the state of its container" {
	# runtime.md, Lifecycle: hooks run while the runtime waits; who asks meanwhile gets an answer.
	new_bundle /probe exit 0
	edit '.hooks.createRuntime = [{path: "/bin/sh", args: ["sh", "-c", $line]}] | .hooks.poststart = .hooks.createRuntime' \
		--arg line "timeout 5 '$RUNTIME' --root '$ROOT' state '$CID' >>'$T/seen' 2>&1; echo status \$? >>'$T/seen'"
	run_fg
	out=$(cat "$T/seen")
	has_not "status 124"
	unless_peer runc "knows no container before create has ended, and poststart comes before the answer" \
		unless_peer crun "knows none before create has ended" eq "$(grep -c '^status 0$' "$T/seen")" 2
	unless_peer runc "as above" unless_peer crun "as above" matches '"status": *"(creating|created)"'
}

@test "a hook may kill or list, and nobody waits for ever" {
	new_bundle /probe sleep
	edit '.hooks.createRuntime = [{path: "/bin/sh", args: ["sh", "-c", $line]}]' \
		--arg line "timeout 5 '$RUNTIME' --root '$ROOT' list >>'$T/seen' 2>&1; echo status \$? >>'$T/seen'"
	create
	out=$(cat "$T/seen")
	has "status 0"
	# A poststart hook that deletes its own container by force.
	delete --force
	new_bundle /probe sleep
	edit '.hooks.poststart = [{path: "/bin/sh", args: ["sh", "-c", $line]}]' \
		--arg line "timeout 10 '$RUNTIME' --root '$ROOT' kill '$CID' KILL >>'$T/seen' 2>&1; echo killed \$? >>'$T/seen'"
	create
	start || true
	grep -qE '^killed (0|124)$' "$T/seen"
	delete --force
}
