#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# No object file needs another that needs it, over however many steps: what leans on each other is one concept, or has its border in the
# wrong place.  Nor does any name belong to two: a program that links both would call the one that the linker meets first.
set -eu
cd "${top_builddir:?}"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

find src -path '*/.libs/*.o' | sort >"$scratch/objects"
[ -s "$scratch/objects" ] || { # built without shared libraries
    find src -name '*.o' | sort >"$scratch/objects"
}
# what was built from files that have gone since is no part of it
while read -r object; do
    source=$(echo "${object%.o}.c" | sed 's:/\.libs/:/:')
    [ ! -e "${top_srcdir:?}/$source" ] || echo "$object"
done <"$scratch/objects" >"$scratch/present"
[ -s "$scratch/present" ] || mv "$scratch/objects" "$scratch/present"
xargs nm -A -P <"$scratch/present" | awk -v twice="$scratch/twice" '
{
    object = $1
    sub(":$", "", object)
    if ($3 == "U")
        needs[object, $2] = 1
    else if ($3 ~ /^[BDRT]$/ && $2 in home)
        print $2 ": " home[$2] " and " object >twice
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
if [ -s "$scratch/twice" ]; then
    sed 's:/\.libs/:/:g' "$scratch/twice"
    exit 1
fi

if tsort "$scratch/edges" >/dev/null 2>"$scratch/loops"; then
    echo "$(wc -l <"$scratch/present") objects, $(wc -l <"$scratch/edges") edges, no circle"
    exit 0
fi
sed 's:^tsort\: ::; s:/\.libs/:/:' "$scratch/loops"
echo "$(grep -c 'contains a loop' "$scratch/loops") circles"
exit 1
