#!/usr/bin/env bats
# config.md, "Linux mount options": the table of options that runtimes MUST or SHOULD support, one by one, as
# /proc/self/mountinfo shows them inside.
load ../lib

# tmpfs_with OPTION...: one more tmpfs in the bundle, at /o/OPTION-OPTION...
tmpfs_with() {
	local IFS=-
	edit '.mounts += [{destination: ("/o/" + $d), type: "tmpfs", source: "t", options: $ARGS.positional}]' --arg d "$*" --args -- "$@"
}
# bound_with OPTION...: the tree at $T/tree, bound at /o/OPTION-OPTION...
bound_with() {
	local IFS=-
	edit '.mounts += [{destination: ("/o/" + $d), type: "bind", source: $s, options: $ARGS.positional}]' --arg d "$*" --arg s "$T/tree" --args -- "$@"
}
# shows POINT COLUMN WORD, lacks POINT COLUMN WORD: whether the mount at /o/POINT has the word among those of
# the column (2: its own, 3: its file system's, 4: its propagation)
column() { sed -n "s|^mount /o/$1 ||p" <<<"$out" | cut -d' ' -f"$2"; }
shows() { [[ ,$(column "$1" "$2"), == *,$3,* ]] || { echo "$1: no $3: $(column "$1" 1-)" >&2; return 1; }; }
lacks() {
	[ -n "$(column "$1" 2)" ] || { echo "$1: no such mount" >&2; return 1; }
	[[ ,$(column "$1" "$2"), != *,$3,* ]] || { echo "$1: has $3: $(column "$1" 1-)" >&2; return 1; }
}
# a tree of two mounts on the host: $T/tree, and `sub` in it, mounted with these options
tree() {
	mkdir "$T/tree"
	host_mount -t tmpfs tree "$T/tree"
	mkdir "$T/tree/sub"
	host_mount -t tmpfs -o "$1" tree "$T/tree/sub"
	mount -o "remount,bind,$1" "$T/tree"
}

# bats test_tags=v2
@test "each option of a mount is what the mount shows" {
	new_bundle
	local option
	for option in rw ro nosuid nodev noexec noatime nodiratime relatime strictatime; do tmpfs_with $option; done
	[ "$CONF_PEER" = runc ] || tmpfs_with defaults   # 1.1 hands it to the file system
	[ -n "$CONF_PEER" ] || tmpfs_with nosymfollow    # both hand it to the file system
	probe mounts
	for option in rw ro nosuid nodev noexec noatime nodiratime relatime; do shows $option 2 $option; done
	for option in nosuid nodev noexec noatime nodiratime nosymfollow; do lacks rw 2 $option; done
	shows rw 2 relatime
	unless_peer runc "no defaults" shows defaults 2 rw
	lacks strictatime 2 relatime
	lacks strictatime 2 noatime
	[ -n "$CONF_PEER" ] || shows nosymfollow 2 nosymfollow
}

@test "each option of a mount can be taken back, the last word counts" {
	# "rw", "suid", "dev", "exec", "atime", "diratime", "norelatime", "nostrictatime", "symfollow"
	known_peer_failure crun "1.8 does not take options back"
	new_bundle
	local pair
	for pair in "ro rw" "nosuid suid" "nodev dev" "noexec exec" "noatime atime" "nodiratime diratime" "relatime norelatime" \
		"strictatime nostrictatime" "suid nosuid" "dev nodev"; do
		# shellcheck disable=SC2086  # two words
		tmpfs_with $pair
	done
	[ "$CONF_PEER" = runc ] || tmpfs_with nosymfollow symfollow
	probe mounts
	shows ro-rw 2 rw
	for pair in "nosuid suid" "nodev dev" "noexec exec" "noatime atime" "nodiratime diratime"; do lacks "${pair/ /-}" 2 "${pair% *}"; done
	# what the kernel does where nothing is said (mount(2))
	shows relatime-norelatime 2 relatime
	shows strictatime-nostrictatime 2 relatime
	shows suid-nosuid 2 nosuid
	shows dev-nodev 2 nodev
	[ "$CONF_PEER" = runc ] || lacks nosymfollow-symfollow 2 nosymfollow
}

# bats test_tags=v2
@test "each option of a file system is what the file system shows" {
	known_peer_failure crun "1.8 does not take sync back"
	new_bundle
	local option
	# `silent`, `loud` and `iversion` show nowhere; that they are taken is what can be seen
	for option in sync dirsync lazytime silent loud iversion noiversion; do
		[ "$CONF_PEER" != runc ] || [ $option != lazytime ] || continue
		tmpfs_with $option
	done
	tmpfs_with sync async
	[ "$CONF_PEER" = runc ] || tmpfs_with lazytime nolazytime
	tmpfs_with mode=0700 nomand
	probe mounts
	for option in sync dirsync; do shows $option 3 $option; done
	lacks sync-async 3 sync
	unless_peer runc "1.1 does not know it" shows lazytime 3 lazytime
	unless_peer runc "1.1 does not know it" lacks lazytime-nolazytime 3 lazytime
	for option in silent loud iversion noiversion mode=0700-nomand; do shows $option 2 rw; done
}

@test "mandatory locks are asked for, and kernels that have none ignore it" {
	# mount(2): "Since Linux 5.15, this mount option is not supported"
	new_bundle
	tmpfs_with mand
	probe mounts
	shows mand 2 rw
}

