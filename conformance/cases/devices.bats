#!/usr/bin/env bats
# config-linux.md, "Default Devices", "Devices", "Allowed Device list".
load ../lib

@test "the default devices are there" {
	# config-linux.md, Default Devices: null zero full random urandom tty ptmx.
	new_bundle
	local p=() d
	for d in null zero full random urandom tty; do p+=(stat /dev/$d --); done
	probe "${p[@]}" stat /dev/ptmx -- write /dev/null x
	has "stat /dev/null char 0666 0 0 1:3" "stat /dev/zero char 0666 0 0 1:5" "stat /dev/full char 0666 0 0 1:7" \
		"stat /dev/random char 0666 0 0 1:8" "stat /dev/urandom char 0666 0 0 1:9" "stat /dev/tty char 0666 0 0 5:0" \
		"write /dev/null ok"
	matches '^stat /dev/ptmx (link .* (/dev/)?pts/ptmx|char 0666 0 0 5:2)$'
}

@test "the symbolic links of /dev are there" {
	# runtime-linux.md, Dev symbolic links.
	new_bundle
	probe stat /dev/fd -- stat /dev/stdin -- stat /dev/stdout -- stat /dev/stderr
	matches '^stat /dev/fd link .* /proc/self/fd$'
	matches '^stat /dev/stdin link .* /proc/self/fd/0$'
	matches '^stat /dev/stdout link .* /proc/self/fd/1$'
	matches '^stat /dev/stderr link .* /proc/self/fd/2$'
}

@test "linux.devices makes character and block devices and FIFOs" {
	# config-linux.md, Devices: type, path, major, minor, fileMode, uid, gid.
	new_bundle
	edit '.linux.devices = [
		{type: "c", path: "/dev/sub/chr", major: 1, minor: 3, fileMode: 438, uid: 3, gid: 4},
		{type: "b", path: "/dev/blk", major: 7, minor: 200, fileMode: 416, uid: 0, gid: 6},
		{type: "p", path: "/dev/fifo", fileMode: 384, uid: 0, gid: 0}]'
	probe stat /dev/sub/chr -- stat /dev/blk -- stat /dev/fifo
	has "stat /dev/sub/chr char 0666 3 4 1:3" "stat /dev/blk block 0640 0 6 7:200" "stat /dev/fifo fifo 0600 0 0 0:0"
}

@test "fileMode is not narrowed by the caller's umask" {
	new_bundle
	edit '.linux.devices = [{type: "c", path: "/dev/chr", major: 1, minor: 3, fileMode: 438, uid: 0, gid: 0}]'
	umask 077
	probe stat /dev/chr -- stat /dev/null
	has "stat /dev/chr char 0666 0 0 1:3" "stat /dev/null char 0666 0 0 1:3"
}

# bats test_tags=v2
@test "devices that the rules do not allow cannot be opened, the default ones can" {
	# config-linux.md, Allowed Device list; peers add the default devices and mknod for all.
	new_bundle
	probe open-dev c 240 99 -- open-dev b 7 200 -- open-dev c 1 3 -- open-dev c 1 9
	has "open-dev c 240:99 EPERM" "open-dev b 7:200 EPERM" "open-dev c 1:3 ok" "open-dev c 1:9 ok"
}

# bats test_tags=v2
@test "a rule of the config allows its device alone" {
	new_bundle
	edit '.linux.resources.devices += [{allow: true, type: "c", major: 240, minor: 99, access: "rwm"}]'
	# nothing is behind 240:99: ENXIO comes from the driver's place, EPERM from the device rules
	probe open-dev c 240 99 -- open-dev c 240 98
	has "open-dev c 240:99 ENXIO" "open-dev c 240:98 EPERM"
}

@test "a later rule wins over an earlier one" {
	# config-linux.md: "The runtime MUST apply entries in the listed order."
	new_bundle
	edit '.linux.resources.devices = [{allow: false, access: "rwm"},
		{allow: true, type: "c", major: 240, minor: 99, access: "rw"},
		{allow: false, type: "c", major: 240, minor: 99, access: "rw"}]'
	probe open-dev c 240 99
	has "open-dev c 240:99 EPERM"
}

@test "the access letters are kept apart" {
	new_bundle /bin/sh -c 'exec 2>&1; : </dev/chr && echo read ok; : >/dev/chr && echo write ok; :'
	edit '.linux.devices = [{type: "c", path: "/dev/chr", major: 1, minor: 11, fileMode: 438, uid: 0, gid: 0}]
		| .linux.resources.devices += [{allow: true, type: "c", major: 1, minor: 11, access: "w"}]'
	run_fg || :
	matches 'operation not permitted'
	has_not "read ok"
	edit '.linux.resources.devices += [{allow: true, type: "c", major: 1, minor: 11, access: "rw"}]'
	args /bin/sh -c 'exec 2>&1; exec 5>/dev/chr && echo write ok'
	run_fg
	has "write ok"
}
