#!/usr/bin/env bats
# config.md, "Linux Process", capabilities.
load ../lib

caps() { edit '.process.capabilities = $c' --argjson c "$1"; }

# bats test_tags=v2
@test "the five sets are exactly the config's" {
	# config.md, capabilities: "effective/bounding/inheritable/permitted/ambient ... array of ... capabilities that are kept for the process."
	# CAP_CHOWN 0, CAP_KILL 5, CAP_NET_RAW 13, CAP_MKNOD 27
	new_bundle
	caps '{"bounding":["CAP_CHOWN","CAP_KILL","CAP_NET_RAW","CAP_MKNOD"],"permitted":["CAP_CHOWN","CAP_KILL","CAP_NET_RAW"],
		"inheritable":["CAP_CHOWN","CAP_KILL"],"effective":["CAP_CHOWN","CAP_KILL","CAP_NET_RAW"],"ambient":["CAP_KILL"]}'
	edit '.process.user = {uid: 1000, gid: 1000}'
	probe caps
	# after execve by another user than root permitted and effective are the ambient ones, capabilities(7)
	has "cap_bounding 0000000008002021" "cap_inheritable 0000000000000021" "cap_ambient 0000000000000020" \
		"cap_permitted 0000000000000020" "cap_effective 0000000000000020"
}

@test "root's sets are those of the config" {
	new_bundle
	caps '{"bounding":["CAP_CHOWN","CAP_KILL"],"permitted":["CAP_CHOWN","CAP_KILL"],"effective":["CAP_CHOWN","CAP_KILL"]}'
	probe caps
	has "cap_bounding 0000000000000021" "cap_permitted 0000000000000021" "cap_effective 0000000000000021" \
		"cap_inheritable 0000000000000000" "cap_ambient 0000000000000000"
}

@test "empty sets leave nothing, even to root" {
	new_bundle
	caps '{"bounding":[],"permitted":[],"effective":[],"inheritable":[],"ambient":[]}'
	probe caps
	has "cap_bounding 0000000000000000" "cap_permitted 0000000000000000" "cap_effective 0000000000000000" \
		"cap_inheritable 0000000000000000" "cap_ambient 0000000000000000"
}

@test "a user who is not root has no capabilities without ambient ones" {
	new_bundle
	edit '.process.user = {uid: 1000, gid: 1000}'
	probe caps
	has "cap_permitted 0000000000000000" "cap_effective 0000000000000000" "cap_ambient 0000000000000000" \
		"cap_bounding 00000000a80425fb"
}

@test "an unknown capability is no error" {
	# config.md, capabilities: "Any value which cannot be mapped to a relevant kernel interface ...
	# MUST be logged as a warning by the runtime" and "SHOULD NOT fail".
	new_bundle
	caps '{"bounding":["CAP_KILL","CAP_NONSENSE"],"permitted":["CAP_KILL","CAP_NONSENSE"],"effective":["CAP_KILL"]}'
	probe caps
	has "cap_bounding 0000000000000020" "cap_effective 0000000000000020"
}

@test "a capability that is missing is really missing" {
	new_bundle
	probe open-dev c 1 3
	has "open-dev c 1:3 ok"
	edit '.process.capabilities |= map_values(map(select(. != "CAP_MKNOD")))'
	probe open-dev c 1 3
	has "open-dev c 1:3 mknod EPERM"
}
