#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# samples/sign-file as its README has it: compiled against the library, run, judged by openssl.
. "${top_srcdir:?}/tests/lib/harness.sh"
needs openssl "${CC%% *}"

setup cp -r "$top_srcdir/samples/sign-file" sample
setup chmod -R u+w sample
cd sample
echo 'a good password' >pin
chmod 600 pin
accepts signengine -c engineSignEncrypt.xml key generate fileSignerV1 --subject "/CN=Sample file signer"
# shellcheck disable=SC2086 # words
accepts $CC ${sanitize-} -Wall -Wextra -Werror -I"$top_srcdir/src" -o sign-file sign-file.c -L"${top_builddir:?}/.libs" -lsignengine
LD_LIBRARY_PATH="$top_builddir/.libs"
export LD_LIBRARY_PATH
accepts ./sign-file engineSignEncrypt.xml FileSigner README.md
says 'signed by CN=Sample file signer, version 1, SHA256withRSA'
accepts openssl pkcs12 -in signer.p12 -passin file:pin -nokeys -out signer.pem
accepts openssl cms -verify -binary -inform DER -in README.md.p7s -content README.md -CAfile signer.pem -purpose any -out seen
same seen README.md
