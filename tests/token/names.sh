#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Keys of tokens by other names than one label for all: CKA_ID, the certificate's public key, labels as they are shown, PKCS #11 URIs,
# and p11-kit's proxy as the module.
. "${top_srcdir:?}/tests/lib/harness.sh"
needs openssl pkcs11-tool p11tool

make_token lab
make_token other
make_cert rsa rsa:2048 issuer=self keyUsage=critical,digitalSignature,keyEncipherment
make_cert ec ec:P-256 issuer=self keyUsage=critical,digitalSignature
make_cert else rsa:2048 issuer=self keyUsage=critical,digitalSignature
echo content >file

p11() { setup pkcs11-tool --module "$softhsm_module" --token-label "${token-lab}" --login --pin 1234 "$@"; }
# put NAME privkey|pubkey|cert ID [LABEL]
put() {
    case $2 in
    privkey) setup openssl pkcs8 -topk8 -nocrypt -in "$1.key" -outform DER -out .object ;;
    pubkey) setup openssl pkey -in "$1.key" -pubout -outform DER -out .object ;;
    cert) setup openssl x509 -in "$1.pem" -outform DER -out .object ;;
    esac
    if [ "${4-}" ]; then set -- "$1" "$2" "$3" --label "$4"; fi
    type=$2 id=$3
    shift 3
    p11 --write-object .object --type "$type" --id "$id" "$@"
}
drop() { p11 --delete-object --type "$1" --id "$2"; }

# with ALGORITHM ATTRIBUTES: a configuration whose only key is that
with() {
    algorithm=$1
    shift
    cat >engine.xml <<-XML
	<engineSignEncrypt>
	  <descriptors><descriptor name='Files'><type algorithm='$algorithm' key='k'/></descriptor></descriptors>
	  <keys><key name='k'><type name='HSM' $*/></key></keys>
	</engineSignEncrypt>
	XML
    chmod 600 engine.xml
}
export SIGNENGINE_CONFIG="$tmp/engine.xml"
module="locationValue='$softhsm_module' pin='1234'"
# signs_as NAME: with the key of NAME.pem, which openssl finds
signs_as() {
    signengine sign -d Files file -o file.p7s &&
        openssl cms -verify -binary -inform DER -in file.p7s -content file -certfile "$1.pem" -CAfile "$1.pem" -purpose any -out verified
}

# ---- by CKA_ID: no labels at all, and two keys of one label ----
put rsa privkey 0a
put rsa cert 0a
with SHA256withRSA "$module tokenLabel='lab' id='0a'"
accepts signs_as rsa
accepts signengine check --probe
with SHA256withRSA "$module id='0A'"
accepts signs_as rsa
with SHA256withRSA "$module tokenLabel='lab' id='0b'"
refuses 78 signengine sign -d Files file
says 'no certificate with CKA_ID 0b; there is certificate without label, CKA_ID 0a, private key without label, CKA_ID 0a'
put else privkey 0c twin
put else cert 0c twin
put rsa privkey 0d:0e twin
put rsa cert 0d:0e twin
with SHA256withRSA "$module tokenLabel='lab' alias='twin' id='0d0e'"
accepts signs_as rsa
with SHA256withRSA "$module tokenLabel='lab' alias='twin' id='0c'"
accepts signs_as else
with SHA256withRSA "$module tokenLabel='lab' alias='other' id='0c'"
refuses 78 signengine sign -d Files file
says "no certificate 'other'"

# ---- by the public key of the configured certificate ----
for name in "alias='nowhere'" ''; do
    with SHA256withRSA "$module tokenLabel='lab' $name certificate='file:rsa.pem'"
    accepts signs_as rsa
done
make_cert stranger rsa:2048 issuer=self
with SHA256withRSA "$module tokenLabel='lab' certificate='file:stranger.pem'"
refuses 78 signengine sign -d Files file
says "no private key of the certificate, nor one with the certificate's public key"
# one of another key under the alias is not passed over
with SHA256withRSA "$module tokenLabel='lab' alias='twin' certificate='file:stranger.pem'"
refuses 78 signengine sign -d Files file
says "private key 'twin' and its certificate do not belong together"
with SHA256withRSA "$module tokenLabel='lab'"
refuses 78 signengine check
says "HSM needs the attribute 'alias', or 'id', or 'certificate'"

