#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# No object file needs another that needs it, over however many steps: what leans on each other is one concept, or has its border in the
# wrong place.
set -eu
cd "${top_builddir:?}"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

find src -path '*/.libs/*.o' | sort >"$scratch/objects"
[ -s "$scratch/objects" ] || { # built without shared libraries
    find src -name '*.o' | sort >"$scratch/objects"
}
xargs nm -A -P <"$scratch/objects" | awk '
{
    object = $1
    sub(":$", "", object)
    if ($3 == "U")
        needs[object, $2] = 1
    else if ($3 ~ /^[A-Z]$/)
        home[$2] = object
}
END {
    for (pair in needs) {
        split(pair, part, SUBSEP)
        if (part[2] in home && home[part[2]] != part[1])
            print part[1], home[part[2]]
    }
}' | sort -u >"$scratch/edges"
[ -s "$scratch/edges" ]

if tsort "$scratch/edges" >/dev/null 2>"$scratch/loops"; then
    echo "$(wc -l <"$scratch/objects") objects, $(wc -l <"$scratch/edges") edges, no circle"
    exit 0
fi
sed 's:^tsort\: ::; s:/\.libs/:/:' "$scratch/loops"
echo "$(grep -c 'contains a loop' "$scratch/loops") circles"
exit 1
