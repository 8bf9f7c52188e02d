#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# samples/azure as its README has it: a Key Vault in both modes, and a Managed HSM.
. "${top_srcdir:?}/tests/lib/harness.sh"
needs openssl xmlsec1 jarsigner keytool zip

run_sample() { sh "$top_srcdir/samples/azure/run.sh" "$@"; }
others_refuse run_sample
says BUILD
others_refuse run_sample "$tmp"
says 'make tests/azure/emulator'

accepts run_sample "${top_builddir:?}" "$tmp/made"
times() { # COUNT TEXT: belongs to the case before
    seen=$(cat "$out" "$err" | grep -c -F -e "$2") || :
    [ "$seen" = "$1" ] || fail "$seen times, not $1: $2"
}
times 1 '== A Key Vault in certificate mode'
times 1 '== A Key Vault in key mode'
times 1 '== A Managed HSM'
times 1 '== Done'
times 12 'self-signature verify OK'
times 9 'CMS Verification successful'
times 6 'References (ok/all): 1/1'
times 3 'jar verified.'
times 3 'by RSA-OAEP-256'
times 3 "key 'files': sign: request "
