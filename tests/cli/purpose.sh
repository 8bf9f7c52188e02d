#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# extendedKeyUsage: who may sign mail, files, XML, zips and configurations, when only a CA vouches for him.
. "${top_srcdir:?}/tests/lib/harness.sh"
needs openssl zip

document=1.3.6.1.5.5.7.3.36 # RFC 9336
sign=keyUsage=critical,digitalSignature
make_ca ca
for limit in serverAuth emailProtection; do
    make_cert "ca-$limit" ec:P-256 basicConstraints=critical,CA:TRUE keyUsage=critical,keyCertSign extendedKeyUsage=$limit
done
make_cert own ec:P-256 $sign
cat own.key own.pem >own.bundle
mkdir in
echo entry >in/entry
(cd in && zip -q ../plain.zip entry)
echo 'a document' >file
echo '<order>1</order>' >order.xml
printf 'Content-Type: text/plain\r\n\r\nPay 1 to Alice.\r\n' >body

# one_key DESCRIPTOR KEY: a configuration
one_key() {
    echo "<engineSignEncrypt><descriptors><descriptor name='$1'><type algorithm='SHA256withECDSA' key='k'/></descriptor></descriptors>"
    echo "<keys><key name='k'><type name='pem' locationValue='$2.bundle'/></key></keys></engineSignEncrypt>"
}
one_key Own own >verifier.xml
chmod 600 verifier.xml
export SIGNENGINE_CONFIG="$tmp/verifier.xml"

# make_signer_with NAME ISSUER EXTENSION...: NAME.* signed with its certificate, by itself, which is trusted as itself
make_signer_with() {
    who=$1 issuer=$2
    shift 2
    make_cert "$who" ec:P-256 issuer="$issuer" $sign subjectAltName=email:ceo@example.org "$@"
    cat "$who.key" "$who.pem" "$issuer.pem" >"$who.bundle"
    one_key Any "$who" >"$who.xml"
    chmod 600 "$who.xml"
    accepts signengine -q -c "$who.xml" sign -d Any -o "$who.p7s" file
    accepts signengine -q -c "$who.xml" sign -d Any --xml -o "$who.signed.xml" order.xml
    accepts signengine -q -c "$who.xml" zip sign -d Any -o "$who.zip" plain.zip
    accepts signengine -q -c "$who.xml" zip verify -d Any "$who.zip"
    accepts signengine -q -c "$who.xml" verify -d Any file -s "$who.p7s"
    cp verifier.xml "$who.signed-config.xml"
    accepts signengine -q -c "$who.xml" config sign -d Any "$who.signed-config.xml"
    setup openssl cms -sign -in body -signer "$who.pem" -inkey "$who.key" -certfile "$issuer.pem" -md sha256 -crlfeol -from ceo@example.org \
        -to ops@example.org -subject order -out "$who.eml"
    sed -i 's/x-pkcs7/pkcs7/' "$who.eml"
}

# verdict yes|no CMD...: accepted, or refused because of the extension
verdict() {
    if [ "$1" = yes ]; then
        shift
        accepts "$@"
    else
        shift
        refuses 1 "$@"
        says extendedKeyUsage
    fi
}

# row NAME ISSUER MAIL FILE ZIP CONFIG EXTENSION...
row() {
    name=$1 issuer=$2 mail=$3 file=$4 zip=$5 config=$6
    shift 6
    make_signer_with "$name" "$issuer" "$@"
    verdict "$mail" signengine -q mail verify -d Own --trust ca.pem "$name.eml"
    verdict "$file" signengine -q verify -d Own --trust ca.pem file -s "$name.p7s"
    verdict "$file" signengine -q verify -d Own --trust ca.pem --xml "$name.signed.xml"
    verdict "$zip" signengine -q zip verify -d Own --trust ca.pem "$name.zip"
    verdict "$config" signengine -q --trust-config ca.pem config verify "$name.signed-config.xml"
    # what is trusted is that certificate itself
    accepts signengine -q --trust-config "$name.pem" config verify "$name.signed-config.xml"
    # OpenSSL 3.0 does not know that "any" is enough for mail (RFC 8550, 4.4.4)
    [ "$name" = any ] && return
    if [ "$mail" = yes ]; then
        accepts openssl cms -verify -purpose smimesign -in "$name.eml" -CAfile ca.pem -out /dev/null
    else
        others_refuse openssl cms -verify -purpose smimesign -in "$name.eml" -CAfile ca.pem -out /dev/null
    fi
}

row none ca yes yes yes yes
row mail ca yes yes no no extendedKeyUsage=emailProtection
row card ca yes yes no no extendedKeyUsage=clientAuth,emailProtection
row any ca yes yes yes yes extendedKeyUsage=anyExtendedKeyUsage
row code ca no yes yes yes extendedKeyUsage=critical,codeSigning
row both ca yes yes yes yes extendedKeyUsage=codeSigning,emailProtection
row web ca no no no no extendedKeyUsage=serverAuth,clientAuth
row document ca no yes no no extendedKeyUsage=$document
row stamps ca no no no no extendedKeyUsage=critical,timeStamping
row below-web ca-serverAuth no no no no
row below-mail ca-emailProtection yes yes no no

# the well-known names: what nobody would accept is not signed, and check says so
export SIGNENGINE_CONFIG=
cat >named.xml <<XML
<engineSignEncrypt>
  <descriptors>
    <descriptor name='SignEmailDescriptor'><type algorithm='SHA256withECDSA' key='web'/></descriptor>
    <descriptor name='ConfigZipSigner'><type algorithm='SHA-256' key='document'/></descriptor>
    <descriptor name='Good'><type algorithm='SHA256withECDSA' key='mail'/></descriptor>
  </descriptors>
  <keys>
    <key name='web'><type name='pem' locationValue='web.bundle'/></key>
    <key name='document'><type name='pem' locationValue='document.bundle'/></key>
    <key name='mail'><type name='pem' locationValue='mail.bundle'/></key>
  </keys>
</engineSignEncrypt>
XML
chmod 600 named.xml
export SIGNENGINE_CONFIG="$tmp/named.xml"
printf 'From: ceo@example.org\r\nTo: ops@example.org\r\n\r\nPay 1 to Alice.\r\n' >message
refuses 78 signengine mail sign message
says 'extendedKeyUsage is serverAuth, clientAuth, and not emailProtection'
accepts signengine -q zip sign -o named.zip plain.zip
accepts signengine -q zip verify named.zip
refuses 78 signengine check
says 'extendedKeyUsage is serverAuth, clientAuth, and not emailProtection'
says 'who trusts its CA, and does not have this descriptor, refuses what it signs'
says 'Good:1'
[ "$(grep -c refuses "$out")" = 1 ] || fail "a certificate for mail is warned of"

# mail by a descriptor of any name is mail
accepts signengine -q -c web.xml sign -d Any -o again.p7s file
refuses 78 signengine -c web.xml mail sign -d Any message
says emailProtection

# encryption: only the key counts, for names of one's own too
make_cert encrypts rsa:2048 keyUsage=critical,keyEncipherment extendedKeyUsage=serverAuth
cat encrypts.key encrypts.pem >encrypts.bundle
one_key Secrets encrypts | sed 's,SHA256withECDSA,AES/GCM/NoPadding,; s,/></desc, asymCipher="RSA/None/OAEPWithSHA256AndMGF1Padding"&,' >encrypts.xml
chmod 600 encrypts.xml
accepts signengine -c encrypts.xml encrypt -d Secrets file
