#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The proofs of tests/vectors/history: the command, and a reader that was written from doc/formats.md, say what their names say.
. "${top_srcdir:?}/tests/lib/harness.sh"

read="$top_srcdir/tests/history/read.py"
for proof in "$top_srcdir"/tests/vectors/history/proofs/*; do
    case $proof in
    */good-*)
        accepts signengine history verify-proof "$proof"
        accepts python3 "$read" proof "$proof"
        ;;
    */refused-1-*) refuses 1 signengine history verify-proof "$proof" ;;
    */refused-65-*) refuses 65 signengine history verify-proof "$proof" ;;
    *) fail "$proof: what should it be?" ;;
    esac
done
[ "$cases" -ge 50 ] || fail "only $cases vectors"

# one that the reader refuses, so that it can be seen to
others_refuse python3 "$read" proof "$top_srcdir/tests/vectors/history/proofs/refused-1-other-root"
