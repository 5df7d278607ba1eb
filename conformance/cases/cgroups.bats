#!/usr/bin/env bats
# config-linux.md, "Control groups": cgroupsPath, cpu, memory, pids (devices: devices.bats).
load ../lib

res() { edit '.linux.resources += $r' --argjson r "$1"; }

# bats test_tags=v2
@test "an absolute cgroupsPath is taken from the root of the hierarchy" {
	# config-linux.md, Cgroups Path: "the runtime MUST take the path to be relative to the cgroups mount point".
	needs_controller pids
	new_bundle /probe sleep
	CGPATH=/$TOKEN-$N/sub
	edit '.linux.cgroupsPath = $p' --arg p "$CGPATH"
	create
	local d
	d=$(cg_dir pids)
	[[ $d == /sys/fs/cgroup*"$CGPATH" ]]
	grep -qx "$PID" "$d/cgroup.procs"
	start
	await_out sleeping
	grep -qx "$PID" "$d/cgroup.procs"
	delete --force
	[ ! -e "$d" ]
	for d in /sys/fs/cgroup/"$TOKEN"-* /sys/fs/cgroup/*/"$TOKEN"-*; do [ ! -d "$d" ] || rmdir "$d"; done
}

@test "an absent cgroupsPath gives a cgroup named after the container" {
	# config-linux.md: "If cgroupsPath is not specified, the runtime MAY define the default"; peers use the id.
	needs_controller pids
	new_bundle /probe sleep
	edit 'del(.linux.cgroupsPath)'
	create
	[[ $(cg_dir pids) == *"$CID"* ]]
}

# bats test_tags=v2
@test "a cgroupsPath in systemd's form is a path where systemd is not asked for" {
	# BuildKit in Docker's daemon writes it so, whatever it calls its runtime with.
	needs_controller pids
	new_bundle /probe sleep
	edit '.linux.cgroupsPath = $p' --arg p "$TOKEN.slice:$TOKEN:$CID"
	create
	[[ $(cg_dir pids) == */"$TOKEN.slice:$TOKEN:$CID" ]]
	start
	await_out sleeping
	delete --force
	[ -z "$(leftover_cgroups)" ]
}

# bats test_tags=v2
@test "delete removes the cgroup in every hierarchy" {
	new_bundle
	create
	[ -n "$(leftover_cgroups)" ]
	start
	await_exit
	delete
	[ -z "$(leftover_cgroups)" ]
}

# bats test_tags=v2
@test "the memory limit and reservation are set" {
	# config-linux.md, Memory: limit, reservation, in bytes.
	needs_controller memory
	new_bundle
	res '{"memory":{"limit":67108864,"reservation":33554432}}'
	create
	eq "$(cg memory memory.limit_in_bytes memory.max)" 67108864
	eq "$(cg memory memory.soft_limit_in_bytes memory.low)" 33554432
}

@test "a process that needs more than the memory limit is killed" {
	needs_controller memory
	new_bundle /probe alloc 96 -- exit 0
	run_fg
	has "alloc 96 ok"
	res '{"memory":{"limit":33554432}}'
	if [ "$CONF_CGROUP" = v1 ] && [ -e /sys/fs/cgroup/memory/memory.memsw.limit_in_bytes ]; then
		res '{"memory":{"limit":33554432,"swap":33554432}}'
	fi
	run_fg 2>/dev/null || :
	eq "$status" 137
}

# bats test_tags=v2
@test "the pids limit is set and holds" {
	# config-linux.md, PIDs.
	needs_controller pids
	new_bundle /probe forks 30 -- exit 0
	res '{"pids":{"limit":20}}'
	create
	eq "$(cg pids pids.max pids.max)" 20
	start
	await_exit
	out=$(container_out)
	matches '^forks (1[0-9]|[0-9]) EAGAIN$'
}

@test "a pids limit of -1 is unlimited" {
	# peers: crun 1.8 writes the number.
	known_peer_failure crun "writes -1 to pids.max"
	needs_controller pids
	new_bundle
	res '{"pids":{"limit":-1}}'
	create
	eq "$(cg pids pids.max pids.max)" max
}

