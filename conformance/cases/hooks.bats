#!/usr/bin/env bats
# config.md, "POSIX-platform Hooks"; runtime.md, "Lifecycle".
load ../lib

# The hook writes its name, the uts namespace it runs in and the state from its stdin to $LOG/NAME.
hooks() {
	LOG=$T/hooks
	mkdir -p "$LOG"
	cat >"$T/hook" <<-'HOOK'
		#!/bin/sh
		echo "$1" >>"$2/order"
		cat >"$2/$1.json"
		readlink /proc/self/ns/uts >"$2/$1.uts"
		env >"$2/$1.env"
		pwd >"$2/$1.cwd"
	HOOK
	chmod 755 "$T/hook"
	local h
	for h; do
		edit '.hooks[$h] += [{path: $p, args: ["hook", $h, $l]}]' --arg h "$h" --arg p "$T/hook" --arg l "$LOG"
	done
}
order() { paste -sd' ' "$LOG/order" 2>/dev/null; }

# bats test_tags=v2
@test "hooks run at their moments and in the order of the lifecycle" {
	# runtime.md, Lifecycle, steps 3 to 13.
	new_bundle /probe write /ran x -- sleep
	hooks poststop poststart createContainer createRuntime prestart
	edit '.hooks.startContainer = [{path: "/bin/sh", args: ["sh", "-c", "echo startContainer >/started; test ! -e /ran"]}]'
	create
	# peers: runc 1.1.5 runs poststart at the end of create.
	unless_peer runc "poststart is early" eq "$(order)" "prestart createRuntime createContainer"
	[ ! -e "$BUNDLE/rootfs/started" ]
	start
	await_out sleeping
	[ -e "$BUNDLE/rootfs/started" ]
	eq "$(order)" "prestart createRuntime createContainer poststart"
	delete --force
	eq "$(order)" "prestart createRuntime createContainer poststart poststop"
	nothing_left
}

@test "several hooks of a kind run in their order" {
	# config.md: "Hooks MUST be called in the listed order."
	new_bundle
	LOG=$T
	edit '.hooks.createRuntime = [range(3) | {path: "/bin/sh", args: ["sh", "-c", "echo \(.) >>\($l)/order"]}]' --arg l "$T"
	run_fg
	eq "$(order)" "0 1 2"
}

@test "a hook gets the container's state on its standard input" {
	# config.md: "The state of the container MUST be passed to hooks over stdin".
	new_bundle /probe sleep
	edit '.annotations = {"org.example.k": "v"}'
	hooks createRuntime poststart poststop
	run_bg
	delete --force
	local h
	for h in createRuntime poststart poststop; do
		jq -e --arg id "$CID" --arg b "$BUNDLE" '.id == $id and .bundle == $b and (.ociVersion | length > 0)
			and .annotations["org.example.k"] == "v"' "$LOG/$h.json"
	done
	jq -e --argjson p "$PID" '.pid == $p' "$LOG/createRuntime.json"
	jq -e --argjson p "$PID" '.pid == $p' "$LOG/poststart.json"
	jq -e '.status == "stopped"' "$LOG/poststop.json"
}

@test "a hook has the arguments and environment of the config alone" {
	# config.md, Posix-platform Hooks: args and env as in execv and environ.
	export CONF_SECRET=caller
	new_bundle
	edit '.hooks.createRuntime = [{path: $p, args: ["zero", "args", "a b", "--", "env"], env: ["ONLY=this"]}]' --arg p "$T/dump"
	cp "$CONF_PROBE" "$T/probe"
	printf '#!/bin/sh\nexec %s "$@" >%s\n' "$T/probe" "$T/dumped" >"$T/dump"
	chmod 755 "$T/dump"
	run_fg
	out=$(<"$T/dumped")
	has "env ONLY=this" "arg 2 a b"
	! grep -q CONF_SECRET <<<"$out"
}

# bats test_tags=v2
@test "createContainer hooks run in the container's namespaces, createRuntime ones in the caller's" {
	# config.md: the table "namespace" of the hooks.
	new_bundle /probe sleep
	hooks createRuntime createContainer poststart
	run_bg
	await_out sleeping
	local c
	c=$(readlink "/proc/$PID/ns/uts")
	eq "$(cat "$LOG/createRuntime.uts")" "$(readlink /proc/self/ns/uts)"
	eq "$(cat "$LOG/poststart.uts")" "$(readlink /proc/self/ns/uts)"
	eq "$(cat "$LOG/createContainer.uts")" "$c"
}

