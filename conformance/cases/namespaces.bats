#!/usr/bin/env bats
# config-linux.md, "Namespaces", "User namespace mappings", "Sysctl"; config.md, "Hostname".
load ../lib

drop_ns() { edit '.linux.namespaces |= map(select(.type != $t))' --arg t "$1"; }
host_ns() { stat -Lc %i "/proc/self/ns/$1"; }

@test "each namespace of the config is new" {
	# config-linux.md: "If path is not specified, the runtime MUST create a new container namespace".
	new_bundle
	probe ns
	local n
	for n in ipc mnt net pid uts; do
		[ -n "$(fact ns_$n)" ]
		[ "$(fact ns_$n)" != "$(host_ns $n)" ]
	done
}

@test "a namespace that the config does not name is the caller's" {
	# config-linux.md: "If a namespace type is not specified in the namespaces array, the container
	# MUST inherit the runtime namespace of that type."
	new_bundle
	drop_ns uts
	drop_ns ipc
	drop_ns network
	edit 'del(.hostname) | .mounts |= map(select(.type != "mqueue" and .type != "sysfs"))'
	probe ns
	has "ns_uts $(host_ns uts)" "ns_ipc $(host_ns ipc)" "ns_net $(host_ns net)" "ns_user $(host_ns user)"
}

# bats test_tags=v2
@test "a namespace given by path is joined" {
	# config-linux.md: "the runtime MUST place the container process in the namespace associated with that path".
	new_bundle /probe sleep
	run_bg
	await_out sleeping
	local other=$PID t
	new_bundle
	edit 'del(.hostname) | .linux.namespaces |= map(if .type == "uts" then .path = "/proc/\($p)/ns/uts"
		elif .type == "network" then .path = "/proc/\($p)/ns/net"
		elif .type == "ipc" then .path = "/proc/\($p)/ns/ipc" else . end)' --arg p "$other"
	probe ns -- hostname
	for t in uts net ipc; do has "ns_$t $(stat -Lc %i "/proc/$other/ns/$t")"; done
	has "hostname conformance"
}

@test "a pid namespace given by path is joined" {
	new_bundle /probe sleep
	run_bg
	await_out sleeping
	local other=$PID
	new_bundle
	edit '.linux.namespaces |= map(if .type == "pid" then .path = "/proc/\($p)/ns/pid" else . end)' --arg p "$other"
	probe ns -- pid
	has "ns_pid $(stat -Lc %i "/proc/$other/ns/pid")"
	! grep -q '^pid 1 ' <<<"$out"
}

@test "a path of another namespace type is refused" {
	# config-linux.md: "The runtime MUST generate an error if path is not associated with a namespace of type type."
	new_bundle
	probe pid
	has "pid 1 0"
	edit '.linux.namespaces |= map(if .type == "ipc" then .path = "/proc/self/ns/uts" else . end)'
	refused run --bundle "$BUNDLE" "$CID"
	rt delete --force "$CID"
	nothing_left
}

@test "a path that is no namespace is refused" {
	new_bundle
	probe pid
	edit '.linux.namespaces |= map(if .type == "ipc" then .path = "/etc/passwd" else . end)'
	refused run --bundle "$BUNDLE" "$CID"
	rt delete --force "$CID"
	nothing_left
}

@test "a namespace type given twice is refused" {
	# config-linux.md: "duplicated namespaces with same type: runtimes MUST generate an error".
	# peers: crun 1.8 takes the last.
	known_peer_failure crun "accepts duplicates"
	new_bundle
	probe pid
	has "pid 1 0"
	edit '.linux.namespaces += [{type: "ipc"}]'
	refused run --bundle "$BUNDLE" "$CID"
	rt delete --force "$CID"
	nothing_left
}

@test "an unknown namespace type is refused" {
	new_bundle
	probe pid
	has "pid 1 0"
	edit '.linux.namespaces += [{type: "nonsense"}]'
	refused run --bundle "$BUNDLE" "$CID"
	rt delete --force "$CID"
	nothing_left
}

@test "the hostname is the config's and the host keeps its own" {
	# config.md, Hostname.
	local before
	before=$(uname -n)
	new_bundle
	edit '.hostname = "other-name.example"'
	probe hostname
	has "hostname other-name.example"
	eq "$(uname -n)" "$before"
}

