#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# --digest: what is signed by its digest is good over the content for others' tools, and what they sign is good by its digest; RSA, PSS and
# ECDSA, keys in a file and in SoftHSM; raw, CMS and detached XML.
. "${top_srcdir:?}/tests/lib/harness.sh"
needs openssl pkcs11-tool xmlsec1

make_token digests
make_ca ca
setup_key() { # NAME KIND ID
    make_cert "$1" "$2" keyUsage=critical,digitalSignature
    cat "$1.key" "$1.pem" >"$1.bundle"
    setup openssl pkey -in "$1.key" -pubout -out "$1.pub"
    setup openssl pkcs8 -topk8 -nocrypt -in "$1.key" -outform DER -out "$1.der"
    setup openssl x509 -in "$1.pem" -outform DER -out "$1.crt"
    for object in privkey:$1.der cert:$1.crt; do
        setup pkcs11-tool --module "$softhsm_module" --token-label digests --login --pin 1234 --write-object "${object#*:}" \
            --type "${object%%:*}" --id "$3" --label "$1"
    done
}
setup_key rsa rsa:2048 01
setup_key ec ec:P-384 02
{
    echo '<engineSignEncrypt><descriptors>'
    for store in file token; do
        echo "<descriptor name='RSA-$store'><type algorithm='SHA256withRSA' key='rsa-$store'/></descriptor>"
        echo "<descriptor name='PSS-$store'><type algorithm='SHA512withRSAandMGF1' key='rsa-$store'/></descriptor>"
        echo "<descriptor name='EC-$store'><type algorithm='SHA384withECDSA' key='ec-$store'/></descriptor>"
    done
    echo '</descriptors><keys>'
    for key in rsa ec; do
        echo "<key name='$key-file'><type name='pem' locationValue='$key.bundle'/></key>"
        echo "<key name='$key-token'><type name='HSM' locationValue='$softhsm_module' tokenLabel='digests' alias='$key' pin='1234'/></key>"
    done
    echo '</keys></engineSignEncrypt>'
} >engine.xml
chmod 600 engine.xml
export SIGNENGINE_CONFIG="$tmp/engine.xml"

echo 'some content' >file
echo 'some other content' >other
hex() { openssl dgst -"$1" -r "$2" | cut -d ' ' -f 1; }
# to FILE COMMAND...: its standard output
to() { to=$1 && shift && "$@" >"$to"; }

# each KIND KEY DIGEST OPTIONS-OF-PKEYUTL OPTIONS-OF-CMS
each() {
    kind=$1 key=$2 sha=$3 pkeyutl=$4 cms=$5
    digest=$(hex "$sha" file) another=$(hex "$sha" other)
    setup openssl dgst -"$sha" -binary -out binary file
    for store in file token; do
        d=$kind-$store
        accepts to raw signengine sign -d "$d" --raw --digest "$digest"
        # shellcheck disable=SC2086 # several options
        accepts openssl pkeyutl -verify -pubin -inkey "$key.pub" -in binary -sigfile raw -pkeyopt "digest:$sha" $pkeyutl
        accepts signengine verify -d "$d" --raw -s raw file
        accepts signengine verify -d "$d" --raw -s raw --digest "$digest"
        says 'the digest: good signature'
        refuses 1 signengine verify -d "$d" --raw -s raw --digest "$another"
        accepts to cms signengine sign -d "$d" --digest "$digest"
        accepts openssl cms -verify -binary -inform DER -in cms -content file -CAfile ca.pem -purpose any -out seen
        same file seen
        others_refuse openssl cms -verify -binary -inform DER -in cms -content other -CAfile ca.pem -purpose any -out seen
        accepts signengine verify -d "$d" -s cms --digest "$digest"
        refuses 1 signengine verify -d "$d" -s cms --digest "$another"
        says 'the content is not what was signed'
    done
    # shellcheck disable=SC2086
    setup openssl pkeyutl -sign -inkey "$key.key" -in binary -out theirs -pkeyopt "digest:$sha" $pkeyutl
    accepts signengine verify -d "$kind-file" --raw -s theirs --digest "$digest"
    # shellcheck disable=SC2086
    setup openssl cms -sign -binary -outform DER -in file -signer "$key.pem" -inkey "$key.key" -md "$sha" $cms -out theirs
    accepts signengine verify -d "$kind-file" -s theirs --digest "$digest"
    refuses 1 signengine verify -d "$kind-file" -s theirs --digest "$another"
    accepts to armour signengine sign -d "$kind-file" --pem --digest "$digest"
    accepts openssl cms -verify -binary -inform PEM -in armour -content file -CAfile ca.pem -purpose any -out seen
}
each RSA rsa sha256 '' ''
each PSS rsa sha512 '-pkeyopt rsa_padding_mode:pss -pkeyopt rsa_pss_saltlen:digest' '-keyopt rsa_padding_mode:pss'
each EC ec sha384 '' ''

# to the byte what the content gives
accepts signengine sign -d RSA-token --raw -o raw file
accepts to digested signengine sign -d RSA-token --raw --digest "$(hex sha256 file)"
same raw digested
accepts signengine sign -d RSA-file --time 2026-01-01 -o cms file
accepts to digested signengine sign -d RSA-file --time 2026-01-01 --digest "$(hex sha256 file)"
same cms digested

# ---- XML: xmlsec1 reads what the signature names ----
for d in RSA-file RSA-token EC-file; do
    sha=sha256
    [ $d != EC-file ] || sha=sha384
    accepts to signature.xml signengine sign --xml --detached --uri file -d $d --digest "$(hex $sha file)"
    accepts xmlsec1 --verify --trusted-pem ca.pem signature.xml
    accepts signengine verify --xml -d $d -s signature.xml file
    accepts signengine verify --xml -d $d -s signature.xml --digest "$(hex $sha file)"
    refuses 1 signengine verify --xml -d $d -s signature.xml --digest "$(hex $sha other)"
    says 'the content is not what was signed'
done
accepts to signature.xml signengine sign --xml --detached --uri file -d RSA-file --digest "$(hex sha256 other)"
others_refuse xmlsec1 --verify --trusted-pem ca.pem signature.xml

# ---- what it is, and where ----
accepts sh -c "'${top_builddir:?}/signengine' sign -d RSA-file --digest '$(hex sha256 file | tr a-f A-F)' -o out.p7s"
accepts signengine verify -d RSA-file -s out.p7s file
pipe() { signengine verify -d RSA-file -s - --digest "$(hex sha256 file)" <out.p7s; }
accepts pipe
accepts signengine --json verify -d RSA-file -s out.p7s --digest "$(hex sha256 file)"
says '"input":"the digest"'
refuses 64 signengine sign -d RSA-file --digest "$(hex sha1 file)"
says 'the digest that is given has 20 bytes; SHA-256 is needed, which has 32'
refuses 64 signengine verify -d RSA-file -s out.p7s --digest "$(hex sha512 file)"
says 'the digest that is given has 64 bytes; SHA-256 is needed, which has 32'
refuses 64 signengine sign --xml --detached -d RSA-file --digest "$(hex sha256 file)"
says 'needs the URI'