@test "startContainer hooks run in the container, before the program" {
	# config.md, StartContainer: path "MUST resolve in the container namespace".
	new_bundle /probe read /from-hook
	edit '.hooks.startContainer = [{path: "/bin/sh", args: ["sh", "-c", "echo in $$ $HOOKENV >/from-hook"], env: ["HOOKENV=e"]}]'
	run_fg
	matches '^read in [0-9]+ e$'
}

@test "a failing createRuntime hook stops the creation and leaves nothing" {
	# runtime.md, Lifecycle 4: "If any createRuntime hook fails, the runtime MUST generate an error,
	# stop the container, and continue the lifecycle at step 12."
	new_bundle /probe write /ran x
	edit '.hooks.createRuntime = [{path: "/bin/false"}]'
	refused create --bundle "$BUNDLE" "$CID"
	nothing_left
	[ ! -e "$BUNDLE/rootfs/ran" ]
	edit '.hooks.createRuntime = [{path: "/bin/true"}]'
	run_fg
	[ -e "$BUNDLE/rootfs/ran" ]
}

@test "a failing prestart or createContainer hook stops the creation" {
	new_bundle /probe write /ran x
	local h
	for h in prestart createContainer; do
		edit '.hooks = {($h): [{path: "/bin/false"}]}' --arg h $h
		refused create --bundle "$BUNDLE" "$CID"
		nothing_left
	done
	[ ! -e "$BUNDLE/rootfs/ran" ]
	edit 'del(.hooks)'
	run_fg
	[ -e "$BUNDLE/rootfs/ran" ]
}

@test "a failing startContainer hook keeps the program from running" {
	# runtime.md, Lifecycle 7.
	new_bundle /probe write /ran x
	edit '.hooks.startContainer = [{path: "/bin/false"}]'
	rt run --bundle "$BUNDLE" "$CID" 2>/dev/null || :
	[ "$status" -ne 0 ]
	[ ! -e "$BUNDLE/rootfs/ran" ]
	rt delete --force "$CID"
	nothing_left
	edit 'del(.hooks)'
	run_fg
	[ -e "$BUNDLE/rootfs/ran" ]
}

@test "a failing poststart hook stops the container" {
	# runtime.md, Lifecycle 9: "If any poststart hook fails, the runtime MUST generate an error, stop
	# the container".
	# peers: crun 1.8 goes on.
	# peers: runc 1.1.5 runs it at create and fails there.
	known_peer_failure crun "ignores it"
	known_peer_failure runc "runs poststart during create"
	new_bundle /probe sleep
	edit '.hooks.poststart = [{path: "/bin/false"}]'
	create
	refused start "$CID"
	await_exit
}

@test "a failing poststop hook does not keep the container from going" {
	# runtime.md, Lifecycle 13: "If any poststop hook fails, the runtime MUST log a warning, but the
	# remaining hooks and lifecycle continue as if the hook had succeeded."
	# peers: runc 1.1.5 reports it as an error of delete.
	known_peer_failure runc "delete fails"
	new_bundle
	edit '.hooks.poststop = [{path: "/bin/sh", args: ["sh", "-c", "cat >/dev/null; exit 1"]}, {path: "/bin/sh", args: ["sh", "-c", "echo second >\($f)"]}]' --arg f "$T/second"
	create
	start
	await_exit
	delete
	eq "$(cat "$T/second")" second
	nothing_left
}

@test "a hook that takes longer than its timeout is an error" {
	# config.md, timeout: "number of seconds before aborting the hook".
	new_bundle
	edit '.hooks.createRuntime = [{path: "/bin/sleep", args: ["sleep", "30"], timeout: 1}]'
	SECONDS=0
	refused create --bundle "$BUNDLE" "$CID"
	[ $SECONDS -lt 15 ]
	rt delete --force "$CID"
	nothing_left
	edit 'del(.hooks)'
	run_fg
}

@test "a hook whose program is missing is an error" {
	new_bundle
	edit '.hooks.createRuntime = [{path: "/no/such/hook"}]'
	refused create --bundle "$BUNDLE" "$CID"
	nothing_left
	edit 'del(.hooks)'
	run_fg
}

@test "a hook need not read its standard input" {
	# The pipe then breaks, which is no error.
	new_bundle
	edit '.annotations = {"big": ("x" * 200000)} | .hooks.createRuntime = [{path: "/bin/true"}]'
	probe pid
	has "pid 1 0"
}
