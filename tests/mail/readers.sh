#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Signed messages, changed where the signature does not cover them in more than a hundred ways, and at random: what is accepted shows the text
# that was signed, and the sender that we name, in every reader of mail that is there (Python, GMime, Perl, JavaMail, mailparser, mutt).
. "${top_srcdir:?}/tests/lib/harness.sh"
. "${top_srcdir:?}/tests/mail/mail-lib.sh"
. "${top_srcdir:?}/tests/mail/readers-lib.sh"
needs openssl python3

readers_messages
readers_start
mkdir shapes
setup python3 "$programs/shapes.py" shapes "${SHAPES-60}"
cp "$out" list
[ "$(grep -c -v any list)" -ge 100 ] || fail "only $(grep -c -v any list) shapes"
readers_try list shapes
tail -n 1 "$out"
