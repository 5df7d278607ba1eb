#!/usr/bin/env bats
# runtime.md, "State" and "Query State".
load ../lib

@test "state has the members of the spec" {
	# runtime.md, State: ociVersion, id, status, pid, bundle are REQUIRED, annotations OPTIONAL.
	new_bundle /probe sleep
	edit '.annotations = {"org.example.key": "some value"}'
	create
	rt state "$CID"
	jq -e --arg id "$CID" --arg b "$BUNDLE" --argjson pid "$PID" '
		.id == $id and .status == "created" and .bundle == $b and .pid == $pid
		and (.ociVersion | test("^1\\.[0-9]+\\.[0-9]+"))
		and .annotations["org.example.key"] == "some value"' <<<"$out"
}

@test "pid is a process of the caller's pid namespace" {
	# runtime.md, State, pid: "ID of the container process, as seen by the runtime".
	new_bundle /probe sleep
	run_bg
	await_out sleeping
	rt state "$CID"
	eq "$(jq .pid <<<"$out")" "$PID"
	matches '^/probe sleep' "$(tr '\0' ' ' <"/proc/$PID/cmdline")"
}

@test "a stopped container has pid 0 or none" {
	# Peers: runc and crun print pid 0.
	new_bundle
	create
	start
	await_exit
	status_is stopped
	rt state "$CID"
	jq -e '(.pid // 0) == 0' <<<"$out"
}

@test "state of an unknown id or without an id is refused" {
	# runtime.md, Query State: "This operation MUST generate an error if it is not provided the ID of
	# a container. Attempting to query a container that does not exist MUST generate an error."
	new_bundle
	create
	refused state "$CID-unknown"
	unless_peer crun "names the missing file" matches 'does not exist' "$err"
	refused state
	status_is created
}

@test "rootfs and created are there, as engines read them" {
	# Peers: both print rootfs (absolute) and created (RFC 3339).
	new_bundle
	create
	rt state "$CID"
	unless_peer crun "prints the path of the config, relative" jq -e --arg r "$BUNDLE/rootfs" '.rootfs == $r' <<<"$out"
	jq -e '(.rootfs | length) > 0 and (.created | test("^20[0-9-]{8}T[0-9:]{8}(\\.[0-9]+)?(Z|[+-][0-9:]+)$"))' <<<"$out"
}

@test "bundle is absolute when it was given relative" {
	# runtime.md, State, bundle: "the absolute path to the container's bundle directory".
	new_bundle
	RT_DIR=$T rt create --bundle "./bundle$N" "$CID"
	LIVE+=("$CID")
	rt state "$CID"
	eq "$(jq -r .bundle <<<"$out")" "$BUNDLE"
}

@test "status follows the program by itself" {
	new_bundle /probe wait-signal
	run_bg
	await_out ready
	status_is running
	kill -HUP "$PID"
	await_exit
	status_is stopped
}

@test "state of one container says nothing of another" {
	new_bundle /probe sleep
	run_bg
	local a=$CID
	new_bundle
	create
	status_is running "$a"
	status_is created "$CID"
}
