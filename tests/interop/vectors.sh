#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Vectors of others, from Debian's sources: the interoperability signatures that xmlsec1 comes with (those of Aleksey Sanin, Merlin Hughes,
# Phaos and the W3C's second edition), each with the verdict that it has to get here and why; and W3C's examples of canonicalisation, which lxml
# comes with.
. "${top_srcdir:?}/tests/lib/harness.sh"
. "$top_srcdir/tests/lib/debian-source.sh"
needs openssl
debian_source xmlsec1 lxml

# ---- signatures ----

keys=xmlsec1/tests/keys
for pair in large:largersacert curve:ecdsa-secp256r1-cert short:rsacert; do
    setup openssl x509 -in "$keys/${pair#*:}.pem" -out "${pair%:*}.pem"
done
make_ca
make_cert one ec:P-256 keyUsage=critical,digitalSignature
cat one.key one.pem >one.bundle
{
    echo '<engineSignEncrypt><descriptors>'
    for row in rsa256-short-SHA256withRSA rsa384-large-SHA384withRSA rsa512-large-SHA512withRSA ec256-curve-SHA256withECDSA \
        ec384-curve-SHA384withECDSA ec512-curve-SHA512withECDSA one-one-SHA-256; do
        key=${row#*-}
        echo "<descriptor name='${row%%-*}'><type algorithm='${key#*-}' key='${key%%-*}'/></descriptor>"
    done
    echo '</descriptors><keys>'
    for key in large.pem curve.pem short.pem one.bundle; do
        echo "<key name='${key%.*}'><type name='pem' locationValue='$key'/></key>"
    done
    echo '</keys></engineSignEncrypt>'
} >engine.xml
export SIGNENGINE_CONFIG="$tmp/engine.xml"

# refused REASON OPTION...: by a CA, whoever the signer is, with the status and the words of that reason
refused() {
    case $1 in
    weak) status_wanted=1 words='is too weak' ;;                           # SHA-1, MD5, RIPEMD-160
    hmac) status_wanted=1 words='an HMAC proves nothing' ;;                # whatever its hash
    method) status_wanted=1 words='the SignatureMethod' ;;                 # DSA, GOST, SHA-224
    transform) status_wanted=1 words='only enveloped-signature, and C14N 1.0' ;; # XPath, XSLT, base64, C14N 1.1, with comments
    object) status_wanted=1 words="the signature's Object has no Id" ;;    # manifests, several objects
    place) status_wanted=1 words='no signature covers the whole document' ;;
    trust) status_wanted=1 words='the signer is not trusted' ;;            # their CA signs with SHA-1 and 1,024 bits
    unknown) status_wanted=1 words="the signer's certificate is neither part of the signature" ;;
    doctype) status_wanted=65 words='a DOCTYPE is not allowed' ;;
    *) fail "no such reason: $1" ;;
    esac
    shift
    refuses "$status_wanted" signengine verify --xml -d one --trust $keys/cacert.pem "$@"
    says "$words"
    [ ! -e content ] || fail "content was handed out"
}

