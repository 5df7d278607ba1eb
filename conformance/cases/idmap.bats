#!/usr/bin/env bats
# config.md, "Mounts": uidMappings, gidMappings; "Linux mount options": idmap, ridmap.
load ../lib

needs_idmap() { ! grep -q "User Mode Linux" /proc/cpuinfo || skip "no idmapped mounts here"; }

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
