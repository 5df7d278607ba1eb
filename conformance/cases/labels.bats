#!/usr/bin/env bats
# config.md, "process": apparmorProfile, selinuxLabel; config-linux.md, mountLabel.  Only where the kernel has them: in
# User Mode Linux (conformance/lab/v2 boots it with AppArmor, conformance/lab/selinux with SELinux).
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

needs_selinux() { [ "$(cat /sys/fs/selinux/enforce 2>/dev/null)" = 1 ] || skip "SELinux does not enforce here"; }
program=system_u:system_r:program_t secret=system_u:object_r:secret_t

# bats test_tags=selinux
@test "the program runs under the SELinux label of the config" {
	# config.md: "selinuxLabel (string, OPTIONAL) specifies the SELinux label for the process."
	needs_selinux
	new_bundle
	edit '.mounts += [{destination: "/secret", type: "tmpfs", source: "t", options: ["context=\"" + $s + "\""]}]' --arg s $secret
	probe read /proc/self/attr/current -- write /secret/file x -- read /secret/file
	has "read system_u:system_r:base_t" "read x"
	edit '.process.selinuxLabel = $p' --arg p $program
	probe read /proc/self/attr/current -- write /secret/file x -- read /secret/file
	has "read $program" "read EACCES"
	# it also holds with no_new_privs, for a user
	edit '.process.noNewPrivileges = true | .process.user = {uid: 1000, gid: 1000}'
	probe read /proc/self/attr/current
	has "read $program"
}

# bats test_tags=selinux
@test "mountLabel labels the container's own mounts" {
	# config-linux.md: "mountLabel (string, OPTIONAL) will set the Selinux context for the mounts in the container."
	needs_selinux
	new_bundle
	edit '.linux.mountLabel = $s | .process.selinuxLabel = $p' --arg s $secret --arg p $program
	probe mounts -- write /dev/shm/file x -- read /dev/shm/file -- read /etc/passwd
	sed -n 's|^mount /dev/shm ||p' <<<"$out" | grep -q "context=\"\?$secret"
	has "read EACCES"
	matches '^read root:'
}

# bats test_tags=selinux
@test "exec runs under the container's SELinux label, or another one" {
	needs_selinux
	new_bundle /probe sleep
	edit '.process.selinuxLabel = $p' --arg p $program
	run_bg
	rt exec "$CID" /probe read /proc/self/attr/current
	unless_peer crun "has none that --process-label does not name" has "read $program"
	rt exec --process-label system_u:system_r:base_t "$CID" /probe read /proc/self/attr/current
	has "read system_u:system_r:base_t"
	refused exec --process-label system_u:system_r:nobody_t "$CID" /probe pid
}

# bats test_tags=selinux
@test "an SELinux label that the policy does not know is an error" {
	needs_selinux
	new_bundle
	edit '.process.selinuxLabel = $p' --arg p $program
	probe pid
	has "pid 1 0"
	edit '.process.selinuxLabel = "system_u:system_r:nobody_t"'
	refused run --bundle "$BUNDLE" "$CID"
	nothing_left
}
