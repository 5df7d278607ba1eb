#!/usr/bin/env bats
# The systemd cgroup driver (--systemd-cgroup), against a real systemd: run by lab/systemd.
load ../lib

real_systemd() { [ "$(cat /proc/1/comm)" = systemd ] || skip "no systemd as PID 1 here"; }

sleeper() {
	RT_GLOBALS=(--systemd-cgroup)
	new_bundle /probe sleep
	edit '.linux.cgroupsPath = "system.slice:conf:" + $id' --arg id "$CID"
	UNIT=conf-$CID.scope
	[ -z "${1-}" ] || edit '.linux.resources += $r' --argjson r "$1"
	[ -z "${2-}" ] || edit '.annotations += $a' --argjson a "$2"
	run_bg
	await_out sleeping
	# engines leave the option out with later verbs
	RT_GLOBALS=()
}
prop() { systemctl show -P "$1" "$UNIT"; }
gone() { [ "$(systemctl show -P LoadState "$UNIT")" = not-found ]; }

# bats test_tags=systemd
@test "a container is in a transient scope of its slice" {
	real_systemd
	sleeper
	eq "$(prop ActiveState)" active
	eq "$(prop Slice)" system.slice
	# in every hierarchy, also in those that systemd leaves alone
	eq "$(cut -d: -f3 "/proc/$PID/cgroup" | sort -u)" "/system.slice/$UNIT"
	eq "$(prop Delegate)" yes
	rt kill "$CID" KILL
	await_exit
	delete
	until_true gone
	eq "$(find /sys/fs/cgroup -name "$UNIT")" ""
}

# bats test_tags=systemd
@test "limits are properties and files" {
	real_systemd
	local max=MemoryMax weight=CPUWeight weighs=59 quota
	if [ "$CONF_CGROUP" = v1 ]; then max=MemoryLimit weight=CPUShares weighs=512; fi
	quota() { if [ "$CONF_CGROUP" = v2 ]; then cg cpu '' cpu.max; else echo "$(cg cpu cpu.cfs_quota_us '') $(cg cpu cpu.cfs_period_us '')"; fi; }
	sleeper '{"memory":{"limit":67108864,"reservation":33554432},"pids":{"limit":20},"cpu":{"shares":512,"quota":25000,"period":50000}}'
	eq "$(prop $max) $(prop TasksMax)" "67108864 20"
	[ "$CONF_CGROUP" = v1 ] || eq "$(prop MemoryLow)" 33554432
	eq "$(cg memory memory.soft_limit_in_bytes memory.low)" 33554432
	eq "$(prop $weight) $(prop CPUQuotaPerSecUSec)" "$weighs 500ms"
	eq "$(cg memory memory.limit_in_bytes memory.max) $(cg pids pids.max pids.max)" "67108864 20"
	eq "$(cg cpu cpu.shares cpu.weight) $(quota)" "$weighs 25000 50000"
	rt update --memory 128M --cpu-quota 12345 "$CID"
	eq "$(prop $max) $(cg memory memory.limit_in_bytes memory.max)" "134217728 134217728"
	eq "$(quota)" "12345 50000"
	systemctl daemon-reload
	eq "$(cg memory memory.limit_in_bytes memory.max) $(cg pids pids.max pids.max)" "134217728 20"
	delete --force
	until_true gone
}

# bats test_tags=systemd
@test "device rules are DeviceAllow too, and a daemon-reload takes nothing away" {
	real_systemd
	RT_GLOBALS=(--systemd-cgroup)
	new_bundle /probe reopen c 240 99
	edit '.linux.cgroupsPath = "system.slice:conf:" + $id' --arg id "$CID"
	edit '.linux.resources.devices += [{allow: true, type: "c", major: 240, minor: 99, access: "rwm"}]'
	UNIT=conf-$CID.scope
	run_bg
	await_out 'open-dev c 240:99 ENXIO'
	eq "$(prop DevicePolicy)" strict
	matches '/dev/char/240:99' "$(prop DeviceAllow)"
	systemctl daemon-reload
	sleep 0.3
	! grep -q EPERM "$COUT"
	echo '{"devices":[{"allow":false}]}' >"$T/r"
	RT_GLOBALS=()
	rt update -r "$T/r" "$CID"
	await_out 'open-dev c 240:99 EPERM'
	delete --force
}

# bats test_tags=systemd
@test "annotations become properties of the unit" {
	real_systemd
	sleeper '' '{"org.systemd.property.TimeoutStopUSec":"uint64 1234567","org.systemd.property.CollectMode":"'"'inactive-or-failed'"'"}'
	eq "$(prop TimeoutStopUSec) $(prop CollectMode)" "1.234567s inactive-or-failed"
	delete --force
	RT_GLOBALS=(--systemd-cgroup)
	new_bundle
	edit '.linux.cgroupsPath = "system.slice:conf:x" | .annotations["org.systemd.property.NoSuchProperty"] = "true"'
	refused create --bundle "$BUNDLE" "$CID"
	matches 'systemd says' "$err"
}

# bats test_tags=systemd
@test "a unit of that name that exists is refused and left alone" {
	real_systemd
	sleeper
	local first=$PID
	RT_GLOBALS=(--systemd-cgroup)
	local path
	path=$(jq -r .linux.cgroupsPath "$BUNDLE/config.json")
	new_bundle /probe sleep
	edit '.linux.cgroupsPath = $p' --arg p "$path"
	refused create --bundle "$BUNDLE" "$CID"
	alive "$first"
	eq "$(prop ActiveState)" active
}

