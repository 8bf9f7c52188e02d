#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Microsoft's own client takes the emulator for Key Vault and for a Managed HSM.
. "${top_srcdir:?}/tests/lib/harness.sh"
. "$top_srcdir/tests/azure/azure.sh"

needs openssl
install_client client.mjs

for mode in vault hsm; do
    start_emulator "$mode" "$tmp/$mode"
    setup emulator set delay 100
    export EMULATED="$tmp/$mode" EMULATOR="$top_builddir/tests/azure/emulator" NODE_EXTRA_CA_CERTS="$tmp/$mode/ca.pem"
    accepts node "$tmp/client.mjs" "$mode"
    says ' 0 failed'
    says_not FAILED
    tail -n 1 "$out"
done
