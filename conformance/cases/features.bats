#!/usr/bin/env bats
# features.md: what the runtime says that it can do, beside what really works.
load ../lib

features() {
	rt features 2>/dev/null || skip "has no features"
	[ -n "$out" ] || { echo "features prints nothing" >&2; return 1; }
	FEATURES=$T/features
	printf '%s\n' "$out" >"$FEATURES"
}
# feature FILTER: raw lines of the document
feature() { jq -r "$1" "$FEATURES"; }

# bats test_tags=v2
@test "features: the document has what the spec requires" {
	# features.md: ociVersionMin and ociVersionMax are REQUIRED; "MUST be valid JSON".
	features
	jq -e '(.ociVersionMin | test("^1\\.[0-9]+\\.[0-9]+")) and (.ociVersionMax | test("^1\\.[0-9]+\\.[0-9]+"))' "$FEATURES"
	jq -e '.hooks | index("prestart") and index("poststop")' "$FEATURES"
}

@test "features: each of its namespaces can be made" {
	# features.md, linux.namespaces: "The recognized values include those that are currently
	# supported by the runtime".
	features
	local kind
	for kind in $(feature '.linux.namespaces[]'); do
		[ "$kind" != time ] || [ -e /proc/self/ns/time ] || continue
		new_bundle /probe exit 0
		edit '.linux.namespaces |= (map(select(.type != $k)) + [{type: $k}])' --arg k "$kind"
		if [ "$kind" = user ]; then
			chown -R 100000:100000 "$BUNDLE/rootfs"
			edit '(.linux.uidMappings, .linux.gidMappings) = [{containerID: 0, hostID: 100000, size: 65536}]'
		fi
		run_fg || { echo "namespace $kind" >&2; return 1; }
	done
}

@test "features: each of its hooks runs" {
	# features.md, hooks: "the array of all hook names supported by the runtime".
	features
	new_bundle /probe exit 0
	cp "$CONF_PROBE" "$T/hook"
	local moment made=0
	for moment in $(feature '.hooks[]'); do
		case $moment in
		# in the container: it needs a program there
		startContainer) edit '.hooks.startContainer = [{path: "/bin/sh", args: ["sh", "-c", "echo startContainer >>/told"]}]' ;;
		*)
			made=$((made + 1))
			edit '.hooks[$m] = [{path: "/bin/sh", args: ["sh", "-c", "echo " + $m + " >>" + $f]}]' --arg m "$moment" --arg f "$T/told" ;;
		esac
	done
	run_fg
	eq "$(sort -u "$T/told" | wc -l)" "$made"
	if feature '.hooks[]' | grep -qx startContainer; then eq "$(cat "$BUNDLE/rootfs/told")" startContainer; fi
}

@test "features: each of its mount options is taken" {
	# features.md, mountOptions: "the array of the mount options supported by the runtime. The
	# runtime MUST support" what it lists.
	features
	known_peer_failure runc "1.1 lists ratime and others, and mount_setattr(2) refuses what it makes of them"
	local option
	mkdir "$T/source"
	for option in $(feature '.mountOptions[]?'); do
		case $option in
		# options that ask for something else beside themselves, each with a case of its own
		remount | idmap | ridmap | tmpcopyup | copy-symlink) continue ;;
		# Linux 5.15 and later know mandatory locks no more
		mand | rmand) continue ;;
		esac
		new_bundle /probe exit 0
		edit '.mounts += [{destination: "/tmp", type: "bind", source: $s, options: (["bind", $o] | unique)}]' \
			--arg s "$T/source" --arg o "$option"
		run_fg || { echo "option $option" >&2; return 1; }
	done
}

@test "features: each of its capabilities can be given, and no other name is known" {
	# features.md, linux.capabilities: "the array of the capability names supported by the runtime".
	features
	local name number last
	last=$(cat /proc/sys/kernel/cap_last_cap)
	number=0
	for name in $(feature '.linux.capabilities[]'); do
		matches '^CAP_[A-Z_]+$' "$name"
		number=$((number + 1))
	done
	[ "$number" -gt "$last" ]
	new_bundle /probe caps
	# all that this process has itself: others cannot be handed on
	edit '.process.capabilities.bounding = [inputs]' <(feature '.linux.capabilities[] | tojson')
	run_fg 2>/dev/null
	local own=$((0x$(sed -n 's/^CapBnd:\t//p' /proc/self/status)))
	eq "$(fact cap_bounding)" "$(printf %016x $own)"
}

@test "features: each of its seccomp actions and operators loads" {
	# features.md, linux.seccomp: actions, operators, "recognized by the runtime".
	features
	[ "$(feature '.linux.seccomp.enabled')" = true ] || skip "has no seccomp"
	local name
	for name in $(feature '.linux.seccomp.actions[]'); do
		# needs somebody who listens; chapter seccomp has him
		[ "$name" != SCMP_ACT_NOTIFY ] || continue
		new_bundle /probe exit 0
		edit '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["swapoff"], action: $a}]}' --arg a "$name"
		run_fg || { echo "action $name" >&2; return 1; }
	done
	for name in $(feature '.linux.seccomp.operators[]'); do
		new_bundle /probe exit 0
		edit '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["swapoff"], action: "SCMP_ACT_ERRNO",
			args: [{index: 0, op: $o, value: 1, valueTwo: 1}]}]}' --arg o "$name"
		run_fg || { echo "operator $name" >&2; return 1; }
	done
}

@test "features: the cgroups that it knows are those of this machine" {
	# features.md, linux.cgroup: v1, v2: "whether the runtime supports" them.
	features
	[ "$(feature ".linux.cgroup.$CONF_CGROUP")" = true ]
}
