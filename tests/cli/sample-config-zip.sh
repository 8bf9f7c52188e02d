#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# samples/config-zip as its README has it: compiled against the library, run, judged by jarsigner.
. "${top_srcdir:?}/tests/lib/harness.sh"
needs openssl zip jarsigner keytool "${CC%% *}"

setup cp -r "$top_srcdir/samples/config-zip" sample
setup chmod -R u+w sample
cd sample
setup openssl req -x509 -newkey rsa:3072 -noenc -keyout ca.key -out ca.pem -days 3650 -subj "/CN=Sample CA" -config /dev/null \
    -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign
echo 'a good password' >pin
chmod 600 pin
accepts signengine -c engineSignEncrypt.xml key generate configZipSigner --type rsa:3072
accepts signengine -c engineSignEncrypt.xml key request configZipSigner --subject "/CN=Sample configuration signer" -o signer.csr
echo 'keyUsage = critical, digitalSignature' >extensions
setup openssl x509 -req -in signer.csr -CA ca.pem -CAkey ca.key -days 365 -extfile extensions -out signer.pem
cat signer.pem ca.pem >chain.pem
accepts signengine -c engineSignEncrypt.xml key certificate configZipSigner chain.pem
accepts signengine -c engineSignEncrypt.xml key generate configZipEncrypter --type rsa:3072

# shellcheck disable=SC2086 # words
accepts $CC ${sanitize-} -Wall -Wextra -Werror -I"$top_srcdir/src" -o config-zip config-zip.c -L"${top_builddir:?}/.libs" -lsignengine
LD_LIBRARY_PATH="$top_builddir/.libs"
export LD_LIBRARY_PATH
setup zip export.zip README.md config-zip.c
accepts ./config-zip export engineSignEncrypt.xml export.zip traveller.nx02
says 'traveller.nx02: signed and encrypted'
accepts ./config-zip import engineSignEncrypt.xml traveller.nx02 import.zip ca.pem
says 'META-INF/CONFIGZI.RSA: signed by CN=Sample configuration signer'
says '  config-zip.c, '
says 'import.zip: good'
setup keytool -importcert -noprompt -alias ca -file ca.pem -keystore trust.p12 -storepass changeit
accepts jarsigner -verify -strict -keystore trust.p12 -storepass changeit import.zip
says 'jar verified'

accepts signengine -c engineSignEncrypt.xml zip sign --encrypt export.zip -o traveller2.nx02
accepts signengine -c engineSignEncrypt.xml zip verify traveller2.nx02 --trust ca.pem -o import2.zip
setup unzip -q import2.zip -d unpacked
same unpacked/config-zip.c config-zip.c

# refused: a container of what nobody signed
rm import.zip
accepts signengine -c engineSignEncrypt.xml zip encrypt export.zip -o unsigned.nx02
others_refuse ./config-zip import engineSignEncrypt.xml unsigned.nx02 import.zip ca.pem
says 'not signed'
[ -z "$(find . -name 'import.zip*')" ] || fail 'something of it is there'
