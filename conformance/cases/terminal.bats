#!/usr/bin/env bats
# config.md, "process": terminal, consoleSize; runtime-linux.md, "File descriptors" and "Devices".
load ../lib

# A terminal for the runtime, as a person has one (script(1) makes it); what is printed is in $out.
on_a_terminal() {
	local command rc=0 keys
	# Nobody types, and nobody hangs up: at the end of its input script(1) types an end-of-file, which is
	# some other character by the time the runtime has made the terminal raw.
	rm -f "$T/keys"
	mkfifo "$T/keys"
	exec {keys}<>"$T/keys"
	command=$(printf '%q ' "$RUNTIME" --root "$ROOT" run --bundle "$BUNDLE" "$CID")
	timeout 20 script --quiet --return --command "$command" "$T/typescript" <&"$keys" {keys}>&- >/dev/null || rc=$?
	exec {keys}>&-
	out=$(tr -d '\r' <"$T/typescript")
	return "$rc"
}

@test "terminal gives the program a terminal as its standard descriptors" {
	# config.md: "terminal (bool, OPTIONAL) specifies whether a terminal is attached to the process"
	new_bundle
	edit '.process.terminal = true'
	args /bin/sh -c 'for n in 0 1 2; do test -t $n || echo no $n; done; echo through >/dev/tty; test -c /dev/console && echo console; test -t 0 && echo over'
	on_a_terminal
	# a runtime may have written something of its own before it
	matches 'through$'
	has console over
	has_not "no 0" && has_not "no 1" && has_not "no 2"
	edit '.process.terminal = false'
	args /bin/sh -c 'test -c /dev/console || echo no console'
	run_fg
	has "no console"
}

@test "the exit status comes through a terminal" {
	new_bundle
	edit '.process.terminal = true'
	args /bin/sh -c 'exit 7'
	local status=0
	on_a_terminal || status=$?
	eq "$status" 7
}

@test "a detached container with a terminal needs somebody to hold it" {
	# Peers: both refuse it without --console-socket.
	new_bundle /probe exit 0
	run_fg
	edit '.process.terminal = true'
	refused create --bundle "$BUNDLE" "$CID"
	refused run --detach --bundle "$BUNDLE" "$CID"
	nothing_left
}
