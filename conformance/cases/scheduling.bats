#!/usr/bin/env bats
# config.md, "process": scheduler, ioPriority; config-linux.md, "Personality", "Memory policy".
load ../lib

@test "the scheduler is the config's" {
	# config.md: "scheduler (object, OPTIONAL) specifies the scheduling policy for the process".
	known_peer_failure runc "1.1.5 does not know scheduler"
	known_peer_failure crun "1.8 does not know scheduler"
	new_bundle
	edit '.process.scheduler = {policy: "SCHED_BATCH", nice: 5}'
	probe sched
	has "scheduler 3 0 5 0 0 0 0"
}

@test "a scheduling policy that nobody knows is refused" {
	known_peer_failure runc "1.1.5 does not know scheduler"
	known_peer_failure crun "1.8 does not know scheduler"
	new_bundle
	probe pid
	has "pid 1 0"
	edit '.process.scheduler = {policy: "SCHED_NONSENSE"}'
	refused run --bundle "$BUNDLE" "$CID"
	rt delete --force "$CID"
	nothing_left
}

@test "the I/O priority is the config's" {
	# config.md: "ioPriority (object, OPTIONAL) configures the I/O priority settings for the container's processes".
	known_peer_failure runc "1.1.5 does not know ioPriority"
	known_peer_failure crun "1.8 does not know ioPriority"
	new_bundle
	edit '.process.ioPriority = {class: "IOPRIO_CLASS_BE", priority: 6}'
	probe sched
	has "ioprio 2 6"
}

@test "the personality is the config's" {
	# config-linux.md: "personality (object, OPTIONAL) sets the Linux execution personality".
	known_peer_failure runc "1.1.5 does not know personality"
	new_bundle
	edit '.linux.personality = {domain: "LINUX32"}'
	probe sched
	has "personality 0x8"
}

@test "the memory policy is the config's" {
	# config-linux.md, Memory policy (runtime-spec 1.3).
	known_peer_failure runc "1.1.5 does not know memoryPolicy"
	known_peer_failure crun "1.8 does not know memoryPolicy"
	[ -e /proc/self/numa_maps ] || skip "a kernel without NUMA"
	new_bundle
	edit '.linux.memoryPolicy = {mode: "MPOL_INTERLEAVE", nodes: "0"}'
	probe sched
	has "mempolicy 0x3 0x1"
}
