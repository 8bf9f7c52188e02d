#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What was recorded of Azure is sent to the emulator: its answers have the recorded shapes.
# The recordings are not part of this project: $AZURE_VECTORS is their folder, or ../shared/azure-vectors beside the sources.
. "${top_srcdir:?}/tests/lib/harness.sh"
. "$top_srcdir/tests/azure/azure.sh"

vectors=${AZURE_VECTORS:-$top_srcdir/../shared/azure-vectors}
[ -e "$vectors/errors.json" ] || skip "no recorded exchanges with Azure"
needs python3 openssl

for mode in vault hsm; do
    start_emulator "$mode" "$tmp/$mode"
    setup emulator set delay 300
    export EMULATED="$tmp/$mode" EMULATOR="${top_builddir:?}/tests/azure/emulator"
    accepts python3 "$top_srcdir/tests/azure/replay.py" "$vectors" "$mode"
    says ' 0 differ'
    tail -n 1 "$out"
done
