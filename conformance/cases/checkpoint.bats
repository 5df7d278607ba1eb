#!/usr/bin/env bats
# checkpoint and restore, which the runtime-spec leaves to runtimes: what engines rely on where criu
# cannot do it.
load ../lib

# A criu on PATH that can do nothing.
broken_criu() {
	mkdir -p "$T/bin"
	printf '#!/bin/sh\nexit 1\n' >"$T/bin/criu"
	chmod +x "$T/bin/criu"
	export PATH="$T/bin:$PATH"
}

@test "checkpoint and restore tell what they take" {
	# Podman asks so whether a runtime has checkpoints at all, and whether it labels mounts.
	known_peer_failure crun "Debian's is built without criu"
	rt checkpoint --help
	matches "image-path"
	rt restore --help
	matches "image-path"
	refused restore --lsm-mount-context
	matches "(flag needs an|requires an) argument" "$err"
}

@test "a checkpoint that fails leaves the container alone" {
	broken_criu
	new_bundle /probe sleep
	run_bg
	refused checkpoint --image-path "$T/images" --work-path "$T/work" "$CID"
	status_is running
	# containerd's shim copies it from the work path
	unless_peer runc "asks criu for its version first" unless_peer crun "the same" test -e "$T/work/dump.log"
	# the container can do everything that it could
	rt exec "$CID" /probe exit 0
	rt kill "$CID" KILL
	await_exit
	delete
}

@test "a restore that fails leaves nothing" {
	broken_criu
	new_bundle /probe exit 0
	mkdir "$T/images"
	refused restore --detach --image-path "$T/images" --bundle "$BUNDLE" "$CID"
	nothing_left
	# the bundle is none the worse
	run_fg
}

@test "only a container that runs can be checkpointed" {
	broken_criu
	new_bundle /probe sleep
	refused checkpoint --image-path "$T/images" "$CID"
	create
	refused checkpoint --image-path "$T/images" "$CID"
	status_is created
	start
	status_is running
}
