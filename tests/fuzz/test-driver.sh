#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The fuzz driver finds what a target does wrong, and keeps the input.
. "${top_srcdir:?}/tests/lib/harness.sh"

broken=${top_builddir:?}/tests/fuzz/broken
mkdir corpus
export FUZZ_CORPUS="$tmp/corpus" FUZZ_RUNS=2000

others_refuse "$broken"
says 'nothing to begin with'

echo aaaa >corpus/good
accepts "$broken" corpus/good
says '1 files, 1 runs'

# the same mutations every time
echo kkkk >corpus/bad
others_refuse "$broken" corpus/bad
says 'signal 9'
same crash-broken corpus/bad

echo xxxx >corpus/bad
others_refuse "$broken" corpus/bad
says 'status 5'

echo hhhh >corpus/bad
others_refuse "$broken" corpus/bad
says 'signal 14'

rm corpus/bad
echo jaaa >corpus/good
others_refuse "$broken"
says 'a mutation of'
mv crash-broken first
others_refuse "$broken"
same crash-broken first
others_refuse "$broken" first
