#!/usr/bin/env bats
# runtime.md, "Lifecycle" and "Operations": create, start, run.
load ../lib

# bats test_tags=v2
@test "create does not run the program, start does, delete removes" {
	# runtime.md, start: "This operation MUST run the user-specified program as specified by process";
	# create: "This operation MUST NOT run the user-specified program".
	new_bundle /probe write /ran yes
	create
	status_is created
	[ ! -e "$BUNDLE/rootfs/ran" ]
	start
	await_exit
	status_is stopped
	eq "$(cat "$BUNDLE/rootfs/ran")" yes
	delete
	refused state "$CID"
	nothing_left
}

@test "run gives the program's output and exit status" {
	# Peers: `run` in the foreground exits with the program's status.
	new_bundle /bin/sh -c 'echo to-out; echo to-err >&2; exit 7'
	run_fg || :
	eq "$status" 7
	eq "$out" to-out
	matches '^to-err$' "$err"
	nothing_left
}

@test "run exits with 128 and the signal for a killed program" {
	# Peers: runc and crun answer 128+n.
	new_bundle /probe killself 9
	edit '.linux.namespaces |= map(select(.type != "pid"))'
	RT_TIMEOUT=20 run_fg || :
	eq "$status" 137
	nothing_left
}

@test "run --detach returns while the program runs" {
	new_bundle /probe sleep
	run_bg
	alive "$PID"
	status_is running
	await_out sleeping
	delete --force
	nothing_left
}

@test "an id in use is refused and its container is not touched" {
	# runtime.md, create: "If the ID provided is not unique across all containers within the scope of
	# the runtime ... the implementation MUST generate an error and a new container MUST NOT be created."
	new_bundle /probe sleep
	run_bg
	refused create --bundle "$BUNDLE" "$CID"
	alive "$PID"
	status_is running
	refused run --bundle "$BUNDLE" "$CID"
	status_is running
}

@test "start of a running container is refused without effect" {
	# runtime.md, start: "Attempting to start a container that is not created MUST have no effect on
	# the container and MUST generate an error."
	new_bundle /probe sleep
	create
	start
	refused start "$CID"
	alive "$PID"
	status_is running
}

@test "start of a stopped container is refused" {
	new_bundle
	create
	start
	await_exit
	refused start "$CID"
	status_is stopped
}

@test "start of an unknown id is refused" {
	# runtime.md: "This operation MUST generate an error if it is not provided the container ID."
	new_bundle
	create
	refused start "$CID-unknown"
	refused start
	start
	await_exit
}

@test "create without a bundle directory is refused and leaves nothing" {
	# runtime.md, "Errors": "generating an error MUST leave the state of the environment as if the
	# operation were never attempted".
	new_bundle
	refused create --bundle "$T/absent" "$CID"
	nothing_left
	run_fg
}

@test "create without a config.json is refused and leaves nothing" {
	new_bundle
	mv "$BUNDLE/config.json" "$BUNDLE/aside"
	refused create --bundle "$BUNDLE" "$CID"
	nothing_left
	mv "$BUNDLE/aside" "$BUNDLE/config.json"
	run_fg
}

@test "create without an id is refused" {
	new_bundle
	refused create --bundle "$BUNDLE"
	run_fg
}

@test "changes of config.json after create have no effect" {
	# runtime.md, lifecycle step 2: "Any updates to config.json after this step MUST NOT affect the container."
	new_bundle /probe write /first x
	create
	args /probe write /second x
	start
	await_exit
	[ -e "$BUNDLE/rootfs/first" ]
	[ ! -e "$BUNDLE/rootfs/second" ]
}

@test "a program that is not there is named as engines expect" {
	# Engines make exit status 127 of these words.
	new_bundle /no-such-program
	refused run --bundle "$BUNDLE" "$CID"
	matches 'executable file.* not found in \$PATH|no such file or directory' "$err"
	rt delete --force "$CID"
	nothing_left
	args /probe pid
	run_fg
	has "pid 1 0"
}

@test "a program not found in PATH is named as engines expect" {
	new_bundle no-such-program
	refused run --bundle "$BUNDLE" "$CID"
	matches 'executable file.* not found in \$PATH' "$err"
	rt delete --force "$CID"
	nothing_left
	args true
	run_fg
}

@test "a program that may not be executed is named as engines expect" {
	# Engines make exit status 126 of these words.
	new_bundle /etc/passwd
	refused run --bundle "$BUNDLE" "$CID"
	matches 'permission denied' "$err"
	rt delete --force "$CID"
	nothing_left
	args /probe pid
	run_fg
	has "pid 1 0"
}

@test "a config without process cannot be started" {
	# config.md: "process ... This property is REQUIRED when start is called."
	new_bundle
	run_fg
	edit 'del(.process)'
	if rt create --bundle "$BUNDLE" "$CID" 2>/dev/null; then
		refused start "$CID"
	else
		[ -n "$err" ]
	fi
	rt delete --force "$CID"
	nothing_left
}

@test "the bundle defaults to the working directory" {
	# Peers: --bundle "defaults to the current directory".
	new_bundle /probe hostname
	RT_DIR=$BUNDLE rt run "$CID"
	has "hostname conformance"
}

@test "relative --root and --bundle work for every verb" {
	# peers: crun resolves --root after it has changed into the bundle.
	known_peer_failure crun "a relative --root is taken from the bundle"
	new_bundle /probe sleep
	export RT_DIR=$T RT_ROOT=state
	rt create --bundle "bundle$N" "$CID"
	LIVE+=("$CID")
	status_is created
	rt start "$CID"
	status_is running
	rt list -q
	has "$CID"
	rt kill "$CID" KILL
	stopped() { status_is stopped; }
	until_true stopped
	rt delete "$CID"
	LIVE=()
	nothing_left
	[ -d "$T/state" ]
}

@test "a working directory that is missing is made inside the root" {
	# Peers: process.cwd is created when absent.
	new_bundle
	edit '.process.cwd = "/deep/er/dir"'
	probe cwd
	has "cwd /deep/er/dir"
	[ -d "$BUNDLE/rootfs/deep/er/dir" ]
}

@test "a container can be created again under the id of a deleted one" {
	new_bundle /probe pid
	for _ in 1 2; do
		run_fg
		has "pid 1 0"
	done
	nothing_left
}
