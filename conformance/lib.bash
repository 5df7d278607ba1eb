# shellcheck shell=bash
# lib.bash - what the cases stand on: bundles, calls of the runtime, judgements, and a clean-up
# that works whatever the runtime did.  Read by `load ../lib` from every file in cases/.
#
# Set by conformance/run: RUNTIME (absolute), CONF_WORK (scratch directory), CONF_PROBE,
# CONF_TEMPLATE (root file system to copy), CONF_NULL (a null device for standard input: some runtimes
# give theirs to the container's user, which must not be the machine's /dev/null), CONF_PEER (runc, crun or empty), CONF_CGROUP (v1|v2).
#
# bats runs a case under `set -e`: a judgement that returns non-zero ends the case.

conf_here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

setup() {
	: "${RUNTIME:?run the cases with conformance/run}"
	# Ids, cgroups and the environment of everything below carry this word: a left-over is found by it.
	TOKEN=rrun-conf-$$-$BATS_SUITE_TEST_NUMBER
	# The scratch directory must not carry it: commands naming a path there are not left-overs.
	T=$CONF_WORK/t$BATS_SUITE_TEST_NUMBER.$$
	mkdir -p "$T"
	ROOT=$T/state
	CIDS=()
	N=0
	LIVE=()
}

# --- bundles -------------------------------------------------------------------------------------

# new_bundle [ARG...]: a fresh bundle in $BUNDLE with a container id of its own in $CID; the
# arguments, when given, become the program (`new_bundle /probe ids`).
new_bundle() {
	N=$((N + 1))
	BUNDLE=$T/bundle$N
	CID=$TOKEN-$N
	CIDS+=("$CID")
	CGPATH=/$TOKEN-$N
	mkdir "$BUNDLE"
	# Hard links: a copy of busybox per case would cost more than most cases.
	cp -al "$CONF_TEMPLATE" "$BUNDLE/rootfs"
	local ns=.
	# Engines give containers a cgroup namespace on v2 and none on v1.
	[ "$CONF_CGROUP" = v1 ] || ns='.linux.namespaces += [{type: "cgroup"}]'
	# shellcheck disable=SC2016
	jq --arg cg "$CGPATH" --arg tok "$TOKEN" \
		".linux.cgroupsPath = \$cg | .process.env += [\"CONF_TOKEN=\" + \$tok] | $ns
		| if (\$ARGS.positional | length) > 0 then .process.args = \$ARGS.positional else . end" \
		"$conf_here/config.json" --args -- "$@" >"$BUNDLE/config.json"
}

# edit FILTER [JQ-OPTION...]: change the current bundle's config.json.
edit() {
	local f=$1
	shift
	jq "$f" "$BUNDLE/config.json" "$@" >"$BUNDLE/.new" && mv "$BUNDLE/.new" "$BUNDLE/config.json"
}

args() { edit '.process.args = $ARGS.positional' --args -- "$@"; }

# --- calls ---------------------------------------------------------------------------------------

# rt VERB...: one call of the runtime.  Its standard streams are files, never pipes of ours: a
# container that stays alive would keep a pipe open and the case waiting.  Sets $status, $out, $err.
# RT_GLOBALS (array) adds global flags, RT_DIR the working directory, RT_IN the standard input.
rt() {
	_rt 2>/dev/null 1>/dev/null "$@"
	slurp out "$OUT"
	slurp err "$ERR"
	[ "$status" -eq 0 ] || _said
}
# slurp VAR FILE: $(<FILE) without its fork, which is what costs in a slow guest.
slurp() {
	local _s
	IFS= read -r -d '' _s <"$2" || :
	while [[ $_s == *$'\n' ]]; do _s=${_s%$'\n'}; done
	printf -v "$1" %s "$_s"
}
_rt() {
	C=$((${C:-0} + 1))
	OUT=$T/out$C ERR=$T/err$C
	status=0
	(
		cd "${RT_DIR:-$PWD}" || exit 125
		exec 3>&- 4>&- # bats' own
		export CONF_TOKEN=$TOKEN
		exec timeout -k 2 "${RT_TIMEOUT:-20}" \
			"$RUNTIME" --root "${RT_ROOT:-$ROOT}" "${RT_GLOBALS[@]}" "$@" <"${RT_IN:-$CONF_NULL}" >"$OUT" 2>"$ERR"
	) || status=$?
	if [ $status = 124 ] || [ $status = 137 ]; then TIMED_OUT=1; fi
}

