#!/usr/bin/env bats
# config-linux.md, "Network Devices" (runtime-spec 1.3).
load ../lib

# in_network COMMANDS: from now on the runtime is called in a network namespace of its own, in which
# these commands have been run.
in_network() {
	unshare -n ip link add a0 type veth peer name b0 2>/dev/null || skip "no veth here"
	printf '#!/bin/sh\nexec unshare -n /bin/sh -c '\''ip link add a0 type veth peer name b0 && %s && exec "$0" "$@"'\'' %s "$@"\n' \
		"$1" "$RUNTIME" >"$T/in-network"
	chmod +x "$T/in-network"
	RUNTIME=$T/in-network
}
old_peers() {
	known_peer_failure runc "1.1.5 does not know netDevices"
	known_peer_failure crun "1.8 does not know netDevices"
}

@test "a network device of the caller is moved, renamed and up" {
	# "The runtime MUST set the network device state to "up" after moving it to the network namespace".
	old_peers
	in_network "true"
	new_bundle
	edit '.linux.netDevices = {a0: {name: "wan0"}}'
	probe ls /sys/class/net -- read /sys/class/net/wan0/flags
	has "entry wan0" "read 0x1003"
	has_not "entry a0"
}

@test "a network device keeps its lasting addresses and its size" {
	# "The runtime MUST preserve existing network interface attributes, like MTU, MAC, addresses".
	old_peers
	in_network "ip addr add 10.9.8.7/24 dev a0 && ip link set a0 mtu 1400"
	new_bundle
	edit '.linux.netDevices = {a0: {}}'
	probe read /sys/class/net/a0/mtu -- lines /proc/net/fib_trie
	has "read 1400"
	matches '10\.9\.8\.7'
}

@test "a name that is taken inside is refused, a template finds a free one" {
	# "If a network device with the specified name already exists in the container namespace, the
	# runtime MUST generate an error, unless the user has provided a template by appending %d".
	old_peers
	in_network "true"
	new_bundle
	edit '.linux.netDevices = {a0: {name: "lo"}}'
	args /probe pid
	refused run --bundle "$BUNDLE" "$CID"
	rt delete --force "$CID"
	edit '.linux.netDevices = {a0: {name: "net%d"}, b0: {name: "net%d"}}'
	probe ls /sys/class/net
	has "entry net0" "entry net1"
}

@test "network devices without a network namespace are refused" {
	old_peers
	in_network "true"
	new_bundle
	probe pid
	has "pid 1 0"
	edit '.linux.netDevices = {a0: {}} | .linux.namespaces |= map(select(.type != "network")) | .mounts |= map(select(.type != "sysfs"))'
	refused run --bundle "$BUNDLE" "$CID"
	rt delete --force "$CID"
	nothing_left
}
