#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Microsoft's own client takes the emulator for Key Vault and for a Managed HSM.
. "${top_srcdir:?}/tests/lib/harness.sh"
. "$top_srcdir/tests/azure/azure.sh"
. "$top_srcdir/tests/lib/npm.sh"

needs openssl
npm_packages azure

for mode in vault hsm; do
    start_emulator "$mode" "$tmp/$mode"
    setup emulator set delay 100
    export EMULATED="$tmp/$mode" EMULATOR="$top_builddir/tests/azure/emulator" NODE_EXTRA_CA_CERTS="$tmp/$mode/ca.pem"
    # modules are looked for from the script's folder
    cp "$top_srcdir/tests/azure/client.mjs" "$tmp/client.mjs"
    ln -sfn "$npm_modules" "$tmp/node_modules"
    accepts node "$tmp/client.mjs" "$mode"
    says ' 0 failed'
    says_not FAILED
    tail -n 1 "$out"
done