# bats test_tags=systemd
@test "pause and resume" {
	real_systemd
	sleeper
	rt pause "$CID"
	status_is paused
	eq "$(prop ActiveState)" active
	rt resume "$CID"
	status_is running
	delete --force
	until_true gone
}

# bats test_tags=systemd
@test "a path that is not systemd's is refused" {
	real_systemd
	RT_GLOBALS=(--systemd-cgroup)
	new_bundle
	refused create --bundle "$BUNDLE" "$CID"
	matches 'slice:prefix:name' "$err"
}

# bats test_tags=systemd
@test "systemd by the bus, where its own socket is not to be had" {
	real_systemd
	command -v dbus-daemon >/dev/null || skip "no dbus-daemon here"
	systemctl start dbus.service
	on_the_bus() { busctl --system list | grep -q 'org.freedesktop.systemd1 '; }
	until_true on_the_bus
	mv /run/systemd/private /run/systemd/private.away
	sleeper
	eq "$(cut -d: -f3 "/proc/$PID/cgroup" | sort -u)" "/system.slice/$UNIT"
	delete --force
	eq "$(find /sys/fs/cgroup -name "$UNIT")" ""
	mv /run/systemd/private.away /run/systemd/private
	systemctl stop dbus.service dbus.socket
}

# bats test_tags=systemd
@test "a subgroup has process and limits, a delegated one the process alone" {
	# crun.1: run.oci.systemd.subgroup, run.oci.delegate-cgroup.
	real_systemd
	known_peer_failure runc "these are crun's"
	sleeper '{"pids":{"limit":20}}' '{"run.oci.systemd.subgroup": "payload"}'
	eq "$(cut -d: -f3 "/proc/$PID/cgroup" | sort -u)" "/system.slice/$UNIT/payload"
	eq "$(cg pids pids.max pids.max)" 20
	eq "$(cat "$(cg_dir pids)/../cgroup.procs")" ""
	rt pause "$CID"
	status_is paused
	rt resume "$CID"
	delete --force
	until_true gone
	eq "$(find /sys/fs/cgroup -name "$UNIT")" ""
	[ "$CONF_CGROUP" = v2 ] || return 0
	sleeper '{"pids":{"limit":20}}' '{"run.oci.systemd.subgroup": "payload", "run.oci.delegate-cgroup": "own"}'
	eq "$(sed -n 's/^0:://p' "/proc/$PID/cgroup")" "/system.slice/$UNIT/payload/own"
	eq "$(cat "/sys/fs/cgroup/system.slice/$UNIT/payload/pids.max")" 20
	# The namespace was made above.
	eq "$(sed -n 's/^0:://p' <(nsenter -C -t "$PID" cat "/proc/$PID/cgroup"))" /own
	delete --force
	until_true gone
	[ ! -e "/sys/fs/cgroup/system.slice/$UNIT" ]
}

# bats test_tags=systemd
@test "an ordinary user's own systemd" {
	real_systemd
	[ "$CONF_CGROUP" = v2 ] || skip "cgroup v1 is not delegated to users"
	known_peer_failure runc "not tried"
	known_peer_failure crun "not tried"
	local home=/run/user/65534 unit path
	as_user() { setpriv --reuid 65534 --regid 65534 --clear-groups env -i PATH="$PATH" HOME=$home XDG_RUNTIME_DIR=$home "$@"; }
	systemctl start user@65534.service
	mkdir $home/b
	cp -r "$CONF_TEMPLATE" $home/b/rootfs
	chown -R 65534:65534 $home/b
	(cd $home/b && as_user "$RUNTIME" spec --rootless)
	jq '.process.args = ["/probe", "sleep"] | .process.terminal = false | .linux.cgroupsPath = "user.slice:conf:own"
		| .linux.resources.pids = {limit: 20}' $home/b/config.json >$home/c && cat $home/c >$home/b/config.json
	# in a service of hers, as a login session would be
	printf '[Unit]\nDefaultDependencies=no\n[Service]\nType=exec\nExecStart=%s --systemd-cgroup --log %s run --bundle %s --pid-file %s own\n' \
		"$RUNTIME" $home/log $home/b $home/pid >/run/user-units/own.service
	as_user systemctl --user daemon-reload
	as_user systemctl --user start own.service
	until_true test -s $home/pid || { cat $home/log; return 1; }
	PID=$(cat $home/pid)
	path=$(sed -n 's/^0:://p' "/proc/$PID/cgroup")
	matches '^/user.slice/user-65534.slice/user@65534.service/user.slice/conf-own.scope$' "$path"
	eq "$(cat "/sys/fs/cgroup$path/pids.max")" 20
	eq "$(as_user systemctl --user show -P TasksMax conf-own.scope)" 20
	eq "$(as_user "$RUNTIME" state own | jq -r .status)" running
	as_user "$RUNTIME" update --pids-limit 30 own
	eq "$(cat "/sys/fs/cgroup$path/pids.max") $(as_user systemctl --user show -P TasksMax conf-own.scope)" "30 30"
	as_user "$RUNTIME" delete --force own
	gone_hers() { [ ! -e "/sys/fs/cgroup$path" ]; }
	until_true gone_hers
	systemctl stop user@65534.service
	rm -rf "${home:?}"/*
}
