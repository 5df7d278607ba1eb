# shellcheck shell=bash
# Shared by the engine scripts: a private dockerd or containerd, ended by pid, and TAP counting.
# Sourced inside a private mount and network namespace, with $W as the scratch directory.

engine_pids=()
ok_n=0 ok_p=0 ok_f=0 ok_s=0
# t NAME COMMAND...: one TAP result, with the time that it took.
t() {
	local name=$1 o took began=${EPOCHREALTIME/./}
	shift
	ok_n=$((ok_n + 1))
	if o=$("$@" 2>&1); then
		ok_p=$((ok_p + 1))
		took=$(((${EPOCHREALTIME/./} - began) / 1000))
		echo "ok $ok_n $name # $took ms"
	else
		ok_f=$((ok_f + 1))
		echo "not ok $ok_n $name"
		printf '%s\n' "$o" | sed 's/^/# /'
	fi
}
# skip NAME WHY
skip() {
	ok_n=$((ok_n + 1)) ok_s=$((ok_s + 1))
	echo "ok $ok_n $1 # skip $2"
}
# cases HEADING COMMAND...: a program that prints "ok NAME" or "not ok NAME" for each of its cases, which are counted on.
cases() {
	local heading=$1 line fd pid status failed=$ok_f
	shift
	exec {fd}< <("$@" 2>&1)
	pid=$!
	while IFS= read -r line <&"$fd"; do
		case $line in
		"ok "*" # skip "*) ok_n=$((ok_n + 1)) ok_s=$((ok_s + 1)); echo "ok $ok_n $heading: ${line#ok }" ;;
		"ok "*) ok_n=$((ok_n + 1)) ok_p=$((ok_p + 1)); echo "ok $ok_n $heading: ${line#ok }" ;;
		"not ok "*) ok_n=$((ok_n + 1)) ok_f=$((ok_f + 1)); echo "not ok $ok_n $heading: ${line#not ok }" ;;
		*) printf '%s\n' "$line" | sed '/^#/!s/^/# /' ;;
		esac
	done
	exec {fd}<&-
	wait "$pid"
	status=$?
	# a status that no case tells of: it did not come to its end
	if [ $status != 0 ] && [ "$ok_f" = "$failed" ]; then t "$heading: all its cases" is "$status" 0; fi
}
tap_end() {
	echo "1..$ok_n"
	echo "$ok_p passed, $ok_f failed, $ok_s skipped"
}
v2() { [ "$(stat -fc %T /sys/fs/cgroup)" = cgroup2fs ]; }
# cgroup_file PID CONTROLLER V1-FILE V2-FILE: what the host reads in the cgroup of that process.
cgroup_file() {
	local pid=$1 mount=/sys/fs/cgroup/$2 line="[0-9]+:([^:]*,)?$2(,[^:]*)?:" file=$3 root path
	if v2; then mount=/sys/fs/cgroup line=0:: file=$4; fi
	path=$(sed -nE "s/^$line//p" "/proc/$pid/cgroup") || return
	# in a container of CI the mount shows a part of the hierarchy, and the path is told from its root
	root=$(findmnt -no FSROOT --target "$mount") || return
	cat "$mount/${path#"${root%/}"}/$file"
}
is() { [ "$1" = "$2" ] || { printf 'got:    %s\nwanted: %s\n' "$1" "$2"; return 1; }; }

