#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A line of 2 GB, beyond what 31 bits count, as text and as base64: signed and verified in less than 48 MB of memory.
. "${top_srcdir:?}/tests/lib/harness.sh"
. "${top_srcdir:?}/tests/mail/mail-lib.sh"
needs openssl python3

[ "$(df -Pk . | awk 'NR == 2 { print $4 }')" -gt 9000000 ] || skip "less than 9 GB free in $tmp"
[ -z "${MEMCHECK-}" ] || skip "valgrind would need hours, and memory of its own"
grep -q __asan_init "${top_builddir:?}"/signengine "$top_builddir"/.libs/signengine 2>/dev/null && skip "a sanitizer needs memory of its own"

mail_certificates
mail_configuration
measured() { "$top_builddir/tests/lib/maxrss" 49152 "$top_builddir/signengine" "$@"; }

# 2^31 characters and some, at whose end is something that must not get lost
line() { # FIELDS
    printf 'From: alice@example.org\nMIME-Version: 1.0\n%s\n\n' "$1"
    head -c 2200000000 /dev/zero | tr '\0' A
    printf 'ZW5k\n'
}
for kind in 'Content-Type: text/plain' "$(printf 'Content-Type: image/png\nContent-Transfer-Encoding: base64')"; do
    line "$kind" >big.eml
    accepts measured mail sign big.eml -o signed.eml
    rm big.eml
    LC_ALL=C awk 'length > 998 { exit 1 }' signed.eml || fail "lines are left that no relay would take"
    grep -q 'ZW5k$' signed.eml || fail "the end of the line got lost"
    accepts measured mail verify signed.eml
    says 'good signature'
    # a bit of the middle
    python3 -c "
f = open('signed.eml', 'r+b')
f.seek(1100000000)
while f.read(1) != b'A': pass
f.seek(-1, 1)
f.write(b'B')"
    refuses 1 measured mail verify signed.eml
done
