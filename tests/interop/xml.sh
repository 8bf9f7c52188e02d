#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# XML signatures of ours before xmlsec1, and of xmlsec1 before us: PKCS #1 and ECDSA (P-256, P-384, P-521) x SHA-256/384/512,
# PKCS #12 and SoftHSM; enveloped, by ID, enveloping, detached; exclusive and inclusive C14N.
. "${top_srcdir:?}/tests/lib/harness.sh"
needs openssl pkcs11-tool xmlsec1

make_token xml
make_ca ca
setup_key() {
    make_cert "$1" "$2" keyUsage=critical,digitalSignature
    make_p12 "$1"
    setup openssl pkcs8 -topk8 -nocrypt -in "$1.key" -outform DER -out "$1.der"
    setup openssl x509 -in "$1.pem" -outform DER -out "$1.crt"
    for object in privkey:$1.der cert:$1.crt; do
        setup pkcs11-tool --module "$softhsm_module" --token-label xml --login --pin 1234 --write-object "${object#*:}" \
            --type "${object%%:*}" --id "$3" --label "$1"
    done
}
setup_key rsa rsa:2048 01
setup_key p256 ec:P-256 02
setup_key p384 ec:P-384 03
setup_key p521 ec:P-521 04

pairs='SHA256withRSA-rsa SHA384withRSA-rsa SHA512withRSA-rsa SHA256withECDSA-p256 SHA384withECDSA-p384 SHA512withECDSA-p521'
[ -z "${MEMCHECK-}" ] || pairs='SHA256withRSA-rsa SHA256withECDSA-p256'
{
    echo '<engineSignEncrypt><descriptors>'
    for pair in $pairs SHA256withRSAandMGF1-rsa; do
        for store in p12 token; do
            echo "<descriptor name='$pair-$store'><type algorithm='${pair%-*}' key='${pair#*-}-$store'/></descriptor>"
        done
    done
    echo '</descriptors><keys>'
    for key in rsa p256 p384 p521; do
        echo "<key name='$key-p12'><type name='pkcs12' locationValue='$tmp/$key.p12' pin='1234'/></key>"
        echo "<key name='$key-token'><type name='HSM' locationValue='$softhsm_module' tokenLabel='xml' alias='$key' pin='1234'/></key>"
    done
    echo '</keys></engineSignEncrypt>'
} >engine.xml
chmod 600 engine.xml
export SIGNENGINE_CONFIG="$tmp/engine.xml"

cat >document.xml <<'XML'
<?xml version="1.0" encoding="UTF-8"?>
<!-- before --><?page before?>
<order xmlns="urn:order" xmlns:q="urn:unused" xml:lang="de">
  <item z="last" a="first &lt; &quot;quoted&quot;&#9;tab" q:b=''>Gr&#xFC;ße&amp;<![CDATA[<raw> & ]]>&#13;</item>
  <e:empty xmlns:e="urn:e" xmlns="" Id="part"><inner xmlns="urn:order"/></e:empty>
  <q:note ID="note"/>
</order>
<?page after?><!-- after -->
XML
printf '<order/>' >empty.xml
printf '\357\273\277<?xml version="1.0"?>\n<o a="1" xmlns:x="urn:x"\n>text</o \n><!-- </o> --><?p </o>?>\n' >odd.xml
xmlsec_verify() { xmlsec1 --verify --trusted-pem ca.pem "$@"; }

# ---- ours before xmlsec1 ----
for pair in $pairs; do
    for store in p12 token; do
        for options in '' --inclusive --enveloping '--enveloping --inclusive'; do
            # shellcheck disable=SC2086 # several options
            accepts signengine sign --xml -d "$pair-$store" $options document.xml -o signed.xml
            accepts xmlsec_verify signed.xml
            accepts signengine verify --xml -d "$pair-$store" signed.xml
            says "${pair%-*}"
        done
        for options in '' --inclusive; do
            # shellcheck disable=SC2086
            accepts signengine sign --xml -d "$pair-$store" $options --id part document.xml -o signed.xml
            accepts xmlsec_verify --id-attr:Id urn:e:empty signed.xml
            accepts signengine verify --xml -d "$pair-$store" --id part signed.xml
            refuses 1 signengine verify --xml -d "$pair-$store" signed.xml
        done
        accepts signengine sign --xml -d "$pair-$store" --detached document.xml -o signature.xml
        accepts xmlsec_verify signature.xml
        accepts signengine verify --xml -d "$pair-$store" document.xml -s signature.xml
        refuses 1 signengine verify --xml -d "$pair-$store" odd.xml -s signature.xml
    done
