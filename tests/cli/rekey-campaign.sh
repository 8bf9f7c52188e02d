#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# tests/cli/rekey-campaign.sh [LINES [KILLS]], in a build folder: re-keys LINES values (1,000,000; 200,000 at the least), once in one go
# and once killed up to KILLS (20) times at random moments and resumed.  Prints what memory it took, and that no line was lost, doubled or
# moved.  Not part of "make check", whose rekey.sh does the same with fewer lines and every kind of checkpoint.
set -eu

lines=${1-1000000} kills=${2-20}
signengine=$PWD/signengine maxrss=$PWD/tests/lib/maxrss
if [ ! -x "$signengine" ] || [ ! -x "$maxrss" ]; then
    echo "rekey-campaign.sh: not in a build folder after \"make check\"" >&2
    exit 99
fi
tmp=$(mktemp -d "${TMPDIR:-/tmp}/signengine-rekey.XXXXXX")
trap 'rm -rf "$tmp"' EXIT
cd "$tmp"

fail() {
    echo "rekey-campaign.sh: $*" >&2
    exit 1
}

for name in old new; do
    openssl req -x509 -newkey rsa:2048 -nodes -keyout $name.key -out $name.pem -subj /CN=$name -days 9 2>log
    cat $name.key $name.pem >$name-both.pem
done
chmod 600 ./*-both.pem
cat >engine.xml <<'XML'
<engineSignEncrypt><descriptors>
  <descriptor name="EncryptedFields" version="1"><type algorithm="AES/CBC/PKCS7Padding" key="old"
    asymCipher="RSA/ECB/OAEPWithSHA-256AndMGF1Padding"/></descriptor>
  <descriptor name="EncryptedFields" version="2"><type algorithm="AES/GCM/NoPadding" key="new"
    asymCipher="RSA/ECB/OAEPWithSHA-256AndMGF1Padding"/></descriptor>
</descriptors><keys>
  <key name="old"><type name="pem" locationValue="old-both.pem"/></key>
  <key name="new"><type name="pem" locationValue="new-both.pem"/></key>
</keys></engineSignEncrypt>
XML
export SIGNENGINE_CONFIG=engine.xml

# every line is another one, so that one that is lost, doubled or moved shows
seq "$lines" | sed 's/^/a field with the number /' >plain
"$signengine" encrypt -d EncryptedFields:1 --lines plain -o good
awk 'NR % 1000 == 7 { print "nonsense " NR } { print }' good >values
head -n $((lines / 10)) values >tenth
rm good

# memory INPUT: the kilobytes that it took are the limit that it says was too low
memory() {
    "$maxrss" 1 "$signengine" rekey --lines --rejects bad "$1" -o renewed 2>log || true
    sed -n 's/^maxrss: \([0-9]*\) kB.*/\1/p' log
}

check() {
    "$signengine" decrypt -d EncryptedFields:2 --lines renewed -o back
    cmp back plain || fail "the lines are not those that were there before"
    wrong=$(grep -c '^nonsense' values)
    [ "$(wc -l <bad)" = "$wrong" ] || fail "$(wc -l <bad) rejects, not $wrong"
    rm renewed bad back
}

few=$(memory tenth)
rm renewed bad
began=$(date +%s%N)
all=$(memory values)
took=$(($(date +%s%N) - began))
check
echo "$lines lines in one go: $((took / 1000000)) ms, $all kB; a tenth of them: $few kB"
[ "$all" -lt $((few + few / 4 + 2048)) ] || fail "memory grows with the lines"

# random moments within the time that one go takes
done=0 resumed=0
while [ "$done" -lt "$kills" ] && [ ! -e renewed ]; do
    pause=$(awk -v seed="$done$$" -v most="$((took / 1000000))" 'BEGIN { srand(seed); printf "%.3f", rand() * most / 4000 }')
    "$signengine" rekey --lines --rejects bad values -o renewed >log 2>&1 &
    pid=$!
    sleep "$pause"
    kill -9 $pid 2>/dev/null || true
    wait $pid 2>/dev/null || true
    ! grep -q 'going on after line' log || resumed=$((resumed + 1))
    done=$((done + 1))
done
[ -e renewed ] || "$signengine" rekey --lines --rejects bad values -o renewed 2>log || [ $? = 1 ]
check
echo "killed $done times, gone on $resumed times: no line lost, doubled or moved"
[ "$resumed" -gt 0 ] || fail "it was never resumed"
