#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The same on openCryptoki's software token.
top_srcdir=$(cd "${here:?}/../.." && pwd)
export top_srcdir
. "$top_srcdir/tests/lib/opencryptoki.sh"
opencryptoki_alone "$0" >&2
. "${here:?}/setup.sh"

opencryptoki_token opencryptoki
configure "$module" opencryptoki
setup "$top/signengine" key generate bench --type rsa:2048
deadlines "$module" opencryptoki 'openCryptoki, RSA-2048' 1 2 12 32
jce "$module" 3 'openCryptoki, RSA-2048'
