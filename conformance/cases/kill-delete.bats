#!/usr/bin/env bats
# runtime.md, "Kill" and "Delete".
load ../lib

@test "kill sends the signal by number, by name and by short name" {
	# runtime.md, Kill: "This operation MUST send the specified signal to the container process."
	local s
	for s in 10 USR1 SIGUSR1; do
		new_bundle /probe wait-signal
		run_bg
		await_out ready
		rt kill "$CID" $s
		await_out 'got 10'
		await_exit
		delete
	done
}

@test "kill without a signal sends SIGTERM" {
	# Peers: the default is SIGTERM (buildah relies on it).
	new_bundle /probe wait-signal
	run_bg
	await_out ready
	rt kill "$CID"
	await_out 'got 15'
	await_exit
}

@test "SIGKILL ends a program that ignores SIGTERM" {
	new_bundle /probe ignore-term
	run_bg
	await_out ignoring
	rt kill "$CID" TERM
	status_is running
	rt kill "$CID" KILL
	await_exit
	status_is stopped
}

@test "a signal that the program handles does not change the status" {
	# A runtime must not take "a signal was sent" for "the container stopped".
	new_bundle /bin/sh -c 'trap "echo trapped" USR1; echo ready; while :; do sleep 0.05; done'
	run_bg
	await_out ready
	rt kill "$CID" USR1
	await_out trapped
	status_is running
}

@test "kill of a stopped container is refused with the words engines look for" {
	# runtime.md, Kill: "Attempting to send a signal to a container that is neither created nor
	# running MUST have no effect on the container and MUST generate an error."
	new_bundle
	run_bg
	await_exit
	status_is stopped
	refused kill "$CID" TERM
	matches 'not running|no such process|already finished' "$err"
}

@test "kill of an unknown container is refused" {
	new_bundle /probe sleep
	run_bg
	refused kill "$CID-unknown" TERM
	unless_peer crun "names the missing file" matches 'does not exist' "$err"
	status_is running
}

@test "an unknown signal is refused and nothing is sent" {
	# peers: crun takes an unknown name for signal 0; "any invalid value MUST generate an error".
	known_peer_failure crun "accepts unknown signal names"
	new_bundle /probe sleep
	run_bg
	refused kill "$CID" NOSUCHSIGNAL
	status_is running
}

@test "a created container can be killed" {
	# runtime.md, Kill: only "neither created nor running" is an error.
	new_bundle
	create
	rt kill "$CID" KILL
	await_exit
	status_is stopped
	delete
	nothing_left
}

@test "delete of a running container is refused without effect" {
	# runtime.md, Delete: "Attempting to delete a container that is not stopped MUST have no effect on
	# the container and MUST generate an error."
	new_bundle /probe sleep
	run_bg
	refused delete "$CID"
	alive "$PID"
	status_is running
}

# bats test_tags=v2
@test "delete --force kills and deletes a running container" {
	new_bundle /probe ignore-term
	run_bg
	delete --force
	until_true dead "$PID"
	nothing_left
}

@test "delete of an unknown id is refused, with --force it is not" {
	# Peers: `delete --force` of an absent container exits with 0.
	new_bundle /probe sleep
	run_bg
	refused delete "$CID-unknown"
	unless_peer crun "names the missing file" matches 'does not exist' "$err"
	rt delete --force "$CID-unknown"
	status_is running
}

@test "delete of a created container kills and deletes it" {
	# peers: runc does so, and containerd's shim needs it, though the spec asks for an error.
	known_peer_failure crun "refuses, as the spec's text says"
	new_bundle
	create
	delete
	until_true dead "$PID"
	nothing_left
}

@test "the end of the container's init ends all its processes" {
	# pid_namespaces(7); what the container started dies with it, and delete leaves nothing.
	new_bundle /probe forks 3 -- sleep
	run_bg
	await_out sleeping
	rt kill "$CID" KILL
	await_exit
	delete
	nothing_left
}

@test "delete --force ends all processes without a pid namespace" {
	# runtime.md, Delete: it "MUST delete the resources that were created during the create step".
	# peers: on v2 runc 1.1.5 leaves the cgroup behind each time (seen in lab/ns-v2, cause not looked into).
	[ "$CONF_CGROUP" = v1 ] || known_peer_failure runc "leaves the cgroup on v2"
	new_bundle /probe forks 3 -- sleep
	edit '.linux.namespaces |= map(select(.type != "pid"))'
	run_bg
	await_out sleeping
	local d
	d=$(cg_dir pids)
	eq "$(wc -l <"$d/cgroup.procs")" 4
	delete --force
	nothing_left
}

@test "kill --all reaches every process without a pid namespace" {
	# Peers: kill --all signals all processes of the container's cgroup.
	new_bundle /probe forks 3 -- sleep
	edit '.linux.namespaces |= map(select(.type != "pid"))'
	run_bg
	await_out sleeping
	rt kill --all "$CID" KILL
	await_exit
	empty() { [ -z "$(leftover_pids)" ]; }
	until_true empty
	delete
	nothing_left
}

@test "kill and delete without an id are refused" {
	new_bundle /probe sleep
	run_bg
	refused kill
	refused delete
	status_is running
}

@test "delete leaves what the container did not create" {
	# runtime.md, Delete: "resources associated with the container, but not created by this container, MUST
	# NOT be deleted": its bundle, what is bound into it, namespaces that it has joined.
	mkdir "$T/bound"
	echo kept >"$T/bound/file"
	new_bundle /probe sleep
	local first=$CID
	run_bg
	await_out sleeping
	local joined=/proc/$PID/ns/net
	new_bundle /bin/sh -c 'cat /mnt/file'
	edit '(.linux.namespaces[] | select(.type == "network")).path = $n
		| .mounts += [{destination: "/mnt", type: "bind", source: $s, options: ["bind"]}]' --arg n "$joined" --arg s "$T/bound"
	create
	start
	await_exit
	delete
	eq "$(cat "$T/bound/file")" kept
	[ -e "$BUNDLE/config.json" ] && [ -e "$BUNDLE/rootfs/bin/busybox" ] && [ -e "$joined" ]
	CID=$first
	status_is running
}
