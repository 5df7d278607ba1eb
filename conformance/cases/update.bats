#!/usr/bin/env bats
# update, pause, resume: limits and rest of a container that exists (no chapter of the spec; as runc
# and crun have them).
load ../lib

res() { edit '.linux.resources += $r' --argjson r "$1"; }

sleeper() {
	new_bundle /probe sleep
	[ -z "${1-}" ] || res "$1"
	run_bg
	await_out sleeping
}

# bats test_tags=v2
@test "update changes the limits of a running container" {
	known_peer_failure crun "1.8 knows no units"
	needs_controller memory
	needs_controller pids
	sleeper '{"memory":{"limit":67108864},"pids":{"limit":20}}'
	rt update --memory 128M --pids-limit 30 "$CID"
	eq "$(cg memory memory.limit_in_bytes memory.max)" 134217728
	eq "$(cg pids pids.max pids.max)" 30
	# options stand after the id too
	rt update "$CID" --memory 33554432
	eq "$(cg memory memory.limit_in_bytes memory.max)" 33554432
	eq "$(cg pids pids.max pids.max)" 30
}

# bats test_tags=v2
@test "update takes the resources as JSON from a file or standard input" {
	known_peer_failure crun "1.8 takes members of the wrong type"
	needs_controller memory
	sleeper
	echo '{"memory":{"limit":67108864},"cpu":{"shares":0},"blockIO":{"weight":0}}' >"$T/r"
	rt update --resources "$T/r" "$CID"
	eq "$(cg memory memory.limit_in_bytes memory.max)" 67108864
	echo '{"memory":{"limit":134217728}}' >"$T/r"
	RT_IN=$T/r rt update --resources=- "$CID"
	eq "$(cg memory memory.limit_in_bytes memory.max)" 134217728
	echo '{"memory":{"limit":"much"}}' >"$T/r"
	refused update -r "$T/r" "$CID"
	eq "$(cg memory memory.limit_in_bytes memory.max)" 134217728
}