# bats test_tags=v2
@test "an option with r reaches the mounts below, one without only the top" {
	# "rro", "rnosuid", ...: "recursively", mount_setattr(2) with AT_RECURSIVE (Linux 5.12).
	known_peer_failure crun "1.8 makes of rnoatime what mount_setattr(2) refuses"
	tree rw
	new_bundle
	local option
	for option in rro rnosuid rnodev rnoexec rnoatime rnodiratime; do
		bound_with rbind ${option#r}
		bound_with rbind $option
	done
	bound_with rbind rstrictatime
	bound_with rbind rnosymfollow
	bound_with bind rro
	probe mounts
	for option in ro nosuid nodev noexec noatime nodiratime; do
		shows "rbind-$option" 2 $option
		lacks "rbind-$option/sub" 2 $option
		shows "rbind-r$option" 2 $option
		shows "rbind-r$option/sub" 2 $option
	done
	lacks rbind-rstrictatime 2 relatime
	lacks rbind-rstrictatime/sub 2 relatime
	shows rbind-rnosymfollow 2 nosymfollow
	shows rbind-rnosymfollow/sub 2 nosymfollow
	shows bind-rro 2 ro
}

@test "an option with r is taken back from the mounts below, too" {
	# "rrw", "rsuid", "rdev", "rexec", "rdiratime", "rsymfollow", and access times
	known_peer_failure runc "1.1 makes of ratime and its kin what mount_setattr(2) refuses"
	known_peer_failure crun "1.8, the same"
	tree ro,nosuid,nodev,noexec,nodiratime,noatime
	new_bundle
	local pair
	for pair in rrw:ro rsuid:nosuid rdev:nodev rexec:noexec rdiratime:nodiratime ratime:noatime rrelatime:noatime; do
		bound_with rbind "${pair%:*}"
	done
	bound_with rbind rnosymfollow rsymfollow
	bound_with rbind rrelatime rnorelatime
	bound_with rbind rstrictatime rnostrictatime
	probe mounts
	for pair in rrw:ro rsuid:nosuid rdev:nodev rexec:noexec rdiratime:nodiratime ratime:noatime rrelatime:noatime; do
		lacks "rbind-${pair%:*}" 2 "${pair#*:}"
		lacks "rbind-${pair%:*}/sub" 2 "${pair#*:}"
	done
	lacks rbind-rnosymfollow-rsymfollow/sub 2 nosymfollow
	# relatime is what there is where nothing is said, so taking it back changes nothing; strictatime taken back is relatime
	shows rbind-rrelatime-rnorelatime/sub 2 noatime
	shows rbind-rstrictatime-rnostrictatime/sub 2 relatime
}

# bats test_tags=v2
@test "each kind of propagation, for one mount and for those below" {
	# mount_namespaces(7). Slaves need a master: the tree is shared on the host.
	known_peer_failure crun "1.8 leaves a bind mount's propagation to the root's"
	tree rw
	mount --make-rshared "$T/tree"
	new_bundle
	edit '.linux.rootfsPropagation = "rslave"'
	local kind
	for kind in private rprivate slave rslave shared rshared unbindable runbindable; do bound_with rbind $kind; done
	probe mounts
	for kind in rprivate rslave rshared runbindable; do
		shows "rbind-$kind" 4 "${kind#r}"
		shows "rbind-$kind/sub" 4 "${kind#r}"
	done
	for kind in private slave shared unbindable; do shows "rbind-$kind" 4 $kind; done
	# what is not asked to be recursive leaves the mount below a peer of the host's, or its slave
	lacks rbind-private/sub 4 private
	lacks rbind-unbindable/sub 4 unbindable
}

@test "bind and rbind are options of any type, remount is of what is mounted" {
	tree rw
	new_bundle
	edit '.mounts += [
		{destination: "/o/none", type: "none", source: $s, options: ["bind"]},
		{destination: "/o/all", source: $s, options: ["rbind"]},
		{destination: "/o/again", type: "tmpfs", source: "t", options: ["nosuid"]},
		{destination: "/o/again", type: "tmpfs", source: "t", options: ["remount", "nosuid", "nodev", "ro"]}]' --arg s "$T/tree"
	probe mounts
	matches '^mount /o/none tmpfs '
	! grep -q '^mount /o/none/sub ' <<<"$out"
	matches '^mount /o/all/sub tmpfs '
	shows again 2 nosuid
	shows again 2 nodev
	shows again 2 ro
	eq "$(grep -c '^mount /o/again ' <<<"$out")" 1
}

@test "tmpcopyup fills a tmpfs with what is below" {
	# A tmpfs shows what the root has at its place.
	new_bundle
	mkdir "$BUNDLE/rootfs/o"
	echo content >"$BUNDLE/rootfs/o/file"
	chmod 750 "$BUNDLE/rootfs/o"
	edit '.mounts += [{destination: "/o", type: "tmpfs", source: "t", options: ["tmpcopyup"]}]'
	probe read /o/file -- write /o/other x -- stat /o
	has "read content" "write /o/other ok"
	unless_peer crun "1.8 makes it 1777" matches '^stat /o dir 0750'
	[ ! -e "$BUNDLE/rootfs/o/other" ]
}