# ---- EC: the public half has another label, and none at all ----
put ec privkey 1a curve
put ec pubkey 1a 'public half'
with SHA256withECDSA "$module tokenLabel='lab' alias='curve'"
accepts signengine key request k -o request.pem
accepts openssl req -in request.pem -noout -verify
accepts signengine -q key certificate k ec.pem
accepts signs_as ec
with SHA256withECDSA "$module tokenLabel='lab' certificate='file:ec.pem'"
accepts signs_as ec
drop pubkey 1a
accepts signs_as ec

# ---- labels as they are shown ----
cat >relabel.py <<'PYTHON'
import sys
import PyKCS11 as p

library = p.PyKCS11Lib()
library.load(sys.argv[1])
slot = [s for s in library.getSlotList(tokenPresent=True) if library.getTokenInfo(s).label.strip() == "lab"][0]
session = library.openSession(slot, p.CKF_SERIAL_SESSION | p.CKF_RW_SESSION)
session.login("1234")
label = p.LowLevel.ckattrlist(1)
label[0].SetBin(p.CKA_LABEL, p.ckbytelist(bytes.fromhex(sys.argv[3])))
for found in session.findObjects([(p.CKA_ID, bytes.fromhex(sys.argv[2]))]):
    if session.lib.C_SetAttributeValue(session.session, found, label) != p.CKR_OK:
        sys.exit("the label is not set")
PYTHON
# relabel ID LABEL: byte for byte, which pkcs11-tool can't
relabel() {
    setup /usr/bin/python3 relabel.py "$softhsm_module" "$1" "$(printf %b "$2" | od -An -tx1 | tr -d ' \n')"
}
/usr/bin/python3 -c 'import PyKCS11' 2>/dev/null || skip 'PyKCS11 is not installed'
for label in 'PIV key\000' 'PIV key  ' 'PIV key\000\000'; do
    relabel 0a "$label"
    with SHA256withRSA "$module tokenLabel='lab' alias='PIV key'"
    accepts signs_as rsa
    accepts signengine key list k
    says "key 'PIV key': RSA-2048, ID 0a"
done
relabel 0a 'Schl\303\274ssel'
with SHA256withRSA "$module tokenLabel='lab' alias='$(printf 'Schlu\314\210ssel')'"
accepts signs_as rsa
relabel 0a 'Schlu\314\210ssel'
with SHA256withRSA "$module tokenLabel='lab' alias='$(printf 'Schl\303\274ssel')'"
accepts signs_as rsa
with SHA256withRSA "$module tokenLabel='lab' alias='Schlussel'"
refuses 78 signengine sign -d Files file
says "no certificate 'Schlussel'"
relabel 0a 'x\377y'
with SHA256withRSA "$module tokenLabel='lab' alias='x?y'"
accepts signs_as rsa

# ---- PKCS #11 URIs ----
token=other put rsa privkey 2a here
token=other put rsa cert 2a here
printf 1234 >pin
chmod 600 pin
serial=$(p11tool --provider "$softhsm_module" --list-tokens | sed -n 's/.*serial=\([^;]*\);token=other.*/\1/p')
slot=$(pkcs11-tool --module "$softhsm_module" --list-token-slots 2>/dev/null | awk '/^Slot/ { s = $3 } /token label *: other/ { print s }' | tr -d '():')
slot=$((slot))
path="module-path=$softhsm_module"
for uri in "pkcs11:token=other;object=here?$path" "pkcs11:token=other;id=%2a?$path" "pkcs11:token=other;id=%2A;object=here;type=private?$path" \
    "pkcs11:serial=$serial;object=here?$path" "pkcs11:slot-id=$slot;object=here?$path" "pkcs11:object=he%72e%00?$path" \
    "pkcs11:model=SoftHSM%20v2;manufacturer=SoftHSM%20project;serial=$serial;token=other;id=%2A;object=here?$path" \
    "PKCS11:token=other;object=here?$path"; do
    with SHA256withRSA "locationValue='$uri' pin='1234'"
    accepts signs_as rsa
