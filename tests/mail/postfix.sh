#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A real Postfix with the milter and, behind it, opendkim: what it delivers verifies; while the key's token is away nothing leaves unsigned.
# MAIL_COUNT: how many messages, from 20 connections.
. "${top_srcdir:?}/tests/lib/harness.sh"
. "${top_srcdir:?}/tests/mail/mail-lib.sh"
. "${top_srcdir:?}/tests/mail/postfix-lib.sh"
needs postfix postconf opendkim opendkim-genkey python3 p11-kit setpriv openssl pkcs11-tool
[ "$(id -u)" = 0 ] || skip "Postfix can be started by root only"
[ -x "${top_builddir:?}/signengine-milter" ] || skip "signengine-milter was not built: libmilter-dev is missing"
client=$(find_library p11-kit-client.so)
[ "$client" ] || skip "p11-kit-client.so is not installed"
count=${MAIL_COUNT-60}
smtp="$top_srcdir/tests/mail/smtp.py"

# shellcheck disable=SC2046 # four words
set -- $(free_ports 4)
port=$1 sink=$2 milter=$3 dkim=$4

stop_all() {
    ended=$?
    set +e
    postfix_stop "$tmp"
    for process in ${milter_process-} ${server-} ${sink_process-} ${dkim_process-}; do
        kill "$process" 2>/dev/null || true
    done
    wait 2>/dev/null
    (exit "$ended")
    finish
}
trap 'stop_all' EXIT

# ---- a token, served by another process, with alice's key ----
chmod 755 "$tmp"
mail_certificates
make_token mail
for object in privkey cert; do
    case $object in
    privkey) setup openssl pkey -in alice.key -outform DER -out object ;;
    cert) setup openssl x509 -in alice.pem -outform DER -out object ;;
    esac
    setup pkcs11-tool --module "$softhsm_module" --token-label mail --login --pin 1234 --write-object object --type $object --label alice --id 01
done
chown -R nobody "$tmp/.tokens"
chmod 644 "$SOFTHSM2_CONF"
as_nobody() { exec setpriv --reuid nobody --regid nogroup --clear-groups "$@"; }
mkdir -m 755 run
chown nobody run
serve() {
    rm -f run/socket
    as_nobody p11-kit server --foreground --name "$tmp/run/socket" --provider "$softhsm_module" pkcs11:token=mail >server.log 2>&1 &
    server=$!
    eventually test -S run/socket
}
unserve() {
    pkill -KILL -P "$server" || true
    kill -KILL "$server"
    wait "$server" 2>/dev/null || true
    rm -f run/socket
}
serve

# ---- the milter ----
printf 1234 >pin
chown nobody pin && chmod 600 pin
cat >engine.xml <<XML
<engineSignEncrypt>
  <descriptors><descriptor name="SignEmailDescriptor"><type algorithm="SHA256withRSA" key="alice"/></descriptor></descriptors>
  <keys><key name="alice"><type name="HSM" locationValue="$client" tokenLabel="mail" alias="alice" pin.source="file:$tmp/pin"/></key></keys>
</engineSignEncrypt>
XML
chmod 644 engine.xml
mail_conf() {
    cat >milter.conf <<-CONF
	engine  = $tmp/engine.xml
	socket  = inet:$milter@127.0.0.1
	user    = nobody
	audit   = file:$tmp/run/audit.log required
	metrics = $tmp/run/metrics.prom
	skip    carol@example.org
	require alice@example.org
	sign    *@sometimes.test
	$*
	CONF
}
mail_conf
# LeakSanitizer does not see the first thread of a process that was forked: what OpenSSL keeps for it looks lost (milter.sh looks for leaks)
ASAN_OPTIONS="${ASAN_OPTIONS-}:detect_leaks=0" P11_KIT_SERVER_ADDRESS="unix:path=$tmp/run/socket" TMPDIR="$tmp/run" \
    "$top_builddir/signengine-milter" -c milter.conf >milter.log 2>&1 &
milter_process=$!
eventually listens "$milter"

# ---- DKIM ----
setup opendkim-genkey -b 2048 -d example.org -s test -D "$tmp/run"
chown nobody run/test.private && chmod 600 run/test.private
printf 'Domain example.org\nSelector test\nKeyFile %s/run/test.private\nSocket inet:%s@127.0.0.1\nMode s\nSyslog no\nInternalHosts 127.0.0.1\nRequireSafeKeys no\nUserID nobody\n' \
    "$tmp" "$dkim" >dkim.conf
opendkim -f -x dkim.conf >dkim.log 2>&1 &
dkim_process=$!
eventually listens "$dkim"

# ---- Postfix ----
mkdir delivered
postfix_make "$tmp" "$sink" "inet:127.0.0.1:$milter, inet:127.0.0.1:$dkim"
postfix_smtpd "$tmp" "$port"
python3 "$smtp" sink "$sink" delivered >sink.log 2>&1 &
sink_process=$!
eventually listens "$sink"
postfix_start "$tmp"
eventually listens "$port"

