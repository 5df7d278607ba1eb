#!/usr/bin/env bats
# rrun's `sandbox`: a program in a throw-away copy of a tree.
load ../lib

# tree: a directory that can be a layer, in $TREE.
tree() {
	"$RUNTIME" sandbox --help >/dev/null 2>&1 || skip "has no sandbox"
	new_bundle
	TREE=$BUNDLE/rootfs
}

# bats test_tags=v2
@test "sandbox: what it writes is gone, and so is it" {
	tree
	rt sandbox --layer "$TREE" -- /bin/sh -c 'echo new >/file; rm -r /etc; cat /file; hostname 2>/dev/null; exit 7' || true
	eq "$status" 7
	has new
	[ ! -e "$TREE/file" ]
	[ -e "$TREE/etc/passwd" ]
	rt list -q
	eq "$out" ""
}

@test "sandbox: the host's own tree, by default" {
	tree
	local mark
	mark=/etc/$TOKEN
	RT_DIR=/etc rt sandbox /bin/sh -c "pwd; echo new >$mark && cat $mark; echo \$FROM_CALLER; id -u"
	has /etc
	has new
	has 0
	[ ! -e "$mark" ]
	# The caller's environment comes too.
	CONF_X=1 rt sandbox env
	has "CONF_X=1"
	has "CONF_TOKEN=$TOKEN"
}

@test "sandbox: the exit status is the program's, 128 and more for a signal" {
	tree
	for line in "exit 0:0" "exit 42:42" "kill -9 \$\$:137" "kill -TERM \$\$:143"; do
		rt sandbox --layer "$TREE" /bin/sh -c "${line%:*}" || true
		eq "$status" "${line##*:}"
	done
	refused sandbox --layer "$TREE" /no/such/program
	rt list -q
	eq "$out" ""
}

@test "sandbox: all namespaces, and no network" {
	tree
	rt sandbox --layer "$TREE" /probe ns -- pid
	for kind in pid net ipc uts mnt cgroup; do
		has_not "ns_$kind $(readlink /proc/self/ns/$kind | tr -dc 0-9)"
	done
	has "pid 2 1"
	rt sandbox --layer "$TREE" --network host /probe ns
	has "ns_net $(readlink /proc/self/ns/net | tr -dc 0-9)"
}

@test "sandbox: the default profile and capabilities hold" {
	tree
	rt sandbox --layer "$TREE" /bin/sh -c 'cat /proc/self/status; mount -t tmpfs none /tmp || echo refused'
	matches '^CapEff:.*00000000a80425fb$'
	matches '^Seccomp:.*2$'
	has refused
}

# bats test_tags=v2
@test "sandbox: a signal to rrun ends a program that has no handler for it" {
	# The first process of a pid namespace gets none that it does not handle.
	tree
	for signal in TERM INT HUP; do
		(exec 3>&- 4>&-; export CONF_TOKEN=$TOKEN; exec "$RUNTIME" --root "$ROOT" sandbox --layer "$TREE" /bin/sleep 100 <"$CONF_NULL" >"$T/sig.out" 2>&1) &
		local pid=$! running
		until_true eval '"$RUNTIME" --root "$ROOT" list | grep -q running'
		kill -$signal $pid
		running=0
		wait $pid || running=$?
		eq "$running" "$((128 + $(kill -l $signal)))"
	done
	rt list -q
	eq "$out" ""
}

@test "sandbox: killed, it takes the program with it, and the next one takes what is left" {
	tree
	(exec 3>&- 4>&-; export CONF_TOKEN=$TOKEN; exec "$RUNTIME" --root "$ROOT" sandbox --layer "$TREE" /bin/sleep 100 <"$CONF_NULL" >"$T/sig.out" 2>&1) &
	local pid=$! inner
	until_true eval '"$RUNTIME" --root "$ROOT" list | grep -q running'
	rt list --format json
	inner=$(jq '.[0].pid' <<<"$out")
	kill -KILL $pid
	wait $pid || true
	until_true dead "$inner"
	# A container of somebody's that is named like one stays.
	CID=sandbox-mine CIDS+=(sandbox-mine)
	edit '.linux.cgroupsPath = $c' --arg c "/$TOKEN-mine"
	create
	rt sandbox --layer "$TREE" /bin/true
	rt list -q
	eq "$out" sandbox-mine
	delete --force
}

@test "sandbox: orphans are reaped while it lasts" {
	tree
	rt sandbox --layer "$TREE" /bin/sh -c '(sleep 0 &); (sleep 0 &); sleep 0.3; ls -d /proc/[0-9]*'
	eq "$(grep -cx '/proc/[0-9]*' <<<"$out")" 2
}

# bats test_tags=v2
@test "sandbox: options of spec" {
	needs_controller pids
	tree
	mkdir "$T/src"
	echo hello >"$T/src/file"
	rt sandbox --layer "$TREE" --user alice --env A=1 --hostname there --cwd /tmp --mount "$T/src:/src:ro" --pids 30 --memory 64M \
		--cpus 0.5 --cap-drop ALL --cap-add kill --read-only --seccomp none --tty=false \
		/probe ids -- env -- cwd -- caps
	has "uid 1000 1000 1000"
	has "env A=1"
	has "cwd /tmp"
	rt sandbox --layer "$TREE" --mount "$T/src:/src:ro" /bin/sh -c 'cat /src/file; echo x >/src/file || echo read-only'
	has hello
	has read-only
	refused sandbox --layer "$TREE" --read-only /bin/touch /x
}

@test "sandbox: an upper directory keeps the changes" {
	tree
	rt sandbox --layer "$TREE" --upper "$T/up" /bin/sh -c 'echo new >/file'
	eq "$(cat "$T/up/file")" new
	[ ! -e "$T/.up.rrun-work" ]
	rt sandbox --layer "$TREE" --upper "$T/up" /bin/cat /file
	eq "$out" new
	rt sandbox --upper "$T/host" /bin/sh -c "echo new >/etc/$TOKEN"
	eq "$(cat "$T/host/etc/$TOKEN")" new
	[ ! -e "/etc/$TOKEN" ]
}

@test "sandbox: mounts below the host's root are hidden, or shown read-only" {
	tree
	# In the mount namespace of the suite.
	host_mount -t tmpfs none /mnt
	echo seen >/mnt/file
	rt sandbox /bin/sh -c "cat /mnt/file 2>/dev/null || echo hidden"
	eq "$out" hidden
	rt sandbox --with-mounts /bin/sh -c "cat /mnt/file; echo x 2>/dev/null >/mnt/file || echo read-only"
	has seen
	has read-only
	RT_GLOBALS=(--log "$T/log")
	rt sandbox /bin/true
	RT_GLOBALS=()
	grep -q "does not show what is mounted at.*\`/mnt\`" "$T/log"
	case_mounts_off
}

@test "sandbox: a mistake is named, and nothing is made" {
	tree
	for line in "no option \`--frob\`:--frob" "--layer:--layer /no/such true" "--mount:--mount x true" "--cwd:--cwd x true" \
		"--env:--env x true" "--user:--layer $TREE --user nobody-at-all true" "--cap-add:--cap-add x true"; do
		# shellcheck disable=SC2086
		refused sandbox ${line#*:}
		grep -qF -- "${line%%:*}" <<<"$err"
	done
	[ ! -e "$ROOT" ] || rt list -q
	eq "${out:-}" ""
}
