#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The public functions beside a bare loop on SoftHSM, and other ways to the same token: libp11, p11-kit's server, the JDK's provider.
. "${here:?}/setup.sh"

softhsm_token
deadlines "$module" softhsm 'SoftHSM, RSA-2048' 1 2 12 32
configure "$module" softhsm
"$top/tests/bench/sign" engine.xml libp11 "$module" softhsm pin 'SoftHSM, RSA-2048' 0 1 2 12 32
client=$(sh "$here/../lib/find-library.sh" p11-kit-client.so)
if command -v p11-kit >/dev/null && [ "$client" ]; then
    p11-kit server --foreground --name "$PWD/p11-kit" --provider "$module" 'pkcs11:token=softhsm' >p11-kit.log 2>&1 &
    server=$!
    trap 'kill $server' EXIT
    until [ -S p11-kit ]; do
        kill -0 $server || { cat p11-kit.log >&2 && exit 1; }
        sleep 0.1
    done
    P11_KIT_SERVER_ADDRESS="unix:path=$PWD/p11-kit" "$top/tests/bench/sign" engine.xml 'p11-kit server' "$client" softhsm pin \
        'SoftHSM, RSA-2048' 0 1 2 12 32
else
    echo "bench: no p11-kit server: left out" >&2
fi
slot=$(softhsm2-util --show-slots | awk '/^Slot/ { slot = $2 } /Label: *softhsm/ { print slot; exit }')
jce "$module" "$slot" 'SoftHSM, RSA-2048'