done
for store in p12 token; do
    accepts signengine sign --xml -d SHA256withRSAandMGF1-rsa-$store document.xml -o signed.xml
    accepts signengine verify --xml -d SHA256withRSAandMGF1-rsa-$store signed.xml
    refuses 1 signengine verify --xml -d SHA256withRSA-rsa-$store signed.xml
    says 'signed with SHA256withRSAandMGF1, the descriptor says SHA256withRSA'
done

# all but the signature stays as it was, whatever the document looks like
for document in empty odd; do
    for options in '' --inclusive --enveloping; do
        # shellcheck disable=SC2086
        accepts signengine sign --xml -d SHA256withRSA-rsa-p12 $options $document.xml -o signed.xml
        accepts xmlsec_verify signed.xml
        accepts signengine verify --xml -d SHA256withRSA-rsa-p12 signed.xml
    done
done
accepts signengine sign --xml -d SHA256withRSA-rsa-p12 odd.xml -o signed.xml
setup sed 's:<ds.Signature .*</ds.Signature>::' signed.xml
cp "$out" without.xml
try true
same odd.xml without.xml

# what is handed out is the canonical form of what was signed
accepts signengine -q sign --xml -d SHA256withECDSA-p256-token document.xml -o signed.xml
accepts signengine -q verify --xml -d SHA256withECDSA-p256-token signed.xml -o seen.xml
grep -q 'Signature' seen.xml && fail "the content holds the signature"
grep -q '<item xmlns:q="urn:unused" a="first' seen.xml || fail "not the canonical form"
sed 's/first/FIRST/' signed.xml >changed.xml
refuses 1 signengine -q verify --xml -d SHA256withECDSA-p256-token changed.xml -o never.xml
says 'the content is not what was signed'
[ ! -e never.xml ] || fail "content that was not verified was written"
others_refuse xmlsec_verify changed.xml

# ---- xmlsec1 before us ----
more=http://www.w3.org/2001/04/xmldsig-more#
# template C14N SIGNATURE-METHOD DIGEST URI [TRANSFORM]
template() {
    echo '<Signature xmlns="http://www.w3.org/2000/09/xmldsig#"><SignedInfo>'
    echo "<CanonicalizationMethod Algorithm='$1'/> <SignatureMethod Algorithm='$2'/>"
    echo "<Reference URI='$4'><Transforms><Transform Algorithm='http://www.w3.org/2000/09/xmldsig#enveloped-signature'/>${5-}</Transforms>"
    echo "<DigestMethod Algorithm='$3'/><DigestValue></DigestValue></Reference></SignedInfo>"
    echo '<SignatureValue/><KeyInfo><X509Data><X509Certificate/></X509Data></KeyInfo></Signature>'
}
exclusive=http://www.w3.org/2001/10/xml-exc-c14n#
inclusive=http://www.w3.org/TR/2001/REC-xml-c14n-20010315
with() { { echo '<r xmlns:a="urn:a" xmlns:b="urn:b" xml:space="preserve" Id="root"><a:x t="b:y"/>' && template "$@" && echo '</r>'; } >template.xml; }
theirs() {
    accepts xmlsec1 --sign --privkey-pem "$1.key,$1.pem" --id-attr:Id r --output theirs.xml template.xml
    accepts signengine verify --xml -d "$2-p12" theirs.xml
    accepts signengine verify --xml -d "$2-p12" --trust ca.pem theirs.xml
}
sha256=http://www.w3.org/2001/04/xmlenc#sha256
for c14n in $exclusive $inclusive; do
    with "$c14n" ${more}rsa-sha256 $sha256 ''
    theirs rsa SHA256withRSA-rsa
    with "$c14n" ${more}ecdsa-sha256 http://www.w3.org/2001/04/xmlenc#sha512 '#root' "<Transform Algorithm='$c14n'/>"
    theirs p256 SHA256withECDSA-p256
done
with "$exclusive" ${more}rsa-sha256 ${more}sha384 '' \
    "<Transform Algorithm='$exclusive'><InclusiveNamespaces xmlns='$exclusive' PrefixList='b a'/></Transform>"
theirs rsa SHA256withRSA-rsa
sed 's/t="b:y"/t="b:z"/' theirs.xml >changed.xml
refuses 1 signengine verify --xml -d SHA256withRSA-rsa-p12 changed.xml
