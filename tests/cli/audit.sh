#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# --audit: who did what with which key, in files, a journal, a syslog and a sealed history; and what can't be recorded is not done.
. "${top_srcdir:?}/tests/lib/harness.sh"
needs openssl jq zip python3 sqlite3

make_ca ca
make_cert one rsa:2048 subjectAltName=email:alice@example.org keyUsage=critical,digitalSignature extendedKeyUsage=emailProtection,codeSigning
make_cert two rsa:2048 keyUsage=critical,keyEncipherment,dataEncipherment
make_cert auditor ec:P-256 keyUsage=critical,digitalSignature
for name in one two auditor; do cat $name.key $name.pem ca.pem >$name.bundle; done
cat >engine.xml <<XML
<engineSignEncrypt>
  <descriptors>
    <descriptor name='Files' version='3'><type algorithm='SHA-256' key='one'/></descriptor>
    <descriptor name='Mail'><type algorithm='SHA-256' key='one'/></descriptor>
    <descriptor name='Fields'><type algorithm='AES/CBC/PKCS7Padding' asymCipher='RSA/ECB/OAEPWithSHA-256AndMGF1Padding' key='two'/></descriptor>
    <descriptor name='ObjectHistorySigner'><type algorithm='SHA-256' key='one'/></descriptor>
  </descriptors>
  <keys>
    <key name='one'><type name='pem' locationValue='one.bundle'/></key>
    <key name='two'><type name='pem' locationValue='two.bundle'/></key>
  </keys>
</engineSignEncrypt>
XML
cat >audit.xml <<XML
<engineSignEncrypt>
  <descriptors><descriptor name='AuditSigner'><type algorithm='SHA-256' key='auditor'/></descriptor></descriptors>
  <keys><key name='auditor'><type name='pem' locationValue='auditor.bundle'/></key></keys>
</engineSignEncrypt>
XML
export SIGNENGINE_CONFIG="$tmp/engine.xml"
config=$(signengine config fingerprint | cut -c1-12)
echo content >file
printf 'From: alice@example.org\nSubject: x\n\nHello\n' >plain.eml
zip -q plain.zip file

# recorded FILTER WORD...: what jq makes of the lines since the last time
recorded() {
    filter=$1
    shift
    found=$(jq -r "$filter" audit.log | tr '\n' ' ')
    : >audit.log
    [ "$found" = "$* " ] || fail "recorded: $found"
}
audited() { signengine "$@" --audit 'file:audit.log required'; }

# ---- what is recorded ----
accepts audited sign -d Files file -o file.p7s
recorded '.operation, .descriptor, .version, .key, .result, .program, .caller.uid, .config, .failed, .bytes' \
    sign Files 3 one ok signengine "$(id -u)" "$config" 0 8
accepts audited verify -d Files file --signature file.p7s
recorded '.operation, .descriptor, .result' verify Files ok
echo other >other
refuses 1 audited verify -d Files other --signature file.p7s
recorded '.operation, .result, .failed' verify rejected 1
refuses 78 audited sign -d None file -o none.p7s
recorded '.operation, .descriptor, .result, .key' sign None 'no descriptor' ''
mv one.bundle away.bundle
refuses 69 audited sign -d Files file -o none.p7s
recorded '.operation, .result' sign 'key store'
mv away.bundle one.bundle
accepts audited encrypt -d Fields file -o value
recorded '.operation, .key, .result, .digest' encrypt two ok ''
accepts audited decrypt -d Fields value
says content
recorded '.operation, .result' decrypt ok
printf 'a\nb\n' >lines
accepts audited encrypt -d Fields --lines lines -o values
recorded '.operation, .result, .items, .failed' 'encrypt many' ok 2 0
accepts audited rekey -d Fields --lines --rejects rejects values -o rekeyed
recorded '.operation, .result' 'rekey many' ok
accepts audited mail sign -d Mail plain.eml -o signed.eml
recorded '.operation, .descriptor, .result' sign Mail ok
accepts audited mail verify -d Mail signed.eml
recorded '.operation, .descriptor, .result' verify Mail ok
accepts audited zip sign -d Files plain.zip -o signed.zip
recorded '.operation, .result' 'zip sign' asked 'zip sign' ok
accepts audited zip verify -d Files signed.zip
recorded '.operation, .result' 'zip verify' ok
accepts audited zip encrypt -d Fields plain.zip -o plain.nx02
recorded '.operation, .result' 'container encrypt' ok
accepts audited zip decrypt -d Fields plain.nx02 -o again.zip
recorded '.operation, .result' 'container decrypt' ok
accepts signengine history create --store sqlite:history.db
append_audited() { echo payload | audited history append --store sqlite:history.db --object o; }
accepts append_audited
recorded '.operation, .result, .history, .first, .items' \
    'history append' asked default 0 0 sign ok default 0 1 'history append' ok default 1 1

