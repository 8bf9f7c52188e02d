#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SoftHSM: OAEP with SHA-1 only; the rest with the padding removed in software.
. "${top_srcdir:?}/tests/lib/harness.sh"
. "$top_srcdir/tests/token/keys.sh"

make_token lab
put_keys "$softhsm_module" --token-label lab --login --pin 1234
use_keys lab SHIM_MODULE="$softhsm_module" TOKEN_OAEP=sha1
use_fields lab SHIM_MODULE="$softhsm_module" FIELDS_LARGEST=67108864
