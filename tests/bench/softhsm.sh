#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The public functions beside a bare loop on SoftHSM, and the JDK's provider on the same token.
. "${here:?}/setup.sh"

softhsm_token
deadlines "$module" softhsm 'SoftHSM, RSA-2048' 1 2 12 32
slot=$(softhsm2-util --show-slots | awk '/^Slot/ { slot = $2 } /Label: *softhsm/ { print slot; exit }')
jce "$module" "$slot" 'SoftHSM, RSA-2048'
