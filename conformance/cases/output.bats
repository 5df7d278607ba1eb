#!/usr/bin/env bats
# What callers read: list, ps, pid files, logs, spec, --version.
load ../lib

@test "list shows every container with the columns that people know" {
	# Peers: the table has ID PID STATUS BUNDLE CREATED OWNER.
	new_bundle /probe sleep
	run_bg
	local a=$CID apid=$PID
	new_bundle
	create
	rt list
	unless_peer crun "heads the columns NAME and BUNDLE PATH" matches '^ID +PID +STATUS +BUNDLE +CREATED +OWNER'
	matches "^$a +$apid +running +$T/bundle1 .*root"
	matches "^$CID +$PID +created +$T/bundle2 .*root"
}

@test "list --quiet prints the ids alone" {
	new_bundle
	create
	rt list -q
	eq "$out" "$CID"
	rt list --quiet
	eq "$out" "$CID"
}

@test "list --format json has what engines decode" {
	new_bundle /probe sleep
	edit '.annotations = {"k": "v"}'
	run_bg
	rt list --format json
	jq -e --arg id "$CID" --argjson p "$PID" --arg b "$BUNDLE" 'length == 1 and (.[0] | .id == $id and .pid == $p
		and .status == "running" and .bundle == $b and (.created | test("^20.*T")) and .owner == "root")' <<<"$out"
	rt list -f json
	jq -e 'length == 1' <<<"$out"
}

@test "list of nothing is empty and no error" {
	# peers: runc prints null, crun an empty array.
	new_bundle /probe pid
	run_fg
	has "pid 1 0"
	rt list --format json
	jq -e '. == null or . == []' <<<"$out"
	rt list -q
	eq "$out" ""
}

@test "list shows a stopped container as stopped" {
	new_bundle
	run_bg
	await_exit
	rt list
	matches "^$CID +[0-9]+ +stopped "
}

# bats test_tags=v2
@test "ps --format json prints the pids of the container" {
	# containerd decodes an array of numbers.
	needs_controller pids
	new_bundle /probe forks 2 -- sleep
	run_bg
	await_out sleeping
	rt ps --format json "$CID"
	eq "$(jq -c sort <<<"$out")" "$(sort -n "$(cg_dir pids)/cgroup.procs" | jq -sc sort)"
	jq -e --argjson p "$PID" 'length == 3 and index($p) != null' <<<"$out"
}

@test "ps prints a table with PID, options of ps(1) are taken" {
	# peers: crun prints one column and takes no options.
	ps -ef >/dev/null 2>&1 || skip "ps -ef does not work here at all" # User Mode Linux has no boot time
	new_bundle /probe sleep
	run_bg
	await_out sleeping
	rt ps "$CID"
	matches 'PID'
	matches "(^| )$PID( |\$)"
	[ "$CONF_PEER" = crun ] || {
		rt ps "$CID" -o pid,comm
		matches "^ *$PID +probe$"
	}
}

@test "the pid file holds the digits alone" {
	# go-runc reads it with strconv.Atoi: a newline would be an error.
	new_bundle
	create
	rt state "$CID"
	eq "$(od -An -c "$T/pid.$CID" | tr -d ' \n')" "$(jq -r .pid <<<"$out")"
}

@test "a relative --pid-file is taken from the caller's directory" {
	# peers: crun 1.8 takes it from the bundle.
	known_peer_failure crun "takes it from the bundle"
	new_bundle
	mkdir "$T/elsewhere"
	RT_DIR=$T/elsewhere rt create --bundle "$BUNDLE" --pid-file here.pid "$CID"
	LIVE+=("$CID")
	[ -s "$T/elsewhere/here.pid" ]
}

@test "with --log the error is the last line of it, in the format asked for" {
	# containerd: JSON objects with level, msg, time; the last with level "error" is shown to people.
	new_bundle /no-such-program
	RT_GLOBALS=(--log "$T/log.json" --log-format json)
	refused run --bundle "$BUNDLE" "$CID"
	tail -n 1 "$T/log.json" | jq -e '.level == "error" and (.msg | test("no such file|not found"; "i"))
		and (.time | test("^20[0-9-]+T[0-9:]+"))'
	rt delete --force "$CID"
	: >"$T/log.json"
	args /probe pid
	run_fg
	has "pid 1 0"
}

@test "--log is appended to" {
	new_bundle
	run_fg
	echo '{"earlier":1}' >"$T/log.json"
	RT_GLOBALS=(--log "$T/log.json" --log-format json)
	refused start "$CID-unknown"
	eq "$(head -n 1 "$T/log.json")" '{"earlier":1}'
	[ "$(wc -l <"$T/log.json")" -ge 2 ]
}

@test "a success writes no error to the log and nothing to stderr" {
	new_bundle
	RT_GLOBALS=(--log "$T/log.json" --log-format json)
	create
	start
	await_exit
	delete
	if [ -s "$T/log.json" ]; then ! grep -q '"level":"error"' "$T/log.json"; fi
	cat "$T"/err* >"$T/allerr"
	[ ! -s "$T/allerr" ]
	nothing_left
}

@test "spec writes a config.json that runs" {
	# Peers: `spec` writes a template to the current directory or to --bundle.
	new_bundle
	rm "$BUNDLE/config.json"
	RT_DIR=$BUNDLE rt spec
	jq -e '.ociVersion and .process.args and .root.path == "rootfs" and (.mounts | length) > 3' "$BUNDLE/config.json"
	edit '.process.terminal = false | .process.args = ["/probe", "pid"] | .root.readonly = false | .process.rlimits = []
		| .linux.cgroupsPath = $c | del(.linux.seccomp)' --arg c "/$TOKEN-spec"
	run_fg
	has "pid 1 0"
}

@test "spec --bundle writes there and does not overwrite" {
	new_bundle
	mkdir "$T/fresh"
	rt spec --bundle "$T/fresh"
	jq -e .process "$T/fresh/config.json"
	echo mine >"$T/fresh/config.json"
	refused spec --bundle "$T/fresh"
	eq "$(cat "$T/fresh/config.json")" mine
}

@test "--version names the program and the spec's version" {
	# dockerd takes the line with the word "version", and "commit:".
	new_bundle
	rt --version
	matches '^[a-z]+ version [0-9]+\.[0-9]+' "$(head -n 1 <<<"$out")"
	matches '^commit: ?'
	matches '^spec: [0-9]+\.[0-9]+\.[0-9]+'
}

@test "the help text names the verbs" {
	new_bundle
	rt --help
	local v
	for v in create start state kill delete list run; do matches "(^|[^a-z])$v([^a-z]|\$)"; done
}

@test "--debug and --log-level debug write what happens to the log" {
	known_peer_failure runc "1.1 knows no --log-level"
	known_peer_failure crun "1.8 writes nothing but errors with --debug, and knows no --log-level"
	local how
	for how in --debug "--log-level debug"; do
		new_bundle
		rm -f "$T/log"
		# shellcheck disable=SC2206  # two words
		RT_GLOBALS=(--log "$T/log" $how)
		run_fg
		RT_GLOBALS=()
		[ -s "$T/log" ] || { echo "nothing with $how"; return 1; }
	done
	new_bundle
	RT_GLOBALS=(--log "$T/quiet" --log-level error)
	run_fg
	RT_GLOBALS=()
	[ ! -s "$T/quiet" ]
}
