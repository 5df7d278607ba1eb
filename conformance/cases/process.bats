#!/usr/bin/env bats
# config.md, "Process".
load ../lib

@test "args reach the program as they are" {
	# config.md, args: "similar semantics to IEEE Std 1003.1-2008 execvp's argv".
	new_bundle
	probe args "two words" '' '$HOME;*' $'new\nline' 'ü'
	has "arg 0 /probe" "arg 2 two words" "arg 3 " 'arg 4 $HOME;*' 'arg 5 new\x0aline' 'arg 6 \xc3\xbc'
}

@test "the environment is the config's and nothing of the caller's" {
	# config.md, env: "similar semantics to IEEE Std 1003.1-2008 environ".
	export CONF_SECRET=caller
	new_bundle
	edit '.process.env += ["A=1", "MULTI=one\ntwo", "EMPTY=", "EQ=a=b=c"]'
	probe env
	has "env A=1" 'env MULTI=one\x0atwo' "env EMPTY=" "env EQ=a=b=c" "env HOME=/root"
	! grep -q CONF_SECRET <<<"$out"
}

@test "PATH of the config finds the program" {
	# Peers: a name without a slash is looked up in the container's PATH.
	new_bundle
	mkdir "$BUNDLE/rootfs/odd"
	mv "$BUNDLE/rootfs/probe" "$BUNDLE/rootfs/odd/prog"
	edit '.process.env[0] = "PATH=/bin:/odd"'
	args prog args
	run_fg
	has "arg 0 prog"
}

@test "cwd is the config's" {
	new_bundle
	edit '.process.cwd = "/etc"'
	probe cwd
	has "cwd /etc"
}

@test "a relative cwd is refused" {
	# config.md, cwd: "This value MUST be an absolute path."
	# peers: crun 1.8 takes it from the root.
	known_peer_failure crun "takes it from the root"
	new_bundle
	probe cwd
	has "cwd /"
	edit '.process.cwd = "etc"'
	refused run --bundle "$BUNDLE" "$CID"
	rt delete --force "$CID"
	nothing_left
}

@test "user, group and additional groups are the config's" {
	# config.md, User: uid, gid, additionalGids.
	new_bundle
	edit '.process.user = {uid: 1234, gid: 2345, additionalGids: [7, 5000]}'
	probe ids
	has "uid 1234 1234 1234" "gid 2345 2345 2345"
	eq "$(fact groups | tr ' ' '\n' | grep -vx 2345 | sort -n | paste -sd' ')" "7 5000"
}

@test "root without additional groups has none of the caller's" {
	new_bundle
	probe ids
	has "uid 0 0 0" "gid 0 0 0"
	[ -z "$(fact groups | tr -d ' 0')" ]
}

@test "umask is the config's" {
	# config.md, User, umask: "If unspecified, the umask should not be changed from the calling process' umask."
	new_bundle
	edit '.process.user.umask = 63'
	probe umask
	has "umask 0077"
}

@test "umask is the caller's when the config has none" {
	# peers: both of Debian 12 set 0022.
	known_peer_failure runc "1.1.5 sets 0022 instead"
	known_peer_failure crun "sets 0022 instead"
	new_bundle
	umask 027
	probe umask
	has "umask 0027"
}

@test "rlimits are the config's" {
	# config.md, rlimits: soft is "the value of the limit enforced for the corresponding resource".
	new_bundle
	edit '.process.rlimits = [{type: "RLIMIT_NOFILE", soft: 512, hard: 600}, {type: "RLIMIT_CORE", soft: 0, hard: 0},
		{type: "RLIMIT_FSIZE", soft: 1000000, hard: 2000000}]'
	probe rlimits
	has "RLIMIT_NOFILE 512 600" "RLIMIT_CORE 0 0" "RLIMIT_FSIZE 1000000 2000000"
}

@test "an unknown rlimit is refused" {
	# config.md, rlimits: "The runtime MUST generate an error for any values which cannot be mapped to a relevant kernel interface."
	new_bundle
	probe pid
	has "pid 1 0"
	edit '.process.rlimits += [{type: "RLIMIT_NONSENSE", soft: 1, hard: 1}]'
	refused run --bundle "$BUNDLE" "$CID"
	rt delete --force "$CID"
	nothing_left
}

@test "an rlimit given twice is refused" {
	# config.md, rlimits: "If rlimits contains duplicated entries with same type, the runtime MUST generate an error."
	# peers: neither does.
	known_peer_failure runc "takes the last"
	known_peer_failure crun "takes the last"
	new_bundle
	probe pid
	has "pid 1 0"
	edit '.process.rlimits = [{type: "RLIMIT_CORE", soft: 1, hard: 1}, {type: "RLIMIT_CORE", soft: 0, hard: 0}]'
	refused run --bundle "$BUNDLE" "$CID"
	rt delete --force "$CID"
	nothing_left
}

@test "noNewPrivileges is set when the config says so, and only then" {
	# config.md, noNewPrivileges.
	new_bundle
	edit '.process.noNewPrivileges = true'
	probe nnp
	has "nnp 1"
	edit '.process.noNewPrivileges = false'
	probe nnp
	has "nnp 0"
}

@test "oomScoreAdj is set when given, else it is the caller's" {
	# config.md, oomScoreAdj: "If oomScoreAdj is set, the runtime MUST set oom_score_adj to the given
	# value. If oomScoreAdj is not set, the runtime MUST NOT change the value of oom_score_adj."
	new_bundle
	edit '.process.oomScoreAdj = 321'
	probe oom
	has "oom 321"
	edit 'del(.process.oomScoreAdj)'
	probe oom
	has "oom $(cat /proc/self/oom_score_adj)"
}

@test "HOME comes from the container's passwd when the config has none" {
	# Peers: both set it.
	new_bundle
	edit '.process.env |= map(select(startswith("HOME=") | not)) | .process.user = {uid: 1000, gid: 1000}'
	probe env
	has "env HOME=/home/alice"
}

@test "a variable given twice has its last value" {
	# peers: crun hands both on.
	new_bundle /bin/sh -c 'echo "$TWICE"'
	edit '.process.env += ["TWICE=first", "TWICE=last"]'
	run_fg
	has last
}

@test "standard input is the caller's" {
	new_bundle /bin/cat
	echo "from the caller" >"$T/in"
	RT_IN=$T/in run_fg
	eq "$out" "from the caller"
}

@test "without a terminal there is none" {
	# config.md, terminal: false is the default.
	new_bundle
	probe tty
	has "tty 0 no" "tty 1 no" "tty 2 no" "tty controlling ENXIO"
}

@test "an exit status of every kind is passed on" {
	new_bundle
	local s
	for s in 0 1 255; do
		args /probe exit $s
		run_fg 2>/dev/null || :
		eq "$status" $s
	done
	args /probe pid
	run_fg
	has "pid 1 0"
}
