#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# signengine-milter by itself: what it says about a configuration, signed configurations at the start and later, and the milter protocol as
# an MTA speaks it.
. "${top_srcdir:?}/tests/lib/harness.sh"
. "${top_srcdir:?}/tests/mail/mail-lib.sh"
. "${top_srcdir:?}/tests/mail/postfix-lib.sh"
needs openssl promtool python3 setpriv
[ -x "${top_builddir:?}/signengine-milter" ] || skip "signengine-milter was not built: libmilter-dev is missing"
process=''
stop_all() {
    ended=$?
    set +e
    [ -z "$process" ] || kill -KILL "$process" # its child ends with it
    wait 2>/dev/null
    (exit "$ended")
    finish
}
trap stop_all EXIT

chmod 755 "$tmp"
mail_certificates
mail_configuration
make_cert admin ec:P-256 keyUsage=critical,digitalSignature
cat admin.key admin.pem >admin.bundle
mkdir run corpus passed
# root's tests run it as nobody
[ "$(id -u)" != 0 ] || chown nobody run ./*.bundle engine.xml
port=$(free_ports 1)
conf() { # LINE...
    {
        printf 'engine = %s\nsocket = inet:%s@127.0.0.1\nuser = nobody\naudit = file:%s/run/audit.log\nmetrics = %s/run/metrics\n' \
            "$tmp/engine.xml" "$port" "$tmp" "$tmp"
        printf '%s\n' "$@"
    } >milter.conf
}
milter() { "$top_builddir/signengine-milter" -c milter.conf "$@"; }
refuses_to_start() { # STATUS TEXT
    try milter
    [ "$status" = "$1" ] || fail "status $status, not $1"
    says "$2"
}

# ---- what is wrong with a configuration ----
conf 'sign @example.org'
accepts milter --check
findings() { # LINE TEXT
    conf "$1"
    try milter --check
    [ "$status" = 78 ] || fail "status $status of: $1"
    says "milter.conf:6: $2"
}
findings 'metrisc = x' "no setting 'metrisc'; did you mean 'metrics'?"
findings 'audit = /var/log/audit.log' "'/var/log/audit.log' is no audit sink: file:PATH, journal, syslog, stdout or history:STORE; a file is"
findings 'form = attached' 'form is detached or opaque'
findings 'local = 192.0.2.0/33' "'192.0.2.0/33' is no network"
findings 'sign' 'a rule is'
findings 'skip @example.org X' 'a rule is'
findings 'sign @example.org X:0' "'X:0' is no NAME:VERSION"
findings 'peers = no-such-user' "'no-such-user' is neither a user of this machine nor a network"
findings 'socket-mode = 999' 'socket-mode is an octal number'
findings 'encrypted = yes' 'encrypted is refuse, sign or pass'
# a rule that an earlier one covers, written in another way too
covered() { # EARLIER LATER SHOWN
    conf "$1" "$2"
    try milter --check
    [ "$status" = 78 ] || fail "status $status of: $1, $2"
    says "milter.conf:7: the rule for '$3' never counts"
    says 'in line 6 covers it'
}
covered 'sign @example.org' 'require alice@example.org' alice@example.org
covered 'skip "Alice"@EXAMPLE.org.' 'require alice@example.org' alice@example.org
covered 'sign *@*.example' 'require @bücher.xn--bcher-kva.example' '*@xn--bcher-kva.xn--bcher-kva.example'
covered 'require a@example.org' 'require a@example.org' a@example.org
conf 'sign @example.org' "trust-signers = $tmp/none.pem"
refuses_to_start 78 'trust-signers: '
conf 'sign @example.org' "crl = $tmp/none.crl"
refuses_to_start 78 "crl: cannot read '$tmp/none.crl': No such file or directory"
conf 'sign @example.org' 'trust-signers = milter.conf'
refuses_to_start 78 'has no certificate in PEM'
# who may reach it, and get a signature
conf 'sign @example.org'
accepts milter --check
says "signengine-milter: warning: 'inet:$port@127.0.0.1' can be reached by every user of this machine"
conf 'sign @example.org' 'socket = unix:run/s'
accepts milter --check
says_not 'warning'
mkdir -m 777 open
conf 'sign @example.org' 'socket = unix:open/s'
accepts milter --check
says "warning: the folder of 'open/s' can be written to by everybody"
conf 'sign @example.org' 'socket = unix:run/s' 'socket-group = no-such-group'
refuses_to_start 78 "the group of the socket, 'no-such-group', is not there"
[ ! -e run/s ] || fail 'the socket was left behind'

# ---- what could not work once mail comes ----
checked() { # STATUS TEXT [--probe]
    try milter --check ${3+"$3"}
    [ "$status" = "$1" ] || fail "status $status, not $1"
    says "$2"
}
conf 'sign @example.org' 'socket = unix:nowhere/s'
checked 78 "no socket can be made in 'nowhere': No such file or directory"
conf 'sign @example.org' 'socket = unix:milter.conf'
checked 78 'is there and is no socket'
conf 'sign @example.org' "socket = unix:run/$(printf '%0120d' 0)"
checked 78 'is longer than 107 bytes'
conf 'sign @example.org' 'socket = unix:run/s' 'socket-group = no-such-group'
checked 78 "the group of the socket, 'no-such-group', is not there"
conf 'sign @example.org' 'socket = inet:99999@127.0.0.1'
checked 78 "'99999' is no port"
conf 'sign @example.org' 'socket = inet:2525@192.0.2.1'
checked 78 'Cannot assign requested address'
conf 'sign @example.org' "metrics = $tmp/none/metrics"
checked 78 'metrics: cannot write'
conf 'sign @example.org Expired'
checked 78 "milter.conf:6: rule for '*@example.org': the certificate of key 'expired' has expired"
# two at once
conf 'sign @example.org Expired' 'socket = unix:nowhere/s'
checked 78 'has expired'
says 'no socket can be made'
conf 'require alice@example.org'
accepts milter --check --probe
conf 'require nobody@example.org'
accepts milter --check
checked 78 "rule for 'nobody@example.org': descriptor 'SignEmailDescriptor': key 'alice': the mail is from nobody@example.org" --probe
mv alice.bundle away.bundle
conf 'require alice@example.org'
checked 69 "key 'alice'"
checked 69 "cannot read '$tmp/alice.bundle'" --probe

# ---- a key that is away at the start, and comes back ----
"$top_builddir/signengine-milter" -c milter.conf >milter.log 2>&1 &
process=$!
eventually grep -q "key 'alice' out of reach.*cannot read" milter.log
eventually grep -q '^signengine_key_up{key="alice"} 0$' run/metrics
printf 'From: alice@example.org\n\nhello\n' >message.eml
accepts python3 "$top_srcdir/tests/mail/milter.py" "$port" message.eml
says tempfail
eventually grep -q '^signengine_milter_reasons_total{result="deferred",reason="key store"} 1$' run/metrics
mv away.bundle alice.bundle
back() {
    python3 "$top_srcdir/tests/mail/milter.py" "$port" message.eml out=signed.eml | grep -q accept
}
eventually back
eventually grep -q "key 'alice' healed" milter.log
eventually grep -q '^signengine_key_up{key="alice"} 1$' run/metrics
eventually grep -q '^signengine_certificate_expiry_timestamp_seconds{descriptor="SignEmailDescriptor",version="2"} [1-9]' run/metrics
accepts sh -c 'promtool check metrics <run/metrics'
kill $process
wait $process || fail "status $? at the end"
process=''
rm -f run/metrics run/audit.log
[ "$(id -u)" != 0 ] || {
    conf 'sign @example.org' 'socket = unix:run/s' 'socket-group = daemon'
    refuses_to_start 77 "cannot give 'run/s' to the group 'daemon'"
    [ ! -e run/s ] || fail 'the socket was left behind'
}
findings 'nonsense' "neither 'NAME = VALUE' nor a rule"
conf 'sign @example.org NoSuch'
refuses_to_start 78 "rule for '*@example.org'"
conf 'sign @example.org' 'audit = file:none/audit.log'
refuses_to_start 78 "the audit sink 'file': cannot write 'none/audit.log': No such file or directory"
conf 'sign @example.org' "audit = history:sqlite:none.db config=$tmp/engine.xml required"
refuses_to_start 69 "the audit sink 'history': 'none.db': "
conf 'sign @example.org' 'socket = unix:none/socket'
refuses_to_start 78 "cannot listen on 'unix:none/socket'"
says 'unix:none/socket: No such file or directory'
# a socket that nobody listens on any more is replaced, one in use is not
python3 -c 'import socket, time; s = socket.socket(socket.AF_UNIX); s.bind("run/taken"); s.listen(); time.sleep(600)' &
listener=$!
eventually test -S run/taken
chmod 777 run/taken
conf 'sign @example.org' 'socket = unix:run/taken'
refuses_to_start 78 "somebody listens on 'unix:run/taken' already"
kill $listener
wait $listener || true
[ "$(id -u)" != 0 ] || {
    conf 'sign @example.org' 'user = no-such-user'
    refuses_to_start 77 "the user of the configuration, 'no-such-user', is not there"
}
echo 'socket = unix:x' >milter.conf
refuses_to_start 78 "'engine' is missing"
milter_usage() { "$top_builddir/signengine-milter" --no-such-option; }
try milter_usage
[ "$status" = 64 ] || fail "status $status for an unknown option"

# ---- signed configurations ----
cp engine.xml plain.xml
sed "s,</descriptors>,<descriptor name='Admin'><type algorithm='SHA256withECDSA' key='admin'/></descriptor>&,; s,</keys>,<key name='admin'><type name='pem' locationValue='admin.bundle'/></key>&," \
    engine.xml >admin.xml
chmod 600 admin.xml
sign_configuration() { # INPUT: to engine.xml
    setup signengine -c admin.xml config sign -d Admin "$1" -o signed.xml
    put signed.xml
}
put() {
    cp "$1" new.xml && chmod 600 new.xml
    [ "$(id -u)" != 0 ] || chown nobody new.xml
    mv new.xml engine.xml
}
conf "trust-config = $tmp/ca.pem" 'require alice@example.org' 'sign late@example.org'
refuses_to_start 78 'there is no XML signature'
sign_configuration plain.xml
accepts milter --check
sed "s/SHA256withRSA'/SHA512withRSA'/" signed.xml >changed.xml
put changed.xml
refuses_to_start 78 'SHA512withRSA'
put signed.xml
issue_crl config.crl ca admin=20250601000000Z
conf "trust-config = $tmp/ca.pem" "config-crl = $tmp/config.crl" 'require alice@example.org'
refuses_to_start 78 'was revoked at 2025-06-01T00:00:00Z'
conf "trust-config = $tmp/ca.pem" 'config-revocation = required' 'require alice@example.org'
refuses_to_start 78 "can't be found out"
conf "trust-config = $tmp/other.pem"
refuses_to_start 78 "$tmp/engine.xml"

# ---- an MTA ----
conf "trust-config = $tmp/ca.pem" 'require alice@example.org' 'sign late@example.org' 'skip carol@example.org' 'sign bob@example.org' \
    'require @bücher.example International'
serve() {
    export TMPDIR="$tmp/run"
    # shellcheck disable=SC2086 # a command with options
    exec ${MEMCHECK:+$MEMCHECK --log-file="$tmp/.valgrind.%p"} "$top_builddir/signengine-milter" -c milter.conf
}
serve >milter.log 2>&1 &
process=$!
eventually listens "$port"
# the configuration, with its keys, is in the process that signs, and not in the one that watches it
cases=$((cases + 1)) bad=''
signing=$(pgrep -P $process)
holds() { # PROCESS TEXT: its own memory has the text; 2: it can't be read
    python3 - "$1" "$2" <<-'EOF'
	import sys
	process, text = sys.argv[1:]
	try:
	    with open(f"/proc/{process}/maps") as maps, open(f"/proc/{process}/mem", "rb") as memory:
	        for line in maps:
	            addresses, rights, _, _, inode = line.split()[:5]
	            if rights.startswith("rw") and inode == "0":
	                begin, end = (int(n, 16) for n in addresses.split("-"))
	                memory.seek(begin)
	                if text.encode() in memory.read(end - begin):
	                    sys.exit(0)
	except OSError:
	    sys.exit(2)
	sys.exit(1)
	EOF
}
found=0
holds "$signing" stranger.bundle || found=$?
if [ "$found" != 2 ]; then
    [ "$found" = 0 ] || fail "process $signing does not sign"
    holds "$process" stranger.bundle && fail "the supervising process has loaded the configuration too"
else
    echo "not looked at, for want of a right: what the memory of process $signing holds"
fi
mta() { python3 "$top_srcdir/tests/mail/milter.py" "$port" "$@"; }
# nobody waits for records of what was not signed
message_record() { grep '"operation":"mail sign"' run/audit.log | tail -n 1; } # others may follow: files are watched
audit_says() {
    tries=0
    until message_record | grep -q -F "$1"; do
        tries=$((tries + 1))
        [ $tries -lt 100 ] || { fail "the audit log does not say $1: $(message_record)" && return; }
        sleep 0.1
    done
}
answers() { # ANSWER RESULT MESSAGE [WORD=VALUE...]
    answer=$1 result=$2
    shift 2
    accepts mta "$@"
    says "$answer"
    audit_says "\"result\":\"$result\""
}
openssl_verifies() { openssl cms -verify -in "$1" -CAfile ca.pem -out content; }
setup python3 "$top_srcdir/tests/mail/corpus.py" make corpus
for name in plain no-mime-latin1 trailing-blanks utf8-8bit attachment nested dsn calendar forwarded odd-header content-fields folded-content-type \
    no-body attachment-1-mb; do
    message=corpus/$name.lf.eml name=$name.eml
    answers accept signed "$message" "out=passed/$name"
    accepts openssl_verifies "passed/$name"
    if grep -A 1 '^Content-Type: message/delivery-status' content | grep -q '^Content-Transfer'; then
        fail 'the report for machines was encoded'
    fi
    [ "$(sed '/^.$/q' "passed/$name" | grep -c -i '^MIME-Version:')" = 1 ] || fail "not one MIME-Version in the header of $name"
done
message() { # FROM [FIELD]
    printf 'From: %s\nTo: x@elsewhere.test\n%s\n\nHello\n' "$1" "${2-Subject: x}" >message.eml
}
message alice@example.org
answers accept foreign message.eml client=192.0.2.7
answers accept foreign message.eml client=192.0.2.7 login=
answers accept signed message.eml client=192.0.2.7 login=alice
answers accept signed message.eml client=
answers reject refused message.eml envelope=
audit_says 'a bounce, in which the envelope does not say whose it is'
answers tempfail deferred message.eml envelope=mallory@example.org
message alice@example.org 'List-Id: <x>'
answers accept signed message.eml
for field in 'List-Id: <x>' 'List-Post: <mailto:x@elsewhere.test>'; do
    message bob@example.org "$field"
    answers accept skipped message.eml
done
message bob@example.org
answers accept unsigned message.eml
audit_says 'the certificate is for alice@example.org'
answers accept skipped message.eml envelope=
message carol@example.org
answers accept skipped message.eml
message dave@example.org
answers accept 'unknown sender' message.eml
# who it is from has to be clear, and is told as it is
refused_from() { # FIELDS REASON [WORD=VALUE...]
    printf '%s\n\nHello\n' "$1" >message.eml
    reason=$2
    shift 2
    answers reject refused message.eml "$@"
    audit_says "\"text\":\"$reason\""
}
refused_from 'To: x' 'there is no From field, or several' envelope=alice@example.org
refused_from 'From: undisclosed:;' 'the From field has no address, or several' envelope=alice@example.org
refused_from 'From: alice@example.org, dave@example.org' 'the From field has no address, or several' envelope=alice@example.org
for other in alice carol dave; do
    for order in "$other alice" "alice $other"; do
        # shellcheck disable=SC2086 # two words
        refused_from "$(printf 'From: %s@example.org\n' $order)" 'there is no From field, or several' envelope="$other@example.org"
    done
done
refused_from 'From: dave@example.org
Sender: alice@example.org' 'it shows a sender who has to sign, and is from another who does not'
refused_from 'From: "alice@example.org" <dave@example.org>' 'it shows a sender who has to sign, and is from another who does not' \
    envelope=dave@example.org
refused_from 'From:' 'the From field has no address, or several' envelope=dave@example.org
printf 'From: dave@example.org\nFrom : alice@example.org\n\nHello\n' >message.eml
answers reject refused message.eml envelope=dave@example.org
printf 'From: alice@example.org\nContent-Type : text/plain\n\nHello\n' >message.eml
answers reject refused message.eml
audit_says 'a blank or another odd character in the name of the field'
# what says that it is signed, or encrypted
claims() { # CONTENT-TYPE BODY
    printf 'From: alice@example.org\nTo: x@elsewhere.test\nMIME-Version: 1.0\nContent-Type: %s\nContent-Transfer-Encoding: 7bit\n\n%s\n' "$1" "$2" >message.eml
}
pretended='--b

Hello
--b--'
for type in 'multipart/signed; boundary=b' 'multipart/signed; protocol="application/pgp-signature"; boundary=b' \
    'multipart/signed; protocol="application/pkcs7-signature"; boundary=b' 'application/pkcs7-mime; smime-type=signed-data' \
    'application/pkcs7-mime'; do
    claims "$type" "$pretended"
    answers reject refused message.eml
done
for type in 'multipart/encrypted; protocol="application/pgp-encrypted"; boundary=b' 'application/pkcs7-mime; smime-type=enveloped-data' \
    'application/pkcs7-mime; smime-type=authEnveloped-data'; do
    claims "$type" "$pretended"
    answers reject refused message.eml
    audit_says 'it is encrypted'
done
for type in 'application/x-pkcs7-mime; smime-type=certs-only' 'application/pkcs7-mime; smime-type=compressed-data'; do
    claims "$type" MA==
    answers accept signed message.eml out=passed/claimed.eml
    accepts openssl_verifies passed/claimed.eml
done
# nothing of it may be lost
claims 'multipart/mixed; boundary=b' 'From 1 March on'
answers reject refused message.eml
audit_says 'whose boundary \"b\" begins no part: line 7 of the message'
claims text/plain "$(printf 'Hello\n\nThe meeting is at ten.')"
sed -i 's/7bit/base64/' message.eml
answers accept signed message.eml out=passed/text.eml
accepts openssl_verifies passed/text.eml
printf 'Content-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\nHello\r\n\r\nThe meeting is at ten.\r\n' >wanted
same content wanted
claims 'application/pkcs7-mime; smime-type=authEnveloped-data' "$pretended"
sed 's/alice/bob/' message.eml >others.eml
answers accept 'already signed' others.eml
sign_as() { # DESCRIPTOR: message.eml to signed.eml
    message alice@example.org
    signengine -c plain.xml mail sign -d "$1" message.eml -o signed.eml || exit 99
}
sign_as SignEmailDescriptor:1
answers accept 'already signed' signed.eml
sign_as International # alice's too, and no certificate of the descriptor
answers reject refused signed.eml
audit_says 'signed'
printf 'From: carol@example.org\nFrom: bob@example.org\n\nHello\n' >message.eml
answers accept skipped message.eml
message alice@xn--bcher-kva.example
answers accept signed message.eml
answers accept signed message.eml envelope=alice@bücher.example
python3 -c "print('From: alice@example.org'); [print('X-H%d: v' % i) for i in range(20000)]; print('\nhello')" >message.eml
answers accept signed message.eml
python3 -c "print('From: alice@example.org'); [print('Content-X%d: v' % i) for i in range(100)]; print('\nhello')" >message.eml
answers tempfail deferred message.eml
audit_says 'more than 16 different Content- fields'
python3 -c "[print('Content-X%d: v' % i) for i in range(17)]; print('From: alice@example.org\n\nhello')" >message.eml
answers tempfail deferred message.eml envelope=dave@example.org
python3 -c "print('From: alice@example.org'); [print('X-H%d: %s' % (i, 'v' * 60000)) for i in range(150)]; print('\nhello')" >message.eml
answers tempfail deferred message.eml
audit_says 'a header of more than 8 MB'
for result in signed refused deferred; do
    eventually grep "signengine_milter_messages_total{result=\"$result\"} [1-9]" run/metrics
done

# ---- loaded again ----
put changed.xml
kill -HUP $process
eventually grep -q 'stays as it was.*SHA512withRSA' milter.log
put plain.xml
kill -HUP $process
eventually grep -q 'stays as it was.*no XML signature' milter.log
message alice@example.org
answers accept signed message.eml out=passed/after.eml
accepts openssl_verifies passed/after.eml
grep -q 'micalg="sha-256"' passed/after.eml || fail "it was not signed as the configuration says that stays"
sed "s/SHA256withRSA'/SHA512withRSA'/" plain.xml >other.xml
sign_configuration other.xml # the change is noticed without a signal
eventually grep -q 'loaded again' milter.log
answers accept signed message.eml out=passed/after.eml
grep -q 'micalg="sha-512"' passed/after.eml || fail "it was not signed as the new configuration says"

# ---- another version takes over; one that others have used for an hour is known only now ----
with_version() { # NUMBER SECONDS: from then on
    sed "s,<descriptor name='Pss'>,<descriptor name='SignEmailDescriptor' version='$1' from='$(date -u -d "$2 seconds" +%Y-%m-%dT%H:%M:%SZ)'><type algorithm='SHA384withRSA' key='alice'/></descriptor>&," \
        plain.xml >other.xml
    sign_configuration other.xml
}
with_version 3 4
switches() { mta message.eml out=passed/after.eml && grep -q 'micalg="sha-384"' passed/after.eml; }
eventually switches
accepts grep -c "\"event\":\"descriptor 'SignEmailDescriptor': version switched\",\"reason\":\"now it is version 3 that signs; before it was version 2\"" milter.log
[ "$(cat "$out")" = 1 ] || fail "told $(cat "$out") times"
accepts grep -q '"operation":"version switched","descriptor":"SignEmailDescriptor","version":3,"key":"alice"' run/audit.log
with_version 4 -3600
eventually grep -q "descriptor 'SignEmailDescriptor': version late.*version 4 was in use by others before this process knew it" milter.log
accepts grep -q '"operation":"version late","descriptor":"SignEmailDescriptor","version":4,"key":"alice"' run/audit.log

# ---- settings for what comes signed or encrypted ----
reload_with() { # LINE...
    conf "trust-config = $tmp/ca.pem" 'require alice@example.org' "$@"
    reloads=$(grep -c 'loaded again' milter.log) || true
    kill -HUP $process
    eventually sh -c "[ \$(grep -c 'loaded again' milter.log) -gt $reloads ]"
}
reload_with "trust-signers = $tmp/ca.pem" 'encrypted = sign'
answers accept 'already signed' signed.eml
sed 's/^Hello/Hallo/' signed.eml >changed.eml
answers reject refused changed.eml
claims 'application/pkcs7-mime; smime-type=enveloped-data' MAA=
answers accept signed message.eml out=passed/encrypted.eml
accepts openssl_verifies passed/encrypted.eml
grep -q enveloped-data content || fail 'what is signed is not what was encrypted'
reload_with "trust-signers = $tmp/other.pem" 'encrypted = pass'
answers reject refused signed.eml
answers accept 'already signed' message.eml

# ---- who was revoked ----
make_crl() { # CA [CERT=WHEN]...: ca.crl
    issue_crl ca.crl "$@"
    chmod 644 ca.crl
}
make_crl ca
reload_with "trust-signers = $tmp/ca.pem" "crl = $tmp/ca.crl" 'revocation = required'
answers accept 'already signed' signed.eml
message alice@example.org
answers accept signed message.eml
setup openssl cms -verify -in signed.eml -CAfile ca.pem -signer signer.pem -out content
make_crl ca signer=20250601000000Z
answers reject refused signed.eml
audit_says 'was revoked at 2025-06-01T00:00:00Z'
rm ca.crl
make_crl other signer=20250601000000Z
answers reject refused signed.eml
reload_with "trust-signers = $tmp/ca.pem" "crl = $tmp/ca.crl"
answers accept 'already signed' signed.eml
reload_with "trust-signers = $tmp/ca.pem"

# ---- signals to both processes, as a process group or pkill sends them; who has the name may ask for no more than the one who started it ----
message alice@example.org
for _ in 1 2 3; do
    reloads=$(grep -c 'loaded again' milter.log)
    kill -HUP $process "$signing"
    eventually sh -c "[ \$(grep -c 'loaded again' milter.log) -gt $reloads ]"
    kill -HUP "$signing"
    answers accept signed message.eml
done
kill -INT "$signing"
kill -TERM "$signing"
sleep 6 # libmilter looks every five seconds whether it is to stop
answers accept signed message.eml
cases=$((cases + 1)) bad=''
[ "$(pgrep -P $process)" = "$signing" ] || fail "process $signing has ended"

# ---- who connects ----
[ "$(id -u)" != 0 ] || {
    # Debian's, for the first of PATH may be in root's home
    as_games() { setpriv --reuid games --regid games --clear-groups /usr/bin/python3 "$tmp/milter.py" "$port" "$@"; }
    cp "$top_srcdir/tests/mail/milter.py" milter.py
    chmod 755 milter.py
    cp message.eml open/message.eml
    others_refuse as_games "$tmp/open/message.eml" "out=$tmp/open/out.eml"
    [ ! -e open/out.eml ] || fail 'games has a signed message'
    eventually grep -q "a connection was refused.*the user with the ID $(id -u games)" milter.log
    eventually grep -q '^signengine_milter_connections_refused_total [1-9]' run/metrics
    reload_with 'peers = games'
    accepts as_games "$tmp/open/message.eml"
    says accept
    reload_with 'peers = 127.0.0.0/8'
    accepts as_games "$tmp/open/message.eml"
    says accept
}

# ---- SIGTERM: a message that is under way is finished ----
mta message.eml wait=go out=passed/last.eml >last 2>&1 &
client=$!
eventually test -e go.waiting
kill -TERM $process
sleep 1
: >go
accepts wait $client
accepts openssl_verifies passed/last.eml
status=0
wait $process || status=$?
cases=$((cases + 1)) bad=''
[ "$status" = 0 ] || fail "status $status after SIGTERM"
process=''

# ---- a process that signs and ends unasked ----
serve >milter.log 2>&1 &
process=$!
eventually listens "$port"
kill -KILL "$(pgrep -P $process)"
status=0
wait $process || status=$?
process=''
cases=$((cases + 1)) bad=''
[ "$status" = 70 ] || fail "status $status when the process that signs was killed"
grep -q 'the process that signs was ended by signal 9' milter.log || fail "it does not say so: $(cat milter.log)"

# ---- what can't be recorded is not signed ----
conf "trust-config = $tmp/ca.pem" 'sign alice@example.org' 'audit = file:/dev/full required'
serve >milter.log 2>&1 &
process=$!
eventually listens "$port"
answers tempfail unrecorded message.eml
audit_says 'No space left on device'
says_not multipart/signed
answers tempfail unrecorded message.eml
eventually grep -q "the audit sink 'file' has failed" milter.log
kill -TERM $process
wait $process || fail "status $? after SIGTERM"
process=''
grep -q '"operation":"start"' run/audit.log || fail 'the start was not recorded'
tail -n 1 run/audit.log | grep -q '"operation":"stop"' || fail "the stop was not recorded: $(tail -n 1 run/audit.log)"

# ---- a local socket: its mode and group, and who connects ----
[ "$(id -u)" != 0 ] || {
    conf "trust-config = $tmp/ca.pem" 'require alice@example.org' "socket = unix:$tmp/open/s" 'socket-mode = 0666' 'socket-group = nogroup'
    serve >milter.log 2>&1 &
    process=$!
    eventually grep -q '"started"' milter.log
    cases=$((cases + 1)) bad=''
    [ "$(stat -c '%a %U %G' open/s)" = '666 nobody nogroup' ] || fail "the socket is $(stat -c '%a %U %G' open/s)"
    grep -q '"warning"' milter.log || fail 'no warning of an open folder'
    port=$tmp/open/s
    others_refuse as_games "$tmp/open/message.eml"
    eventually grep -q "the user with the ID $(id -u games), process" milter.log
    answers accept signed message.eml
    kill -TERM $process
    wait $process || fail "status $? after SIGTERM"
    process=''
    port=$(free_ports 1)
}

# ---- signals while the configuration is loaded, which takes long: here the library that reads mail does ----
! instrumented || exit 0
cat >slow.c <<'C'
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <unistd.h>
void g_mime_init(void)
{
    void (*real)(void) = (void (*)(void))dlsym(RTLD_NEXT, "g_mime_init");
    (void)creat("run/loading", 0600);
    while (access("loaded", F_OK))
        usleep(10000);
    real();
}
C
# shellcheck disable=SC2086 # a command with options
setup ${CC:?} -shared -fPIC slow.c -o slow.so
conf 'sign @example.org'
serve_slowly() {
    rm -f run/loading loaded
    (
        LD_PRELOAD="$tmp/slow.so"
        export LD_PRELOAD
        serve
    ) >slow.log 2>&1 &
    process=$!
    eventually test -e run/loading
}
ends() { # STATUS WHEN
    status=0
    wait $process || status=$?
    process=''
    [ "$status" = "$1" ] || fail "status $status $2"
}
serve_slowly
kill -HUP $process
kill -TERM $process
sleep 0.5
cases=$((cases + 1)) bad=''
pgrep -P $process >"$out" || fail "it did not wait until the configuration was loaded"
kill -TERM $process
ends 0 'for the second SIGTERM'

# one alone, kept until it is loaded
serve_slowly
kill -TERM $process
sleep 0.5
: >loaded
cases=$((cases + 1)) bad=''
ends 0 'for a SIGTERM while it was loading'
grep -q '"event":"stopped"' slow.log || fail "it did not start to stop: $(cat slow.log)"
