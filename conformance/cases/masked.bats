#!/usr/bin/env bats
# config-linux.md, "Masked Paths" and "Readonly Paths".
load ../lib

# bats test_tags=v2
@test "a masked file reads as empty, a masked directory is empty" {
	# config-linux.md: "maskedPaths will mask over the provided paths inside the container so that
	# they cannot be read."
	new_bundle
	mkdir "$BUNDLE/rootfs/dir"
	echo secret | tee "$BUNDLE/rootfs/file" >"$BUNDLE/rootfs/dir/f"
	edit '.linux.maskedPaths = ["/file", "/dir"]'
	probe read /file -- ls /dir -- write /dir/new x
	has "read " "ls /dir 0" "write /dir/new EROFS"
	eq "$(cat "$BUNDLE/rootfs/file")" secret
}

@test "a read-only path cannot be written, its neighbour can" {
	# config-linux.md: "readonlyPaths will set the provided paths as readonly inside the container."
	new_bundle
	mkdir "$BUNDLE/rootfs/dir"
	touch "$BUNDLE/rootfs/file" "$BUNDLE/rootfs/other"
	edit '.linux.readonlyPaths = ["/dir", "/file"]'
	probe write /dir/f x -- write /file x -- write /other x
	has "write /dir/f EROFS" "write /file EROFS" "write /other ok"
}

@test "paths that do not exist are passed over" {
	# Peers: absent masked and read-only paths are no error (the ordinary lists name many).
	new_bundle
	edit '.linux.maskedPaths = ["/absent", "/proc/absent/deeper"] | .linux.readonlyPaths = ["/absent", "/proc/absent"]'
	probe pid -- stat /absent
	has "pid 1 0" "stat /absent ENOENT"
}

@test "/proc/sys is read-only and keeps its mount options" {
	new_bundle
	probe write /proc/sys/kernel/domainname x -- mounts
	has "write /proc/sys/kernel/domainname EROFS"
	matches '^mount /proc/sys proc ([a-z]+,)*ro[, ]'
}

@test "a masked file below a file system of the config is masked too" {
	new_bundle
	mkdir "$T/src"
	echo secret >"$T/src/f"
	edit '.mounts += [{destination: "/data", source: $s, options: ["bind"]}] | .linux.maskedPaths = ["/data/f"]' --arg s "$T/src"
	probe read /data/f
	has "read "
	eq "$(cat "$T/src/f")" secret
}