# verdict              vector, and options, or the descriptor that it is good for; beside: the content is another file
cat >table <<'TABLE'
hmac                   aleksey-xmldsig-01/dtd-hmac-91 --id Body
transform              aleksey-xmldsig-01/enveloped-ecdsa-java-bug
method                 aleksey-xmldsig-01/enveloped-gost2001
method                 aleksey-xmldsig-01/enveloped-gost2012-256 --id obj1
method                 aleksey-xmldsig-01/enveloped-gost2012-512 --id obj1
transform              aleksey-xmldsig-01/enveloped-x509-issuerserial
transform              aleksey-xmldsig-01/enveloped-x509-ski
transform              aleksey-xmldsig-01/enveloped-x509-subjectname
weak                   aleksey-xmldsig-01/enveloping-dsa-x509chain
weak                   aleksey-xmldsig-01/enveloping-expired-cert
hmac                   aleksey-xmldsig-01/enveloping-md5-hmac-md5-64
hmac                   aleksey-xmldsig-01/enveloping-md5-hmac-md5
weak                   aleksey-xmldsig-01/enveloping-md5-rsa-md5
hmac                   aleksey-xmldsig-01/enveloping-ripemd160-hmac-ripemd160-64
hmac                   aleksey-xmldsig-01/enveloping-ripemd160-hmac-ripemd160
weak                   aleksey-xmldsig-01/enveloping-ripemd160-rsa-ripemd160
weak                   aleksey-xmldsig-01/enveloping-rsa-x509chain
weak                   aleksey-xmldsig-01/enveloping-sha1-ecdsa-sha1
hmac                   aleksey-xmldsig-01/enveloping-sha1-hmac-sha1-64
hmac                   aleksey-xmldsig-01/enveloping-sha1-hmac-sha1
weak                   aleksey-xmldsig-01/enveloping-sha1-rsa-sha1
hmac                   aleksey-xmldsig-01/enveloping-sha224-hmac-sha224-64
hmac                   aleksey-xmldsig-01/enveloping-sha224-hmac-sha224
method                 aleksey-xmldsig-01/enveloping-sha224-rsa-sha224
method                 aleksey-xmldsig-01/enveloping-sha256-dsa2048-sha256
method                 aleksey-xmldsig-01/enveloping-sha256-dsa3072-sha256
good                   aleksey-xmldsig-01/enveloping-sha256-ecdsa-sha256 ec256
hmac                   aleksey-xmldsig-01/enveloping-sha256-hmac-sha256-64
hmac                   aleksey-xmldsig-01/enveloping-sha256-hmac-sha256
unknown                aleksey-xmldsig-01/enveloping-sha256-rsa-sha256-der
beside-transform       aleksey-xmldsig-01/enveloping-sha256-rsa-sha256-relationship
trust                  aleksey-xmldsig-01/enveloping-sha256-rsa-sha256-verify
trust                  aleksey-xmldsig-01/enveloping-sha256-rsa-sha256
good                   aleksey-xmldsig-01/enveloping-sha384-ecdsa-sha384 ec384
hmac                   aleksey-xmldsig-01/enveloping-sha384-hmac-sha384-64
hmac                   aleksey-xmldsig-01/enveloping-sha384-hmac-sha384
good                   aleksey-xmldsig-01/enveloping-sha384-rsa-sha384 rsa384
good                   aleksey-xmldsig-01/enveloping-sha512-ecdsa-sha512 ec512
hmac                   aleksey-xmldsig-01/enveloping-sha512-hmac-sha512-64
hmac                   aleksey-xmldsig-01/enveloping-sha512-hmac-sha512
good                   aleksey-xmldsig-01/enveloping-sha512-rsa-sha512 rsa512
beside-weak            aleksey-xmldsig-01/signature-two-keynames
weak                   aleksey-xmldsig-01/x509data-sn-test
weak                   aleksey-xmldsig-01/x509data-test
doctype                aleksey-xmldsig-01/xpointer-hmac
beside-transform       xmldsig2ed-tests/defCan-1
beside-transform       xmldsig2ed-tests/defCan-2
beside-transform       xmldsig2ed-tests/defCan-3
transform              xmldsig2ed-tests/xpointer-1-SUN
object                 xmldsig2ed-tests/xpointer-2-SUN
transform              xmldsig2ed-tests/xpointer-3-SUN
object                 xmldsig2ed-tests/xpointer-4-SUN
object                 xmldsig2ed-tests/xpointer-5-SUN
object                 xmldsig2ed-tests/xpointer-6-SUN
weak                   merlin-xmldsig-twenty-three/signature-enveloped-dsa
weak                   merlin-xmldsig-twenty-three/signature-enveloping-b64-dsa
weak                   merlin-xmldsig-twenty-three/signature-enveloping-dsa
hmac                   merlin-xmldsig-twenty-three/signature-enveloping-hmac-sha1-40
hmac                   merlin-xmldsig-twenty-three/signature-enveloping-hmac-sha1
weak                   merlin-xmldsig-twenty-three/signature-enveloping-rsa
beside-weak            merlin-xmldsig-twenty-three/signature-external-b64-dsa
beside-weak            merlin-xmldsig-twenty-three/signature-external-dsa
beside-weak            merlin-xmldsig-twenty-three/signature-keyname
beside-weak            merlin-xmldsig-twenty-three/signature-retrievalmethod-rawx509crt
beside-weak            merlin-xmldsig-twenty-three/signature-x509-crt-crl
beside-weak            merlin-xmldsig-twenty-three/signature-x509-crt
beside-weak            merlin-xmldsig-twenty-three/signature-x509-is
beside-weak            merlin-xmldsig-twenty-three/signature-x509-ski
beside-weak            merlin-xmldsig-twenty-three/signature-x509-sn
doctype                merlin-xmldsig-twenty-three/signature
weak                   merlin-c14n-three/signature
weak                   merlin-exc-c14n-one/exc-signature
weak                   merlin-xpath-filter2-three/sign-spec
place                  merlin-xpath-filter2-three/sign-xfdl
weak                   phaos-xmldsig-three/signature-big
beside-weak            phaos-xmldsig-three/signature-dsa-detached
weak                   phaos-xmldsig-three/signature-dsa-enveloped
weak                   phaos-xmldsig-three/signature-dsa-enveloping
object                 phaos-xmldsig-three/signature-dsa-manifest
hmac                   phaos-xmldsig-three/signature-hmac-md5-c14n-enveloping
beside-transform       phaos-xmldsig-three/signature-hmac-sha1-40-c14n-comments-detached
beside-transform       phaos-xmldsig-three/signature-hmac-sha1-40-exclusive-c14n-comments-detached
beside-transform       phaos-xmldsig-three/signature-hmac-sha1-exclusive-c14n-comments-detached
hmac                   phaos-xmldsig-three/signature-hmac-sha1-exclusive-c14n-enveloped
object                 phaos-xmldsig-three/signature-rsa-detached-b64-transform
object                 phaos-xmldsig-three/signature-rsa-detached-xpath-transform
weak                   phaos-xmldsig-three/signature-rsa-detached-xslt-transform-bad-retrieval-method
object                 phaos-xmldsig-three/signature-rsa-detached-xslt-transform-retrieval-method
object                 phaos-xmldsig-three/signature-rsa-detached-xslt-transform
beside-weak            phaos-xmldsig-three/signature-rsa-detached
weak                   phaos-xmldsig-three/signature-rsa-enveloped-bad-digest-val
weak                   phaos-xmldsig-three/signature-rsa-enveloped-bad-sig
weak                   phaos-xmldsig-three/signature-rsa-enveloped
weak                   phaos-xmldsig-three/signature-rsa-enveloping
object                 phaos-xmldsig-three/signature-rsa-manifest-x509-data-cert-chain
object                 phaos-xmldsig-three/signature-rsa-manifest-x509-data-cert
object                 phaos-xmldsig-three/signature-rsa-manifest-x509-data-issuer-serial
object                 phaos-xmldsig-three/signature-rsa-manifest-x509-data-ski
object                 phaos-xmldsig-three/signature-rsa-manifest-x509-data-subject-name
object                 phaos-xmldsig-three/signature-rsa-manifest
weak                   phaos-xmldsig-three/signature-rsa-xpath-transform-enveloped
object                 phaos-xmldsig-three/signature-rsa-~x509-data-crl
TABLE
while read -r verdict name options; do
    file=xmlsec1/tests/$name.xml
    case $verdict in
    good)
        accepts signengine verify --xml -d "$options" "$file" -o content
        grep -q 'Id="object">some text</Object>' content || fail "not what was signed"
        rm content
        sed 's/some text/some other text/' "$file" >changed.xml
        refuses 1 signengine verify --xml -d "$options" changed.xml
        says 'the content is not what was signed'
        refused trust "$file" -o content
        ;;
    beside-*)
        refuses 65 signengine verify --xml -d one --trust $keys/cacert.pem "$file"
        says 'it is a detached one, and needs the content beside it'
        refused "${verdict#*-}" -s "$file" xmlsec1/tests/external-data/xml-stylesheet-2018
        ;;
    *)
        # shellcheck disable=SC2086 # two words or none
        refused "$verdict" $options "$file" -o content
        ;;
    esac
