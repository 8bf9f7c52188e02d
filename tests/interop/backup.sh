#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Backups of keys before Bouncy Castle, which shares no code with us, and one of its own before us; it does AuthEnvelopedData with RSA only.
. "${top_srcdir:?}/tests/lib/harness.sh"
needs openssl javac java

jars=
for jar in bcprov bcpkix bcutil; do
    [ -e /usr/share/java/$jar.jar ] || skip "Bouncy Castle ($jar) is not installed"
    jars=$jars${jars:+:}/usr/share/java/$jar.jar
done
bouncy() { java -cp "$jars:$tmp" Envelope; }

make_ca ca
make_cert signer rsa:2048 keyUsage=critical,digitalSignature
make_cert rsa rsa:3072 issuer=self
make_cert curve ec:P-384 issuer=self
cat signer.key signer.pem ca.pem >signer.bundle
for name in rsa curve; do cat $name.key $name.pem >$name.both; done
setup openssl pkcs8 -topk8 -nocrypt -in rsa.key -outform DER -out rsa.p8
setup openssl x509 -in rsa.pem -outform DER -out rsa.der
setup openssl pkcs8 -topk8 -nocrypt -in signer.key -out signer.p8
cat signer.p8 signer.pem ca.pem >content.pem

accepts signengine key backup --file signer.bundle -o signer.backup --to rsa.pem --to curve.pem
setup openssl cms -cmsout -inform PEM -in signer.backup -outform DER -out signer.der
setup javac -cp "$jars" -d "$tmp" "$top_srcdir/tests/interop/Envelope.java"
accepts bouncy <<LINES
decrypt rsa.p8 signer.der read.pem
encrypt rsa.der content.pem theirs.der SHA-256 gcm
LINES
accepts openssl x509 -in read.pem -noout -subject
says 'CN = signer'
setup openssl pkcs8 -topk8 -nocrypt -in read.pem -out read.p8
accepts cat read.p8
same "$out" signer.p8
accepts signengine key restore --file new.pem theirs.der --recovery rsa.both
setup openssl pkcs8 -topk8 -nocrypt -in new.pem -out new.p8
accepts cat new.p8
same "$out" signer.p8
refuses 65 signengine key restore --file never.pem theirs.der --recovery curve.both
