#!/usr/bin/env bats
# config-linux.md, "Seccomp". The numbers are those of x86_64: getppid is 110, keyctl 250, personality 135.
load ../lib

x86_64_only() { [ "$(uname -m)" = x86_64 ] || skip "the numbers are those of x86_64"; }
# filter DEFAULT NAME ACTION [MORE]: one rule; MORE is what the rule has besides, as jq writes it.
filter() {
	x86_64_only
	# shellcheck disable=SC2016
	edit '.linux.seccomp = {defaultAction: ("SCMP_ACT_" + $d), syscalls: [{names: [$n], action: ("SCMP_ACT_" + $a)} + '"${4:-{\}}"']}' \
		--arg d "$1" --arg n "$2" --arg a "$3"
}
# asking NAME: a filter that asks the agent at $T/agent about one call.
asking() {
	filter ALLOW "$1" NOTIFY
	edit '.linux.seccomp += {listenerPath: $p, listenerMetadata: "meta"}' --arg p "$T/agent"
}
# agent ANSWER CALLS: on the host; what it hears is in $T/heard.
agent() {
	CONF_TOKEN=$TOKEN "$CONF_PROBE" agent "$T/agent" "$@" >"$T/heard" 2>&1 3>&- 4>&- </dev/null &
	AGENT=$!
	until_true grep -q listening "$T/heard"
}
agent_gone() { until_true dead "$AGENT"; }

@test "ERRNO answers EPERM, or the errno that is asked for" {
	# config-linux.md: "errnoRet (uint, OPTIONAL) - the errno return code to use [...] default [...] EPERM"
	new_bundle
	filter ALLOW getppid ERRNO
	probe syscall 110 -- seccomp
	has "syscall 110 EPERM" "seccomp 2"
	new_bundle
	filter ALLOW getppid ERRNO '{errnoRet: 95}'
	probe syscall 110
	has "syscall 110 EOPNOTSUPP"
}

@test "the default action takes an errno too" {
	# config-linux.md: "defaultErrnoRet (uint, OPTIONAL) - the errno return code to use"
	new_bundle
	filter ERRNO keyctl ALLOW
	edit '.linux.seccomp.defaultErrnoRet = 95 | .linux.seccomp.syscalls[0].names += ["execve", "brk", "arch_prctl", "set_tid_address", "set_robust_list", "rseq", "prlimit64", "readlink", "readlinkat", "getrandom", "mprotect", "write", "fstat", "newfstatat", "exit_group", "close", "openat", "read", "futex", "sendmsg", "recvmsg", "fcntl", "close_range", "getdents64", "mmap", "munmap", "rt_sigaction", "rt_sigprocmask", "sigaltstack", "epoll_ctl", "epoll_pwait", "nanosleep", "getpid", "gettid", "tgkill", "sched_yield", "rt_sigreturn", "prctl", "capget", "capset", "fstatfs", "statfs", "stat", "lstat", "getcwd", "chdir", "fchdir", "dup3", "openat2", "faccessat2", "faccessat", "access", "clone", "clone3", "madvise", "setgroups", "setgid", "setuid", "setresuid", "setresgid", "setpgid", "setsid", "fchown", "pidfd_open", "pidfd_send_signal", "waitid", "clock_gettime", "getuid", "geteuid", "getgid", "getegid", "timer_create", "timer_settime", "timer_delete", "uname", "ioctl", "name_to_handle_at"]'
	probe syscall 110
	has "syscall 110 EOPNOTSUPP"
}

@test "KILL_PROCESS and KILL end the program by SIGSYS, TRAP can be caught" {
	# config-linux.md, "action"
	local action
	for action in KILL KILL_PROCESS KILL_THREAD; do
		new_bundle
		filter ALLOW getppid "$action"
		args /probe syscall 110
		run_fg || :
		eq "$status" 159
		eq "$out" ""
	done
	new_bundle
	filter ALLOW getppid TRAP
	probe trapped syscall 110
	has "trapped yes"
}

@test "KILL_THREAD spares the other threads" {
	new_bundle
	filter ALLOW getppid KILL_THREAD
	probe thread syscall 110
	has "thread over"
	has_not "syscall 110 0"
}

@test "LOG lets pass, TRACE without a tracer answers ENOSYS" {
	new_bundle
	filter ALLOW getppid LOG
	probe syscall 110
	has "syscall 110 0"
	new_bundle
	filter ALLOW getppid TRACE
	probe syscall 110
	has "syscall 110 ENOSYS"
}

@test "all operators look at all 64 bits of an argument" {
	# config-linux.md, "args": index, value, valueTwo, op
	local op met a n
	for op in EQ:0,1,0 NE:1,0,1 LT:1,0,0 LE:1,1,0 GE:0,1,1 GT:0,0,1; do
		new_bundle
		filter ALLOW getppid ERRNO "{args: [{index: 1, value: 4294967301, op: \"SCMP_CMP_${op%:*}\"}]}"
		probe syscall 110 0 5 -- syscall 110 0 4294967301 -- syscall 110 0 4294967302
		IFS=, read -ra met <<<"${op#*:}"
		n=0
		while read -r _ _ a; do
			if [ "${met[n]}" = 1 ]; then eq "$op $n $a" "$op $n EPERM"; else eq "$op $n $a" "$op $n 0"; fi
			n=$((n + 1))
		done <<<"$out"
		eq $n 3
	done
	new_bundle
	filter ALLOW getppid ERRNO '{args: [{index: 0, value: 240, valueTwo: 16, op: "SCMP_CMP_MASKED_EQ"}]}'
	probe syscall 110 0x1f -- syscall 110 0x2f
	eq "$out" $'syscall 110 EPERM\nsyscall 110 0'
}