# Shows what a failed call said, in bats' report of a failed case, and passes its status on.
_said() {
	printf 'status %s\n' "$status" >&2
	sed 's/^/stdout: /' "$OUT" >&2
	sed 's/^/stderr: /' "$ERR" >&2
	return "$status"
}

# refused RT-ARGS...: the runtime must say no: a status other than 0, in time, and with a reason on
# stderr.  A case that uses it also shows that the same without the mistake works, else a runtime
# that does nothing at all would pass.
refused() {
	TIMED_OUT=
	if rt "$@" 2>/dev/null; then echo "not refused: $*" >&2; return 1; fi
	if [ -n "$TIMED_OUT" ]; then echo "timed out: $*" >&2; return 1; fi
	if [ "$status" -gt 128 ] && [ "$status" -lt 193 ]; then echo "died of signal $((status - 128)): $*" >&2; return 1; fi
	if [ -z "$err" ]; then echo "no reason on stderr: $*" >&2; return 1; fi
}

create() { rt create --bundle "$BUNDLE" --pid-file "$T/pid.$CID" "$@" "$CID"; COUT=$OUT; LIVE+=("$CID"); PID=$(<"$T/pid.$CID"); }
start() { rt start "${1:-$CID}"; }
# The container's own output so far (its standard output is that of `create`).
container_out() { cat "$COUT"; }
# run ...: foreground; the container is gone afterwards.
run_fg() { rt run --bundle "$BUNDLE" "$@" "$CID"; }
run_bg() { rt run --detach --bundle "$BUNDLE" --pid-file "$T/pid.$CID" "$@" "$CID"; COUT=$OUT; LIVE+=("$CID"); PID=$(<"$T/pid.$CID"); }
delete() {
	rt delete "$@" "${DEL:-$CID}" || return
	local l keep=()
	for l in "${LIVE[@]}"; do [ "$l" = "${DEL:-$CID}" ] || keep+=("$l"); done
	LIVE=("${keep[@]}")
}

# at_terminal VERB...: a call of the runtime on a terminal, as a person has one (script(1) makes it). Sets $status, and
# $out to what the terminal showed.
at_terminal() {
	local command keys
	# Nobody types, and nobody hangs up: at the end of its input script(1) types an end-of-file, which is
	# some other character by the time the runtime has made the terminal raw.
	rm -f "$T/keys"
	mkfifo "$T/keys"
	exec {keys}<>"$T/keys"
	command=$(printf '%q ' "$RUNTIME" --root "$ROOT" "$@")
	status=0
	timeout 20 script --quiet --return --command "$command" "$T/typescript" <&"$keys" {keys}>&- >/dev/null || status=$?
	exec {keys}>&-
	out=$(tr -d '\r' <"$T/typescript")
	return "$status"
}

# probe ARGS...: run the probe in the current bundle in the foreground; its facts are in $out.
probe() {
	args /probe "$@"
	run_fg
}

# status_is STATUS [ID]
status_is() {
	rt state "${2:-$CID}" || return
	local s
	s=$(jq -r .status <<<"$out")
	[ "$s" = "$1" ] || { echo "status is '$s', not '$1'" >&2; return 1; }
}

# --- judgements ----------------------------------------------------------------------------------

