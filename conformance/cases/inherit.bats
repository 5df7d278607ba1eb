#!/usr/bin/env bats
# What the program inherits from the caller, and what it must not.
load ../lib

@test "signals have their default dispositions and none is blocked" {
	# Peers: a program must not inherit what the runtime or its caller ignored or blocked.
	new_bundle
	args /probe signals
	# an ignored signal stays ignored through execve: the runtime is started with some
	trap '' PIPE HUP USR1 USR2
	run_fg
	trap - PIPE HUP USR1 USR2
	# crun 1.8 keeps what the caller ignores
	unless_peer crun "keeps the caller's ignored signals" eq "$(grep -c '^signal' <<<"$out")" 0
	has "blocked 0000000000000000"
}

@test "only the three standard descriptors are open" {
	# Peers: everything above 2 is closed unless --preserve-fds asks for it.
	new_bundle
	args /probe fds
	exec 7<"$BUNDLE/config.json" 9</
	run_fg
	exec 7<&- 9<&-
	eq "$(grep '^fd ' <<<"$out" | cut -d' ' -f2 | paste -sd' ')" "0 1 2"
}

@test "--preserve-fds hands over that many descriptors from 3 on" {
	new_bundle /bin/sh -c 'cat <&3; cat <&4; : <&5'
	echo three >"$T/three"
	echo four >"$T/four"
	status=0
	# not by rt: it closes 3 and 4
	env CONF_TOKEN="$TOKEN" timeout 20 "$RUNTIME" --root "$ROOT" run --bundle "$BUNDLE" --preserve-fds 2 "$CID" \
		>"$T/o" 2>"$T/e" <"$CONF_NULL" 3<"$T/three" 4<"$T/four" 5<"$T/three" || status=$?
	out=$(<"$T/o")
	has three four
	[ "$status" -ne 0 ] # 5 was not handed over
	matches 'bad file descriptor' "$(<"$T/e")"
}

@test "LISTEN_FDS are handed over with LISTEN_PID" {
	# sd_listen_fds(3); peers: the program sees LISTEN_FDS and LISTEN_PID=1.
	# peers: crun 1.8 hands over the descriptors and LISTEN_PID, but not LISTEN_FDS.
	new_bundle /bin/sh -c 'echo "$LISTEN_FDS $LISTEN_PID"; cat <&3'
	echo three >"$T/three"
	# LISTEN_PID must be that of the runtime itself
	env CONF_TOKEN="$TOKEN" LISTEN_FDS=1 timeout 20 sh -c 'export LISTEN_PID=$$; exec "$@"' - "$RUNTIME" --root "$ROOT" \
		run --bundle "$BUNDLE" "$CID" >"$T/o" 2>"$T/e" <"$CONF_NULL" 3<"$T/three" 4>&-
	out=$(<"$T/o")
	has three
	unless_peer crun "LISTEN_FDS is missing" has "1 1"
}

@test "the standard descriptors belong to the container's user" {
	# Peers: runc and crun give them to the user, that it may open /dev/stdout again.
	# A null device stays as it is: it belongs to the whole machine.
	new_bundle /bin/sh -c 'echo again >/dev/stderr; echo ok'
	edit '.process.user = {uid: 1000, gid: 1000}'
	run_bg
	await_out ok
	eq "$(stat -c %u "$COUT")" 1000
	eq "$(stat -c %u "$ERR")" 1000
	# peers: crun 1.8 changes its owner all the same
	unless_peer crun "gives the null device away" eq "$(stat -c %u "$CONF_NULL")" 0
}

@test "the session keyring is a new one" {
	# Peers: both make a keyring for the container unless --no-new-keyring.
	local before
	before=$("$CONF_PROBE" keyring)
	new_bundle
	probe keyring
	matches '^keyring [0-9]+$'
	[ "$out" != "$before" ]
}

@test "--no-new-keyring is accepted" {
	new_bundle
	args /probe keyring
	run_fg --no-new-keyring
	matches '^keyring '
}

@test "seccomp is off without a profile" {
	new_bundle
	probe seccomp
	has "seccomp 0"
}

@test "the program leads no session of the caller" {
	new_bundle
	edit '.linux.namespaces |= map(select(.type != "pid"))'
	probe sid -- pid
	local pid
	pid=$(fact pid | cut -d' ' -f1)
	has "sid $pid $pid"
}

@test "the host's file system cannot be reached through the working directory" {
	# The caller's directory lies outside the root: it must not be the container's.
	new_bundle
	RT_DIR=$T probe cwd -- ls ..
	has "cwd /" "entry probe"
}
