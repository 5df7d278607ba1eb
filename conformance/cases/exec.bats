#!/usr/bin/env bats
# exec, which the runtime-spec leaves to runtimes: what runc(8) and crun(1) do, and engines rely on.
load ../lib

# ex [OPTION...] -- PROGRAM...: exec in the current container, with its own streams.
ex() {
	local options=()
	while [ "$1" != -- ]; do options+=("$1"); shift; done
	shift
	rt exec "${options[@]}" "$CID" "$@"
}
# ex_status STATUS ...: the same with a status that is no success.
ex_status() {
	local wanted=$1
	shift
	status=0
	ex "$@" 2>/dev/null || :
	eq "$status" "$wanted"
}
sleeping() {
	new_bundle /probe sleep
	[ $# = 0 ] || edit "$@"
	run_bg
}

@test "exec runs a program and has its output" {
	sleeping
	ex -- /probe args one 'two words' ''
	has "arg 2 one" "arg 3 two words" "arg 4 "
}

@test "exec has the status of the program" {
	sleeping
	ex_status 0 -- /probe exit 0
	ex_status 42 -- /probe exit 42
	# 128+n where a signal ended it (peers, shells)
	ex_status 134 -- /probe killself 6
	ex_status 143 -- /probe killself 15
}

@test "exec passes standard input on" {
	sleeping
	printf 'line\n' >"$T/in"
	RT_IN=$T/in
	ex -- /bin/cat
	eq "$out" line
}

# bats test_tags=v2
@test "exec is in the container's namespaces and cgroups" {
	new_bundle /probe ns -- lines /proc/self/cgroup -- sleep
	run_bg
	await_out sleeping
	local own
	own=$(container_out | grep -v sleeping)
	ex -- /probe ns -- lines /proc/self/cgroup
	eq "$out" "$own"
}

# bats test_tags=v2
@test "exec has the user, capabilities, limits, directory and environment of the container" {
	known_peer_failure crun "is root in / with the limits of its caller"
	new_bundle
	edit '.process |= . + {cwd: "/etc", user: {uid: 7, gid: 8, additionalGids: [9]}, oomScoreAdj: 100,
		rlimits: [{type: "RLIMIT_NOFILE", soft: 70, hard: 80}]} |
		.process.capabilities |= {bounding: ["CAP_KILL"], permitted: ["CAP_KILL"], effective: ["CAP_KILL"]} | .process.env += ["OWN=1"]'
	args /probe sleep
	run_bg
	ex -- /probe ids -- caps -- rlimits -- cwd -- env -- oom
	has "uid 7 7 7" "gid 8 8 8" "RLIMIT_NOFILE 70 80" "cwd /etc" "env OWN=1" "oom 100" "cap_bounding 0000000000000020"
	matches '^groups .*9'
}

@test "exec is under the container's seccomp filter" {
	sleeping '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["mkdir", "mkdirat"], action: "SCMP_ACT_ERRNO", errnoRet: 12}]}'
	ex -- /probe seccomp -- mkdir /tmp/x
	has "seccomp 2" "mkdir /tmp/x ENOMEM"
}

@test "exec has no_new_privs where the container has, and where it is asked for" {
	known_peer_failure crun "sets it only where it is asked for"
	sleeping '.process.noNewPrivileges = true'
	ex -- /probe nnp
	has "nnp 1"
	sleeping '.process.noNewPrivileges = false'
	ex -- /probe nnp
	has "nnp 0"
	ex --no-new-privs -- /probe nnp
	has "nnp 1"
}

@test "exec has no signal ignored or blocked and no descriptor but its own three" {
	sleeping
	exec 9</ # the caller's
	trap '' USR1
	ex -- /probe signals -- fds
	exec 9<&-
	has_not "signal 10 ignored"
	has "blocked 0000000000000000"
	eq "$(grep -c '^fd ' <<<"$out")" 3
}

@test "exec --user is a number, with and without a group" {
	# CVE-2026-30892: -u 1 was root once.
	sleeping
	ex -u 1 -- /probe ids
	has "uid 1 1 1" "gid 0 0 0"
	ex --user 1000:2000 -- /probe ids
	has "uid 1000 1000 1000" "gid 2000 2000 2000"
	known_peer_failure crun "takes what is no number for 0"
	local u
	for u in root 1x '' :1 1: -1; do
		[ -n "$u" ] || [ -z "$CONF_PEER" ] || continue
		refused exec --user="$u" "$CID" /probe ids
	done
}

@test "exec --env adds to the environment and replaces what is there" {
	sleeping '.process.env += ["A=own", "B=own"]'
	ex -e A=1 -e C=x=y -- /probe env
	has "env C=x=y"
	unless_peer crun "has nothing of the container's" has "env B=own"
	eq "$(grep '^env A=' <<<"$out" | tail -n 1)" "env A=1"
}