# has LINE...: each is a whole line of $out.
has() {
	local l
	for l; do
		grep -qxF -- "$l" <<<"$out" || { printf 'no line: %s\nin:\n%s\n' "$l" "$out" >&2; return 1; }
	done
}
# has_not LINE: no line of $out is this one.
has_not() { ! grep -qxF -- "$1" <<<"$out" || { printf 'unwanted line: %s\n' "$1" >&2; return 1; }; }
# matches ERE [TEXT]: a line of the text ($out) matches.
matches() {
	grep -qiE -- "$1" <<<"${2-$out}" || { printf 'nothing matches: %s\nin:\n%s\n' "$1" "${2-$out}" >&2; return 1; }
}
eq() { [ "$1" = "$2" ] || { printf 'got:    %s\nwanted: %s\n' "$1" "$2" >&2; return 1; }; }
# fact NAME: the rest of the line of $out that begins with NAME.
fact() { sed -n "s/^$1 //p" <<<"$out" | head -n 1; }

# --- waiting -------------------------------------------------------------------------------------

# alive PID: a process that is no zombie.
alive() {
	local s
	s=$(sed 's/.*) //' "/proc/$1/stat" 2>/dev/null) || return 1
	case ${s%% *} in Z | X | '') return 1 ;; esac
}
# until_true COMMAND...: wait for it, 5 seconds at most (50 in a slow guest).
until_true() {
	local i
	for ((i = 0; i < ${CONF_PATIENCE:-250}; i++)); do
		if "$@" 2>/dev/null; then return 0; fi
		sleep 0.02
	done
	echo "never became true: $*" >&2
	return 1
}
dead() { ! alive "$1"; }
await_exit() { until_true dead "${1:-$PID}"; }
said() { grep -q -- "$1" "$COUT"; }
# await_out TEXT: until the container has printed it.
await_out() { until_true said "$1"; }

# --- cgroups -------------------------------------------------------------------------------------

# cg_dir CONTROLLER [PID]: the directory of the process's cgroup that has this controller.
cg_dir() {
	local path mnt
	if [ "$CONF_CGROUP" = v2 ]; then
		path=$(sed -n 's/^0:://p' "/proc/${2:-$PID}/cgroup")
		echo "/sys/fs/cgroup$path"
		return
	fi
	path=$(awk -F: -v c="$1" '{ n = split($2, a, ","); for (i = 1; i <= n; i++) if (a[i] == c) { sub(/^[^:]*:[^:]*:/, ""); print; exit } }' "/proc/${2:-$PID}/cgroup")
	mnt=$(awk -v c="$1" '{ for (i = 7; i <= NF; i++) if ($i == "-") break
		n = split($(i + 3), a, ","); if ($(i + 1) == "cgroup") for (j = 1; j <= n; j++) if (a[j] == c) { print $5; exit } }' /proc/self/mountinfo)
	[ -n "$path" ] && [ -n "$mnt" ] || { echo "no cgroup of controller $1" >&2; return 1; }
	echo "$mnt$path"
}
# cg CONTROLLER V1-FILE V2-FILE: the file's content in the container's cgroup.
cg() {
	local d
	d=$(cg_dir "$1") || return
	if [ "$CONF_CGROUP" = v2 ]; then cat "$d/$3"; else cat "$d/$2"; fi
}
needs_controller() {
	if [ "$CONF_CGROUP" = v2 ]; then
		grep -qw "$1" /sys/fs/cgroup/cgroup.controllers || skip "no $1 controller here"
	else
		grep -q "^[0-9]*:\([^:]*,\)\?$1[,:]" /proc/self/cgroup || skip "no $1 controller here"
	fi
}

# known_peer_failure PEER REASON: skips the case for that peer, which is known to do otherwise than
# the spec (or later versions) say.  rrun is never excused; CONF_NO_EXCUSES=1 excuses nobody, to see
# what a newer version does.
known_peer_failure() {
	[ "$CONF_PEER" = "$1" ] && [ -z "${CONF_NO_EXCUSES-}" ] || return 0
	skip "$1: $2"
}

# unless_peer PEER REASON JUDGEMENT...: one judgement that this peer is excused from.
unless_peer() {
	[ "$CONF_PEER" != "$1" ] || return 0
	shift 2
	"$@"
}