@test "a hostname without a uts namespace is refused" {
	# config.md, Hostname: set in the container's UTS namespace; the host's name must stay.
	# peers: both refuse.
	local before
	before=$(uname -n)
	new_bundle
	probe hostname
	has "hostname conformance"
	drop_ns uts
	refused run --bundle "$BUNDLE" "$CID"
	rt delete --force "$CID"
	eq "$(uname -n)" "$before"
}

@test "the domain name is the config's" {
	# config.md, Domainname (runtime-spec 1.1).
	# peers: Debian's runc 1.1.5 is older than the property.
	known_peer_failure runc "1.1.5 does not know domainname"
	new_bundle
	edit '.domainname = "dom.example"'
	probe domainname
	has "domainname dom.example"
}

@test "the loopback interface of a new network namespace is up and alone" {
	# Peers: both bring lo up.
	new_bundle
	probe ls /sys/class/net -- read /sys/class/net/lo/flags
	has "entry lo" "read 0x9"
	[ "$(grep -c '^entry \(eth\|veth\|en\)' <<<"$out")" = 0 ]
}

@test "the program is PID 1 of a new pid namespace and sees no others" {
	new_bundle
	probe pid -- ls /proc/2 -- stat /proc/1/exe
	has "pid 1 0" "ls /proc/2 ENOENT"
}

# bats test_tags=v2
@test "a user namespace has the mappings of the config" {
	# config-linux.md, User namespace mappings.
	new_bundle
	edit '.linux.namespaces += [{type: "user"}]
		| .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 1000}]
		| .linux.gidMappings = [{containerID: 0, hostID: 200000, size: 500}]
		| .mounts |= map(select(.type != "cgroup"))'
	chown 100000:200000 "$BUNDLE/rootfs"
	chmod 755 "$T" "$BUNDLE"
	probe ids -- lines /proc/self/uid_map -- lines /proc/self/gid_map -- ns
	has "uid 0 0 0" "gid 0 0 0"
	matches '^line +0 +100000 +1000$'
	matches '^line +0 +200000 +500$'
	[ "$(fact ns_user)" != "$(host_ns user)" ]
}

@test "a process in a user namespace is the mapped user on the host" {
	new_bundle /probe sleep
	edit '.linux.namespaces += [{type: "user"}]
		| .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 2000}]
		| .linux.gidMappings = [{containerID: 0, hostID: 100000, size: 2000}]
		| .process.user = {uid: 1000, gid: 1000}
		| .mounts |= map(select(.type != "cgroup"))'
	chown 100000:100000 "$BUNDLE/rootfs"
	chmod 755 "$T" "$BUNDLE"
	run_bg
	await_out sleeping
	eq "$(stat -c %u:%g "/proc/$PID")" 101000:101000
}

# bats test_tags=v2
@test "a cgroup namespace shows the container's cgroup as the root" {
	new_bundle
	edit '.linux.namespaces |= map(select(.type != "cgroup")) + [{type: "cgroup"}]'
	probe lines /proc/self/cgroup -- ns
	[ "$(fact ns_cgroup)" != "$(host_ns cgroup)" ]
	if [ "$CONF_CGROUP" = v2 ]; then has "line 0::/"; else matches '^line [0-9]+:pids:/$'; fi
}

@test "sysctl sets kernel parameters of the container's namespaces" {
	# config-linux.md, Sysctl.
	new_bundle
	edit '.linux.sysctl = {"net.ipv4.ip_forward": "1", "kernel.msgmax": "4242"}'
	local before
	before=$(cat /proc/sys/kernel/msgmax)
	probe read /proc/sys/net/ipv4/ip_forward -- read /proc/sys/kernel/msgmax
	has "read 1" "read 4242"
	eq "$(cat /proc/sys/kernel/msgmax)" "$before"
}

@test "a sysctl of the whole machine is refused" {
	# Peers: both let only sysctls through that belong to a namespace of the container.
	local before
	before=$(cat /proc/sys/vm/swappiness)
	new_bundle
	probe pid
	has "pid 1 0"
	edit '.linux.sysctl = {"vm.swappiness": $v}' --arg v "$before"
	refused run --bundle "$BUNDLE" "$CID"
	rt delete --force "$CID"
	nothing_left
}
