#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Files of 4 GB and a byte, beyond what 32 bits count: signed and verified in less than 64 MB of memory, in every form.
. "${top_srcdir:?}/tests/lib/harness.sh"
needs openssl

[ "$(df -Pk . | awk 'NR == 2 { print $4 }')" -gt 9000000 ] || skip "less than 9 GB free in $tmp"
if instrumented; then skip "it would need hours, and memory of its own"; fi

make_signer Files ec:P-256
truncate -s 4294967296 big
printf x >>big

limit=65536
measured() { "${top_builddir:?}/tests/lib/maxrss" $limit "$top_builddir/signengine" "$@"; }

accepts measured sign -d Files big
accepts measured verify -d Files big -s big.p7s

# attached: it is as large as the content
piped() { measured sign -d Files --attached big -o - | measured verify -d Files -; }
accepts piped