# --- after each case -----------------------------------------------------------------------------

# Processes that carry this case's word, zombies aside.
leftover_pids() {
	local f p
	printf '%s\n' "$TOKEN" >"$T/.token" # in a file, lest grep finds itself
	local found
	found=$(grep -lsaF -f "$T/.token" /proc/[0-9]*/environ /proc/[0-9]*/cmdline /proc/[0-9]*/cgroup)
	[ -n "$found" ] || return 0
	for f in $found; do
		p=${f#/proc/}
		p=${p%%/*}
		# a longer number of another case begins with the same digits
		cat "/proc/$p/environ" "/proc/$p/cmdline" "/proc/$p/cgroup" 2>/dev/null | tr '\0' '\n' |
			grep -qaE "$TOKEN([^0-9]|\$)" || continue
		[ "$p" != $$ ] && alive "$p" && echo "$p"
	done | sort -un
}
leftover_cgroups() {
	local d
	for d in /sys/fs/cgroup/"$TOKEN"-* /sys/fs/cgroup/*/"$TOKEN"-* /sys/fs/cgroup/*/*/"$TOKEN"-* /sys/fs/cgroup/*/*/*/"$TOKEN"-*; do
		[ -d "$d" ] && echo "$d"
	done
	return 0
}
leftover_mounts() { awk -v t="$T/" 'index($5, t) == 1 { print $5 }' /proc/self/mountinfo; }
leftover_state() { find "$ROOT" -name "*$TOKEN*" 2>/dev/null; }
no_leftovers() {
	LEFT=$(printf 'processes:%s cgroups:%s state:%s' "$(leftover_pids)" "$(leftover_cgroups)" "$(leftover_state)")
	LEFT=${LEFT#processes: cgroups: state:}
	[ -z "$LEFT" ]
}
# nothing_left: the runtime, after its deletes, has left nothing behind.
nothing_left() {
	until_true no_leftovers 2>/dev/null || { printf 'left behind: %s\n' "$LEFT" >&2; return 1; }
}

teardown() {
	local rc=0 i d p
	if [ -n "$BATS_TEST_COMPLETED" ] && [ -z "$BATS_TEST_SKIPPED" ]; then
		for i in "${LIVE[@]}"; do
			rt delete --force "$i" || { rc=1; echo "delete --force $i failed" >&2; }
		done
		case_mounts_off || rc=1
		if CONF_PATIENCE=100 nothing_left; then
			leave_scratch
			return $rc
		fi
		rc=1
	else
		case_mounts_off || :
	fi
	# From here on by force, for runtimes that failed: by pid, only what carries our word.
	for i in "${CIDS[@]}"; do
		if [ -e "$ROOT/$i" ]; then _rt delete --force "$i"; fi
	done
	for ((i = 0; i < 50; i++)); do
		p=$(leftover_pids)
		[ -n "$p" ] || break
		for d in $(leftover_cgroups); do
			if [ -e "$d/freezer.state" ]; then echo THAWED >"$d/freezer.state"; fi
		done
		# shellcheck disable=SC2086
		kill -KILL $p 2>/dev/null
		sleep 0.02
	done
	for d in $(leftover_cgroups); do find "$d" -depth -type d -exec rmdir {} + 2>/dev/null; done
	leave_scratch
	return $rc
}
leave_scratch() {
	local d
	leftover_mounts | sort -r | while read -r d; do umount -l "$d"; done
	rm -rf --one-file-system "$T"
}
# Mounts that the case itself made below $T, noted by host_mount.
HOST_MOUNTS=()
host_mount() { mount "$@" && HOST_MOUNTS+=("${*: -1}"); }
case_mounts_off() {
	local i
	for ((i = ${#HOST_MOUNTS[@]} - 1; i >= 0; i--)); do umount -l "${HOST_MOUNTS[i]}"; done
	local m
	m=$(leftover_mounts)
	[ -z "$m" ] || { printf 'mount left behind: %s\n' "$m" >&2; return 1; }
}
