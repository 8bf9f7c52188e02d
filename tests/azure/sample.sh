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
counts() { # COUNT TEXT: belongs to the case before
    seen=$(cat "$out" "$err" | grep -c -F -e "$2") || :
    [ "$seen" = "$1" ] || fail "$seen times, not $1: $2"
}
counts 1 '== A Key Vault in certificate mode'
counts 1 '== A Key Vault in key mode'
counts 1 '== A Managed HSM'
counts 1 '== Done'
counts 12 'self-signature verify OK'
counts 9 'CMS Verification successful'
counts 6 'References (ok/all): 1/1'
counts 3 'jar verified.'
counts 3 'by RSA-OAEP-256'
counts 3 "key 'files': sign: request "