# busybox_tar: a root file system as a tar stream, for `docker import` and its kin.
busybox_rootfs() {
	local r=$1 a
	mkdir -p "$r"/{bin,dev,etc,proc,sys,tmp,root,run,var}
	cp "$(command -v busybox)" "$r/bin/busybox"
	for a in $("$r/bin/busybox" --list); do [ -e "$r/bin/$a" ] || ln -s busybox "$r/bin/$a"; done
	printf 'root:x:0:0:root:/root:/bin/sh\nalice:x:1000:1000::/:/bin/sh\n' >"$r/etc/passwd"
	printf 'root:x:0:\nalice:x:1000:\n' >"$r/etc/group"
	echo text >"$r/etc/plain"
	chmod 1777 "$r/tmp"
}
# find_runtime [PATH]: that runtime, or the newest rrun built here, or the one on PATH.
find_runtime() {
	local path=$1 target=${CARGO_TARGET_DIR:-$here/../../target}
	# shellcheck disable=SC2012
	[ -n "$path" ] || path=$(ls -t "$target"/*/release/rrun "$target"/release/rrun 2>/dev/null | head -n 1)
	path=$(command -v "${path:-rrun}") && realpath -s "$path"
}
# begin GROUP... -- ARGUMENT...: what every script begins with: the runtime to test in $runtime, the packages of these
# groups ("GROUP?": as far as they can be had, see `lacks`), namespaces of its own, and a root file system that holds
# the probe in $W/rootfs.
begin() {
	local name=${0##*/} groups=(base) given wished=() group
	while [ "$1" != -- ]; do
		case $1 in *\?) wished+=("${1%\?}") ;; *) groups+=("$1") ;; esac
		shift
	done
	shift
	given=("$@") runtime=
	while [ $# -gt 0 ]; do
		case $1 in
		--runtime) runtime=${2:?}; shift 2 ;;
		*) sed -n '2,/^set /{/^#/s/^# \?//p}' "$0" >&2; exit 2 ;;
		esac
	done
	runtime=$(find_runtime "$runtime") || { echo "$name: no runtime to test; use --runtime" >&2; exit 2; }
	if [ -z "${ENGINE_INSIDE-}" ]; then # inside, nothing could be installed
		"$here/../lab/install" "${groups[@]}" || exit 2
		export LACKING=
		for group in "${wished[@]}"; do "$here/../lab/install" "$group" || LACKING+=" $group "; done
	fi
	in_private_namespaces "rrun-$name" "$0" "${given[@]}"
	trap end_engines EXIT
	trap 'exit 143' INT TERM HUP
	ip link set lo up
	hide_hybrid "$runtime"
	# engines keep what they import beside their state, and some write into the directory in which they are called
	export HOME=$W TMPDIR=$W
	cd "$W" || exit 2
	busybox_rootfs "$W/rootfs"
	cp "$W/probe" "$W/rootfs/probe"
}
# lacks GROUP: one that was only wished for, and is not there
lacks() { case $LACKING in *" $1 "*) ;; *) return 1 ;; esac }
# in_private_namespaces NAME COMMAND...: the first time, runs the script again (COMMAND) in a mount and
# network namespace of its own, under a process that reaps what containers leave, and exits with its
# status; inside, returns with tmpfs on the places where engines keep locks and sockets.
in_private_namespaces() {
	local name=$1 c rc
	shift
	if [ -n "${ENGINE_INSIDE-}" ]; then
		echo $$ >"$W/pid"
		mkdir "$W/run" && mount -t tmpfs -o mode=755 tmpfs "$W/run" || exit 2
		# whoever drives cgroups by systemd has to reach it
		if [ "${ENGINE_CGROUPS-}" = systemd ]; then
			for c in systemd dbus; do mkdir "$W/run/$c" && mount --rbind "/run/$c" "$W/run/$c" || exit 2; done
			mount -t tmpfs tmpfs /var/cache || exit 2 # where it runs, / can only be read
		fi
		# -n: mount(8) keeps notes in /run
		mount -n --move "$W/run" /run && mount -t tmpfs -o mode=1777 tmpfs /dev/shm &&
			mount -t tmpfs -o mode=755 tmpfs /var/lib || exit 2
		return
	fi
	# short: the paths of unix sockets are limited to 107 bytes
	W=$(mktemp -d /tmp/dk.XXXXXX 2>/dev/null || mktemp -d "${TMPDIR:?}/dk.XXXXXX") || exit 2
	"$here/../lab/build-probe" "$W/probe" || { rm -rf "$W"; exit 2; }
	export W ENGINE_INSIDE=1 CGPARENT=$name-$$
	unshare -mn --propagation private "$W/probe" reaper "$@" &
	c=$!
	# not to $c: the reaper outlives the script, to end what that leaves
	trap 'read -r p <"$W/pid" && kill -TERM "$p"' INT TERM HUP
	wait "$c"
	rc=$?
	# a signal interrupts a wait, and its own status is wanted
	while kill -0 "$c" 2>/dev/null; do wait "$c"; rc=$?; done
	remove_cgroups
	rm -rf --one-file-system "$W"
	exit $rc
}
# hide_hybrid RUNTIME: crun refuses a hybrid host; with the v2 side's list of controllers hidden it does not look there.
hide_hybrid() {
	local list=/sys/fs/cgroup/unified/cgroup.controllers
	[ -e $list ] || return 0
	case $("$1" --version 2>/dev/null) in 'crun version'*) : >"$W/empty" && mount --bind "$W/empty" $list ;; esac
}
# whole_cgroups: whether the cgroup mounts begin at the root of the hierarchy, where conmon looks for the path that
# /proc/PID/cgroup tells; in a container of CI they show a part of it.
whole_cgroups() { v2 || [ "$(findmnt -no FSROOT --target /sys/fs/cgroup/memory)" = / ]; }
# bridges: whether this kernel has bridges and pairs of interfaces
bridges() {
	ip link add rrun-try type bridge 2>/dev/null && ip link del rrun-try && ip link add rrun-a type veth peer name rrun-b 2>/dev/null && ip link del rrun-a
}
# translates: whether it can translate addresses. Tried: User Mode Linux lists a table that it cannot make.
translates() { iptables -t nat -N rrun-try 2>/dev/null && iptables -t nat -X rrun-try; }
wait_for() { # COMMAND...: 20 seconds at most
	local i
	for ((i = 0; i < 200; i++)); do
		"$@" >/dev/null 2>&1 && return
		sleep 0.1
	done
	return 1
}
# start_containerd: a containerd of our own at $W/c.sock
start_containerd() {
	cat >"$W/containerd.toml" <<-TOML
		version = 2
		root = "$W/containerd"
		state = "$W/containerd-run"
		disabled_plugins = ["io.containerd.grpc.v1.cri"]
		[grpc]
		address = "$W/c.sock"
		[ttrpc]
		address = "$W/c.sock.ttrpc"
	TOML
	containerd --config "$W/containerd.toml" >"$W/containerd.log" 2>&1 &
	engine_pids+=($!)
	wait_for ctr --address "$W/c.sock" version || { tail -n 5 "$W/containerd.log" >&2; return 1; }
}
# start_dockerd RUNTIME [SETTINGS]: registers RUNTIME as rrun-under-test and makes it the default. SETTINGS, in
# JSON, go before ours. $engine names the daemon, of which there can be more than one, and the one that `d` asks.
engine=docker
start_dockerd() {
	local driver=${ENGINE_CGROUPS:-cgroupfs} settings=${2-}
	[ -n "$settings" ] || settings='{}'
	# what dockerd takes for a driver that makes slices
	CGSLICE=/$CGPARENT
	[ "$driver" != systemd ] || CGSLICE=$CGPARENT.slice
	mkdir -p "$W/$engine/bin"
	cat >"$W/$engine/ours.json" <<-JSON
		{"runtimes": {"rrun-under-test": {"path": "$1"}}, "default-runtime": "rrun-under-test",
		 "data-root": "$W/$engine/data", "exec-root": "$W/$engine/exec", "pidfile": "$W/$engine/pid", "deprecated-key-path": "$W/$engine/key.json",
		 "hosts": ["unix://$W/$engine.sock"], "containerd": "$W/c.sock", "containerd-namespace": "$engine-test",
		 "containerd-plugins-namespace": "$engine-plugins", "iptables": false, "ip6tables": false, "bridge": "none", "storage-driver": "vfs",
		 "exec-opts": ["native.cgroupdriver=$driver"], "cgroup-parent": "$CGSLICE", "shutdown-timeout": 3}
	JSON
	jq -n --argjson more "$settings" 'input + $more' "$W/$engine/ours.json" >"$W/$engine/daemon.json" || return
	# BuildKit, inside dockerd, knows no other name than runc, from PATH
	printf '#!/bin/sh\necho "$*" >>%s/buildkit\nexec %s "$@"\n' "$W/$engine" "$1" >"$W/$engine/bin/runc"
	chmod +x "$W/$engine/bin/runc"
	PATH=$W/$engine/bin:$PATH /usr/sbin/dockerd --config-file "$W/$engine/daemon.json" >>"$W/$engine/log" 2>&1 &
	engine_pids+=($!)
	wait_for d version || { tail -n 5 "$W/$engine/log" >&2; return 1; }
}
# setup_podman: a Podman with its own directories, `p`, and one that runs with no network in our cgroup, `pr`; an image bb.
# Podman knows what a runtime can do by its name, so it has a plain one here.  Raising limits needs
# CAP_SYS_RESOURCE, which CI machines often lack: fixed low ones.
setup_podman() {
	cat >"$W/containers.conf" <<-CONF
		[containers]
		default_ulimits = ["nofile=4096:4096", "nproc=4096:4096"]
		[engine]
		cgroup_manager = "cgroupfs"
		events_logger = "none"
		runtime_supports_json = ["rrun-under-test"]
		# the manual's name, and the one that Podman 4.3 really reads
		runtime_supports_nocgroups = ["rrun-under-test"]
		runtime_supports_nocgroup = ["rrun-under-test"]
		[engine.runtimes]
		rrun-under-test = ["$runtime"]
		[network]
		network_config_dir = "$W/networks"
	CONF
	mkdir "$W/networks"
	# Whoever may read no policy may import nothing.
	echo '{"default": [{"type": "insecureAcceptAnything"}]}' >"$W/policy.json"
	export CONTAINERS_CONF=$W/containers.conf
	stores=(--root "$W/podman" --runroot "$W/podman-run" --storage-driver vfs)
	O=(--network none --cgroup-parent "/$CGPARENT")
	tar -C "$W/rootfs" -c . | p import --signature-policy "$W/policy.json" - bb >/dev/null 2>&1 ||
		tar -C "$W/rootfs" -c . | p import - bb >/dev/null
}
p() { timeout -k 5 60 podman "${stores[@]}" --tmpdir "$W/podman-tmp" --runtime rrun-under-test --cgroup-manager cgroupfs "$@"; }
pr() { p run "${O[@]}" "$@"; }
# setup_user: an ordinary user with subordinate ids, who has the runtime and a root file system in $W/user; and ranges
# that --userns=auto takes for root.
setup_user() {
	U=54321
	mkdir -p "$W/user/.config/containers" && cp -a "$W/rootfs" "$W/user/rootfs"
	cp "$(readlink -f "$runtime")" "$W/user/runtime"
	cp "$W/policy.json" "$W/user/.config/containers/policy.json"
	# Raising limits takes a capability that no user has.
	printf '[containers]\ndefault_ulimits = ["nofile=1024:1024", "nproc=4096:4096"]\n[engine]\nevents_logger = "file"\n' \
		>"$W/user/.config/containers/containers.conf"
	chown -R $U:$U "$W/user" && chmod 755 "$W"
	{ cat /etc/passwd; echo "conf:x:$U:$U::$W/user:/bin/sh"; echo "containers:x:$((U + 1)):$U::/:/bin/false"; } >"$W/passwd"
	{ cat /etc/group; echo "conf:x:$U:"; } >"$W/group"
	printf '%s\n' conf:300000:65536 containers:500000:65536 >"$W/subid"
	touch /etc/subuid /etc/subgid
	mount --bind "$W/passwd" /etc/passwd && mount --bind "$W/group" /etc/group &&
		mount --bind "$W/subid" /etc/subuid && mount --bind "$W/subid" /etc/subgid
	# everyone may open it, as a distribution has it; not all machines of CI
	[ ! -c /dev/net/tun ] || { mknod -m 666 "$W/tun" c 10 200 && mount --bind "$W/tun" /dev/net/tun; }
}
as_user() {
	(cd "$W/user" && timeout 60 setpriv --reuid $U --regid $U --clear-groups \
		env -i PATH="$PATH" HOME="$W/user" XDG_RUNTIME_DIR="$W/user" "$@" </dev/null)
}
# no_cgroups [find(1)'s conditions]: none is left below ours
no_cgroups() { is "$(find /sys/fs/cgroup/ -mindepth 2 -path "*$CGPARENT/*" -type d "$@" 2>/dev/null)" ''; }
# A client hands SIGTERM on to its container, whose pid 1 may ignore it: only SIGKILL bounds it.
d() { timeout -k 5 60 /usr/bin/docker --host "unix://$W/$engine.sock" --config "$W/client" "$@"; }
# at_terminal COMMAND: as a person at a terminal would. The time limit is outside, for inside, under
# a shell that forks where bash would exec (dash, which script takes when SHELL is unset), timeout(1)
# makes its command a background job: each tcsetattr then raises SIGTTOU, and a Go program, which
# catches every signal, spins in it for ever.
at_terminal() { SHELL=/bin/sh timeout -k 5 60 script --quiet --return --command "$1" /dev/null; }
# remove_cgroups: only when no process is left; the daemons would make them again, too.
remove_cgroups() {
	local p
	for p in /sys/fs/cgroup/"$CGPARENT" /sys/fs/cgroup/*/"$CGPARENT"; do
		[ -d "$p" ] && find "$p" -depth -type d -exec rmdir {} \; 2>/dev/null
	done
}
# End the daemons, the last started first, by their pids, and their shims, which carry our socket's path.
end_engines() {
	local i p
	trap '' INT TERM HUP
	for ((i = ${#engine_pids[@]} - 1; i >= 0; i--)); do
		p=${engine_pids[i]}
		kill -TERM "$p" 2>/dev/null
		for _ in {1..100}; do kill -0 "$p" 2>/dev/null || break; sleep 0.1; done
		kill -KILL "$p" 2>/dev/null
		wait "$p" 2>/dev/null
	done
	for p in /proc/[0-9]*; do
		if tr '\0' ' ' 2>/dev/null <"$p/cmdline" | grep -qF -- "$W/" && [ "${p#/proc/}" != $$ ] && [ "${p#/proc/}" != "$PPID" ]; then
			case $(readlink "$p/exe") in *containerd-shim* | *conmon*) kill -KILL "${p#/proc/}" 2>/dev/null ;; esac
		fi
	done
	return 0
}
