#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# openCryptoki's software token, with its daemon.
. "${top_srcdir:?}/tests/lib/opencryptoki.sh"
opencryptoki_alone "$0"
. "$top_srcdir/tests/lib/harness.sh"
. "$top_srcdir/tests/token/keys.sh"

opencryptoki_token lab
put_keys "$module" --slot 3 --login --pin 1234
# a key whose attributes were changed is read anew for each signature: there its threads meet
setup pkcs11-tool --module "$module" --slot 3 --login --pin 1234 --type privkey --id 11 --set-id 21
setup pkcs11-tool --module "$module" --slot 3 --login --pin 1234 --type cert --id 11 --set-id 21
# the software token of some versions has no ECDSA, which must then be said
setup pkcsconf -m -c 3
ec=TOKEN_EC=none
grep -q 'CKM_ECDSA)' "$out" && ec=ec=yes
# it loses memory of its own, from a part that it unloads, so that a suppression could not name it; the other tokens show what we lose
export ASAN_OPTIONS="${ASAN_OPTIONS-}:detect_leaks=0"
MEMCHECK=${MEMCHECK:+$MEMCHECK --leak-check=no}
use_keys lab SHIM_MODULE="$module" TOKEN_OAEP=native $ec
use_fields lab SHIM_MODULE="$module" TOKEN_ONE_BY_ONE=yes FIELDS_LARGEST=67108864
