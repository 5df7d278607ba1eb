#!/usr/bin/env bats
# config.md, "Mounts": uidMappings, gidMappings; "Linux mount options": idmap, ridmap.
load ../lib

# Before Linux 6.3 tmpfs has none, and in User Mode Linux there is nothing else.
needs_idmap() {
	! grep -q "User Mode Linux" /proc/cpuinfo || [ "$(printf '6.3\n%s\n' "$(uname -r)" | sort -V | head -n 1)" = 6.3 ] ||
		skip "no idmapped mounts here"
}

@test "a mount with mappings shows other owners than the disk has" {
	# config.md: "uidMappings (array of type LinuxIDMapping, OPTIONAL) The mapping to convert UIDs
	# from the source file system to the destination mount point."
	needs_idmap
	known_peer_failure runc "1.1.5 does not know idmapped mounts"
	new_bundle
	mkdir "$BUNDLE/files"
	: >"$BUNDLE/files/a"
	edit '.mounts += [{destination: "/mnt", source: ($b + "/files"), options: ["bind", "idmap"],
		uidMappings: [{containerID: 0, hostID: 5, size: 1}], gidMappings: [{containerID: 0, hostID: 6, size: 1}]}]' --arg b "$BUNDLE"
	probe stat /mnt/a
	matches '^stat /mnt/a file [0-7]+ 5 6 '
}

@test "idmap without mappings takes those of the user namespace" {
	needs_idmap
	known_peer_failure runc "1.1.5 does not know idmapped mounts"
	new_bundle
	mkdir "$BUNDLE/files"
	: >"$BUNDLE/files/a"
	chown 7:8 "$BUNDLE/files/a"
	edit '.linux.namespaces += [{type: "user"}]
		| .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 1000}]
		| .linux.gidMappings = [{containerID: 0, hostID: 100000, size: 1000}]
		| .mounts |= map(select(.type != "cgroup"))
		| .mounts += [{destination: "/mnt", source: ($b + "/files"), options: ["bind", "idmap"]}]' --arg b "$BUNDLE"
	chown 100000:100000 "$BUNDLE/rootfs"
	chmod 755 "$T" "$BUNDLE"
	probe stat /mnt/a
	matches '^stat /mnt/a file [0-7]+ 7 8 '
}

@test "idmap reaches one mount, ridmap those below too" {
	# config.md, Linux mount options: "ridmap: recursive idmap".
	needs_idmap
	known_peer_failure runc "1.1.5 does not know idmapped mounts"
	known_peer_failure crun "1.8 does not know ridmap"
	[ "$(printf '6.3\n%s\n' "$(uname -r)" | sort -V | head -n 1)" = 6.3 ] || skip "tmpfs has no idmapped mounts here"
	new_bundle
	mkdir "$T/tree"
	host_mount -t tmpfs tree "$T/tree"
	mkdir "$T/tree/sub"
	host_mount -t tmpfs tree "$T/tree/sub"
	: >"$T/tree/a"
	: >"$T/tree/sub/a"
	edit '.mounts += [["/one", ["rbind", "idmap"]], ["/all", ["rbind", "ridmap"]] | {destination: .[0], source: $s, options: .[1],
		uidMappings: [{containerID: 0, hostID: 5, size: 1}], gidMappings: [{containerID: 0, hostID: 6, size: 1}]}]' --arg s "$T/tree"
	probe stat /one/a -- stat /one/sub/a -- stat /all/a -- stat /all/sub/a
	matches '^stat /one/a file [0-7]+ 5 6 '
	matches '^stat /one/sub/a file [0-7]+ 0 0 '
	matches '^stat /all/a file [0-7]+ 5 6 '
	matches '^stat /all/sub/a file [0-7]+ 5 6 '
}

@test "idmap without mappings and without a user namespace is refused" {
	# config.md: "if idmap is set without mappings, and the container has no user namespace, the runtime MUST return an error".
	known_peer_failure runc "1.1.5 does not know idmapped mounts"
	new_bundle
	probe pid
	has "pid 1 0"
	edit '.mounts += [{destination: "/mnt", source: "/etc", options: ["bind", "idmap"]}]'
	refused run --bundle "$BUNDLE" "$CID"
	rt delete --force "$CID"
	nothing_left
}

@test "a source that the container's root may not reach is bound" {
	# Peers: runc hands such sources to the container as descriptors.
	new_bundle
	mkdir -m 700 "$BUNDLE/closed"
	mkdir -m 755 "$BUNDLE/closed/in"
	: >"$BUNDLE/closed/in/a"
	edit '.linux.namespaces += [{type: "user"}]
		| .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 1000}]
		| .linux.gidMappings = [{containerID: 0, hostID: 100000, size: 1000}]
		| .mounts |= map(select(.type != "cgroup"))
		| .mounts += [{destination: "/mnt", source: ($b + "/closed/in"), options: ["bind"]}]' --arg b "$BUNDLE"
	chown 100000:100000 "$BUNDLE/rootfs"
	chmod 755 "$T" "$BUNDLE"
	probe ls /mnt
	has "entry a"
}
