#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Each library exports the functions that its header declares, and nothing else; Debian's package knows since which version.
set -eu
declared=$(mktemp) exported=$(mktemp)
trap 'rm -f "$declared" "$exported"' EXIT
failed=0

for name in signengine signengine-history signengine-mail; do
    ${CC:-cc} -E -I"${top_srcdir:?}/src" "$top_srcdir/src/$name.h" |
        awk -v header="/$name.h\"" '/^#/ { ours = index($0, header); next } ours' |
        grep -o '\bse_[a-z0-9_]*(' | tr -d '(' | sort -u >"$declared"
    # the version's own name is an absolute symbol
    nm -D --defined-only "${top_builddir:?}/.libs/lib$name.so" | awk '$2 != "A" { sub("@.*", "", $3); print $3 }' | sort -u >"$exported"

    [ -s "$declared" ] || { echo "no function found in $name.h"; exit 1; }
    echo "$name: $(wc -l <"$declared") functions"
    missing=$(comm -23 "$declared" "$exported")
    extra=$(comm -13 "$declared" "$exported")
    [ -z "$missing" ] || printf 'declared in %s.h, not exported:\n%s\n' "$name" "$missing"
    [ -z "$extra" ] || printf 'exported, not declared in %s.h:\n%s\n' "$name" "$extra"
    package=$(sed -n 's/^ \(se_[a-z0-9_]*\)@.*/\1/p' "$top_srcdir/debian/lib${name}0.symbols" | sort -u)
    undated=$(echo "$package" | comm -3 - "$declared")
    [ -z "$undated" ] || printf 'in one of %s.h and debian/lib%s0.symbols only:\n%s\n' "$name" "$name" "$undated"
    [ -z "$missing$extra$undated" ] || failed=1
done
exit "$failed"