# bats test_tags=v2
@test "CPU quota and period are set" {
	# config-linux.md, CPU: quota and period in microseconds.
	needs_controller cpu
	new_bundle
	res '{"cpu":{"quota":25000,"period":50000}}'
	create
	eq "$(cg cpu cpu.cfs_quota_us cpu.max)" "$([ "$CONF_CGROUP" = v2 ] && echo "25000 50000" || echo 25000)"
	[ "$CONF_CGROUP" = v2 ] || eq "$(cg cpu cpu.cfs_period_us '')" 50000
}

@test "CPU shares are set" {
	# config-linux.md, CPU, shares; on v2 they become a weight, more shares a greater one.
	needs_controller cpu
	new_bundle
	res '{"cpu":{"shares":512}}'
	create
	if [ "$CONF_CGROUP" = v1 ]; then
		eq "$(cg cpu cpu.shares '')" 512
	else
		local w
		w=$(cg cpu '' cpu.weight)
		[ "$w" -gt 1 ] && [ "$w" -lt 100 ]
	fi
}

@test "the CPU quota holds" {
	needs_controller cpu
	new_bundle
	res '{"cpu":{"quota":20000,"period":100000}}'
	probe spin 1
	# 20 % of a second, with room for the first period
	[ "$(fact spin | cut -d' ' -f1)" -lt 600 ]
}

@test "the processes that the program starts are in its cgroup" {
	needs_controller pids
	new_bundle /probe forks 2 -- sleep
	run_bg
	await_out sleeping
	eq "$(wc -l <"$(cg_dir pids)/cgroup.procs")" 3
	local c
	for c in $(cat "/proc/$PID/task/$PID/children"); do
		eq "$(cg_dir pids "$c")" "$(cg_dir pids)"
	done
}

@test "two containers have limits of their own" {
	needs_controller pids
	new_bundle
	res '{"pids":{"limit":11}}'
	create
	local first=$PID
	new_bundle
	res '{"pids":{"limit":12}}'
	create
	eq "$(cat "$(cg_dir pids "$first")/pids.max")" 11
	eq "$(cat "$(cg_dir pids)/pids.max")" 12
}

@test "delete removes sub-cgroups that the container left" {
	needs_controller pids
	new_bundle /probe sleep
	create
	local d
	d=$(cg_dir pids)
	mkdir "$d/child" "$d/child/grandchild"
	delete --force
	[ ! -e "$d" ]
}

# bats test_tags=v2
@test "a cgroup that the container can write belongs to its user" {
	# config-linux.md, Cgroup ownership: cgroup v2, a cgroup namespace of its own, mounted read-write;
	# the directory and the files of /sys/kernel/cgroup/delegate alone.
	[ "$CONF_CGROUP" = v2 ] || skip "cgroup v2 alone"
	new_bundle /bin/sh -c 'mkdir /sys/fs/cgroup/own && echo $$ >/sys/fs/cgroup/own/cgroup.procs && echo moved; echo 5 2>/dev/null >/sys/fs/cgroup/pids.max || echo kept; /probe sleep'
	chown -R 100000:100000 "$BUNDLE/rootfs"
	edit '.linux.namespaces += [{type: "user"}]
		| .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 1000}]
		| .linux.gidMappings = [{containerID: 0, hostID: 100000, size: 1000}]
		| .mounts |= map(select(.destination != "/sys/fs/cgroup"))
		| .mounts += [{destination: "/sys/fs/cgroup", type: "cgroup", source: "cgroup", options: ["nosuid", "noexec", "nodev", "rw"]}]'
	create
	local d
	d=$(cg_dir pids)
	eq "$(stat -c %u "$d" "$d/cgroup.procs" "$d/cgroup.subtree_control" "$d/pids.max" | paste -sd' ')" "100000 100000 100000 0"
	start
	await_out sleeping
	eq "$(container_out | head -n 2 | paste -sd' ')" "moved kept"
}

@test "a real-time budget that the cgroup above does not have is an error that says so" {
	# config-linux.md, CPU: realtimeRuntime, realtimePeriod (v1).
	[ -e /sys/fs/cgroup/cpu/cpu.rt_runtime_us ] || [ -e /sys/fs/cgroup/cpu,cpuacct/cpu.rt_runtime_us ] || skip "no real-time budgets here"
	known_peer_failure crun "hybrid layouts"
	new_bundle
	res '{"cpu":{"realtimePeriod":1000000,"realtimeRuntime":2000000}}'
	refused create --bundle "$BUNDLE" "$CID"
	matches 'cpu.rt_(runtime|period)_us' "$err"
	[ -z "$(leftover_cgroups)" ]
}
