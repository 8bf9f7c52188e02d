#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Microsoft's own client takes the emulator for Key Vault and for a Managed HSM.
# npm installs it into $SIGNENGINE_NPM, once; by default with what else tests fetch.
. "${top_srcdir:?}/tests/lib/harness.sh"
. "$top_srcdir/tests/azure/azure.sh"

needs node npm openssl
cache=${SIGNENGINE_NPM:-${top_builddir:?}/tests/lib/sources/npm}
if ! [ -e "$cache/installed" ] || ! cmp -s "$top_srcdir/tests/azure/package.json" "$cache/package.json"; then
    mkdir -p "$cache"
    cp "$top_srcdir/tests/azure/package.json" "$cache/package.json"
    (cd "$cache" && timeout 200 npm install --no-audit --no-fund --ignore-scripts) >"$out" 2>&1 || skip "npm does not get Microsoft's client: $(grep -m 1 -E 'npm (ERR!|error)' "$out")"
    : >"$cache/installed"
fi

for mode in vault hsm; do
    start_emulator "$mode" "$tmp/$mode"
    setup emulator set delay 100
    export EMULATED="$tmp/$mode" EMULATOR="$top_builddir/tests/azure/emulator" NODE_EXTRA_CA_CERTS="$tmp/$mode/ca.pem"
    # modules are looked for from the script's folder
    cp "$top_srcdir/tests/azure/client.mjs" "$tmp/client.mjs"
    ln -sfn "$cache/node_modules" "$tmp/node_modules"
    accepts node "$tmp/client.mjs" "$mode"
    says ' 0 failed'
    says_not FAILED
    tail -n 1 "$out"
done
