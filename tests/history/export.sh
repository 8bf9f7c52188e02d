#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Exports: what any bytes become in JSON and in XML, and the signed document before xmlsec1, its schema, and a reader of ours that shares
# no code with the rest.
. "${top_srcdir:?}/tests/lib/harness.sh"
needs openssl python3 sqlite3 xmllint xmlsec1

make_ca ca
for name in history other; do
    make_cert "$name" ec:P-256 keyUsage=critical,digitalSignature
    cat "$name.key" "$name.pem" >"$name.bundle"
done
make_cert exporter rsa:2048 keyUsage=critical,digitalSignature
cat exporter.key exporter.pem >exporter.bundle
cat >engine.xml <<'XML'
<engineSignEncrypt>
  <descriptors>
    <descriptor name="ObjectHistorySigner"><type algorithm="SHA-256" key="history"/></descriptor>
    <descriptor name="Exports" version="1"><type algorithm="SHA256withRSA" key="exporter"/></descriptor>
    <descriptor name="Exports" version="2"><type algorithm="SHA256withECDSA" key="other"/></descriptor>
  </descriptors>
  <keys>
    <key name="history"><type name="pem" locationValue="history.bundle"/></key>
    <key name="exporter"><type name="pem" locationValue="exporter.bundle"/></key>
    <key name="other"><type name="pem" locationValue="other.bundle"/></key>
  </keys>
</engineSignEncrypt>
XML
export SIGNENGINE_CONFIG="$tmp/engine.xml"
history() {
    command=$1
    shift
    signengine history "$command" --store sqlite:history.db "$@"
}
# exported OPTION...: a document that everybody finds good
exported() {
    accepts history export --xml -o export.xml "$@"
    accepts xmlsec1 --verify --trusted-pem ca.pem export.xml
    accepts xmllint --noout --nonet --schema "$top_srcdir/schemas/historyExport.xsd" export.xml
}
entries() {
    setup xmllint --xpath 'count(//*[local-name()="entry"])' export.xml
    [ "$(cat "$out")" = "$1" ] || fail "$(cat "$out") entries, not $1"
}

setup history create
exported
entries 0
accepts python3 "$top_srcdir/tests/history/read.py" document export.xml history.pem

# ---- any bytes: a printf format for each payload; the last seven are none that XML can hold ----
cat >list <<'LIST'
plain text
<a b="c">&amp;]]></a>
two\nlines\t
carriage\rreturn\r\n
\040leading and trailing\040
\303\274\342\202\254\360\237\230\200\357\277\275\177\302\205
\000nul
bell\007
latin \374
\355\240\200
\357\277\276
\357\277\277
cut \342\202
LIST
while IFS= read -r payload; do
    # shellcheck disable=SC2059 # a format
    printf "$payload" >payload
    setup history append --object "<$payload>" payload
done <list
: >payload
setup history append payload
count=$(($(wc -l <list) + 1))
exported
entries $count
[ "$(grep -c '<payload encoding="base64">' export.xml)" = 7 ] || fail "base64 is for what XML can't hold"
accepts python3 "$top_srcdir/tests/history/read.py" document export.xml history.pem
says "$count entries of 'default' are good"
accepts history export -o export.jsonl
accepts history head
cp "$out" head
accepts python3 "$top_srcdir/tests/history/read.py" chain export.jsonl head history.pem
accepts history export
same export.jsonl "$out"
accepts signengine --json history show --store sqlite:history.db
same export.jsonl "$out"

# ---- who signs ----
accepts signengine verify --xml -d ObjectHistorySigner export.xml -o content
says 'CN=history'
grep -q '</historyExport>' content || fail "not all of it was handed out"
exported --sign-with Exports
accepts signengine verify --xml -d Exports export.xml
says 'CN=other'
exported --sign-with Exports:1
accepts signengine verify --xml -d Exports --trust ca.pem export.xml
says 'CN=exporter'
refuses 1 signengine verify --xml -d ObjectHistorySigner export.xml
accepts sed 's/plain text/plain lies/' export.xml
cp "$out" changed.xml
refuses 1 signengine verify --xml -d Exports changed.xml
others_refuse xmlsec1 --verify --trusted-pem ca.pem changed.xml
refuses 78 history export --xml --sign-with Nobody -o never
refuses 78 history export --xml --sign-with Exports:3 -o never
refuses 64 history export --sign-with Exports -o never
refuses 64 history export --xml never
[ ! -e never ] || fail "something was written"

# ---- a part says what it is a part of ----
exported --first 3 --last 5
entries 3
accepts xmllint --xpath 'string(//*[local-name()="selection"]/@last)' export.xml
says 5
grep -q ' first="1" entries="14">' export.xml || fail "not what the chain holds"
exported --object '<plain text>'
entries 1
accepts xmllint --xpath '//*[local-name()="selection"]/*[.="<plain text>"]' export.xml
exported --since 2026-01-01 --until 2027-01-01T00:00:00Z --first 99
entries 0
grep -q '<selection first="99" since="2026-01-01T00:00:00.000000Z" until="2027-01-01T00:00:00.000000Z"></selection>' export.xml ||
    fail "not what was asked for"

# ---- erased, and not good ----
setup history erase --yes 1
exported
grep -q 'plain text</payload>' export.xml && fail "what was erased is there"
accepts python3 "$top_srcdir/tests/history/read.py" document export.xml history.pem
cp history.db good.db
setup sqlite3 history.db "UPDATE entry SET payload = 'x' WHERE (key & 0xffffff) = 2"
refuses 1 history export --xml -o never
says 'nothing is signed: '
refuses 1 history export -o never
accepts history export --unverified
setup sqlite3 history.db 'DELETE FROM seal'
refuses 1 history export --xml -o never
[ ! -e never ] || fail "a chain that is not good was signed"

# ---- more than a document may have ----
if instrumented; then exit 0; fi
[ "$(df -Pk . | awk 'NR == 2 { print $4 }')" -gt 500000 ] || exit 0
cp good.db history.db
rm -f history.db-wal history.db-shm
head -c 16000000 /dev/zero | tr '\0' x >payload
for number in 1 2 3 4 5 6 7; do setup history append --object $number payload; done
refuses 64 history export --xml -o never
says 'more than 100 MB: export it in parts'
[ ! -e never ] || fail "something was written"
accepts history export --xml --last 20 -o part.xml
accepts signengine verify --xml -d ObjectHistorySigner part.xml
