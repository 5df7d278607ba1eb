#!/usr/bin/env bats
# config.md, "process": apparmorProfile, selinuxLabel.  Only where the kernel has them: in User Mode
# Linux (conformance/lab/v2 boots it with AppArmor).
load ../lib

# A profile that hides one file, loaded into the running kernel alone.
load_profile() {
	[ "$(cat /sys/module/apparmor/parameters/enabled 2>/dev/null)" = Y ] || skip "AppArmor is not on"
	command -v apparmor_parser >/dev/null || skip "no apparmor_parser"
	printf 'profile conformance flags=(attach_disconnected) {\n file,\n capability,\n signal,\n ptrace,\n deny /secret rwklx,\n}\n' >"$T/profile"
	apparmor_parser --replace --skip-cache "$T/profile"
}

# bats test_tags=v2
@test "the program runs under the AppArmor profile of the config" {
	# config.md: "apparmorProfile (string, OPTIONAL) specifies the name of the AppArmor profile for
	# the process."
	load_profile
	new_bundle
	echo hidden >"$BUNDLE/rootfs/secret"
	edit '.process.apparmorProfile = "conformance"'
	probe read /proc/self/attr/current -- read /secret
	has "read conformance (enforce)" "read EACCES"
	# it also holds with no_new_privs, for a user
	edit '.process.noNewPrivileges = true | .process.user = {uid: 1000, gid: 1000}'
	probe read /proc/self/attr/current -- read /secret
	has "read conformance (enforce)" "read EACCES"
}

# bats test_tags=v2
@test "exec runs under the container's AppArmor profile, or another one" {
	# Peers: the container's, unless --apparmor or the process file names one.
	load_profile
	new_bundle /probe sleep
	echo hidden >"$BUNDLE/rootfs/secret"
	edit '.process.apparmorProfile = "conformance"'
	run_bg
	rt exec "$CID" /probe read /proc/self/attr/current -- read /secret
	unless_peer crun "has none that --apparmor does not name" has "read conformance (enforce)" "read EACCES"
	rt exec -u 1000 --no-new-privs --apparmor conformance "$CID" /probe read /proc/self/attr/current
	has "read conformance (enforce)"
	rt exec --apparmor unconfined "$CID" /probe read /secret
	has "read hidden"
	refused exec --apparmor nobody-loaded-this "$CID" /probe pid
	new_bundle /probe sleep
	run_bg
	rt exec --apparmor conformance "$CID" /probe read /proc/self/attr/current
	has "read conformance (enforce)"
}

# bats test_tags=v2
@test "an AppArmor profile that is not loaded is an error" {
	load_profile
	new_bundle
	edit '.process.apparmorProfile = "conformance"'
	probe pid
	has "pid 1 0"
	edit '.process.apparmorProfile = "nobody-loaded-this"'
	refused run --bundle "$BUNDLE" "$CID"
	nothing_left
}

@test "a label for which the kernel has no module is an error" {
	# Peers: runc and crun say so too; a container without the protection that it asks for is worse.
	[ ! -d /sys/fs/selinux ] || [ -z "$(ls /sys/fs/selinux)" ] || skip "SELinux is on"
	new_bundle
	probe pid
	has "pid 1 0"
	edit '.process.selinuxLabel = "system_u:system_r:container_t:s0"'
	refused run --bundle "$BUNDLE" "$CID"
}
