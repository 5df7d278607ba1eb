#!/usr/bin/env bats
# unpack: bundles of images that other tools have made. The runtime-spec leaves this to others; a
# runtime without the verb is not asked.
load ../lib

needs_tool() {
	"$RUNTIME" unpack --help >/dev/null 2>&1 || skip "unpacks no images"
	command -v "$1" >/dev/null || skip "$1 is missing"
}

# umoci_image: a layout in $T/img with the image `t` of three layers: the template, one that changes
# it, one that takes something away.
umoci_image() {
	needs_tool umoci
	umoci init --layout "$T/img" && umoci new --image "$T/img:t"
	umoci unpack --image "$T/img:t" "$T/u" 2>/dev/null
	cp -a "$CONF_TEMPLATE/." "$T/u/rootfs/"
	ln "$T/u/rootfs/etc/passwd" "$T/u/rootfs/etc/passwd.link"
	mkdir "$T/u/rootfs/gone" "$T/u/rootfs/replaced" && echo low >"$T/u/rootfs/gone/f" && echo low >"$T/u/rootfs/replaced/old"
	umoci repack --refresh-bundle --image "$T/img:t" "$T/u" 2>/dev/null
	echo top >"$T/u/rootfs/new"
	chown 7:8 "$T/u/rootfs/new"
	chmod 4751 "$T/u/rootfs/new"
	umoci repack --refresh-bundle --image "$T/img:t" "$T/u" 2>/dev/null
	rm -r "$T/u/rootfs/gone" "$T/u/rootfs/replaced/old"
	echo top >"$T/u/rootfs/replaced/new"
	umoci repack --refresh-bundle --image "$T/img:t" "$T/u" 2>/dev/null
	umoci config --image "$T/img:t" --config.entrypoint /bin/sh --config.entrypoint -c \
		--config.cmd '/bin/busybox id -u; /bin/busybox pwd; echo $A; cd /; ls -d gone new; ls replaced; /bin/busybox stat -c "%u %g %a" new' \
		--config.env A=b --config.workingdir /tmp --config.user alice
}

# runs IMAGE: unpacks it and runs what it says.
runs() {
	N=$((N + 1))
	rt unpack -q "$1" "$T/b$N"
	CID=$TOKEN-$N
	CIDS+=("$CID")
	rt run -b "$T/b$N" "$CID"
}
EXPECTED=$'1000\n/tmp\nb\nnew\nnew\n7 8 4751'

@test "unpack and run a layout of umoci" {
	umoci_image
	runs "$T/img:t"
	eq "$out" "$EXPECTED"
	rt unpack -q --store "$T/store" "$T/img:t" "$T/shared"
	rt unpack --store "$T/store" "$T/img:t" "$T/shared2"
	eq "$(grep -c 'there already' <<<"$err")" 3
}

@test "unpack and run what skopeo copies" {
	needs_tool skopeo
	umoci_image
	skopeo copy -q --dest-compress-format zstd "oci:$T/img:t" "oci:$T/zstd:z"
	runs "$T/zstd:z"
	eq "$out" "$EXPECTED"
	skopeo copy -q "oci:$T/img:t" "oci-archive:$T/oci.tar:t"
	runs "$T/oci.tar"
	eq "$out" "$EXPECTED"
	skopeo copy -q "oci:$T/img:t" "docker-archive:$T/docker.tar:example/web:v1"
	runs "$T/docker.tar:example/web:v1"
	eq "$out" "$EXPECTED"
	RT_IN=$T/docker.tar runs -
	eq "$out" "$EXPECTED"
	skopeo copy -q "oci:$T/img:t" "dir:$T/dir"
	refused unpack -q "$T/dir" "$T/no"
}

@test "unpack and run what Buildah pushes" {
	needs_tool buildah
	umoci_image
	buildah() { command buildah --root "$T/storage" --runroot "$T/runroot" --storage-driver vfs "$@"; }
	printf '{"default":[{"type":"insecureAcceptAnything"}]}' >"$T/policy.json"
	cd "$T" # containers' names of images have no upper case, which a path may have
	working=$(buildah from --signature-policy "$T/policy.json" oci:img:t)
	echo more >"$T/more"
	buildah copy -q "$working" "$T/more" /more >/dev/null
	buildah config --entrypoint '["/bin/cat"]' --cmd /more --user 0 "$working"
	buildah commit -q --signature-policy "$T/policy.json" "$working" more >/dev/null
	buildah push -q --signature-policy "$T/policy.json" more "oci:$T/pushed:more"
	runs "$T/pushed:more"
	eq "$out" more
}

@test "what umoci unpacks is what rrun unpacks" {
	umoci_image
	umoci unpack --image "$T/img:t" "$T/theirs" 2>/dev/null
	rt unpack -q "$T/img:t" "$T/ours"
	mkdir "$T/joined"
	local layers
	layers=$(jq -r '.annotations["dev.rrun.rootfs.layers"] | fromjson | reverse | join(":")' "$T/ours/config.json")
	(cd "$T/ours" && host_mount -t overlay overlay -o "lowerdir=$layers" "$T/joined") || skip "no overlay here"
	# Directories that a layer has no entry for have no time either.
	list() { (cd "$1" && find . -mindepth 1 \( -type d -printf '%p d %m %U %G\n' -o -printf '%p %y %m %U %G %l %T@ %s %n\n' \) | sort); }
	list "$T/theirs/rootfs" >"$T/1"
	list "$T/joined" >"$T/2"
	umount "$T/joined"
	diff "$T/1" "$T/2" >&2
}

@test "a hostile archive stays in its place" {
	needs_tool umoci
	umoci init --layout "$T/img" && umoci new --image "$T/img:t"
	mkdir "$T/src" && echo evil >"$T/src/f"
	tar -C "$T/src" -P -c --transform 's,^f,../../../../../../outside,' -f "$T/evil.tar" f
	umoci raw add-layer --image "$T/img:t" "$T/evil.tar"
	refused unpack -q "$T/img:t" "$T/b"
	matches "leads out of its directory" "$err"
	[ ! -e "$T/outside" ] && [ ! -e "$T/b/config.json" ]
}

@test "an interrupted unpack goes on" {
	umoci_image
	for delay in 0.005 0.01 0.02 0.04; do
		"$RUNTIME" unpack -q --store "$T/store" "$T/img:t" "$T/b" & pid=$!
		sleep $delay
		kill -KILL $pid 2>/dev/null || :
		wait $pid || :
		rm -f "$T/b/config.json"
	done
	rt unpack -q --store "$T/store" "$T/img:t" "$T/b"
	CID=$TOKEN-i
	CIDS+=("$CID")
	rt run -b "$T/b" "$CID"
	eq "$out" "$EXPECTED"
	! ls -A "$T/store/sha256" | grep -q partial
}
