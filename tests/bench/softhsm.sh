#!/bin/sh
# The public functions beside a bare loop on SoftHSM, and the JDK's provider on the same token.
. "${here:?}/setup.sh"

softhsm_token
"$top/tests/bench/sign" engine.xml "$module" softhsm pin 'SoftHSM, RSA-2048' 0 1 2 12 32 >rows
cat rows
slot=$(softhsm2-util --show-slots | awk '/^Slot/ { slot = $2 } /Label: *softhsm/ { print slot; exit }')
jce "$module" "$slot" 'SoftHSM, RSA-2048'