done <table
# their key of 512 bits is none that a descriptor may have
for name in enveloping-sha256-rsa-sha256 enveloping-sha256-rsa-sha256-der enveloping-sha256-rsa-sha256-verify; do
    refuses 1 signengine verify --xml -d rsa256 xmlsec1/tests/aleksey-xmldsig-01/$name.xml
    says 'the key is RSA-512'
done
try true
(cd xmlsec1/tests && grep -l SignatureValue -r aleksey-xmldsig-01 xmldsig2ed-tests merlin-xmldsig-twenty-three merlin-c14n-three \
    merlin-exc-c14n-one merlin-xpath-filter2-three phaos-xmldsig-three --include='*.xml') | sed 's/\.xml$//' | sort >there
awk '{ print $2 }' table | sort >listed
same there listed

# ---- C14N ----

for example in inC14N2 inNsContent inNsDefault inNsPushdown inNsRedecl inNsSort inNsSuperfluous inNsXml; do
    file=lxml/src/lxml/tests/c14n-20/$example.xml
    accepts signengine sign --xml -d one "$file" -o signed.xml
    accepts signengine verify --xml -d one signed.xml -o seen
    same "${file%/*}/out_${example}_c14nDefault.xml" seen
done
# by us only without what is dangerous; so here is what the function underneath makes of the rest
for example in 1 2 3 4 5 6; do
    file=lxml/src/lxml/tests/c14n-20/inC14N$example.xml
    accepts "${top_builddir:?}/tests/interop/c14n" exclusive "$file"
    same "${file%/*}/out_inC14N${example}_c14nDefault.xml" "$out"
    [ $example != 2 ] || continue
    refuses 65 signengine sign --xml -d one "$file" -o never
    says "$(if [ $example = 6 ]; then echo 'is not supported'; else echo 'a DOCTYPE is not allowed'; fi)"
done
