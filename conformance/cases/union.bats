#!/usr/bin/env bats
# Root file systems of layers (docs/union.md), which only rrun has.
load ../lib

# layered: a bundle on two layers, $LOW (the usual root file system) and $HIGH.
layered() {
	"$RUNTIME" --version | grep -q '^rrun' || skip "has no layers"
	new_bundle "$@"
	mv "$BUNDLE/rootfs" "$BUNDLE/low"
	LOW=$BUNDLE/low HIGH=$BUNDLE/high
	mkdir "$HIGH"
	edit '.annotations["dev.rrun.rootfs.layers"] = "[\"low\", \"high\"]"'
}
upper() { edit '.annotations["dev.rrun.rootfs.upper"] = $u' --arg u "$1"; }

# bats test_tags=v2
@test "union: a higher layer covers a lower one, and both are seen" {
	layered /bin/sh -c 'cat /etc/both /etc/low; ls /only-high'
	echo low >"$LOW/etc/low"
	echo low >"$LOW/etc/both"
	mkdir -p "$HIGH/etc" "$HIGH/only-high"
	echo high >"$HIGH/etc/both"
	touch "$HIGH/only-high/f"
	run_fg
	eq "$out" $'high\nlow\nf'
}

@test "union: a whiteout hides, an opaque directory covers" {
	layered /bin/sh -c 'ls -d /etc/gone /opaque/low 2>/dev/null; ls /opaque'
	touch "$LOW/etc/gone"
	mkdir -p "$LOW/opaque" "$HIGH/etc" "$HIGH/opaque"
	touch "$LOW/opaque/low" "$HIGH/opaque/high"
	mknod "$HIGH/etc/gone" c 0 0
	setfattr -n trusted.overlay.opaque -v y "$HIGH/opaque" 2>/dev/null || python3 -c "
import os, sys
os.setxattr(sys.argv[1], 'trusted.overlay.opaque', b'y')" "$HIGH/opaque" || skip "nothing here sets attributes"
	run_fg
	eq "$out" high
}

@test "union: changes are forgotten, and no layer is written to" {
	layered /bin/sh -c 'echo changed >/etc/passwd; rm -r /bin/busybox; echo new >/new; cat /new'
	local before
	before=$(find "$LOW" "$HIGH" -printf '%p %m %s %T@\n' | sort | md5sum)
	run_fg
	eq "$out" new
	eq "$(find "$LOW" "$HIGH" -printf '%p %m %s %T@\n' | sort | md5sum)" "$before"
}

# bats test_tags=v2
@test "union: a kept upper keeps, for one container at a time" {
	layered /bin/sh -c 'cat /kept 2>/dev/null; echo kept >/kept'
	upper upper
	run_fg
	eq "$out" ""
	run_fg
	eq "$out" kept
	eq "$(cat "$BUNDLE/upper/kept")" kept
	args /probe sleep
	run_bg
	local first=$CID
	await_out sleeping
	CID=$CID-second
	CIDS+=("$CID")
	edit '.linux.cgroupsPath += "-second"'
	refused create --bundle "$BUNDLE" "$CID"
	matches "$first" "$err"
	CID=$first
	delete --force
	[ ! -e "$BUNDLE/.upper.rrun-work" ]
}

@test "union: upper-size bounds what may be written" {
	layered /bin/sh -c 'dd if=/dev/zero of=/big bs=1024k count=4 2>/dev/null || echo full'
	edit '.annotations["dev.rrun.rootfs.upper-size"] = "1m"'
	run_fg
	eq "$out" full
}

@test "union: the places that a runtime needs come from a layer below" {
	layered /bin/sh -c 'test -c /dev/null && test -d /proc/self && readlink /etc/mtab'
	rm -rf "${LOW:?}"/{dev,proc,sys}
	edit '.annotations["dev.rrun.rootfs.init"] = "true"'
	run_fg
	eq "$out" /proc/mounts
	[ ! -e "$LOW/dev" ]
}

@test "union: 300 layers" {
	layered /bin/sh -c 'ls /l | wc -l'
	local i
	for ((i = 0; i < 300; i++)); do mkdir -p "$BUNDLE/many/$i/l" && : >"$BUNDLE/many/$i/l/$i"; done
	edit '.annotations["dev.rrun.rootfs.layers"] = (["low"] + [range(300) | "many/\(.)"] | tojson)'
	run_fg
	eq "$out" 300
}

@test "union: the host sees no mount of it, while it runs and after kill -9" {
	layered /probe sleep
	local before
	before=$(wc -l </proc/self/mountinfo)
	run_bg
	await_out sleeping
	eq "$(wc -l </proc/self/mountinfo)" "$before"
	kill -KILL "$PID"
	await_exit
	eq "$(wc -l </proc/self/mountinfo)" "$before"
	delete
}

@test "union: layers that are none are refused, and leave nothing" {
	layered
	run_fg
	local value
	for value in '[]' '["low", "missing"]' 'low' '[1]' '["low/etc/passwd"]'; do
		edit '.annotations["dev.rrun.rootfs.layers"] = $v' --arg v "$value"
		refused create --bundle "$BUNDLE" "$CID"
	done
	edit '.annotations["dev.rrun.rootfs.layers"] = "[\"low\"]" | .annotations["dev.rrun.rootfs.unknown"] = "1"'
	refused create --bundle "$BUNDLE" "$CID"
	nothing_left
}
