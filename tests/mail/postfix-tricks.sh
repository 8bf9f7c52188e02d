#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A real Postfix with the milter on a local socket, and rules that require signatures: whatever From, Sender, Content-Type and envelope say,
# nothing leaves that would be taken for the CEO's and is not signed by him; what is ordinary leaves signed.
. "${top_srcdir:?}/tests/lib/harness.sh"
. "${top_srcdir:?}/tests/mail/mail-lib.sh"
. "${top_srcdir:?}/tests/mail/postfix-lib.sh"
needs postfix postconf python3 setpriv openssl
[ "$(id -u)" = 0 ] || skip "Postfix can be started by root only"
[ -x "${top_builddir:?}/signengine-milter" ] || skip "signengine-milter was not built: libmilter-dev is missing"
tricks="$top_srcdir/tests/mail/tricks.py"
# shellcheck disable=SC2046 # three words
set -- $(free_ports 3)
port=$1 raw=$2 sink=$3

stop_all() {
    ended=$?
    set +e
    postfix_stop "$tmp"
    for process in ${milter-} ${sink_process-}; do
        kill "$process" 2>/dev/null || true
    done
    wait 2>/dev/null
    (exit "$ended")
    finish
}
trap 'stop_all' EXIT

chmod 755 "$tmp"
make_ca ca
for name in ceo chair assistant; do
    domain=bank.test
    [ $name != chair ] || domain=board.test
    mail_cert $name ec:P-256 "subjectAltName=email:$name@$domain"
done
mail_cert mallory ec:P-256 subjectAltName=email:mallory@mail.test
descriptor() { echo "<descriptor name='$1'><type algorithm='SHA256withECDSA' key='$2'/></descriptor>"; }
key() { echo "<key name='$1'><type name='pem' locationValue='$1.bundle'/></key>"; }
cat >engine.xml <<XML
<engineSignEncrypt>
<descriptors>$(descriptor SignEmailDescriptor ceo; descriptor Board chair; descriptor Assistant assistant)</descriptors>
<keys>$(key ceo; key chair; key assistant)</keys>
</engineSignEncrypt>
XML
# the milter's folder is Postfix's to enter, and nobody's else
mkdir run
chown nobody:postfix run
chmod 2750 run
chown nobody ./*.bundle engine.xml
chmod 600 engine.xml
cat >milter.conf <<CONF
engine = $tmp/engine.xml
socket = unix:$tmp/run/milter
socket-group = postfix
user = nobody
audit = file:$tmp/run/audit.log
require ceo@bank.test
require @board.test Board
sign assistant@bank.test Assistant
CONF
serve() { exec setpriv --reuid nobody --regid nogroup --groups postfix "$top_builddir/signengine-milter" -c milter.conf; }
serve >milter.log 2>&1 &
milter=$!
eventually test -S run/milter
eventually grep -q '"started"' milter.log

mkdir delivered
postfix_make "$tmp" "$sink" "unix:$tmp/run/milter"
# no patience is lost over who tries so much
printf '%s\n' 'message_reject_characters = \0' 'myorigin = bank.test' 'smtpd_error_sleep_time = 0' 'smtpd_soft_error_limit = 10000' \
    'smtpd_hard_error_limit = 10000' >>etc/main.cf
postfix_smtpd "$tmp" "$port"
postfix_smtpd "$tmp" "$raw" -o local_header_rewrite_clients=
python3 "$top_srcdir/tests/mail/smtp.py" sink "$sink" delivered >sink.log 2>&1 &
sink_process=$!
eventually listens "$sink"
postfix_start "$tmp"
eventually listens "$port"

# ---- what is signed already, and by whom ----
printf 'From: CEO <ceo@bank.test>\r\nSubject: s\r\nMIME-Version: 1.0\r\nContent-Type: text/plain\r\n\r\nPay 100 to Alice.\r\n' >draft
signengine -c engine.xml mail sign draft -o own || exit 99
sed 's/Pay 100 to Alice/Pay 999 to Alice/' own >changed
sed 's/^From: .*/From: x@mail.test, ceo@bank.test\r/' own >two
sed 's/^Content-Type: multipart/Content-Type: text\/plain\r\n&/' own >retyped
{
    printf 'From: CEO <ceo@bank.test>\n'
    openssl cms -sign -in draft -signer mallory.pem -inkey mallory.key -md sha256
} >others
{
    printf 'From: CEO <ceo@bank.test>\n'
    openssl cms -sign -nodetach -in draft -signer mallory.pem -inkey mallory.key -md sha256
} >others-opaque

# ---- all of it ----
accepts python3 "$tricks" send "$port" "$raw" own=own changed=changed two=two retyped=retyped others=others \
    others-opaque=others-opaque
cp "$out" answers
taken=$(grep -c ' 250$' answers)
delivered_all() { [ "$(find delivered -name '*.eml' | wc -l)" -ge "$taken" ]; }
eventually delivered_all
accepts python3 "$tricks" judge delivered "$top_builddir/signengine" -c "$tmp/engine.xml" mail verify --trust "$tmp/ca.pem"
cp "$out" verdicts

cases=$((cases + 1)) bad=''
kinds=$(grep -v -c '^ordinary ' answers)
[ "$kinds" -ge 40 ] || fail "only $kinds tricks"
grep -v ' 250$' answers | grep -v ' [45][0-9][0-9]$' && fail "an odd answer"
if grep -v -E " (signed|another's) " verdicts; then fail "left, and is not signed by whom it shows"; fi

cases=$((cases + 1)) bad=''
[ "$(grep -c '^ordinary .* 250$' answers)" -ge 15 ] || fail "too few ordinary messages"
if grep '^ordinary ' answers | grep -v ' 250$'; then fail "an ordinary message did not leave"; fi
[ "$(grep -c '^ordinary .* signed ' verdicts)" = "$(grep -c '^ordinary ' answers)" ] || fail "an ordinary message is not signed"
grep -q '^signed own signed ceo@bank.test' verdicts || fail "what the CEO had signed himself did not leave"

# another's eye: every one that left
openssl_verifies() {
    for message in delivered/*.eml; do
        grep -q '^Content-Type: multipart/signed' "$message" || continue
        openssl cms -verify -in "$message" -CAfile ca.pem -out /dev/null 2>>openssl.log || { echo "$message" && return 1; }
    done
}
accepts openssl_verifies
echo "# $kinds tricks, $((taken - $(grep -c '^ordinary ' answers))) of them left signed; $(grep -c '^ordinary ' answers) ordinary messages"