@test "exec --cwd" {
	sleeping
	ex --cwd /tmp -- /probe cwd
	has "cwd /tmp"
	refused exec --cwd /no/such "$CID" /probe cwd
}

@test "exec --cap never fills the inheritable set" {
	# CVE-2022-29162
	sleeping '.process.capabilities = {bounding: ["CAP_KILL"], permitted: ["CAP_KILL"], effective: ["CAP_KILL"]}'
	ex --cap CAP_CHOWN -- /probe caps
	unless_peer crun "has that one alone" has "cap_bounding 0000000000000021" "cap_effective 0000000000000021" "cap_permitted 0000000000000021"
	has "cap_inheritable 0000000000000000"
}

@test "exec --process takes the whole process object" {
	sleeping
	cat >"$T/process.json" <<-EOP
		{"args": ["/probe", "ids", "--", "cwd", "--", "env", "--", "umask", "--", "rlimits"], "cwd": "/etc", "env": ["X=1"],
		 "user": {"uid": 3, "gid": 4, "umask": 63, "additionalGids": [5]},
		 "rlimits": [{"type": "RLIMIT_CORE", "soft": 0, "hard": 0}]}
	EOP
	rt exec --process "$T/process.json" "$CID"
	has "uid 3 3 3" "gid 4 4 4" "cwd /etc" "env X=1" "RLIMIT_CORE 0 0"
	[ -n "$CONF_PEER" ] || has "umask 0077"
	rt exec -p "$T/process.json" --detach --pid-file "$T/pid" "$CID"
	matches '^[0-9]+$' "$(cat "$T/pid")"
	echo '{"args": ["/probe"], "cwd": "etc"}' >"$T/process.json"
	known_peer_failure crun "takes it from the root"
	refused exec --process "$T/process.json" "$CID"
}

@test "exec --detach returns when the program runs, and the pid file has its pid" {
	sleeping
	ex -d --pid-file "$T/pid" -- /probe sleep
	local pid
	pid=$(cat "$T/pid")
	# a runtime that is not the program yet would be seen
	eq "$(tr '\0' ' ' <"/proc/$pid/cmdline")" "/probe sleep "
	eq "$(wc -l <"$T/pid")" 0
	rt ps -f json "$CID"
	matches "\b$pid\b"
	rt kill "$CID" KILL
	await_exit
	until_true dead "$pid"
}

@test "a failed exec exits 255, says why and leaves no pid file" {
	sleeping
	echo text >"$BUNDLE/rootfs/plain"
	ex -- /probe exit 0
	local program wanted
	for program in no-such /no/such /plain /etc; do
		TIMED_OUT=
		refused exec --pid-file "$T/pid" "$CID" "$program"
		unless_peer crun "exits 1" eq "$status" 255
		[ ! -e "$T/pid" ] || [ -n "$CONF_PEER" ]
		# what Docker and Podman look for: 127 and 126
		case $program in */plain | /etc) wanted='permission denied|operation not permitted|is a directory|not a regular' ;; no-such) wanted='executable file .*not found in' ;; *) wanted='no such file' ;; esac
		matches "$wanted" "$err"
	done
	refused exec -d --pid-file "$T/pid" "$CID" no-such
	[ ! -e "$T/pid" ] || [ -n "$CONF_PEER" ]
	status_is running
}

@test "exec in a created container works, in a stopped one it does not" {
	new_bundle /probe sleep
	create
	ex -- /probe exit 0
	start
	rt kill "$CID" KILL
	await_exit
	refused exec "$CID" /probe exit 0
	refused exec "$CID-unknown" /probe exit 0
	matches 'does not exist|no such file' "$err"
}

# bats test_tags=v2
@test "exec in a paused container is refused, or waits for its end" {
	sleeping
	rt pause "$CID"
	unless_peer crun "waits" refused exec "$CID" /probe exit 0
	[ "$CONF_PEER" != crun ] || return 0
	rt exec --ignore-paused "$CID" /probe exit 6 2>/dev/null & local waiting=$!
	sleep 0.3
	kill -0 $waiting
	rt resume "$CID"
	local got=0
	wait $waiting || got=$?
	eq $got 6
}

@test "exec --preserve-fds hands on as many descriptors" {
	sleeping
	echo third >"$T/three"
	echo fourth >"$T/four"
	status=0
	timeout 20 "$RUNTIME" --root "$ROOT" exec --preserve-fds 1 "$CID" /probe fds 3<"$T/three" 4<"$T/four" 5>&- 6>&- >"$T/fds" 2>&1 || status=$?
	out=$(cat "$T/fds")
	eq $status 0
	matches '^fd 3 '
	! matches '^fd 4 ' 2>/dev/null
}

@test "exec -t gives the program a terminal" {
	sleeping
	at_terminal exec -t "$CID" /probe tty -- exit 7 || :
	eq $status 7
	matches 'tty 0 yes$'
	has "tty 1 yes" "tty 2 yes" "tty controlling yes"
	refused exec -t -d "$CID" /probe tty
}

