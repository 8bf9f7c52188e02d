#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# CRLs and OCSP responses that a CMS signature brings, put there by Bouncy Castle; and its answers with what those of openssl never have.
. "${top_srcdir:?}/tests/lib/harness.sh"
needs openssl javac java python3

jars=
for jar in bcprov bcpkix bcutil; do
    [ -e /usr/share/java/$jar.jar ] || skip "Bouncy Castle ($jar) is not installed"
    jars=$jars${jars:+:}/usr/share/java/$jar.jar
done
setup javac -cp "$jars" -d "$tmp" "$top_srcdir/tests/interop/Ocsp.java"
bouncy() { java -cp "$jars:$tmp" Ocsp; }

serve responder
make_ca ca
make_cert ocsp rsa:2048 keyUsage=critical,digitalSignature extendedKeyUsage=OCSPSigning noCheck=ignored
make_cert one ec:P-256 keyUsage=critical,digitalSignature authorityInfoAccess="OCSP;URI:$responder/one"
make_cert old ec:P-256 keyUsage=critical,digitalSignature until=20220101000000Z
for name in one old; do
    cat $name.key $name.pem ca.pem >$name.bundle
    setup openssl x509 -in $name.pem -outform DER -out $name.der
done
chmod 600 ./*.bundle
setup openssl x509 -in ca.pem -outform DER -out ca.der
setup openssl pkcs12 -export -in ocsp.pem -inkey ocsp.key -passout pass:secret -out ocsp.p12
cat >engine.xml <<XML
<engineSignEncrypt>
  <descriptors>
    <descriptor name='One'><type algorithm='SHA-256' key='one'/></descriptor>
    <descriptor name='Old'><type algorithm='SHA-256' key='old'/></descriptor>
  </descriptors>
  <keys>
    <key name='one'><type name='pem' locationValue='one.bundle'/></key>
    <key name='old'><type name='pem' locationValue='old.bundle'/></key>
  </keys>
</engineSignEncrypt>
XML
export SIGNENGINE_CONFIG="$tmp/engine.xml"
echo content >file
setup signengine sign -d One file
setup openssl cms -sign -binary -in file -signer old.pem -inkey old.key -outform DER -out old.p7s

# ---- what openssl makes ----
answer() { # FILE WHEN HOW
    list_certificates index "one=$2"
    setup openssl ocsp -no_nonce -issuer ca.pem -cert one.pem -reqout query
    setup env FAKETIME_DONT_FAKE_MONOTONIC=1 faketime -f "$3" openssl ocsp -index index -CA ca.pem -rsigner ocsp.pem -rkey ocsp.key -reqin query \
        -ndays 1 -respout "$1"
}
answer good.ocsp good -1s
answer past.ocsp good -5d
answer revoked.ocsp 20250601000000Z,superseded -1s
issue_crl good.pem ca
issue_crl revoked.pem ca one=20250601000000Z
for state in good revoked; do
    setup openssl crl -in $state.pem -outform DER -out $state.crl
done

# ---- brought ----
accepts bouncy <<LINES
bring file.p7s good-ocsp.p7s ocsp=good.ocsp
bring file.p7s past-ocsp.p7s ocsp=past.ocsp
bring file.p7s revoked-ocsp.p7s ocsp=revoked.ocsp
bring file.p7s good-crl.p7s crl=good.crl
bring file.p7s revoked-crl.p7s crl=revoked.crl
bring file.p7s both.p7s crl=good.crl other=ca.der ocsp=past.ocsp ocsp=revoked.ocsp
bring file.p7s other.p7s other=good.ocsp
answer one.der ca.der ocsp.p12 plain.ocsp
answer one.der ca.der ocsp.p12 part.ocsp critical-part
answer one.der ca.der ocsp.p12 whole.ocsp critical-whole
answer old.der ca.der ocsp.p12 old.ocsp
answer old.der ca.der ocsp.p12 cutoff.ocsp cutoff=2020-01-01T00:00:00Z
answer old.der ca.der ocsp.p12 late.ocsp cutoff=2023-01-01T00:00:00Z
LINES
for name in good-ocsp good-crl both other; do
    accepts openssl cms -verify -binary -inform DER -in $name.p7s -content file -CAfile ca.pem -purpose any -out /dev/null
done
verify() { # NAME OPTION...
    signed=$1
    shift
    signengine verify -d One -s "$signed.p7s" "$@" file
}
accepts verify good-ocsp
says 'revocation none, by the OCSP responder CN=ocsp of 20'
accepts verify good-ocsp --require-revocation-check
accepts verify good-crl --require-revocation-check
says 'revocation none, by the CRL of CN=Test CA ca of 20'
refuses 1 verify revoked-ocsp
says 'CN=one was revoked at 2025-06-01T00:00:00Z (superseded), says the OCSP responder CN=ocsp'
refuses 1 verify revoked-crl
says 'CN=one was revoked at 2025-06-01T00:00:00Z (unspecified), says the CRL of CN=Test CA ca'
refuses 1 verify both
says 'says the OCSP responder CN=ocsp'
refuses 1 verify both --trust ca.pem
accepts verify past-ocsp
says 'revocation unknown: CN=one: the newest answer of its OCSP responder was good until 20'
refuses 1 verify past-ocsp --require-revocation-check
accepts verify past-ocsp --crl good.crl --require-revocation-check
says 'by the CRL of'
refuses 1 verify good-ocsp --crl revoked.crl
accepts verify other
says 'revocation not looked at'
refuses 1 verify other --require-revocation-check
# anybody can add more, and each costs a verification
many() { # COUNT WHAT
    printf "%0${1}d" 0 | sed "s/0/ $2/g"
}
accepts bouncy <<LINES
bring file.p7s most.p7s$(many 50 crl=good.crl)$(many 50 ocsp=good.ocsp)
bring file.p7s over.p7s$(many 50 crl=good.crl)$(many 51 ocsp=good.ocsp)
bring file.p7s over-crls.p7s$(many 101 crl=good.crl)
LINES
accepts verify most --require-revocation-check
for name in over over-crls; do
    refuses 1 verify $name
    says 'the signature brings 101 CRLs and OCSP responses, more than 100'
done
# attached, and in PEM
setup signengine sign -d One --attached --pem file -o attached.pem
setup openssl cms -cmsout -inform PEM -in attached.pem -outform DER -out attached.der
accepts bouncy <<LINES
bring attached.der brought.der ocsp=revoked.ocsp
LINES
setup openssl cms -cmsout -inform DER -in brought.der -outform PEM -out brought.pem
refuses 1 signengine verify -d One brought.pem
says 'says the OCSP responder CN=ocsp'

# ---- answers that openssl does not make ----
echo 'cp kept.answer ocsp.answer' >answer.sh
asked() { # STATUS ANSWER OPTION...
    wanted=$1
    cp "$2" kept.answer
    shift 2
    if [ "$wanted" = 0 ]; then accepts signengine "$@"; else refuses "$wanted" signengine "$@"; fi
}
asked 0 plain.ocsp verify -d One --ocsp --require-revocation-check file
says 'by the OCSP responder CN=ocsp'
for answer in part whole; do
    asked 0 $answer.ocsp verify -d One --ocsp file
    says 'does not count: it has an extension that is critical and not known'
    asked 1 $answer.ocsp verify -d One --ocsp --require-revocation-check file
done
# of who had expired before the answer, unless the responder says that it knows such, too
accepts bouncy <<LINES
bring old.p7s old-old.p7s ocsp=old.ocsp
bring old.p7s old-late.p7s ocsp=late.ocsp
bring old.p7s old-cutoff.p7s ocsp=cutoff.ocsp
LINES
for name in old late; do
    accepts signengine verify -d Old -s old-$name.p7s --time 2021-06-01 file
    says 'revocation unknown: CN=old: it expired at 2022-01-01T00:00:00Z, and the answer of its OCSP responder, which is newer, need not know such certificates any more'
done
accepts signengine verify -d Old -s old-cutoff.p7s --time 2021-06-01 --require-revocation-check file
says 'by the OCSP responder CN=ocsp'