accepts audited sign -d Files file -o file.p7s
recorded .digest "sha256:$(sha256sum file | cut -c1-64)"

# ---- what is no sink, and what is not audited ----
refuses 64 signengine sign -d Files file -o none.p7s --audit audit.log
says "option '--audit': 'audit.log' is no audit sink: file:PATH, journal, syslog, stdout or history:STORE"
refuses 64 signengine sign -d Files file -o none.p7s --audit stdout
says "option '--audit': standard output is for what the command makes"
refuses 64 signengine check --audit journal
says "--audit goes with commands that use keys on somebody's behalf"
refuses 78 signengine sign -d Files file -o none.p7s --audit file:none/audit.log
says "the audit sink 'file': cannot write 'none/audit.log': No such file or directory"
refuses 78 signengine sign -d Files file -o none.p7s --audit "history:sqlite:audit.db config=$tmp/audit.xml"
says "the audit sink 'history': signengine keeps no histories"

# ---- what can't be recorded is not done ----
unrecorded() { signengine "$@" --audit 'file:/dev/full required'; }
refuses 69 unrecorded sign -d Files file -o none.p7s
says "the audit sink 'file' did not take a record: cannot write '/dev/full': No space left on device"
refuses 69 unrecorded sign -d Files file -o -
[ ! -s "$out" ] || fail 'the signature went out'
refuses 69 unrecorded decrypt -d Fields value
says_not content
refuses 69 unrecorded encrypt -d Fields --lines lines
[ ! -s "$out" ] || fail 'the values went out'
refuses 69 unrecorded mail sign -d Mail plain.eml
[ ! -s "$out" ] || fail 'the message went out'
cp plain.zip kept.zip
refuses 69 unrecorded zip sign -d Files kept.zip
same kept.zip plain.zip
refuses 69 unrecorded zip decrypt -d Fields plain.nx02 -o none.zip
append_unrecorded() { echo payload | unrecorded history append --store sqlite:history.db --object o; }
refuses 69 append_unrecorded
accepts signengine history list --store sqlite:history.db
says '1 entry'
refuses 69 signengine sign -d Files file -o none.p7s --audit 'journal:none required'
says "the audit sink 'journal': cannot reach 'none': No such file or directory"
if [ -e none.p7s ] || [ -e none.zip ]; then fail 'it was done'; fi
# one that is not required only complains
accepts signengine sign -d Files file -o unheard.p7s --audit journal:none --audit file:/dev/full --audit file:audit.log
says "warning: the audit sink 'journal' has failed: cannot reach 'none'"
recorded '.result' ok

# ---- rotation, by the file that is shipped ----
if command -v logrotate >/dev/null; then
    mkdir log
    sed "s|/var/log/signengine|$tmp/log|; /^ *su /d; s|daily|size 1|; s|compress\$|nocompress|; /delay/d; s|dateext|&\n    dateformat .%s|" \
        "$top_srcdir/conf/signengine.logrotate" >rotate.conf
    grep -q "^$tmp/log/\*.log {" rotate.conf || fail "$(cat rotate.conf)"
    for number in 1 2 3 4 5 6 7 8; do
        signengine sign -d Files file -o rotated.p7s --audit 'file:log/audit.log required' || echo "$number failed"
    done >rotated 2>&1 &
    signing=$!
    tries=0
    until [ "$(find log -name 'audit.log.*' | wc -l)" -ge 3 ]; do
        accepts logrotate -s "$tmp/rotate.state" rotate.conf
        tries=$((tries + 1))
        [ $tries -lt 100 ] || { fail 'nothing was rotated' && break; }
        accepts signengine sign -d Files file -o once.p7s --audit 'file:log/audit.log required'
        sleep 1 # the names of rotated files are seconds
    done
    wait $signing
    [ ! -s rotated ] || fail "$(cat rotated)"
    [ "$(cat log/* | jq -r .operation | grep -c '^sign$')" = $((8 + tries)) ] || fail "$(cat log/* | wc -l) records, not $((8 + tries))"