# bats test_tags=v2
@test "exec goes into a cgroup below the container's that is asked for" {
	sleeping
	local dir victim sub=()
	if [ "$CONF_CGROUP" = v2 ]; then
		dir=$(cg_dir "")
		mkdir "$dir/below"
		sub=(below)
	else
		dir=$(cg_dir pids)
		mkdir "$dir/below"
		sub=(pids:below)
	fi
	known_peer_failure crun "runs it in a cgroup of v2 only"
	ex --cgroup "${sub[0]}" -- /bin/sh -c 'exec sleep 20' &
	# whoever helps on the way has been there too
	the_program() { local p; p=$(head -n 1 "$dir/below/cgroup.procs") && [ "$(cat "/proc/${p:-0}/comm")" = sleep ] && victim=$p; }
	until_true the_program
	kill -9 "$victim"
	wait
	refused exec --cgroup "${sub[0]/below/../..}" "$CID" /probe exit 0
	refused exec --cgroup "${sub[0]/below/no-such}" "$CID" /probe exit 0
}

# bats test_tags=v2
@test "exec finds a place where the container has made cgroups with controllers below its own" {
	# cgroup v2: "no internal processes"; peers go where the container's first process is.
	[ "$CONF_CGROUP" = v2 ] || skip "needs cgroup v2"
	sleeping
	local dir
	dir=$(cg_dir "")
	mkdir "$dir/init"
	echo "$PID" >"$dir/init/cgroup.procs"
	echo +pids >"$dir/cgroup.subtree_control"
	ex -d --pid-file "$T/pid" -- /probe sleep
	matches "/init$" "$(cat "/proc/$(cat "$T/pid")/cgroup")"
}

@test "exec works in user namespaces" {
	new_bundle /probe sleep
	chown 100000:100000 "$BUNDLE/rootfs" "$BUNDLE"/rootfs/{dev,etc,bin} 2>/dev/null || :
	edit '.linux.namespaces += [{type: "user"}] | .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}] | .linux.gidMappings = .linux.uidMappings'
	chmod 755 "$T" "$BUNDLE"
	run_bg
	ex -- /probe ids
	has "uid 0 0 0"
	ex -u 5:6 -- /probe ids
	has "uid 5 5 5" "gid 6 6 6"
}

@test "what a fake /proc says is not believed" {
	# CVE-2019-16884: a write to /proc/self/attr/exec went into the image's file.
	known_peer_failure runc "makes no container without a /proc"
	known_peer_failure crun "takes the container's /proc for its own and fails"
	sleeping '.mounts |= map(select(.destination | startswith("/proc") | not)) | .linux.maskedPaths = [] | .linux.readonlyPaths = [] | .process.oomScoreAdj = 50'
	mkdir -p "$BUNDLE/rootfs/proc/self/attr"
	echo untouched >"$BUNDLE/rootfs/proc/self/oom_score_adj"
	cp "$BUNDLE/rootfs/proc/self/oom_score_adj" "$BUNDLE/rootfs/proc/self/attr/exec"
	ex -- /probe exit 0
	eq "$(cat "$BUNDLE"/rootfs/proc/self/oom_score_adj "$BUNDLE"/rootfs/proc/self/attr/exec | sort -u)" untouched
}

@test "a working directory that is a descriptor leads nowhere" {
	# CVE-2024-21626
	sleeping
	local n outside
	outside=$(stat -c %i /)
	for n in 3 5 7 8 9 12; do
		status=0
		rt exec --cwd "/proc/self/fd/$n/../../.." "$CID" /bin/sh -c 'ls -id .' 2>/dev/null || continue
		! grep -q "^ *$outside " <<<"$out"
	done
	ex --cwd / -- /probe cwd
	has "cwd /"
}

@test "many execs leave nothing behind" {
	sleeping
	local n before after
	before=$(rt ps -f json "$CID" && jq length <<<"$out")
	for ((n = 0; n < 30; n++)); do ex_status $((n % 7)) -- /probe exit $((n % 7)); done
	after=$(rt ps -f json "$CID" && jq length <<<"$out")
	eq "$after" "$before"
	rt delete --force "$CID"
	LIVE=()
	nothing_left
}

@test "exec gives more supplementary groups" {
	sleeping '.process.user.additionalGids = [7]'
	known_peer_failure crun "1.8 knows no --additional-gids"
	ex --additional-gids 30 --additional-gids 40 -- /probe ids
	has "groups 7 30 40"
}

@test "exec with a label of SELinux is refused where that is not on" {
	sleeping
	[ ! -e /sys/fs/selinux/enforce ] || skip "SELinux is on"
	known_peer_failure crun "1.8 runs it without the label"
	ex_status 255 --process-label system_u:system_r:container_t:s0 -- /probe exit 0
}
