#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Versions that wait for their time, end with it, or are not configured: every way to sign and to encrypt, by a clock that is moved.
. "${top_srcdir:?}/tests/lib/harness.sh"
needs openssl faketime
instrumented && skip "the clock is moved by a library that has to be loaded before that of a sanitizer"

at() { # TIME CMD...
    moment=$1
    shift
    moved "@$moment" "$@"
}
signengine=$top_builddir/signengine
before='2026-12-23 12:00:00' after='2026-12-24 12:00:00'

make_ca ca
for name in one two; do
    make_cert "$name" rsa:2048 subject=/CN=signer/emailAddress=a@example.org keyUsage=critical,digitalSignature
    cat "$name.key" "$name.pem" ca.pem >"$name.bundle"
done
chmod 600 ./*.bundle

# descriptors NAME ALGORITHM...: version 1, and version 2 that waits for Christmas
descriptors() {
    for version in 1 2; do
        name=$1
        when='' key=one
        [ $version = 1 ] || when="from='2026-12-24T00:00:00Z'" key=two
        echo "<descriptor name='$name' version='$version' $when><type $2 key='$key'/></descriptor>"
    done
}
{
    echo '<engineSignEncrypt><descriptors>'
    descriptors Files "algorithm='SHA256withRSA'"
    descriptors ConfigZipSigner "algorithm='SHA-256'"
    descriptors SignEmailDescriptor "algorithm='SHA256withRSA'"
    descriptors EncryptedFields "algorithm='AES/GCM/NoPadding' asymCipher='RSA/ECB/OAEPWithSHA-256AndMGF1Padding'"
    descriptors ConfigZipEncrypter "algorithm='AES/GCM/NoPadding' asymCipher='RSA/ECB/OAEPWithSHA-256AndMGF1Padding'"
    echo "<descriptor name='Idle' signs='false'><type algorithm='SHA256withRSA' key='one'/></descriptor>"
    echo "<descriptor name='Ending' until='2026-12-24T00:00:00Z'><type algorithm='SHA256withRSA' key='one'/></descriptor>"
    echo '</descriptors><keys>'
    for name in one two; do
        echo "<key name='$name'><type name='pem' locationValue='$name.bundle'/></key>"
    done
    echo '</keys></engineSignEncrypt>'
} >engine.xml
sed -e "/version='2'/d" -e "/name='two'/d" engine.xml >older.xml
export SIGNENGINE_CONFIG="$tmp/engine.xml"
printf content >file
mkdir zipped && echo text >zipped/a && (cd zipped && python3 -m zipfile -c ../plain.zip a)
printf 'From: a@example.org\r\nTo: b@example.org\r\nSubject: s\r\n\r\ntext\r\n' >message

# ---- who signs, and who encrypts ----

shows() { says "version    $1"; }
for round in 1 2; do
    when=$before signer=one
    [ $round = 1 ] || when=$after signer=two
    serial=$(openssl x509 -noout -serial -in $signer.pem)
    serial=${serial#serial=}
    accepts at "$when" "$signengine" sign -d Files file -o file.p7s
    accepts at "$before" "$signengine" verify -d Files file
    shows $round
    accepts at "$when" "$signengine" sign -d Files --xml engine.xml -o signed.xml
    accepts at "$before" "$signengine" verify -d Files --xml signed.xml
    shows $round
    accepts at "$when" "$signengine" zip sign plain.zip -o signed.zip
    accepts at "$before" "$signengine" zip verify signed.zip
    says "serial     $serial"
    accepts at "$when" "$signengine" mail sign message -o signed.eml
    accepts at "$before" "$signengine" mail verify signed.eml
    shows $round
    accepts at "$when" "$signengine" config sign -d Files older.xml -o signed.config
    accepts at "$before" "$signengine" --trust-config ca.pem config verify signed.config
    says "serial     $serial"
    accepts at "$when" "$signengine" encrypt file -o value.$round
    accepts at "$before" "$signengine" decrypt -d EncryptedFields:$round value.$round
    same "$out" file
    accepts at "$when" "$signengine" zip encrypt plain.zip -o sealed.$round
    accepts at "$before" "$signengine" zip decrypt -d ConfigZipEncrypter:$round sealed.$round -o opened
    same opened plain.zip
done
refuses 1 at "$before" "$signengine" decrypt -d EncryptedFields:1 value.2

# ---- by its number ----

refuses 78 at "$before" "$signengine" sign -d Files:2 file -o x
says "descriptor 'Files': version 2 signs from 2026-12-24T00:00:00Z on; now it is version 1 that signs"
accepts at "$after" "$signengine" sign -d Files:1 file -o x
refuses 78 at "$before" "$signengine" encrypt -d EncryptedFields:2 file
says "version 2 encrypts from 2026-12-24T00:00:00Z on"
refuses 78 at "$before" "$signengine" zip encrypt -d ConfigZipEncrypter:2 plain.zip -o x
refuses 78 at "$before" "$signengine" mail sign -d SignEmailDescriptor:2 message -o x
refuses 78 at "$before" "$signengine" rekey -d EncryptedFields:2 --lines --rejects rejects value.1 -o x
refuses 78 at "$before" "$signengine" sign -d Idle file -o x
says "descriptor 'Idle': version 1 only verifies: it has signs=\"false\"; now there is none that signs"
accepts at "$before" "$signengine" sign -d Ending file -o file.p7s
refuses 78 at "$after" "$signengine" sign -d Ending file -o x
says "descriptor 'Ending': version 1 signed until 2026-12-24T00:00:00Z; now there is none that signs"
accepts at "$after" "$signengine" verify -d Ending file
accepts at "$after" "$signengine" verify -d Idle file

# ---- at any time, by its number, if it may sign at all ----

accepts at "$before" "$signengine" sign --at-any-time -d Files:2 file -o early.p7s
accepts "$signengine" verify -d Files file --signature early.p7s
shows 2
accepts at "$before" "$signengine" sign --at-any-time -d Files:2 --xml engine.xml -o early.xml
accepts at "$before" "$signengine" encrypt --at-any-time -d EncryptedFields:2 file -o early
accepts at "$before" "$signengine" encrypt --at-any-time -d EncryptedFields:2 --lines file -o early
accepts "$signengine" decrypt -d EncryptedFields:2 early
accepts at "$before" "$signengine" zip encrypt --at-any-time -d ConfigZipEncrypter:2 plain.zip -o early
accepts "$signengine" zip decrypt -d ConfigZipEncrypter:2 early -o opened
accepts at "$before" "$signengine" zip sign --at-any-time -d ConfigZipSigner:2 plain.zip -o early.zip
accepts "$signengine" zip verify early.zip
says "serial     $serial"
accepts at "$before" "$signengine" mail sign --at-any-time -d SignEmailDescriptor:2 message -o early.eml
accepts "$signengine" mail verify early.eml
shows 2
accepts at "$after" "$signengine" sign --at-any-time -d Ending:1 file -o x
refuses 78 at "$before" "$signengine" sign --at-any-time -d Idle:1 file -o x
says "version 1 only verifies: it has signs=\"false\""
refuses 64 at "$before" "$signengine" sign --at-any-time -d Files file -o x

# ---- values are brought under the current version, and never back ----

cat value.1 value.2 >values
accepts at "$before" "$signengine" rekey --lines --rejects rejects values -o rekeyed
says '2 lines: 0 re-keyed, 2 were under the current key already'
same rekeyed values
accepts at "$after" "$signengine" rekey --lines --rejects rejects values -o rekeyed
says '2 lines: 1 re-keyed, 1 were under the current key already'
accepts at "$before" "$signengine" decrypt -d EncryptedFields:2 --lines rekeyed

# ---- yesterday's configuration ----

export SIGNENGINE_CONFIG="$tmp/older.xml"
refuses 78 "$signengine" decrypt value.2
says "the value was made with version 2 of 'EncryptedFields', which is not configured here, but 1"
refuses 78 "$signengine" decrypt --lines values
says "line 2: descriptor 'EncryptedFields': the value was made with version 2 of 'EncryptedFields'"
refuses 1 "$signengine" decrypt --lines --rejects rejects values
accepts cat rejects
says 'it was made with a version that is not configured here'
refuses 78 "$signengine" decrypt -d EncryptedFields:7 --lines --rejects rejects values
refuses 78 "$signengine" zip decrypt sealed.2 -o x
says "was made with version 2 of 'ConfigZipEncrypter', which is not configured here, but 1"
refuses 78 "$signengine" verify -d Files --xml signed.xml
says 'a certificate of the same name as that of version 1 and with another key'
refuses 78 "$signengine" zip verify signed.zip
says 'is it of a version that is not configured here?'
refuses 78 "$signengine" mail verify signed.eml
export SIGNENGINE_CONFIG="$tmp/engine.xml"

# ---- what check, config show and diff say ----

for name in now next ending idle; do
    from=20200101000000Z
    [ $name = next ] && from=20261223230000Z # a certificate that waits as well
    make_cert "$name" ec:P-256 keyUsage=critical,digitalSignature from=$from
    cat "$name.key" "$name.pem" ca.pem >"$name.bundle"
    chmod 600 "$name.bundle"
done
cat >check.xml <<'XML'
<engineSignEncrypt>
  <descriptors>
    <descriptor name="Files"><type algorithm="SHA-256" key="now"/></descriptor>
    <descriptor name="Files" version="2" from="2026-12-24T00:00:00Z"><type algorithm="SHA-256" key="next"/></descriptor>
    <descriptor name="Ending" until="2026-12-24T00:00:00Z"><type algorithm="SHA-256" key="ending"/></descriptor>
    <descriptor name="Idle" signs="false"><type algorithm="SHA-256" key="idle"/></descriptor>
  </descriptors>
  <keys>
    <key name="now"><type name="pem" locationValue="now.bundle"/></key>
    <key name="next"><type name="pem" locationValue="next.bundle"/></key>
    <key name="ending"><type name="pem" locationValue="ending.bundle"/></key>
    <key name="idle"><type name="pem" locationValue="idle.bundle"/></key>
  </keys>
</engineSignEncrypt>
XML
export SIGNENGINE_CONFIG="$tmp/check.xml"
accepts at '2026-11-01 12:00:00' "$signengine" check --strict
says 'ok  Files:2: version 2 waits for 2026-12-24T00:00:00Z (52 days)'
says_not 'without a successor'
refuses 1 at '2026-12-01 12:00:00' "$signengine" check --strict
says 'Ending:1: version 1 ends on 2026-12-24T00:00:00Z (22 days) without a successor'
accepts at "$before" "$signengine" check --strict --days 0
says '(0 days)'
refuses 78 at "$after" "$signengine" check
says 'Ending:1: version 1 ended on 2026-12-24T00:00:00Z, and no other signs now'
try at "$after" "$signengine" --json check
says '"state":"older","from":null,"until":null'
says '"state":"current","from":"2026-12-24T00:00:00Z"'
says '"state":"ended"'
says '"state":"verifies"'
accepts "$signengine" config show
says '2026-12-24T00:00:00Z'
sed 's/from="2026-12-24T00/from="2026-12-24T08/' check.xml >later.xml
try "$signengine" config diff check.xml later.xml
[ "$status" = 1 ] || fail "status $status"
says '2026-12-24T08:00:00Z'
sed 's/from="2026-12-24T00:00:00Z"/from="2026-12-24T02:00:00+02:00"/' check.xml >same.xml
accepts "$signengine" config diff check.xml same.xml
export SIGNENGINE_CONFIG="$tmp/engine.xml"

# ---- three processes across the switch: the clock is moved so that it comes in three seconds ----

offset=$(($(date -u -d 2026-12-24T00:00:00Z +%s) - $(date +%s) - 3))
signs() { # NUMBER: without pause, until well after the switch
    i=0
    while [ "$(moved "+${offset}s" date +%s)" -lt 1798070402 ]; do
        i=$((i + 1))
        echo "$1.$i" >"$1.$i"
        moved "+${offset}s" "$signengine" sign -d Files "$1.$i" -o "$1.$i.p7s" || echo "$1.$i" >>failures
        echo "$1.$i" >>"$1.made"
    done
}
signs a & signs b & signs c &
wait
[ ! -e failures ] || fail "signing failed: $(cat failures)"
for process in a b c; do
    last=1
    while read -r made; do
        accepts at "$before" "$signengine" verify -d Files "$made"
        version=$(sed -n 's/^ *version *//p' "$out")
        [ "$version" -ge "$last" ] || fail "version $version after version $last"
        last=$version
    done <"$process.made"
    [ "$last" = 2 ] || fail "process $process has not switched"
done
