#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A token in another process, by p11-kit's server.
. "${top_srcdir:?}/tests/lib/harness.sh"
. "$top_srcdir/tests/token/keys.sh"
needs p11-kit

client=$(find_library p11-kit-client.so)
[ "$client" ] || skip "p11-kit-client.so is not installed"
make_token lab
put_keys "$softhsm_module" --token-label lab --login --pin 1234

p11-kit server --foreground --name "$tmp/socket" --provider "$softhsm_module" pkcs11:token=lab >server.log 2>&1 &
server=$!
trap 'kill $server 2>/dev/null; finish' EXIT
wait_for "$tmp/socket" server.log
use_keys lab SHIM_MODULE="$client" P11_KIT_SERVER_ADDRESS="unix:path=$tmp/socket"
