#!/usr/bin/env bats
# config.md, "Root" and "Mounts"; config-linux.md, "Default Filesystems" and "rootfsPropagation".
load ../lib

add_mount() { edit '.mounts += [$m]' --argjson m "$1"; }
# mount_line POINT: fstype, options, super options, propagation of the topmost mount there.
mount_line() { sed -n "s|^mount $1 ||p" <<<"$out" | tail -n 1; }
opts_of() { mount_line "$1" | cut -d' ' -f2; }
# option NAME POINT
option() { [[ ,$(opts_of "$2"), == *,$1,* ]] || { echo "$2 has no $1: $(mount_line "$2")" >&2; return 1; }; }
no_option() { [[ ,$(opts_of "$2"), != *,$1,* ]] || { echo "$2 has $1: $(mount_line "$2")" >&2; return 1; }; }

@test "the ordinary file systems are where the config puts them" {
	# config-linux.md, Default Filesystems.
	new_bundle
	probe mounts
	matches '^mount /proc proc '
	matches '^mount /dev tmpfs '
	matches '^mount /dev/pts devpts '
	matches '^mount /dev/shm tmpfs '
	matches '^mount /dev/mqueue mqueue '
	matches '^mount /sys sysfs '
	option ro /sys
	option nosuid /sys
	option nodev /dev/shm
}

@test "mounts are made in the order of the config" {
	# config.md, Mounts: "The runtime MUST mount entries in the listed order."
	new_bundle
	add_mount '{"destination":"/a","type":"tmpfs","source":"outer"}'
	add_mount '{"destination":"/a/b","type":"tmpfs","source":"inner"}'
	probe mounts -- write /a/b/file x
	has "write /a/b/file ok"
	eq "$(grep -cE '^mount /a(/b)? tmpfs' <<<"$out")" 2
	[ ! -e "$BUNDLE/rootfs/a/b/file" ]
}

# bats test_tags=v2
@test "a read-only bind mount cannot be written, a plain one can" {
	new_bundle
	mkdir "$T/src"
	echo content >"$T/src/f"
	add_mount "{\"destination\":\"/ro\",\"source\":\"$T/src\",\"options\":[\"rbind\",\"ro\"]}"
	add_mount "{\"destination\":\"/rw\",\"source\":\"$T/src\",\"options\":[\"bind\",\"rw\"]}"
	probe read /ro/f -- write /ro/g x -- write /rw/g x
	has "read content" "write /ro/g EROFS" "write /rw/g ok"
	[ -e "$T/src/g" ]
}

@test "a file can be bind-mounted, its place is made" {
	new_bundle
	echo content >"$T/f"
	add_mount "{\"destination\":\"/new/dir/file\",\"type\":\"bind\",\"source\":\"$T/f\",\"options\":[\"bind\",\"ro\"]}"
	probe read /new/dir/file -- stat /new/dir
	has "read content"
	matches '^stat /new/dir dir 0755 0 0'
}

@test "bind leaves sub-mounts behind, rbind takes them along" {
	# mount(8), as config.md refers to it.
	new_bundle
	mkdir "$T/src"
	mkdir "$T/src/sub"
	host_mount -t tmpfs sub "$T/src/sub"
	touch "$T/src/sub/f"
	add_mount "{\"destination\":\"/one\",\"source\":\"$T/src\",\"options\":[\"bind\"]}"
	add_mount "{\"destination\":\"/all\",\"source\":\"$T/src\",\"options\":[\"rbind\"]}"
	probe ls /one/sub -- ls /all/sub
	has "ls /one/sub 0" "ls /all/sub 1"
}

@test "per-mount options reach the mount" {
	# config.md, Linux mount options: the table of options that runtimes MUST support.
	new_bundle
	mkdir "$T/src"
	add_mount '{"destination":"/t1","type":"tmpfs","source":"t","options":["nosuid","nodev","noexec","noatime","ro"]}'
	add_mount '{"destination":"/t2","type":"tmpfs","source":"t","options":["nodiratime","strictatime"]}'
	add_mount "{\"destination\":\"/b\",\"source\":\"$T/src\",\"options\":[\"bind\",\"nosuid\",\"nodev\",\"noexec\"]}"
	add_mount '{"destination":"/t3","type":"tmpfs","source":"t","options":["noexec","nosuid","exec","suid"]}'
	probe mounts
	local o
	for o in nosuid nodev noexec noatime ro; do option $o /t1; done
	option nodiratime /t2
	no_option relatime /t2
	for o in nosuid nodev noexec; do option $o /b; done
	unless_peer crun "1.8 does not take noexec back" no_option noexec /t3
	unless_peer crun "1.8 does not take nosuid back" no_option nosuid /t3
}

