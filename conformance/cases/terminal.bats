#!/usr/bin/env bats
# config.md, "process": terminal, consoleSize; runtime-linux.md, "File descriptors" and "Devices".
load ../lib

on_a_terminal() { at_terminal run --bundle "$BUNDLE" "$CID"; }

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
