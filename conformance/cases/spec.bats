#!/usr/bin/env bats
# rrun's `spec` with its options, and that any runtime takes what it writes.
load ../lib

# shellcheck disable=SC2154  # set by lib.bash
# What writes the document: the runtime itself, or beside a peer the newest rrun here.
writer() {
	WRITER=$RUNTIME
	"$WRITER" spec --help 2>&1 | grep -q -- --image-config && return
	# shellcheck disable=SC2012
	WRITER=$(ls -t "$conf_here"/../target/*/release/rrun "$conf_here"/../target/release/rrun 2>/dev/null | head -n 1)
	[ -n "$WRITER" ] || skip "no rrun that writes"
}

# write ARG...: a config.json for the current bundle, in the place of the usual one.
write() {
	writer
	rm -f "$BUNDLE/config.json"
	(cd "$BUNDLE" && "$WRITER" spec "$@" 2>"$T/spec.err") || { cat "$T/spec.err" >&2; return 1; }
	edit '.linux.cgroupsPath = $c | .process.env += [$t]' --arg c "$CGPATH" --arg t "CONF_TOKEN=$TOKEN"
}

# wrong PART ARG...: `spec` says no, naming PART, and writes nothing.
wrong() {
	local part=$1
	shift
	writer
	rm -f "$BUNDLE/config.json"
	if (cd "$BUNDLE" && "$WRITER" spec "$@" 2>"$T/spec.err"); then echo "not refused: $*" >&2; return 1; fi
	grep -qF -- "$part" "$T/spec.err" || { echo "no $part in:" >&2; cat "$T/spec.err" >&2; return 1; }
	[ ! -e "$BUNDLE/config.json" ]
}

@test "spec: a program, its environment, user, directory and host name" {
	new_bundle
	write --arg /probe --arg ids --arg -- --arg env --arg -- --arg cwd --tty=false --env A=1 -e A=2 --env B= \
		--user 7:8 --cwd /tmp --hostname there
	jq -e '.hostname == "there" and .process.terminal == false' "$BUNDLE/config.json"
	run_fg
	has "uid 7 7 7"
	has "gid 8 8 8"
	has "env A=2"
	has "env B="
	has_not "env A=1"
	has "cwd /tmp"
}

@test "spec: a user by name, from the root's own files" {
	new_bundle
	write --arg /probe --arg ids --tty=false --user alice
	run_fg
	has "uid 1000 1000 1000"
	wrong "there is no user \`nobody-at-all\`" --user nobody-at-all
}

@test "spec: capabilities come and go" {
	new_bundle
	write --arg /probe --arg caps --tty=false --cap-drop ALL --cap-add net_raw --cap-add CAP_CHOWN
	run_fg
	has "cap_bounding 0000000000002001"
	has "cap_effective 0000000000002001"
	jq -e '.process.capabilities | .bounding == ["CAP_CHOWN", "CAP_NET_RAW"] and .effective == .permitted' "$BUNDLE/config.json"
	wrong "--cap-add: \`CAP_X\`" --cap-add CAP_X
	wrong "--cap-drop" --cap-drop nothing
}

# bats test_tags=v2
@test "spec: limits of memory, processors and processes" {
	needs_controller memory
	needs_controller pids
	new_bundle
	write --arg /probe --arg sleep --tty=false --memory 64M --cpus 0.5 --pids 20
	jq -e '.linux.resources | .memory.limit == 67108864 and .cpu.quota == 50000 and .cpu.period == 100000
		and .pids.limit == 20' "$BUNDLE/config.json"
	run_bg
	eq "$(cat "$(cg_dir pids)/pids.max")" 20
	wrong "--memory" --memory lots
	wrong "--cpus" --cpus 0
	wrong "--pids" --pids 0
}

@test "spec: mounts in Docker's words and in short" {
	new_bundle
	mkdir "$T/src"
	echo hello >"$T/src/file"
	write --arg /bin/sh --arg -c --arg 'cat /a/file /b/file; echo x >/a/new; echo y >/b/new; echo z >/c/new && cat /c/new' \
		--tty=false --mount "type=bind,source=$T/src,target=/a" --mount "$T/src:/b:ro" --mount type=tmpfs,target=/c,tmpfs-size=1m
	run_fg
	eq "$(grep -c hello <<<"$out")" 2
	has z
	eq "$(cat "$T/src/new")" x
	wrong "--mount: \`type=volume" --mount type=volume,source=v,target=/v
	wrong "--mount" --mount nonsense
}

@test "spec: the caller's network, or none" {
	new_bundle
	write --arg /probe --arg ns --tty=false --network host
	run_fg
	has "ns_net $(readlink /proc/self/ns/net | tr -dc 0-9)"
	write --arg /probe --arg ns --tty=false --network none
	run_fg
	has_not "ns_net $(readlink /proc/self/ns/net | tr -dc 0-9)"
	wrong "--network" --network bridge
}

@test "spec: a read-only root, and one that is not" {
	new_bundle
	write --arg /bin/touch --arg /here --tty=false --read-only=false
	run_fg
	[ -e "$BUNDLE/rootfs/here" ]
	write --arg /bin/touch --arg /there --tty=false --read-only
	refused run --bundle "$BUNDLE" "$CID"
	[ ! -e "$BUNDLE/rootfs/there" ]
}

@test "spec: the default seccomp profile lets programs work and refuses what is the administrator's" {
	new_bundle
	write --arg /bin/sh --arg -c --arg 'mount -t tmpfs none /tmp || echo refused; cat /proc/self/status' --tty=false \
		--read-only=false --seccomp default --cap-add SYS_CHROOT
	run_fg
	has refused
	matches '^Seccomp:.*2$'
	# The capability alone would do; without the filter it does.
	jq -e '.linux.seccomp.defaultAction == "SCMP_ACT_ERRNO"' "$BUNDLE/config.json"
	write --arg /bin/cat --arg /proc/self/status --tty=false --seccomp none
	run_fg
	matches '^Seccomp:.*0$'
	wrong "--seccomp" --seccomp strict
}

@test "spec: a terminal, for whoever asks" {
	new_bundle
	writer
	[ "$WRITER" = "$RUNTIME" ] || skip "is of the document alone"
	write --tty
	jq -e '.process.terminal' "$BUNDLE/config.json"
	write --tty=false
	jq -e '.process.terminal | not' "$BUNDLE/config.json"
}

@test "spec: the configuration of an image" {
	new_bundle
	cat >"$T/image.json" <<-'EOF'
		{"os": "linux", "architecture": "amd64", "created": "2024-01-01T00:00:00Z", "config": {"User": "alice",
		"Entrypoint": ["/probe"], "Cmd": ["ids", "--", "env", "--", "cwd"], "Env": ["A=1", "PATH=/bin"],
		"WorkingDir": "/tmp", "Volumes": {"/etc": {}}, "ExposedPorts": {"80/tcp": {}}, "StopSignal": "SIGQUIT",
		"Labels": {"a": "b", "run.oci.hooks.stdout": "/x"}}}
	EOF
	write --image-config "$T/image.json"
	run_fg
	has "uid 1000 1000 1000"
	has "env A=1"
	has "env PATH=/bin"
	has "cwd /tmp"
	jq -e '.annotations["org.opencontainers.image.stopSignal"] == "SIGQUIT" and .annotations.a == "b"
		and .annotations["org.opencontainers.image.exposedPorts"] == "80/tcp"
		and (.annotations | has("run.oci.hooks.stdout") | not)' "$BUNDLE/config.json"
	# A volume begins with what the image has there, and what is written to it is not the image's.
	write --image-config "$T/image.json" --user 0 --arg /bin/sh --arg -c --arg 'cat /etc/passwd; echo x >/etc/new'
	run_fg
	matches '^alice:'
	[ ! -e "$BUNDLE/rootfs/etc/new" ]
	echo '{"schemaVersion": 2, "config": {}, "layers": []}' >"$T/manifest.json"
	wrong "manifest" --image-config "$T/manifest.json"
	wrong "image.none" --image-config "$T/image.none"
}

@test "spec: layers, and where changes go" {
	new_bundle
	wrong "--layer" --layer "$T/low"
	mkdir "$T/low"
	echo low >"$T/low/low"
	write --arg /bin/sh --arg -c --arg 'echo new >/file; cat /file /low' --tty=false --layer "$BUNDLE/rootfs" --layer "$T/low" --upper "$T/up"
	jq -e '.annotations["dev.rrun.rootfs.layers"] | fromjson | length == 2' "$BUNDLE/config.json"
	[ -z "$CONF_PEER" ] || skip "layers are rrun's own"
	run_fg
	has new
	has low
	eq "$(cat "$T/up/file")" new
	[ ! -e "$T/low/file" ]
	write --arg /bin/touch --arg /gone --tty=false --layer "$BUNDLE/rootfs" --upper ephemeral
	run_fg
	[ ! -e "$BUNDLE/rootfs/gone" ]
	wrong "--upper" --upper "$T/up"
}
