#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# samples/service as its README has it.
. "${top_srcdir:?}/tests/lib/harness.sh"
. "${top_srcdir:?}/tests/daemon/openapi-lib.sh"
needs curl openssl setpriv
[ -x "${top_builddir:?}/signengined" ] || skip "signengined was not built: libmicrohttpd-dev is missing"
[ -e /usr/lib/softhsm/libsofthsm2.so ] || skip "SoftHSM is missing: softhsm2"
chmod 755 "$tmp"
record_answers

run_sample() { sh "$top_srcdir/samples/service/run.sh" "$@"; }
others_refuse run_sample
says BUILD
others_refuse run_sample "$tmp"
says 'with libmicrohttpd-dev'

accepts run_sample "$top_builddir" "$tmp/made"
says 'CMS Verification successful'
says 'file: good signature'
says '"status":"rejected"'
says '"status":"forbidden"'
says '"repeated":true'
says 'signengine_key_up{key="signerV1",replica="1"} 1'
says '== Done'
answers_are_described