@test "options that are no flags go to the file system" {
	# config.md: "unknown options" are passed as data, mount(2).
	new_bundle
	add_mount '{"destination":"/t","type":"tmpfs","source":"t","options":["size=1m","mode=0711","uid=5","gid=6"]}'
	probe mounts -- stat /t
	has "stat /t dir 0711 5 6 0:0"
	mount_line /t | grep -q 'size=1024k'
}

@test "an option that the file system does not know is an error" {
	new_bundle
	probe pid
	has "pid 1 0"
	add_mount '{"destination":"/t","type":"tmpfs","source":"t","options":["nonsense=1"]}'
	refused run --bundle "$BUNDLE" "$CID"
	rt delete --force "$CID"
	nothing_left
}

@test "a bind source that is missing is an error" {
	new_bundle
	probe pid
	has "pid 1 0"
	add_mount "{\"destination\":\"/x\",\"source\":\"$T/absent\",\"options\":[\"bind\"]}"
	refused run --bundle "$BUNDLE" "$CID"
	rt delete --force "$CID"
	nothing_left
	[ ! -e "$T/absent" ]
}

@test "root.readonly makes the root read-only and nothing else" {
	# config.md, Root: "If true then the root filesystem MUST be read-only inside the container".
	new_bundle
	edit '.root.readonly = true'
	probe write /f x -- write /dev/shm/f x -- mounts
	has "write /f EROFS" "write /dev/shm/f ok"
	option ro /
}

@test "rootfsPropagation is that of the container's root" {
	# config-linux.md, Rootfs Mount Propagation.
	local p
	for p in rprivate rslave; do
		new_bundle
		host_mount --bind "$BUNDLE/rootfs" "$BUNDLE/rootfs"
		# shared in our namespace, so that a slave has a master
		mount --make-shared "$BUNDLE/rootfs"
		edit '.linux.rootfsPropagation = $p' --arg p $p
		probe mounts
		# peers: crun makes a root that is a shared mount private first, and it stays so.
		[ $p = rprivate ] || [ "$CONF_PEER" != crun ] || continue
		eq "$(mount_line / | cut -d' ' -f4)" "${p#r}"
	done
}

@test "a mount's propagation option is applied" {
	new_bundle
	mkdir "$T/src"
	add_mount '{"destination":"/s","type":"tmpfs","source":"t","options":["shared"]}'
	add_mount '{"destination":"/u","type":"tmpfs","source":"t","options":["unbindable"]}'
	probe mounts
	unless_peer crun "1.8 leaves it private" eq "$(mount_line /s | cut -d' ' -f4)" shared
	unless_peer crun "1.8 leaves it private" eq "$(mount_line /u | cut -d' ' -f4)" unbindable
	add_mount "{\"destination\":\"/b\",\"source\":\"$T/src\",\"options\":[\"rbind\",\"rslave\"]}"
	host_mount -t tmpfs src "$T/src"
	mount --make-shared "$T/src"
	edit '.linux.rootfsPropagation = "rslave"'
	probe mounts
	eq "$(mount_line /b | cut -d' ' -f4)" slave
}

@test "a mount without a source works" {
	# config.md, Mounts, source: OPTIONAL.
	new_bundle
	add_mount '{"destination":"/t","type":"tmpfs"}'
	probe mounts
	matches '^mount /t tmpfs '
}

@test "a remount of the container's own mount changes its options" {
	new_bundle
	add_mount '{"destination":"/t","type":"tmpfs","source":"t"}'
	add_mount '{"destination":"/t","type":"tmpfs","source":"t","options":["remount","ro"]}'
	probe write /t/f x
	has "write /t/f EROFS"
}

# bats test_tags=v2
@test "/sys/fs/cgroup is there, read-only" {
	# On v1 the peers leave the tmpfs that holds the controllers' mount points writable.
	new_bundle
	local d=/sys/fs/cgroup
	[ "$CONF_CGROUP" = v2 ] || d=/sys/fs/cgroup/pids
	probe mounts -- mkdir $d/x -- stat $d/cgroup.procs
	option ro $d
	has "mkdir $d/x EROFS"
	matches "^stat $d/cgroup.procs file"
}

@test "the host's mounts are not visible" {
	# After pivot_root nothing of the host's tree is left.
	new_bundle
	host_mount -t tmpfs marker "$(mkdir -p "$T/marker"; echo "$T/marker")"
	probe mounts
	matches '^mount / '
	! grep -q "$T" <<<"$out"
}

@test "nothing that the container mounts reaches the host" {
	new_bundle /bin/sh -c 'mount -t tmpfs t /tmp && echo mounted'
	edit '.process.capabilities |= map_values(. + ["CAP_SYS_ADMIN"])'
	run_fg
	has mounted
	[ -z "$(leftover_mounts)" ]
}
