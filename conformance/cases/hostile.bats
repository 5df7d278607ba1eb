#!/usr/bin/env bats
# Configs and images made to harm: the host must not be touched, the runtime must not hang or crash.
load ../lib

good() { # the same without the harm works
	args /probe pid
	run_fg
	has "pid 1 0"
}
no() {
	refused run --bundle "$BUNDLE" "$CID"
	rt delete --force "$CID"
	nothing_left
}

@test "ids that are no plain names are refused" {
	# runtime.md, create: "if the ID provided is not ... a valid ID, the implementation MUST generate an error".
	new_bundle
	good
	local id
	for id in ../escape a/b . .. '' 'a b'; do
		case $CONF_PEER:$id in crun:'a b' | crun:. | crun:..) continue ;; esac # peers: crun 1.8 forbids the slash alone
		refused create --bundle "$BUNDLE" "$id"
	done
	[ ! -e "$T/escape" ]
	nothing_left
}

@test "a config.json that is no JSON is refused" {
	new_bundle
	good
	cp "$BUNDLE/config.json" "$T/good.json"
	head -c 300 "$T/good.json" >"$BUNDLE/config.json"
	no
	echo '[]' >"$BUNDLE/config.json"
	no
	: >"$BUNDLE/config.json"
	no
}

@test "values of the wrong type are refused" {
	# config.md, "Valid values": invalid values MUST be an error.
	new_bundle
	good
	cp "$BUNDLE/config.json" "$T/good.json"
	local f
	for f in '.process.args = "not a list"' '.mounts = {}' '.process.user.uid = "zero"' '.linux.namespaces = "pid"'; do
		case $CONF_PEER:$f in
		# peers: crun 1.8 reads "zero" as 0 and a wrong container as an empty one
		crun:*) continue ;;
		esac
		jq "$f" "$T/good.json" >"$BUNDLE/config.json"
		no
	done
}

@test "empty args are refused" {
	# config.md, args: "One or more entries are REQUIRED".
	new_bundle
	good
	edit '.process.args = []'
	no
}

@test "a root that does not exist is refused" {
	# config.md, Root: "the field MUST be ... a directory that exists".
	new_bundle
	good
	edit '.root.path = "absent"'
	no
	[ ! -e "$BUNDLE/absent" ]
}

@test "properties and annotations that nobody knows are ignored" {
	# config.md, Extensibility: "Runtimes MUST NOT generate an error if they encounter an unknown property".
	new_bundle
	edit '.unknown = {"a": [1]} | .process.unknown = 1 | .linux.unknown = "x" | .annotations = {"com.example.unknown": "1"}'
	good
}

# bats test_tags=v2
@test "a mount destination with .. stays in the root" {
	new_bundle
	mkdir "$T/outside"
	edit '.mounts += [{destination: "/../../../..\($o)", type: "tmpfs", source: "t"}]' --arg o "$T/outside"
	probe write "$T/outside/f" x
	has "write $T/outside/f ok"
	[ ! -e "$T/outside/f" ]
}

@test "a symbolic link as a mount's destination is followed inside the root" {
	new_bundle
	mkdir "$T/outside" "$BUNDLE/rootfs/real"
	mkdir -p "$BUNDLE/rootfs$T/outside"
	ln -s "$T/outside" "$BUNDLE/rootfs/abs"
	ln -s ../../../../../../../../../real "$BUNDLE/rootfs/rel"
	edit '.mounts += [{destination: "/abs/dir", type: "tmpfs", source: "t"}, {destination: "/rel", type: "tmpfs", source: "t"}]'
	probe write /real/f x -- write "$T/outside/dir/f" x
	has "write /real/f ok" "write $T/outside/dir/f ok"
	[ ! -e "$T/outside/dir" ]
	[ ! -e "$BUNDLE/rootfs/real/f" ]
}

@test "a dangling symbolic link as a mount's destination is made good inside the root" {
	# peers: crun 1.8 fails.
	known_peer_failure crun "fails on a dangling link"
	new_bundle
	mkdir "$T/outside"
	ln -s "$T/outside" "$BUNDLE/rootfs/abs"
	edit '.mounts += [{destination: "/abs/dir", type: "tmpfs", source: "t"}]'
	probe write "$T/outside/dir/f" x
	has "write $T/outside/dir/f ok"
	[ ! -e "$T/outside/dir" ]
}

@test "/proc as a symbolic link is refused or stays in the root" {
	# CVE-2019-19921: the runtime writes to files of /proc during its set-up.
	new_bundle
	good
	rmdir "$BUNDLE/rootfs/proc"
	mkdir "$BUNDLE/rootfs/elsewhere" "$T/outside"
	ln -s "$T/outside" "$BUNDLE/rootfs/proc"
	rt run --bundle "$BUNDLE" "$CID" 2>/dev/null || :
	rt delete --force "$CID"
	[ -z "$(ls -A "$T/outside")" ]
}

@test "masked and read-only paths that are links do not reach outside" {
	new_bundle
	mkdir "$T/outside"
	echo content >"$T/outside/f"
	ln -s "$T/outside/f" "$BUNDLE/rootfs/mask"
	ln -s "$T/outside" "$BUNDLE/rootfs/ro"
	edit '.linux.maskedPaths = ["/mask"] | .linux.readonlyPaths = ["/ro"]'
	good
	eq "$(cat "$T/outside/f")" content
	: >"$T/outside/g"
}

@test "a working directory through the runtime's own descriptors is no way out" {
	# CVE-2024-21626: cwd = /proc/self/fd/N of a directory of the host.
	new_bundle
	good
	local n
	for n in 3 5 6 7 8 9; do
		edit '.process.cwd = "/proc/self/fd/\($n)"' --arg n $n
		args /probe cwd -- ls ../../../../etc
		if rt run --bundle "$BUNDLE" "$CID" 2>/dev/null; then
			! grep -q "entry apt\|entry debian_version" <<<"$out"
		fi
		rt delete --force "$CID"
	done
	nothing_left
}

@test "a name of a device that leads out of the root does not" {
	new_bundle
	mkdir "$T/outside"
	ln -s "$T/outside" "$BUNDLE/rootfs/lnk"
	good
	edit '.linux.devices = [{type: "c", path: "/lnk/dev", major: 1, minor: 3, fileMode: 438, uid: 0, gid: 0}]'
	rt run --bundle "$BUNDLE" "$CID" 2>/dev/null || :
	rt delete --force "$CID"
	[ ! -e "$T/outside/dev" ]
}

@test "a very long list of arguments and variables is taken or refused, not truncated" {
	new_bundle /bin/sh -c 'echo "${#BIG} $#"' sh
	edit '.process.env += ["BIG=" + ("x" * 100000)] | .process.args += [range(2000) | tostring]'
	run_fg
	has "100000 2000"
}

@test "a refused container cannot be started, killed or seen" {
	new_bundle
	good
	edit '.mounts += [{destination: "/x", source: "/no/such/source", options: ["bind"]}]'
	refused create --bundle "$BUNDLE" "$CID"
	refused state "$CID"
	refused start "$CID"
	rt list -q
	has_not "$CID"
	nothing_left
}
