#!/bin/sh
# The library exports the functions that signengine.h declares, and nothing else.
set -eu
library=${top_builddir:?}/.libs/libsignengine.so
declared=$(mktemp) exported=$(mktemp)
trap 'rm -f "$declared" "$exported"' EXIT

${CC:-cc} -E -P "${top_srcdir:?}/src/signengine.h" | grep -o '\bse_[a-z0-9_]*(' | tr -d '(' | sort -u >"$declared"
# the version's own name is an absolute symbol
nm -D --defined-only "$library" | awk '$2 != "A" { sub("@.*", "", $3); print $3 }' | sort -u >"$exported"

[ -s "$declared" ] || { echo "no function found in signengine.h"; exit 1; }
echo "$(wc -l <"$declared") functions"
missing=$(comm -23 "$declared" "$exported")
extra=$(comm -13 "$declared" "$exported")
[ -z "$missing" ] || printf 'declared in signengine.h, not exported:\n%s\n' "$missing"
[ -z "$extra" ] || printf 'exported, not declared in signengine.h:\n%s\n' "$extra"
[ -z "$missing$extra" ]
