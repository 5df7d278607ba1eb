#!/usr/bin/env bats
# events: the JSON that containerd decodes (runc's), and the moment of an OOM kill.
load ../lib

res() { edit '.linux.resources += $r' --argjson r "$1"; }

# events FILE ARGS...: in the background; $EV is its pid.
events() {
	local file=$1
	shift
	"$RUNTIME" --root "$ROOT" events "$@" "$CID" >"$file" 2>"$T/events.err" 3>&- 4>&- &
	EV=$!
}
# field FILTER JSON WANTED
field() { eq "$(jq -r "$1" <<<"$2")" "$3"; }

# bats test_tags=v2
@test "events --stats prints one line that containerd decodes" {
	known_peer_failure crun "has no events"
	needs_controller memory
	needs_controller pids
	new_bundle /probe alloc 20 -- sleep
	res '{"memory":{"limit":67108864},"pids":{"limit":20}}'
	run_bg
	await_out sleeping
	rt events --stats "$CID"
	eq "$(wc -l <<<"$out")" 1
	field .type "$out" stats
	field .id "$out" "$CID"
	field .data.pids.current "$out" 1
	field .data.pids.limit "$out" 20
	field .data.memory.usage.limit "$out" 67108864
	field '.data.memory.usage.usage > 0 and .data.memory.usage.max > 20000000' "$out" true
	field '.data.cpu.usage.total > 0' "$out" true
	field '[.data.memory.raw, .data.hugetlb | type] | unique[]' "$out" object
	[ "$CONF_PEER" ] || field .data.frozen "$out" false
}

# bats test_tags=v2
@test "events repeats until the container ends" {
	known_peer_failure runc "1.1.5 goes on after its end"
	known_peer_failure crun "has no events"
	new_bundle /probe sleep
	run_bg
	await_out sleeping
	events "$T/ev" --interval 100ms
	three() { [ "$(grep -c '"type":"stats"' "$T/ev")" -ge 3 ]; }
	until_true three
	rt kill "$CID" KILL
	await_exit
	await_exit "$EV"
	wait "$EV"
	refused events --stats "$CID"
	delete
}

# bats test_tags=v2
@test "events tells of an OOM kill at once" {
	known_peer_failure crun "has no events"
	needs_controller memory
	local swap=
	[ "$CONF_CGROUP" = v1 ] && [ ! -e /sys/fs/cgroup/memory/memory.memsw.limit_in_bytes ] || swap=',"swap":33554432'
	new_bundle /probe sleep
	res "{\"memory\":{\"limit\":33554432$swap}}"
	args /bin/sh -c '/probe wait-signal -- exit 0; /probe alloc 96; echo survived; /probe sleep'
	run_bg
	await_out ready
	events "$T/ev" --interval 1h
	sleep 0.3
	local p
	for p in $(cat "/proc/$PID/task/$PID/children"); do kill -USR1 "$p"; done
	told() { grep -qx "{\"type\":\"oom\",\"id\":\"$CID\"}" "$T/ev"; }
	until_true told
	await_out survived
	delete --force
	await_exit "$EV"
}

@test "an interval is a duration as Go writes it" {
	known_peer_failure crun "has no events"
	new_bundle /probe sleep
	run_bg
	await_out sleeping
	refused events --interval 0 "$CID"
	refused events --interval 5 "$CID"
	rt events --stats --interval=1m30s "$CID"
}
