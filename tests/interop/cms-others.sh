#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# CMS as other programs write it: who is named as issuer, who is trusted, what is behind a message or around it, and the reason of what is refused.
. "${top_srcdir:?}/tests/lib/harness.sh"
needs openssl python3 zip

make_ca ca
for name in inter other; do
    make_cert $name rsa:2048 keyUsage=critical,keyCertSign,cRLSign basicConstraints=critical,CA:TRUE
done
make_cert one rsa:2048 issuer=inter keyUsage=critical,digitalSignature,keyEncipherment
cat inter.pem ca.pem >one.chain
cat one.key one.pem >one.bundle
cat >engine.xml <<XML
<engineSignEncrypt><descriptors>
  <descriptor name='ConfigZipSigner'><type algorithm='SHA-256' key='one'/></descriptor>
  <descriptor name='Signer'><type algorithm='SHA256withRSA' key='one'/></descriptor>
  <descriptor name='EncryptedFields'>
    <type algorithm='AES/CBC/PKCS7Padding' size='256' result='CMS' key='k' asymCipher='RSA/ECB/OAEPWithSHA-256AndMGF1Padding'/>
  </descriptor>
</descriptors><keys>
  <key name='one'><type name='pem' locationValue='one.bundle'/></key>
  <key name='k'><type name='pem' locationValue='k.bundle'/></key>
</keys></engineSignEncrypt>
XML
make_cert k rsa:2048 keyUsage=critical,keyEncipherment
cat k.key k.pem >k.bundle
export SIGNENGINE_CONFIG="$tmp/engine.xml" PYTHONPATH="$top_srcdir/tests/zip" PYTHONDONTWRITEBYTECODE=1
echo data >data
verify() { signengine verify -d Signer -s "$@"; }
ess() { setup python3 "$top_srcdir/tests/interop/ess.py" "$@"; }

# ---- RFC 5035, 5.4: the first one is the signer's, others limit what a path may lead over ----
ess data one whole.p7s one inter ca
setup openssl cms -verify -cades -binary -inform DER -in whole.p7s -content data -CAfile ca.pem -purpose any -out /dev/null
for trust in '' '--trust inter.pem' '--trust ca.pem'; do
    # shellcheck disable=SC2086 # words
    accepts verify whole.p7s $trust data
done
ess data one issuer.p7s one inter
accepts verify issuer.p7s --trust ca.pem data
ess data one strangers.p7s one other
accepts verify strangers.p7s data
refuses 1 verify strangers.p7s --trust ca.pem data
says 'not trusted'
ess data one wrong.p7s inter one
for trust in '' '--trust ca.pem'; do
    # shellcheck disable=SC2086 # words
    refuses 1 verify wrong.p7s $trust data
    says "the signer's certificate is not the one that was signed with"
done
ess data one none.p7s
refuses 1 verify none.p7s data

# in zips too
setup zip -q plain.zip data
setup signengine zip sign plain.zip -o signed.zip
setup unzip -qo signed.zip META-INF/ONE.SF
ess META-INF/ONE.SF one META-INF/ONE.RSA one inter ca
setup zip -q -X signed.zip META-INF/ONE.RSA
accepts signengine zip verify signed.zip --trust ca.pem
accepts signengine zip verify signed.zip --trust inter.pem

# ---- an anchor of trust need not be self-signed (RFC 5280, 6.1) ----
setup openssl cms -sign -binary -in data -outform DER -signer one.pem -inkey one.key -out plain.p7s
accepts verify plain.p7s --trust inter.pem data
refuses 1 verify plain.p7s --trust other.pem data
says 'not trusted'
refuses 1 verify plain.p7s --trust k.pem data

# ---- reasons ----
openssl cms -sign -binary -in data -outform DER -signer one.pem -inkey one.key -keyopt rsa_padding_mode:pss -keyopt rsa_mgf1_md:sha1 -out pss.p7s
refuses 1 verify pss.p7s data
says "the signature's digest is sha256, and its RSASSA-PSS with hash SHA256 and MGF1's SHA-1"
for tail in '\0\0\0\0' '\r\n'; do
    # shellcheck disable=SC2059 # escapes
    { cat plain.p7s && printf "$tail"; } >behind.p7s
    refuses 65 verify behind.p7s data
    says "bytes follow the signature, which has $(wc -c <plain.p7s) of $(wc -c <behind.p7s)"
done
setup openssl cms -sign -binary -nodetach -in data -outform DER -signer one.pem -inkey one.key -out attached.p7m
accepts signengine verify -d Signer attached.p7m
{ cat attached.p7m && echo; } >behind.p7m
refuses 65 signengine verify -d Signer behind.p7m
says "bytes follow the signature, from byte $(wc -c <attached.p7m) on"

# ---- messages for us ----
oaep() { openssl cms -encrypt -binary -in data -recip k.pem -keyopt rsa_padding_mode:oaep -keyopt rsa_oaep_md:sha256 "$@"; }
setup oaep -aes256 -outform DER -out e.der
setup oaep -aes256 -outform PEM -out e.pem
{ echo 'For the report' && sed 's/$/\r/' e.pem; } >e.text
openssl base64 -in e.der -out e.mime
sed 's/$/\r/' e.mime >e.crlf
for form in der pem text mime crlf; do
    accepts signengine decrypt e.$form
    same "$out" data
done
setup oaep -des3 -outform DER -out e.des3
refuses 1 signengine decrypt e.des3
says 'encrypted with the algorithm des-ede3-cbc; AES in CBC or GCM is what is decrypted'
setup openssl cms -encrypt -binary -in data -aes256 -outform DER -recip k.pem -out e.pkcs1
refuses 1 signengine decrypt e.pkcs1
says "the value's key is encrypted with the algorithm rsaEncryption (PKCS #1 v1.5); RSAES-OAEP is what is decrypted"