done
with SHA256withRSA "locationValue='pkcs11:token=other?$path' alias='here' pin='1234'"
accepts signs_as rsa
with SHA256withRSA "locationValue='pkcs11:token=other;object=here?$path&amp;pin-source=file:$tmp/pin'"
accepts signs_as rsa
with SHA256withRSA "locationValue='pkcs11:token=other;object=here?$path&amp;pin-source=$tmp/pin'"
accepts signs_as rsa
accepts signengine config show
says 'here'
accepts signengine key list k
says "key 'here': RSA-2048, ID 2a"
accepts signengine key list --module "pkcs11:token=other;object=here?$path" --pin-source file:pin
says "key 'here'"
for uri in "pkcs11:token=nowhere;object=here?$path" "pkcs11:token=other;model=else;object=here?$path"; do
    with SHA256withRSA "locationValue='$uri' pin='1234'"
    refuses 69 signengine sign -d Files file
    says 'no token with tokenLabel'
done

# told(TEXT) ATTRIBUTES: the configuration is refused with TEXT, and nobody sees the PIN
told() {
    text=$1
    shift
    with SHA256withRSA "$*"
    refuses 78 signengine check
    says "$text"
    says_not 87654321
}
told 'the PKCS #11 URI holds a PIN (pin-value), which belongs into pin.source or pin.encrypted' \
    "locationValue='pkcs11:token=other;object=here?$path&amp;pin-value=87654321'"
told "'alias' and the PKCS #11 URI's 'object' say the same: keep one" "locationValue='pkcs11:object=here?$path' alias='here'"
told "'id' and the PKCS #11 URI's 'id' say the same: keep one" "locationValue='pkcs11:id=%2a?$path' id='2a'"
told "'tokenLabel' and the PKCS #11 URI's 'token' say the same: keep one" "locationValue='pkcs11:token=a;object=here?$path' tokenLabel='a'"
told "'pin-source' and 'pin' both give the PIN: keep one" "locationValue='pkcs11:object=here?$path&amp;pin-source=/a' pin='87654321'"
told 'has a command as its pin-source, and none is run' "locationValue='pkcs11:object=here?$path&amp;pin-source=%7Ccat%20/a'"
told 'this is no PKCS #11 URI (RFC 7512)' "locationValue='pkcs11:object=%zz?pin-value=87654321'"
told 'the PKCS #11 URI has a part that is unknown' "locationValue='pkcs11:object=here;colour=red?$path'"
told 'describes the library (library-...)' "locationValue='pkcs11:object=here;library-description=x?$path'"
told "HSM needs the attribute 'alias', or 'id', or 'certificate'" "locationValue='pkcs11:token=other?$path'"
told "'id' must be pairs of hexadecimal digits, not '0a1'" "$module id='0a1'"
told "'id' must be pairs of hexadecimal digits, not 'xy'" "$module id='xy'"

# ---- the fingerprint knows it, and attributes and URI are told alike ----
with SHA256withRSA "$module tokenLabel='lab' id='0a'"
accepts signengine config show
says '0a'
signengine config fingerprint >one
with SHA256withRSA "$module tokenLabel='lab' id='0b'"
signengine config fingerprint >two
cmp -s one two && fail 'the fingerprint does not change with the id'
with SHA256withRSA "$module tokenLabel='lab' id='0B'"
accepts signengine config fingerprint
same two "$out"

# ---- p11-kit's proxy: by its name, and for a URI that names no module ----
proxy=$(find_library p11-kit-proxy.so)
if [ "$proxy" ] && grep -q 'libsofthsm2' /usr/share/p11-kit/modules/softhsm2.module; then
    for location in p11-kit-proxy "$proxy" pkcs11:token=other; do
        name="alias='here'"
        with SHA256withRSA "locationValue='$location' pin='1234' $name $([ "$location" = pkcs11:token=other ] || echo "tokenLabel='other'")"
        accepts signs_as rsa
    done
    with SHA256withRSA "locationValue='pkcs11:token=other;object=here?module-name=softhsm2' pin='1234'"
    accepts signs_as rsa
fi