@test "memory and swap go up and down together" {
	needs_controller memory
	known_peer_failure crun "1.8 writes them in one order only"
	[ "$CONF_CGROUP" = v2 ] || [ -e /sys/fs/cgroup/memory/memory.memsw.limit_in_bytes ] || skip "swap is not counted"
	sleeper '{"memory":{"limit":67108864,"swap":67108864}}'
	local both
	for both in "200 300" "400 500" "16 32" "64 64" "128 200"; do
		rt update --memory "${both% *}M" --memory-swap "${both#* }M" "$CID"
		eq "$(cg memory memory.limit_in_bytes memory.max)" $((${both% *} << 20))
		[ "$CONF_CGROUP" = v2 ] || eq "$(cg memory memory.memsw.limit_in_bytes '')" $((${both#* } << 20))
	done
	rt update --memory -1 --memory-swap -1 "$CID"
	[ "$CONF_CGROUP" = v2 ] || [ "$(cg memory memory.memsw.limit_in_bytes '')" -gt 1000000000000 ]
}

# bats test_tags=v2
@test "quota, period and shares change on their own" {
	known_peer_failure crun "1.8 cannot take a quota back"
	needs_controller cpu
	sleeper '{"cpu":{"quota":25000,"period":50000}}'
	rt update --cpu-quota 30000 "$CID"
	[ "$CONF_CGROUP" = v1 ] || eq "$(cg cpu '' cpu.max)" "30000 50000"
	[ "$CONF_CGROUP" = v2 ] || eq "$(cg cpu cpu.cfs_quota_us '') $(cg cpu cpu.cfs_period_us '')" "30000 50000"
	rt update --cpu-period 100000 --cpu-share 512 "$CID"
	[ "$CONF_CGROUP" = v1 ] || eq "$(cg cpu '' cpu.max)" "30000 100000"
	[ "$CONF_CGROUP" = v2 ] || eq "$(cg cpu cpu.cfs_quota_us '') $(cg cpu cpu.cfs_period_us '')" "30000 100000"
	rt update --cpu-quota -1 "$CID"
	[ "$CONF_CGROUP" = v1 ] || eq "$(cg cpu '' cpu.max)" "max 100000"
	[ "$CONF_CGROUP" = v2 ] || eq "$(cg cpu cpu.cfs_quota_us '')" -1
}

# bats test_tags=v2
@test "an update that the kernel refuses changes nothing" {
	known_peer_failure runc "keeps what was written before"
	known_peer_failure crun "keeps what was written before"
	needs_controller cpu
	needs_controller pids
	sleeper '{"cpu":{"quota":25000,"period":50000,"shares":100},"pids":{"limit":20}}'
	local before after
	before=$(cg cpu cpu.shares cpu.weight)/$(cg pids pids.max pids.max)
	refused update --pids-limit 99999999999 --cpu-share 512 "$CID"
	matches 'pids.max.*99999999999' "$err"
	after=$(cg cpu cpu.shares cpu.weight)/$(cg pids pids.max pids.max)
	eq "$after" "$before"
}

@test "processors are chosen" {
	needs_controller cpuset
	sleeper '{"cpu":{"cpus":"0","mems":"0"}}'
	eq "$(cg cpuset cpuset.cpus cpuset.cpus)" 0
	rt update --cpuset-cpus 0-1 "$CID"
	eq "$(cg cpuset cpuset.cpus cpuset.cpus)" 0-1
	refused update --cpuset-cpus 0-9999 "$CID"
	eq "$(cg cpuset cpuset.cpus cpuset.cpus)" 0-1
}

@test "block devices are throttled" {
	# config-linux.md, Block IO: throttleReadBpsDevice and the like.
	[ "$CONF_CGROUP" = v2 ] && needs_controller io || needs_controller blkio
	local d
	d=$(cat /sys/block/[vs]d?/dev | head -n 1)
	[ -n "$d" ] || skip "no disk here"
	sleeper "{\"blockIO\":{\"throttleReadBpsDevice\":[{\"major\":${d%:*},\"minor\":${d#*:},\"rate\":1048576}]}}"
	if [ "$CONF_CGROUP" = v1 ]; then
		eq "$(cg blkio blkio.throttle.read_bps_device '')" "$d 1048576"
	else
		eq "$(cg io '' io.max)" "$d rbps=1048576 wbps=max riops=max wiops=max"
	fi
}

@test "huge pages are limited, also what is reserved" {
	# config-linux.md, Huge page limits.
	local d=/sys/fs/cgroup
	[ "$CONF_CGROUP" = v2 ] || d=/sys/fs/cgroup/unified
	grep -qw hugetlb "$d/cgroup.controllers" || skip "no hugetlb controller on the v2 side"
	known_peer_failure runc "hybrid layouts"
	known_peer_failure crun "hybrid layouts"
	sleeper '{"hugepageLimits":[{"pageSize":"2MB","limit":4194304}]}'
	d=$d$(sed -n 's/^0:://p' "/proc/$PID/cgroup")
	eq "$(cat "$d/hugetlb.2MB.max")" 4194304
	eq "$(cat "$d/hugetlb.2MB.rsvd.max")" 4194304
	new_bundle
	res '{"hugepageLimits":[{"pageSize":"3MB","limit":0}]}'
	refused create --bundle "$BUNDLE" "$CID"
}

# bats test_tags=v2
@test "unified writes files by name, and a missing controller is an error" {
	# config-linux.md, Unified.
	local d=/sys/fs/cgroup
	[ "$CONF_CGROUP" = v2 ] || d=/sys/fs/cgroup/unified
	[ -e "$d/cgroup.controllers" ] || skip "no cgroup v2 here"
	known_peer_failure runc "hybrid layouts"
	known_peer_failure crun "hybrid layouts"
	sleeper '{"unified":{"cgroup.max.depth":"3"}}'
	eq "$(cat "$d$(sed -n 's/^0:://p' "/proc/$PID/cgroup")/cgroup.max.depth")" 3
	new_bundle
	res '{"unified":{"nosuch.max":"3"}}'
	refused create --bundle "$BUNDLE" "$CID"
	matches nosuch "$err"
	[ -z "$(for d in $(leftover_cgroups); do [[ $d == *"$CGPATH" ]] && echo "$d"; done)" ]
}

# bats test_tags=v2
@test "device rules change while the container runs" {
	known_peer_failure runc "never changes devices"
	known_peer_failure crun "1.8 never changes devices"
	new_bundle /probe reopen c 240 99
	run_bg
	await_out 'open-dev c 240:99 EPERM'
	echo '{"devices":[{"allow":false},{"allow":true,"type":"c","major":240,"minor":99,"access":"rwm"}]}' >"$T/r"
	rt update -r "$T/r" "$CID"
	await_out 'open-dev c 240:99 ENXIO'
	# by itself a limit leaves the devices alone
	echo '{"devices":[{"allow":false}]}' >"$T/r"
	rt update -r "$T/r" "$CID"
	: >"$COUT"
	await_out 'open-dev c 240:99 EPERM'
}

# bats test_tags=v2
@test "pause freezes and resume lets go on" {
	known_peer_failure crun "1.8 pauses what is paused"
	new_bundle /probe ticks
	run_bg
	await_out tick
	rt pause "$CID"
	status_is paused
	refused pause "$CID"
	local n
	n=$(wc -l <"$COUT")
	sleep 0.3
	eq "$(wc -l <"$COUT")" "$n"
	rt resume "$CID"
	status_is running
	more() { [ "$(wc -l <"$COUT")" -gt "$n" ]; }
	until_true more
	refused resume "$CID"
}

# bats test_tags=v2
@test "a paused container can be killed" {
	known_peer_failure crun "1.8 leaves it frozen"
	sleeper
	rt pause "$CID"
	rt kill "$CID" KILL
	await_exit
	status_is stopped
	delete
}

# bats test_tags=v2
@test "delete --force of a paused container with many processes leaves none" {
	needs_controller pids
	new_bundle /probe forks 30 -- sleep
	edit '.linux.namespaces |= map(select(.type != "pid"))'
	run_bg
	await_out sleeping
	rt pause "$CID"
	delete --force
	nothing_left
}

# bats test_tags=v2
@test "a limit of a paused container can be changed, and it stays paused" {
	needs_controller pids
	sleeper
	rt pause "$CID"
	rt update --pids-limit 33 "$CID"
	eq "$(cg pids pids.max pids.max)" 33
	status_is paused
	rt resume "$CID"
}

# bats test_tags=v2
@test "a container that has ended can be neither updated nor paused" {
	known_peer_failure crun "1.8 updates what has ended"
	new_bundle /probe exit 0
	run_bg
	await_exit
	refused update --pids-limit 33 "$CID"
	refused pause "$CID"
	delete
}

# bats test_tags=v2
@test "kill and delete --force leave none of many forking processes, without a pid namespace too" {
	needs_controller pids
	local how
	for how in delete kill paused; do
		new_bundle /probe breed 20
		edit '.linux.namespaces |= map(select(.type != "pid"))'
		res '{"pids":{"limit":200}}'
		run_bg
		await_out breeding
		[ $how != paused ] || rt pause "$CID"
		[ $how = delete ] || rt kill "$CID" KILL
		delete --force
		nothing_left
	done
}

@test "update of the rest of cpu and memory" {
	needs_controller cpu
	needs_controller memory
	known_peer_failure crun "1.8 cannot take a quota back"
	sleeper '{"cpu":{"quota":50000,"period":100000}}'
	if [ "$CONF_CGROUP" = v1 ] || grep -qw cpuset /sys/fs/cgroup/cgroup.controllers; then
		rt update --cpuset-mems 0 "$CID"
		eq "$(cg cpuset cpuset.mems cpuset.mems)" 0
	fi
	# of no effect since Linux 5.16 and on cgroup v2, and no error
	rt update --kernel-memory 32M --kernel-memory-tcp 16M "$CID"
	# cgroup v1 alone has budgets for real-time scheduling, where the kernel has them
	if [ "$CONF_CGROUP" = v1 ] && cg cpu cpu.rt_runtime_us '' >/dev/null 2>&1; then
		rt update --cpu-rt-period 500000 --cpu-rt-runtime 10000 "$CID"
		eq "$(cg cpu cpu.rt_period_us '') $(cg cpu cpu.rt_runtime_us '')" "500000 10000"
	else
		refused update --cpu-rt-period 500000 --cpu-rt-runtime 10000 "$CID"
	fi
	known_peer_failure runc "1.1 knows neither burst nor idle"
	rt update --cpu-burst 20000 "$CID"
	eq "$(cg cpu cpu.cfs_burst_us cpu.max.burst)" 20000
	rt update --cpu-idle 1 "$CID"
	eq "$(cg cpu cpu.idle cpu.idle)" 1
	rt update --cpu-idle 0 "$CID"
	eq "$(cg cpu cpu.idle cpu.idle)" 0
}
