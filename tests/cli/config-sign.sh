#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Signed configurations: what is refused once --trust-config is given, what it says about changes, and xmlsec1 on the file as it is.
. "${top_srcdir:?}/tests/lib/harness.sh"
needs openssl xmlsec1

make_ca ca
make_ca other
make_cert admin ec:P-256 keyUsage=critical,digitalSignature
make_cert files rsa:2048 keyUsage=critical,digitalSignature
make_cert encrypts ec:P-256 keyUsage=critical,keyAgreement
make_cert expired ec:P-256 keyUsage=critical,digitalSignature until=20210101000000Z
make_p12 files 'se&cr"et	<1>'
for name in admin encrypts expired; do
    cat $name.key $name.pem >$name.bundle
done
cat >admin.xml <<XML
<engineSignEncrypt>
  <descriptors><descriptor name="Admin"><type algorithm="SHA256withECDSA" key="admin"/></descriptor></descriptors>
  <keys><key name="admin"><type name="pem" locationValue="admin.bundle"/></key></keys>
</engineSignEncrypt>
XML
# PINs of every kind, with all that XML can hide in them
cat >plain.xml <<'XML'
<?xml version="1.0" encoding="UTF-8"?>
<!-- what this is -->
<engineSignEncrypt>
  <descriptors>
    <descriptor name="Files" version='1'><type key="files" algorithm="SHA256withRSA"/></descriptor>
    <descriptor name="Old"><type key="old" algorithm="SHA256withRSA"/></descriptor>
  </descriptors>
  <keys>
    <key name="files"><type name="pkcs12" pin="se&amp;cr&quot;et&#9;&lt;1>" locationValue="files.p12"/></key>
    <key name="old">
      <type name="pkcs12" pin.encrypted='ne"ver &#39;used&#x27;' alias="a" locationValue="none.p12"/>
      <type name="pkcs12" alias="a" locationValue="none.p12" pin.source="env:NONE"/>
    </key>
  </keys>
