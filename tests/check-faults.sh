#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every PKCS #11 function that the library calls has its place among the faults (tests/lib/shim/calls.c): none is left untried.
set -eu
cd "${top_srcdir:?}"

dir=$(mktemp -d "${TMPDIR:-/tmp}/signengine-lint.XXXXXX")
trap 'rm -rf "$dir"' EXIT

# calls->C_Sign(...) and p11_kit_module_initialize(...); what is handed on as a value, ->C_SignInit, counts as well
{
    find src -name '*.c' | sort | xargs grep -oh -E '(->|\.)C_[A-Za-z]+' | grep -o 'C_.*'
    if grep -rq 'p11_kit_module_initialize(' src; then echo C_Initialize; fi
    if grep -rq 'p11_kit_module_finalize(' src; then echo C_Finalize; fi
} | sort -u | grep -v -x C_GetFunctionList >"$dir/called"
grep -o '"C_[A-Za-z]*"' tests/lib/shim/calls.c | tr -d '"' | sort -u >"$dir/named"
sed -n 's/^    list->\(C_[A-Za-z]*\) = .*/\1/p' tests/lib/shim/calls.c | sort -u >"$dir/wrapped"

failed=0
for name in $(comm -23 "$dir/called" "$dir/named"); do
    echo "$(grep -rl -E "(->|\.)$name\b" src | head -n 1): $name: no fault can happen there (tests/lib/shim/calls.c)"
    failed=1
done
if ! cmp -s "$dir/named" "$dir/wrapped"; then
    echo 'tests/lib/shim/calls.c: names and functions differ:'
    comm -3 "$dir/named" "$dir/wrapped"
    failed=1
fi
echo "$(wc -l <"$dir/called") functions are called"
[ -s "$dir/called" ] || failed=1
exit $failed