delivered() { find delivered -name '*.eml' | wc -l; }
delivered_is() { [ "$(delivered)" -ge "$1" ]; }
one() { python3 "$smtp" one "$port" "$@"; }
send() { python3 "$smtp" send "$port" "$@"; }
last() { find delivered -name '*.eml' | sort | tail -n 1; }
audit_says() { eventually grep -q -F "$1" run/audit.log; }

# every delivered copy, S/MIME and DKIM
verify_all() {
    for message in delivered/*.eml; do
        openssl cms -verify -in "$message" -CAfile ca.pem -out /dev/null || return 1
        grep -q '^DKIM-Signature:' "$message" || return 1
    done
}

# ---- many at once ----
accepts send "$count" 20 alice@example.org
says "250 $count"
eventually delivered_is "$count"
accepts verify_all
accepts signengine -c engine.xml mail verify -d SignEmailDescriptor --trust ca.pem "$(last)"
[ "$(grep -c '"result":"signed"' run/audit.log)" = "$count" ] || fail "$(grep -c '"result":"signed"' run/audit.log) signed by the audit log"
eventually grep -q -F "signengine_milter_messages_total{result=\"signed\"} $count" run/metrics.prom

# ---- the token away: nothing is taken, nothing leaves ----
before=$(delivered)
unserve
away=$((count / 3)) queued=$((count / 6))
accepts send $away 20 alice@example.org
says "451 $away"
audit_says '"result":"deferred"'
by_sendmail() {
    for i in $(seq $queued); do
        printf 'From: alice@example.org\nTo: bob@elsewhere.test\nSubject: queued %s\n\nHello\n' "$i" |
            sendmail -C "$tmp/etc" -f alice@example.org -i bob@elsewhere.test || return 1
    done
}
accepts by_sendmail
sleep 3
[ "$(delivered)" = "$before" ] || fail "something left while the token was away"
serve
eventually delivered_is $((before + queued))
accepts verify_all
[ "$(delivered)" = $((before + queued)) ] || fail "$(delivered) messages, not $((before + queued))"
[ "$(grep -l '^Subject: queued' delivered/*.eml | wc -l)" = $queued ] || fail "not all that was queued came"

# ---- rules ----
message() { printf 'From: %s\nTo: bob@elsewhere.test\n%s\n\nHello\n' "$1" "${2-Subject: x}" >message.eml; }
passes() { # ENVELOPE: and comes out unsigned
    before=$(delivered)
    accepts one "$1" message.eml
    says 250
    eventually delivered_is $((before + 1))
    grep -q 'multipart/signed' "$(last)" && fail "it was signed"
    true
}
message dave@example.org && passes dave@example.org
audit_says '"result":"unknown sender"'
message carol@example.org && passes carol@example.org
audit_says '"result":"skipped"'
message eve@sometimes.test && passes ''
audit_says '"text":"a bounce"'
message alice@example.org
accepts one '' message.eml
says 550
audit_says 'a bounce, in which'
message eve@sometimes.test && passes eve@sometimes.test
audit_says '"result":"unsigned"'
message alice@example.org
accepts one mallory@example.org message.eml
says 451
audit_says 'the envelope'
before=$(delivered)
message alice@example.org 'List-Id: <list.example.org>'
accepts one alice@example.org message.eml
says 250
accepts one alice@example.org delivered/00001.eml
says 250
eventually delivered_is $((before + 2))
audit_says '"result":"already signed"'
python3 - >message.eml <<'PY'
import base64, os
print("From: alice@example.org\nTo: bob@elsewhere.test\nSubject: big\nMIME-Version: 1.0\nContent-Type: application/octet-stream\nContent-Transfer-Encoding: base64\n")
print(base64.encodebytes(os.urandom(5 << 20)).decode(), end="")
PY
before=$(delivered)
accepts one alice@example.org message.eml
eventually delivered_is $((before + 1))
verify_last() { openssl cms -verify -in "$(last)" -CAfile ca.pem -out /dev/null; }
accepts verify_last

# ---- SIGHUP and SIGTERM ----
mail_conf 'nonsense'
kill -HUP "$milter_process"
eventually grep -q 'stays as it was' milter.log
before=$(delivered)
message alice@example.org
accepts one alice@example.org message.eml
eventually delivered_is $((before + 1))
accepts verify_last
sed -i 's/^require alice/skip alice/; /nonsense/d' milter.conf
kill -HUP "$milter_process"
eventually grep -q 'loaded again' milter.log
passes alice@example.org
kill -TERM "$milter_process"
status=0
wait "$milter_process" || status=$?
cases=$((cases + 1))
[ "$status" = 0 ] || { cat milter.log && fail "status $status after SIGTERM"; }
milter_process=''
accepts one alice@example.org message.eml
says 451
