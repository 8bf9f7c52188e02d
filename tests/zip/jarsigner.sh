#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# jarsigner -verify -strict and unzip -t accept what is signed with keys in a token; zip verify accepts what jarsigner signs.
. "${top_srcdir:?}/tests/lib/harness.sh"
. "${top_srcdir:?}/tests/zip/jarsigner-lib.sh"
needs jarsigner keytool unzip python3 softhsm2-util

make_token signing
make_ca ca
setup keytool -importcert -noprompt -alias ca -file ca.pem -keystore trust.p12 -storepass changeit
id=0
for kind in rsa:2048 rsa:3072 rsa:4096 ec:P-256 ec:P-384 ec:P-521; do
    name=$(echo "$kind" | tr -d :-)
    id=$((id + 1))
    make_cert "$name" "$kind" keyUsage=critical,digitalSignature
    cat "$name.pem" ca.pem >"$name.chain"
    setup softhsm2-util --import "$name.key" --token signing --pin 1234 --label "$name" --id "0$id"
    echo "<descriptor name='$name'><type algorithm='SHA-$([ "$kind" = ec:P-384 ] && echo 384 || echo 256)' key='$name'/></descriptor>" >>descriptors
    echo "<key name='$name'><type name='HSM' locationValue='$softhsm_module' pin='1234' tokenLabel='signing' alias='$name'
        certificate='file:$tmp/$name.chain'/></key>" >>keys
done
{
    echo "<engineSignEncrypt><descriptors>"
    cat descriptors
    echo "</descriptors><keys>"
    cat keys
    echo "</keys></engineSignEncrypt>"
} >engine.xml
chmod 600 engine.xml
export SIGNENGINE_CONFIG="$tmp/engine.xml"

cat >make.py <<'PY'
import zipfile
with zipfile.ZipFile("plain.zip", "w", zipfile.ZIP_DEFLATED) as z:
    z.writestr("conf/", b"")
    z.writestr("conf/a.xml", b"<a>" + b"text " * 2000 + b"</a>")
    z.writestr("stored", bytes(range(256)), zipfile.ZIP_STORED)
    z.writestr("empty", b"")
    z.writestr("META-INF/services/some.Service", b"x")
    z.writestr("gr\u00fc\u00dfe/\u65e5\u672c\u8a9e " + "\u00fc" * 60 + ".txt", b"letters")
PY
setup python3 make.py

strict() { jarsigner -verify -strict -keystore trust.p12 -storepass changeit "$@"; }

for name in rsa2048 rsa3072 rsa4096 ecP256 ecP384 ecP521; do
    accepts signengine zip sign -d "$name" plain.zip -o "$name.zip"
    accepts unzip -tq "$name.zip"
    accepts signengine zip verify -d "$name" "$name.zip"
    says '5 entries signed'
done
accepts strict -verbose -certs ecP384.zip
says 'jar verified.'
says 'Digest algorithm: SHA-384'

# empty folders, which jarsigner does not sign and accepts as signed, are signed
setup python3 -c "import zipfile
with zipfile.ZipFile('folders.zip', 'w') as z:
    for name in 'conf/', 'conf/empty/', 'conf/a', 'META-INF/', 'empty/':
        z.writestr(name, name.strip('/') if name == 'conf/a' else '')"
accepts signengine zip sign -d ecP256 folders.zip -o signed-folders.zip
accepts unzip -tq signed-folders.zip
accepts signengine zip verify -d ecP256 signed-folders.zip --list
says 'good, 3 entries signed'
says 'conf/: a folder'
setup openssl pkcs12 -export -inkey ecP256.key -in ecP256.pem -certfile ca.pem -name theirs -out folders.p12 -passout pass:changeit
setup jarsigner -keystore folders.p12 -storepass changeit -signedjar theirs-folders.zip folders.zip theirs
refuses 1 signengine zip verify -d ecP256 theirs-folders.zip --trust ca.pem
says "2 entries are refused, the first: 'conf/empty/' is an empty folder that is not signed"
accepts signengine zip sign -d ecP256 --keep theirs-folders.zip -o kept-folders.zip
accepts signengine zip verify -d ecP256 kept-folders.zip --trust ca.pem

# beside each other
accepts signengine zip sign -d ecP256 --keep rsa2048.zip -o both.zip
accepts signengine zip verify -d ecP256 both.zip --trust ca.pem
says 'RSA2048.RSA'
says 'ECP256.EC'

# what is changed is refused by both
python3 - <<'PY'
data = open("rsa2048.zip", "rb").read()
at = data.index(bytes(range(256)))
open("changed.zip", "wb").write(data[:at] + b"\1" + data[at + 1:])
PY
refuses 65 signengine zip verify -d rsa2048 changed.zip --trust ca.pem

# ---- the other way round ----
for name in rsa2048 rsa4096 ecP256 ecP384; do
    setup openssl pkcs12 -export -inkey "$name.key" -in "$name.pem" -certfile ca.pem -name "The alias" -out "$name.p12" -passout pass:changeit
    setup jarsigner -keystore "$name.p12" -storepass changeit -signedjar "theirs-$name.zip" plain.zip 'The alias'
    accepts signengine zip verify -d "$name" "theirs-$name.zip" --trust ca.pem
    says 'THE_ALIA.'
done
setup jarsigner -keystore rsa2048.p12 -storepass changeit -digestalg SHA-512 -sigalg SHA512withRSA -sectionsonly -signedjar theirs.zip \
    plain.zip 'The alias'
accepts signengine zip verify -d rsa2048 theirs.zip --trust ca.pem
says 'SHA512withRSA'
setup jarsigner -keystore rsa2048.p12 -storepass changeit -digestalg SHA-1 -signedjar weak.zip plain.zip 'The alias'
refuses 1 signengine zip verify -d rsa2048 weak.zip --trust ca.pem
says 'weakly'

# theirs beside ours, ours beside theirs
setup jarsigner -keystore ecP256.p12 -storepass changeit -signedjar after.zip rsa2048.zip 'The alias'
accepts signengine zip verify -d rsa2048 after.zip --trust ca.pem
says 'RSA2048.RSA'
says 'THE_ALIA.EC'
accepts signengine zip sign -d rsa3072 --keep theirs-ecP256.zip -o before.zip
accepts signengine zip verify -d rsa3072 before.zip --trust ca.pem

# ---- what jarsigner says of all this ----
good='rsa2048.zip rsa3072.zip rsa4096.zip ecP256.zip ecP384.zip ecP521.zip signed-folders.zip kept-folders.zip both.zip after.zip before.zip'
# shellcheck disable=SC2086 # words
accepts jarsigner_verdicts $good changed.zip
for zip in $good; do
    says "$zip	accepts"
done
says 'changed.zip	refuses 1: '