else
    echo 'not tried, for want of logrotate: the file that is shipped for it'
fi

# ---- a journal and a syslog ----
cat >receive.py <<'PY'
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
s.settimeout(60)
print("ready", flush=True)
sys.stdout.buffer.write(s.recv(65536))
PY
received() { # KIND
    rm -f socket
    python3 receive.py socket >datagram &
    receiver=$!
    until grep -q ready datagram; do sleep 0.1; done
    accepts signengine sign -d Files file -o "$1.p7s" --audit "$1:socket required"
    wait $receiver || fail 'nothing came'
}
received journal
grep -q -a '^SIGNENGINE_OPERATION$' datagram || fail "no field: $(cat -v datagram)"
received syslog
grep -q -a '^<86>... .. ..:..:.. signengine\[[0-9]*\]: {"time":' datagram || fail "no line of syslog: $(cat -v datagram)"

# ---- systemd's own, in a namespace of its own ----
journald=/lib/systemd/systemd-journald
cat >journal.sh <<SH
set -eu
mount -t tmpfs none /run
mkdir -p /run/systemd/journal /run/log/journal
$journald & journald=\$!
trap 'kill \$journald; wait' EXIT
tries=0
until [ -S /run/systemd/journal/socket ]; do tries=\$((tries + 1)); [ \$tries -lt 200 ]; sleep 0.1; done
"\$@"
journalctl -D /run/log/journal --sync >/dev/null 2>&1 || :
tries=0
until journalctl -D /run/log/journal -o json SIGNENGINE_OPERATION=sign SIGNENGINE_DESCRIPTOR=Files >found 2>/dev/null && [ -s found ]; do
    tries=\$((tries + 1)); [ \$tries -lt 200 ]; sleep 0.1
done
SH
if [ -x $journald ] && [ "$(id -u)" = 0 ] && [ -s /etc/machine-id ] && ! instrumented &&
    unshare -m true 2>/dev/null && command -v journalctl >/dev/null; then
    signer=${top_builddir:?}/signengine
    accepts unshare -m sh journal.sh "$signer" sign -d Files "$tmp/file" -o "$tmp/heard.p7s" --audit 'journal required'
    [ "$(jq -r .SIGNENGINE_KEY found)" = one ] || fail "journald has no key: $(cat found)"
    jq -r .MESSAGE found | jq -e '.operation == "sign"' >/dev/null || fail "the message is no record: $(cat found)"
else
    echo "not tried, for want of journald, rights or an id of the machine: the journal itself"
fi

# ---- a sealed history ----
history="history:sqlite:audit.db config=$tmp/audit.xml required"
sealed() { echo payload | signengine history append --store sqlite:history.db --object o --audit "$history"; }
kept() { signengine -c audit.xml history "$@" --store sqlite:audit.db --chain audit -d AuditSigner; }
refuses 69 sealed
says "the audit sink 'history': 'audit.db': "
accepts kept create
accepts sealed
accepts kept verify
accepts kept export
[ "$(jq -r .payload "$out" | jq -r .operation | tr '\n' ' ')" = 'history append sign history append ' ] || fail "not in the history: $(cat "$out")"
accepts kept show --object ObjectHistorySigner
# one that nobody waits for is written before the end all the same
unhurried() { echo payload | signengine history append --store sqlite:history.db --object o --audit "${history% required}"; }
accepts unhurried
accepts signengine history list --store sqlite:audit.db
says '6 entries'
mv auditor.bundle away.bundle
refuses 69 sealed
says "the audit sink 'history'"
accepts signengine history list --store sqlite:history.db
says '3 entries'
mv away.bundle auditor.bundle
accepts sealed
accepts kept verify
setup sqlite3 audit.db "update entry set payload = cast(replace(cast(payload as text), 'uid', 'gid') as blob)
    where key = (select min(key) from entry)"
refuses 1 kept verify
