#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every attack of attacks.py is refused as its folder in attacks/ says: `expected` has the status and what the message says, `jarsigner`
# what jarsigner -verify -strict of JDK 17.0.15 says.  With RECORD=yes, what is seen now is written there instead, for a person to judge.
# Other releases of the JDK word things differently and refuse more: what was refused must be refused, the rest is only told.
. "${top_srcdir:?}/tests/lib/harness.sh"
. "${top_srcdir:?}/tests/zip/jarsigner-lib.sh"
needs openssl python3
attacks=$top_srcdir/tests/zip/attacks

# time stamps are of the past
make_cert ca ec:P-256 issuer=self 'subject=/CN=Test CA ca' basicConstraints=critical,CA:TRUE keyUsage=critical,keyCertSign,cRLSign \
    from=20180101000000Z
make_ca other
sign=keyUsage=critical,digitalSignature
make_cert one rsa:2048 $sign
cp one.key two.key
make_cert two rsa:2048 $sign
make_cert stranger ec:P-256 issuer=other $sign
make_cert self rsa:2048 issuer=self $sign
make_cert expired rsa:2048 $sign from=20200101000000Z until=20210101000000Z
make_cert early rsa:2048 $sign from=21000101000000Z
make_cert encrypts rsa:2048 keyUsage=critical,keyEncipherment
make_cert lax rsa:2048 keyUsage=digitalSignature
make_cert older rsa:2048 $sign from=20190101000000Z until=20200101000000Z
stamps=extendedKeyUsage=critical,timeStamping
make_cert tsa ec:P-256 $sign $stamps
make_cert tsa-rsa rsa:2048 $sign $stamps
make_cert tsa-stranger ec:P-256 issuer=other $sign $stamps
make_cert tsa-self ec:P-256 issuer=self $sign $stamps
make_cert tsa-old ec:P-256 $sign $stamps subjectKeyIdentifier=hash until=20210101000000Z
cp tsa-old.key tsa-new.key
make_cert tsa-new ec:P-256 $sign $stamps subjectKeyIdentifier=hash
make_cert tsa-lax ec:P-256 $sign extendedKeyUsage=timeStamping
make_cert tsa-more ec:P-256 $sign $stamps,codeSigning
cat one.key one.pem ca.pem >one.bundle
cat ca.pem self.pem >trust.pem
cat >engine.xml <<XML
<engineSignEncrypt>
  <descriptors><descriptor name='ConfigZipSigner'><type algorithm='SHA-256' key='one'/></descriptor></descriptors>
  <keys><key name='one'><type name='pem' locationValue='one.bundle'/></key></keys>
</engineSignEncrypt>
XML
chmod 600 engine.xml
export SIGNENGINE_CONFIG="$tmp/engine.xml"

mkdir zips
export PYTHONDONTWRITEBYTECODE=1
setup python3 "$top_srcdir/tests/zip/attacks.py" zips

# how many bytes a certificate has differs from run to run, and so do offsets
without_numbers() {
    sed -E 's/[0-9]{4,}/N/g'
}

record_ours() { # CASE
    mkdir -p "$attacks/$1"
    status=0
    signengine zip verify "zips/$1.zip" --trust trust.pem >"$out" 2>"$err" || status=$?
    { echo "$status"; sed "s/^signengine: zip verify: 'zips\/$1.zip': //" "$err" | without_numbers; } >"$attacks/$1/expected"
}

expect() { # CASE
    { read -r wanted && read -r text; } <"$attacks/$1/expected"
    refuses "$wanted" signengine zip verify "zips/$1.zip" --trust trust.pem
    without_numbers <"$err" >"$tmp/.plain"
    cp "$tmp/.plain" "$err"
    says "'zips/$1.zip': $text"
}

for zip in zips/proper*.zip; do
    accepts signengine zip verify "$zip" --trust trust.pem
done
mkdir proper
mv zips/proper*.zip proper
proper=$(find proper -name '*.zip' | wc -l)
count=0
for zip in zips/*.zip; do
    name=${zip#zips/}
    name=${name%.zip}
    count=$((count + 1))
    if [ "${RECORD-}" ]; then record_ours "$name"; else expect "$name"; fi
done
[ "$count" = "$(find "$attacks" -mindepth 1 -type d | wc -l)" ] || fail "a folder without a case, or a case without a folder"
[ "$count" -ge 40 ] || fail "only $count attacks"

# ---- jarsigner ----
command -v javac >/dev/null || skip "there is no JDK to say what jarsigner says"
setup keytool -importcert -noprompt -alias ca -file ca.pem -keystore trust.p12 -storepass changeit
accepts jarsigner_verdicts zips/*.zip proper/*.zip
grep '^zips/' "$out" >verdicts
# jarsigner of JDK 17.0.21 reads archives as a stream besides, for which a descriptor of 64 bits is an error
[ "$(grep '^proper/.*	accepts$' "$out" | grep -vc of-64-bits)" = "$((proper - 1))" ] || fail "jarsigner refuses what is proper"
while IFS='	' read -r zip verdict; do
    name=${zip#zips/}
    name=${name%.zip}
    if [ "${RECORD-}" ]; then
        echo "$verdict" >"$attacks/$name/jarsigner"
        continue
    fi
    recorded=$(cat "$attacks/$name/jarsigner")
    case $recorded:$verdict in
    "$verdict:$verdict") ;;
    refuses*:accepts*) fail "jarsigner accepts $name" ;;
    *) echo "jarsigner says of $name now: $verdict" ;;
    esac
done <verdicts
