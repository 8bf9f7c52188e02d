#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# samples/sign-mail as its README has it: compiled against the library, run, judged by openssl; what can't be signed is not sent.
. "${top_srcdir:?}/tests/lib/harness.sh"
. "${top_srcdir:?}/tests/mail/mail-lib.sh"
needs openssl "${CC%% *}"

setup cp -r "$top_srcdir/samples/sign-mail" sample
setup chmod -R u+w sample
make_ca ca
cd sample
echo 'a good password' >pin
chmod 600 pin
of_alice="--san email:alice@example.org"
# shellcheck disable=SC2086 # words
accepts signengine -c engineSignEncrypt.xml key generate mailSignerV1 --subject "/CN=Alice" $of_alice
# shellcheck disable=SC2086 # words
accepts signengine -c engineSignEncrypt.xml key request mailSignerV1 --subject "/CN=Alice" $of_alice -o request.pem
setup openssl x509 -req -in request.pem -CA ../ca.pem -CAkey ../ca.key -CAcreateserial -copy_extensions copy -days 365 -out alice.pem
accepts signengine -c engineSignEncrypt.xml key certificate mailSignerV1 alice.pem
# shellcheck disable=SC2086 # words
accepts $CC ${sanitize-} -Wall -Wextra -Werror -I"$top_srcdir/src" -o sign-mail sign-mail.c -L"${top_builddir:?}/.libs" -lsignengine-mail -lsignengine
LD_LIBRARY_PATH="$top_builddir/.libs"
export LD_LIBRARY_PATH
mail_from() { printf 'From: %s\nTo: bob@example.org\nSubject: signed\n\nHello\n' "$1" | ./sign-mail engineSignEncrypt.xml "$2"; }
accepts mail_from alice@example.org 'cat >signed.eml'
says 'signed for alice@example.org'
accepts openssl cms -verify -in signed.eml -CAfile ../ca.pem -out content
accepts signengine -c engineSignEncrypt.xml mail verify signed.eml
others_refuse mail_from mallory@example.org 'cat >never.eml'
says 'mallory@example.org'
[ ! -e never.eml ] || fail "it was sent unsigned"

# a sendmail that ends without reading: more than a pipe holds is told by its status too, not by a signal
printf 'From: alice@example.org\nSubject: long\n\n' >long.eml
seq 50000 >>long.eml
long_mail() { ./sign-mail engineSignEncrypt.xml "$1" <long.eml; }
others_refuse mail_from alice@example.org 'exit 75'
others_refuse long_mail 'exit 75'
says 'it did not take the message'
accepts long_mail true
