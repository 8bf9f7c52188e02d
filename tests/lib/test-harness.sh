#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The harness judges every other shell test, so it is judged here, without its own help.
set -eu

dir=$(mktemp -d "${TMPDIR:-/tmp}/signengine-test.XXXXXX")
trap 'rm -rf "$dir"' EXIT
cases=0 failed=0

# ends STATUS LAST-LINE BODY: what a test with that body comes to
ends() {
    printf '%s\n' ". '${top_srcdir:?}/tests/lib/harness.sh'" 'tells() { echo "$1" >&2; return "$2"; }' "$3" >"$dir/script"
    status=0
    TMPDIR=$dir sh "$dir/script" >"$dir/out" 2>&1 || status=$?
    last=$(tail -n 1 "$dir/out")
    cases=$((cases + 1))
    if [ "$status" != "$1" ] || [ "$last" != "$2" ]; then
        echo "status $status and '$last', not $1 and '$2': $3"
        cat "$dir/out"
        failed=$((failed + 1))
    fi
}
passes() { ends 0 '# 1 cases, 0 failed' "$1"; }
fails() { ends 1 '# 1 cases, 1 failed' "$1"; }

passes 'refuses 65 tells "signengine: sign: no" 65'
passes 'refuses 78 tells "/etc/engine.xml:12: no" 78'
fails 'refuses 65 tells "signengine: sign: no" 64'
fails 'refuses 65 tells "signengine: sign: no" 0'
fails 'refuses 65 tells "" 65'
fails 'refuses 65 tells "Segmentation fault" 65'
fails 'refuses 65 tells "signengine: " 65'
fails 'refuses 65 tells "signengine: no
and a second line" 65'
fails 'refuses 65 sh -c "exit 65"'
fails 'refuses 65 sh -c "echo signengine: on stdout; exit 65"'

passes 'accepts true'
fails 'accepts false'
fails 'accepts no-such-command'
passes 'others_refuse false'
fails 'others_refuse true'
fails 'others_refuse no-such-command'
fails 'others_refuse sh -c "kill -SEGV \$\$"'

passes 'accepts echo one two; says "one two"; says_not three'
passes 'accepts tells word 0; says word'
passes 'accepts echo "-e .*"; says "-e .*"'
fails 'accepts echo one; says two'
fails 'accepts echo one; says_not one'
fails 'accepts echo a.c; says "abc"'
passes 'echo 1 >a; cp a b; accepts true; same a b'
fails 'echo 1 >a; echo 2 >b; accepts true; same a b'
fails 'echo 1 >a; accepts true; same a b'

# a case that fails twice is one failure; the cases after a failure still run
fails 'accepts echo one; says two; says three'
ends 1 '# 3 cases, 2 failed' 'accepts false; accepts true; refuses 1 true'
# an empty test, one that stops half-way, one that is killed, one that cannot begin: all failures
ends 1 '# 0 cases, 1 failed' ':'
ends 1 '# 1 cases, 1 failed' 'accepts true; false; accepts true'
ends 1 '# 1 cases, 1 failed' 'accepts true; kill $$; accepts true'
ends 1 '# 0 cases, 1 failed' 'setup false'
ends 77 'SKIPPED: no such thing' 'skip no such thing'
ends 77 'SKIPPED: no-such-tool is not installed' 'needs sh no-such-tool'

passes 'make_ca; make_cert x ec:P-256 keyUsage=critical,digitalSignature; accepts openssl verify -CAfile ca.pem x.pem'
passes 'make_ca; make_cert x ec:P-256 until=20210101000000Z; others_refuse openssl verify -CAfile ca.pem x.pem; says expired'
passes 'make_cert x ec:P-256 issuer=self; make_p12 x; accepts openssl pkcs12 -in x.p12 -passin pass:1234 -nodes; says "CERTIFICATE"'
if command -v softhsm2-util >/dev/null; then
    passes 'make_token one; make_token two 4321; accepts softhsm2-util --show-slots; says "Slot $slot"'
fi

# nothing stays behind
cases=$((cases + 1))
if find "$dir" -mindepth 1 ! -name script ! -name out | grep .; then
    echo "these were left in the temporary folder"
    failed=$((failed + 1))
fi

echo "# $cases cases, $failed failed"
[ "$failed" = 0 ]