@test "conditions on different arguments all have to hold, on the same argument one" {
	new_bundle
	filter ALLOW getppid ERRNO '{args: [{index: 0, value: 1, op: "SCMP_CMP_EQ"}, {index: 1, value: 2, op: "SCMP_CMP_EQ"}]}'
	probe syscall 110 1 2 -- syscall 110 1 3 -- syscall 110 9 2
	eq "$out" $'syscall 110 EPERM\nsyscall 110 0\nsyscall 110 0'
	new_bundle
	filter ALLOW getppid ERRNO '{args: [{index: 0, value: 1, op: "SCMP_CMP_EQ"}, {index: 0, value: 2, op: "SCMP_CMP_EQ"}]}'
	probe syscall 110 1 -- syscall 110 2 -- syscall 110 3
	eq "$out" $'syscall 110 EPERM\nsyscall 110 EPERM\nsyscall 110 0'
}

@test "what is newer than the profile answers ENOSYS" {
	# Peers: runc since 1.0.0-rc93, so that a newer libc falls back; crun answers the default action.
	known_peer_failure crun "has no such rule"
	new_bundle
	filter ERRNO getppid ALLOW
	# shellcheck disable=SC2016
	edit '.linux.seccomp = $p[0]' --slurpfile p <(jq .linux.seccomp "$conf_here/../tests/fixtures/engines/docker-default.json")
	probe syscall 250 -- syscall 1000
	has "syscall 250 EPERM" "syscall 1000 ENOSYS"
}

@test "programs of another architecture are filtered by its rules, or killed if it is not listed" {
	# config-linux.md: "architectures (array of strings, OPTIONAL) - the architecture used for system calls."
	"$CONF_PROBE" int80 20 | grep -qE '^int80 20 [0-9]+$' || skip "a kernel without calls of 32 bits"
	new_bundle
	filter ALLOW getppid ERRNO
	edit '.linux.seccomp.architectures = ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"]'
	probe int80 64 -- int80 20
	matches '^int80 64 EPERM$'
	matches '^int80 20 [0-9]+$'
	new_bundle
	filter ALLOW getppid ERRNO
	args /probe int80 20
	run_fg || :
	eq "$status" 159
}

@test "the filter needs no no_new_privs, and never sets it" {
	local value
	for value in true false; do
		new_bundle
		filter ALLOW keyctl ERRNO
		edit ".process.noNewPrivileges = $value | .process.user = {uid: 1000, gid: 1000}"
		probe nnp -- seccomp -- syscall 250 0 -3
		has "nnp $([ $value = true ] && echo 1 || echo 0)" "seccomp 2" "syscall 250 EPERM"
	done
}

@test "unknown system calls are passed over, unknown actions, operators and architectures refused" {
	new_bundle
	filter ALLOW getppid ERRNO
	edit '.linux.seccomp.syscalls[0].names += ["no_such_call"]'
	probe syscall 110
	has "syscall 110 EPERM"
	local wrong
	for wrong in '.defaultAction = "SCMP_ACT_NONE"' '.syscalls[0].action = "ERRNO"' '.architectures = ["SCMP_ARCH_VAX"]' \
		'.syscalls[0].args = [{index: 0, value: 1, op: "SCMP_CMP_IS"}]'; do
		new_bundle
		filter ALLOW getppid ERRNO
		edit ".linux.seccomp |= ($wrong)"
		refused create --bundle "$BUNDLE" "$CID"
	done
}

@test "an agent gets the listener with the state, and answers" {
	# config-linux.md, "The Container Process State": "The listenerPath [...] UNIX domain socket over which
	# the runtime will use to send the seccomp file descriptor"
	new_bundle /probe syscall 110
	asking getppid
	agent 95 1
	run_fg
	has "syscall 110 EOPNOTSUPP"
	agent_gone
	grep -qx "fds 1" "$T/heard" && grep -qx "call 110" "$T/heard"
	local state
	state=$(sed -n 's/^state //p' "$T/heard")
	eq "$(jq -r '[.fds[0], .metadata, .state.id, .state.status] | join(" ")' <<<"$state")" "seccompFd meta $CID creating"
	eq "$(jq '.pid == .state.pid and .pid > 1' <<<"$state")" true
}

@test "an agent may be asked about the calls that hand the listener over" {
	# crun#1002: versions of crun hung with a profile that notifies on sendmsg
	new_bundle /probe exit 7
	asking sendmsg
	agent continue 1000
	run_fg || :
	kill "$AGENT" && wait "$AGENT" || :
	eq "$status" 7
}

@test "an agent that is not there is an error, and nothing is left" {
	new_bundle /probe exit 0
	asking getppid
	refused create --bundle "$BUNDLE" "$CID"
	nothing_left
	agent continue 1
	create
	start
	kill "$AGENT" && wait "$AGENT" || :
}
