#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Mail signed with a key of 2,048 bits on SoftHSM: beside a bare C_Sign loop and a loop of openssl processes; with a big attachment; and what
# the milter adds to a message in Postfix.
. "${here:?}/setup.sh"

softhsm_token
setup openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -subj /CN=CA -days 2
setup "$top/signengine" key request bench -o request.pem
printf 'subjectAltName=email:alice@example.org\nkeyUsage=critical,digitalSignature\n' >extensions
setup openssl x509 -req -in request.pem -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile extensions -out bench.pem
setup "$top/signengine" key certificate bench bench.pem
configure "$module" softhsm none
"$top/tests/bench/mail" engine.xml "$module" softhsm pin 'mail of 10 kB, SoftHSM RSA-2048, deadline=none' 1 12
configure "$module" softhsm
"$top/tests/bench/mail" engine.xml "$module" softhsm pin 'mail of 10 kB, SoftHSM RSA-2048' 1 12 | tee rows

# ---- openssl ----
engine=$(find /usr/lib -path '*engines-3*' -name pkcs11.so 2>/dev/null | head -n 1)
if [ "$engine" ]; then
    printf 'openssl_conf = c\n[c]\nengines = e\n[e]\np = p\n[p]\nengine_id = pkcs11\ndynamic_path = %s\nMODULE_PATH = %s\ninit = 0\n' \
        "$engine" "$module" >openssl.cnf
    { printf 'From: alice@example.org\nTo: bob@example.org\nSubject: x\n\n' &&
        awk 'BEGIN { for (i = 0; i < 145; i++) print "Line " i " of a message that somebody has written, and not a short one." }'; } >message
    their_sign() {
        OPENSSL_CONF=openssl.cnf openssl cms -sign -in message -signer bench.pem -engine pkcs11 -keyform engine \
            -inkey 'pkcs11:token=softhsm;object=bench;type=private;pin-value=1234' -out theirs
    }
    setup their_sign
    setup openssl cms -verify -in theirs -CAfile ca.pem -out content
    began=$(date +%s%N)
    count=0
    while [ $count -lt 60 ]; do
        setup their_sign
        count=$((count + 1))
    done
    awk -F '\t' -v theirs="$((count * 1000000000000 / ($(date +%s%N) - began)))" '$3 == 12 && /clock/ { theirs /= 1000
        printf "messages/s\t%s\t%d\t%d\tloop of openssl cms processes\t%.1f\t%.1f\n", $2, $3, $4, theirs, $4 / theirs }' rows
else
    echo "bench: no PKCS #11 engine for OpenSSL: the loop of openssl cms is left out" >&2
fi

# ---- a big attachment ----
{ printf 'From: alice@example.org\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\nHello\n--b\n' &&
    printf 'Content-Type: application/octet-stream\nContent-Transfer-Encoding: base64\n\n' && head -c 50000000 /dev/urandom | base64 -w 76 &&
    echo '--b--'; } >attachment
"$top/tests/bench/mail" engine.xml attachment

# ---- Postfix ----
. "$here/../mail/postfix-lib.sh"
left_out() { echo "bench: $*: what the milter adds is left out" >&2 && exit; }
[ "$(id -u)" = 0 ] || left_out "Postfix can be started by root only"
[ -x "$top/signengine-milter" ] || left_out "no signengine-milter"
command -v postfix >/dev/null || left_out "no Postfix"
# shellcheck disable=SC2046 # four words
set -- $(free_ports 4)
without=$1 with=$2 milter=$3 sink=$4
chmod 755 "${folder:?}" . && mkdir delivered
chown -R nobody tokens pin
cat >milter.conf <<CONF
engine  = $PWD/engine.xml
socket  = inet:$milter@127.0.0.1
user    = nobody
audit   = file:$PWD/tokens/audit.log required
require alice@example.org Bench
CONF
stop() {
    postfix_stop "$PWD"
    # shellcheck disable=SC2086 # several
    kill $processes 2>/dev/null || true
}
"$top/signengine-milter" -c milter.conf >milter.log 2>&1 &
processes=$!
trap stop EXIT
python3 "$here/../mail/smtp.py" sink "$sink" delivered >sink.log 2>&1 &
processes="$processes $!"
postfix_make "$PWD" "$sink" ''
postfix_smtpd "$PWD" "$without"
postfix_smtpd "$PWD" "$with" -o "smtpd_milters=inet:127.0.0.1:$milter"
postfix_start "$PWD"
for port in $milter $sink $without $with; do eventually listens "$port"; done
setup python3 "$here/../mail/smtp.py" race "$without" "$with" 10 alice@example.org
python3 "$here/../mail/smtp.py" race "$without" "$with" 200 alice@example.org >medians
signed=$(grep -c '"result":"signed"' tokens/audit.log)
[ "$signed" = 210 ] || { echo "bench: the milter signed $signed messages, not 210" >&2 && exit 1; }
awk -F '\t' 'NR == FNR { if ($3 == 1 && /clock/) signature = 1000 / $6; next }
    { split($0, ms, " "); added = ms[2] - ms[1]
      printf "ms\tadded by the milter in Postfix, median of 200\t1\t%.2f\tC_Sign and 5 ms\t%.2f\t%.3f\n", added, signature + 5, added / (signature + 5) }' \
    rows medians