</engineSignEncrypt>
XML
chmod 600 ./*.xml
echo content >content
admin() { signengine -c admin.xml "$@"; }
trusting() { signengine -c signed.xml --trust-config ca.pem "$@"; }

# ---- signing ----
accepts admin config sign -d Admin plain.xml -o signed.xml
[ "$(stat -c %a signed.xml)" = 600 ] || fail "others can read the PINs"
if [ -c /dev/full ]; then
    full() { admin config sign -d Admin plain.xml -o - >/dev/full; }
    refuses 73 full
    says "No space left on device"
fi
accepts xmlsec1 --verify --trusted-pem ca.pem signed.xml
accepts trusting config verify
says 'good signature'
says 'CN=admin'
accepts signengine --json --trust-config ca.pem config verify signed.xml
says '"verdict":"good"'
accepts trusting sign -d Files content -o content.p7s
accepts trusting config fingerprint
cp "$out" fingerprint
accepts signengine -c plain.xml config fingerprint
same "$out" fingerprint
accepts signengine -c signed.xml config show
# without the signature it is what it was
accepts sed 's:<ds.Signature .*::; s:^.*</ds.Signature></engineSignEncrypt>:</engineSignEncrypt>:' signed.xml
awk '/<ds:Signature /{ skip = 1 } !skip { print } /<\/ds:Signature>/{ skip = 0; print "</engineSignEncrypt>" }' signed.xml >without.xml
same plain.xml without.xml
# a second signature replaces the first, in place
cp signed.xml again.xml
accepts admin config sign -d Admin again.xml
[ "$(grep -c '</ds:Signature>' again.xml)" = 1 ] || fail "signed twice"
accepts signengine --trust-config ca.pem config verify - <again.xml
accepts xmlsec1 --verify --trusted-pem ca.pem again.xml
# one that vouches for itself, and the certificate itself in place of a CA
cp admin.xml self.xml
accepts signengine -c self.xml config sign -d Admin
accepts signengine -c self.xml --trust-config admin.pem sign -d Admin content -o content.p7s
# scrambled PINs
cp plain.xml scrambled.xml
accepts signengine -c scrambled.xml pin scramble --in-place
accepts admin config sign -d Admin scrambled.xml
accepts xmlsec1 --verify --trusted-pem ca.pem scrambled.xml
accepts signengine -c scrambled.xml --trust-config ca.pem sign -d Files content -o content.p7s

# signed by xmlsec1: it knows nothing of what was changed, but that it was
sed 's:</engineSignEncrypt>:<Signature xmlns="http\://www.w3.org/2000/09/xmldsig#"><SignedInfo><CanonicalizationMethod Algorithm="http\://www.w3.org/2001/10/xml-exc-c14n#"/><SignatureMethod Algorithm="http\://www.w3.org/2001/04/xmldsig-more#rsa-sha256"/><Reference URI=""><Transforms><Transform Algorithm="http\://www.w3.org/2000/09/xmldsig#enveloped-signature"/></Transforms><DigestMethod Algorithm="http\://www.w3.org/2001/04/xmlenc#sha256"/><DigestValue/></Reference></SignedInfo><SignatureValue/><KeyInfo><X509Data><X509Certificate/></X509Data></KeyInfo></Signature></engineSignEncrypt>:' \
    plain.xml >template.xml
setup xmlsec1 --sign --privkey-pem files.key,files.pem --output theirs.xml template.xml
accepts signengine -c theirs.xml --trust-config ca.pem sign -d Files content -o content.p7s
sed 's/alias="a"/alias="b"/' theirs.xml >changed.xml
refuses 1 signengine --trust-config ca.pem config verify changed.xml
says 'the content is not what was signed'

# ---- changed ----
# changed SED-EXPRESSION TEXT: the signed configuration, changed so, is refused and says so
changed() {
    sed "$1" signed.xml >changed.xml
    refuses 1 signengine --trust-config ca.pem config verify changed.xml
    says "$2"
    refuses 78 signengine -c changed.xml --trust-config ca.pem sign -d Files content -o never
    says "'changed.xml': "
    says "$2"
    says_not 'cr"et'
    case $1 in *canonical* | *OLD*) ;; *) others_refuse xmlsec1 --verify --trusted-pem ca.pem changed.xml ;; esac
    [ ! -e never ] || fail "signed with a changed configuration"
}
changed '0,/alias="a"/s/alias="a"/alias="b"/' "key old replica 1: alias was 'a', is 'b'"
changed 's/SHA256withRSA"\/><\/descriptor>$/SHA512withRSA"\/><\/descriptor>/' "descriptor Files:1: algorithm was 'SHA256withRSA', is 'SHA512withRSA'"
changed 's/ key="old"/ key="files"/' "descriptor Old:1: key was 'old', is 'files'"
changed '/name="Old"/d' "descriptor Old:1: algorithm 'SHA256withRSA' was removed"
changed 's/<key name="files">/<key name="new"><type name="pem" locationValue="x"\/><\/key>&/' "key new: locationValue 'x' was added"
changed 's/&lt;1>/\&lt;2>/' 'in a PIN or in its layout'
changed 's/ne"ver/NE"VER/' 'in a PIN or in its layout'
changed 's/env:NONE/env:PATH/' 'in a PIN or in its layout'
changed 's/<keys>/<keys><!-- new -->/;s/<descriptors>/<descriptors> /' 'in a PIN or in its layout'
changed 's/<descriptor name="Files"/<descriptor nam="Files"/' 'no configuration any more'
changed 's/ pin=/ pIn=/' 'no configuration any more'
changed "s/^key old replica 1/key OLD replica 1/" "the canonical configuration in the signature was changed"
changed 's/<ds:SignatureValue>A/<ds:SignatureValue>B/;t;s/<ds:SignatureValue>./<ds:SignatureValue>A/' "the SignatureValue is not the signer's"
# the same meaning in other words is not what was signed either, and a comment alone changes nothing
sed 's/<!-- what this is -->/<!-- what this was -->/' signed.xml >comment.xml
accepts signengine --trust-config ca.pem config verify comment.xml

# ---- not signed, or not by those ----
refuses 65 signengine --trust-config ca.pem config verify plain.xml
says 'there is no XML signature'
refuses 78 signengine -c plain.xml --trust-config ca.pem check
says 'there is no XML signature'
refuses 78 signengine -c signed.xml --trust-config other.pem sign -d Files content
says 'the signer is not trusted'
refuses 66 signengine -c signed.xml --trust-config none.pem sign -d Files content
refuses 64 signengine config verify signed.xml
for command in 'check' 'config show' 'config fingerprint' 'key list files' 'verify -d Files content -s content.p7s' 'encrypt -d Files content'; do
    # shellcheck disable=SC2086 # several words
    refuses 78 signengine -c plain.xml --trust-config ca.pem $command
    says 'there is no XML signature'
done
for name in encrypts expired; do
    setup sed "s/admin.bundle/$name.bundle/" admin.xml
    cp "$out" by-$name.xml
    refuses 78 signengine -c by-$name.xml config sign -d Admin plain.xml -o never
    sed 's/rsa-sha256/ecdsa-sha256/' template.xml >by.xml
    setup xmlsec1 --sign --privkey-pem $name.key,$name.pem --output theirs.xml by.xml
    refuses 1 signengine --trust-config ca.pem config verify theirs.xml
    says "$(if [ $name = expired ]; then echo expired; else echo keyUsage; fi)"
done
refuses 1 signengine --trust-config ca.pem config verify --time 2019-06-01 signed.xml
says 'not yet valid'

# ---- revoked ----
issue_crl good.crl ca
issue_crl revoked.crl ca admin=20250601000000Z
trusted_verify() { signengine "$@" --trust-config ca.pem config verify signed.xml; }
accepts trusted_verify
says 'revocation not looked at'
accepts signengine --trust-config ca.pem config verify --crl good.crl --require-revocation-check signed.xml
says 'revocation none, by the CRL of'
accepts signengine --json --trust-config ca.pem config verify --crl good.crl signed.xml
says '"revocation":{"status":"good","by":"crl",'
says "\"serial\":\"$(openssl x509 -in admin.pem -noout -serial | cut -d= -f2)\""
refuses 1 signengine --trust-config ca.pem config verify --crl revoked.crl signed.xml
says 'was revoked at 2025-06-01T00:00:00Z'
refuses 1 signengine --trust-config ca.pem config verify --require-revocation-check signed.xml
# and at each loading
accepts trusting --config-crl good.crl --require-config-revocation-check sign -d Files content -o content.p7s
accepts trusting --config-crl good.crl key list files
setup rm -f never
for command in check 'config show' 'key list files' 'sign -d Files content -o never' 'encrypt -d Files content -o never'; do
    # shellcheck disable=SC2086 # several words
    refuses 78 trusting --config-crl revoked.crl $command
    says "'signed.xml': CN=admin was revoked at 2025-06-01T00:00:00Z (unspecified), says the CRL of "
done
[ ! -e never ] || fail "signed by a configuration whose signer was revoked"
refuses 1 trusting --config-crl revoked.crl config verify
says 'was revoked at 2025-06-01T00:00:00Z'
refuses 78 trusting --require-config-revocation-check check
says "can't be found out: "
says 'there is no CRL of its issuer'
refuses 64 signengine -c signed.xml --config-crl good.crl check
says 'by whom?'
refuses 66 trusting --config-crl none.crl check
refuses 78 trusting --config-crl content check
says "'content' is no CRL"
refuses 65 admin config sign -d Admin content -o never
sed 's/name="Old"/nam="Old"/' plain.xml >invalid.xml
refuses 78 admin config sign -d Admin invalid.xml -o never
[ ! -e never ] || fail "something invalid was signed"

# ---- differences ----
accepts signengine config diff plain.xml signed.xml
[ ! -s "$out" ] || fail "a signature is no difference"
sed '0,/alias="a"/s/alias="a"/alias="b"/; s/&lt;1>/\&lt;2>/; s/env:NONE/env:PATH/; /name="Old"/d' plain.xml >changed.xml
refuse_diff() { try signengine "$@"; [ "$status" = 1 ] || fail "status $status: $*"; }
refuse_diff config diff plain.xml changed.xml
says '- alias          a'
says '+ alias          b'
says '- pin            ***'
says '+ pin.source     env:PATH'
says '- algorithm      SHA256withRSA'
says_not 'cr"et'
refuse_diff --json config diff plain.xml changed.xml
says '"before":"a"'
refuses 64 signengine config diff plain.xml
refuses 78 signengine config diff plain.xml invalid.xml
refuses 78 signengine --trust-config ca.pem config diff signed.xml plain.xml

# ---- files that it names ----
make_cert attacker rsa:2048 keyUsage=critical,digitalSignature
mkdir d
cp files.pem d/signer.pem
cp files.pem d/other.pem
cat files.key files.pem >d/key.pem
chmod 600 d/key.pem
cat >d/plain.xml <<'XML'
<engineSignEncrypt>
  <descriptors>
    <descriptor name="Files"><type algorithm="SHA256withRSA" key="f"/></descriptor>
  </descriptors>
  <keys>
    <key name="f">
      <type name="pem" locationValue="key.pem" certificate="file:signer.pem"/>
      <type name="pem" locationValue="key.pem" certificate="classpath:other.pem"/>
    </key>
  </keys>
</engineSignEncrypt>
XML
chmod 600 d/plain.xml
accepts admin config sign -d Admin d/plain.xml -o d/engine.xml
named() { signengine -c d/engine.xml --trust-config ca.pem "$@"; }
accepts named config verify
accepts named sign -d Files content -o content.p7s
accepts named verify -d Files content -s content.p7s
accepts sh -c 'cd d && "$top_builddir/signengine" --trust-config ../ca.pem config verify - <engine.xml'
accepts named config show
says "$(sha256sum <d/signer.pem | cut -d' ' -f1)"
setup signengine -c d/engine.xml config fingerprint
cp "$out" before
# exchanged FILE COMMAND...: refused, and told which
exchanged() {
    which=$1
    shift
    "$@"
    refuses 1 named config verify
    says "d/$which' was changed since the configuration was signed"
    for command in check 'verify -d Files content -s content.p7s' 'config show' 'key list f'; do
        # shellcheck disable=SC2086 # several words
        refuses 78 named $command
        says "d/$which' was changed since the configuration was signed"
    done
}
exchanged signer.pem cp attacker.pem d/signer.pem
setup signengine -c d/engine.xml config fingerprint
others_refuse cmp "$out" before
cp files.pem d/signer.pem
exchanged other.pem sh -c 'echo >>d/other.pem'
cp files.pem d/other.pem
accepts named check
rm d/other.pem
refuses 66 named config verify
says 'd/other.pem'
refuses 78 named check
says 'd/other.pem'
refuses 66 admin config sign -d Admin d/plain.xml -o d/never.xml
says 'd/other.pem'
[ ! -e d/never.xml ] || fail "signed without a file that it names"
cp files.pem d/other.pem
# what is changed in the text and in a file is told of both
cp attacker.pem d/signer.pem
sed 's/name="Files"/name="Documents"/' d/engine.xml >d/changed.xml
refuses 1 signengine --trust-config ca.pem config verify d/changed.xml
says 'key f replica 1: certificateSHA-256 was'
cp files.pem d/signer.pem
# signed by somebody who does not know of it: the names alone are covered
sed -n 's/.*\(<Signature .*<\/Signature>\).*/\1/p' template.xml >signature
{ sed '$d' d/plain.xml && cat signature && echo '</engineSignEncrypt>'; } >d/template.xml
setup xmlsec1 --sign --privkey-pem files.key,files.pem --output d/theirs.xml d/template.xml
refuses 1 signengine --trust-config ca.pem config verify d/theirs.xml
says "d/signer.pem' is not covered by the signature, which only says its name: sign the configuration again"
refuses 78 signengine -c d/theirs.xml --trust-config ca.pem verify -d Files content -s content.p7s
