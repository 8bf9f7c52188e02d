#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# CMS signatures of ours before openssl, and of openssl before us:
# PKCS #1, PSS, ECDSA x SHA-256/384/512 x detached/attached x PKCS #12/SoftHSM, each both ways.
. "${top_srcdir:?}/tests/lib/harness.sh"
needs openssl pkcs11-tool

make_token files
make_ca ca
make_cert rsa rsa:2048 keyUsage=critical,digitalSignature
make_cert ec ec:P-256 keyUsage=critical,digitalSignature
for key in rsa ec; do
    make_p12 $key
    setup openssl pkcs8 -topk8 -nocrypt -in $key.key -outform DER -out $key.der
    setup openssl x509 -in $key.pem -outform DER -out $key.crt
    id=$([ $key = rsa ] && echo 01 || echo 02)
    for object in privkey:$key.der cert:$key.crt; do
        setup pkcs11-tool --module "$softhsm_module" --token-label files --login --pin 1234 --write-object "${object#*:}" \
            --type "${object%%:*}" --id "$id" --label $key
    done
done

# descriptor ALGORITHM STORE
descriptor() {
    key=$(case $1 in *ECDSA) echo ec ;; *) echo rsa ;; esac)
    echo "<descriptor name='$1-$2'><type algorithm='$1' key='$key-$2'/></descriptor>"
}

algorithms=
for scheme in RSA RSAandMGF1 ECDSA; do
    for size in 256 384 512; do
        algorithms="$algorithms SHA${size}with$scheme"
    done
done
{
    echo '<engineSignEncrypt><descriptors>'
    for algorithm in $algorithms; do
        descriptor "$algorithm" p12
        descriptor "$algorithm" token
    done
    echo '</descriptors><keys>'
    for key in rsa ec; do
        echo "<key name='$key-p12'><type name='pkcs12' locationValue='$tmp/$key.p12' pin='1234'/></key>"
        echo "<key name='$key-token'><type name='HSM' locationValue='$softhsm_module' tokenLabel='files' alias='$key' pin='1234'/></key>"
    done
    echo '</keys></engineSignEncrypt>'
} >engine.xml
export SIGNENGINE_CONFIG="$tmp/engine.xml"

# without an X, so that one in its middle is a change
head -c 100000 /dev/urandom | tr X Y >content
{ head -c 50000 content && printf X && tail -c 49999 content; } >changed

# what openssl wants to hear for one of our algorithms
openssl_options() {
    case $1 in *ECDSA) echo "-signer ec.pem -inkey ec.key" ;; *) echo "-signer rsa.pem -inkey rsa.key" ;; esac
    case $1 in *MGF1) echo "-keyopt rsa_padding_mode:pss" ;; esac
    echo "$1" | sed -n 's/^SHA\([0-9]*\).*/-md sha\1/p'
}

verify_by_openssl() {
    openssl cms -verify -binary -inform DER -CAfile ca.pem "$@"
}

[ -z "${MEMCHECK-}" ] || algorithms=$(echo "$algorithms" | tr ' ' '\n' | grep SHA256) # valgrind has then seen all code
for algorithm in $algorithms; do
    for store in p12 token; do
        name=$algorithm-$store

        accepts signengine -q sign -d "$name" content -o ours.p7s
        accepts verify_by_openssl -in ours.p7s -content content -out seen
        same content seen
        others_refuse verify_by_openssl -in ours.p7s -content changed -out seen
        accepts signengine verify -d "$name" content -s ours.p7s
        says "$algorithm"
        refuses 1 signengine verify -d "$name" changed -s ours.p7s

        accepts signengine -q sign -d "$name" --attached content -o ours.p7m
        accepts verify_by_openssl -in ours.p7m -out seen
        same content seen
        accepts signengine -q verify -d "$name" ours.p7m -o seen
        same content seen
    done

    # openssl 3.0 can't stream PSS
    stream=$(case $algorithm in *MGF1) ;; *) echo -stream ;; esac)
    # shellcheck disable=SC2046,SC2086 # they are words
    {
        accepts openssl cms -sign -binary -outform DER -in content -out theirs.p7s $(openssl_options "$algorithm")
        accepts openssl cms -sign -binary -nodetach -outform DER -in content -out theirs.p7m $(openssl_options "$algorithm")
        accepts openssl cms -sign -binary -nodetach $stream -outform PEM -in content -out theirs.pem $(openssl_options "$algorithm")
    }
    for store in p12 token; do
        name=$algorithm-$store
        accepts signengine verify -d "$name" content -s theirs.p7s
        says "$algorithm"
        refuses 1 signengine verify -d "$name" changed -s theirs.p7s
        for attached in theirs.p7m theirs.pem; do
            accepts signengine -q verify -d "$name" $attached -o seen
            same content seen
        done
    done
done

# what a descriptor does not say is not accepted, even from its own key
accepts signengine -q sign -d SHA512withRSA-p12 content -o ours.p7s
refuses 1 signengine verify -d SHA256withRSA-p12 content -s ours.p7s
says 'signed with SHA512withRSA, the descriptor says SHA256withRSA'
accepts openssl cms -sign -binary -md sha1 -outform DER -in content -out weak.p7s -signer rsa.pem -inkey rsa.key
refuses 1 signengine verify -d SHA256withRSA-p12 content -s weak.p7s
says 'not accepted'
accepts openssl cms -sign -binary -noattr -outform DER -in content -out bare.p7s -signer rsa.pem -inkey rsa.key
refuses 1 signengine verify -d SHA256withRSA-p12 content -s bare.p7s
says 'no signed attributes'
accepts openssl cms -sign -binary -outform DER -in content -out two.p7s -signer rsa.pem -inkey rsa.key -signer ec.pem -inkey ec.key
refuses 1 signengine verify -d SHA256withRSA-p12 content -s two.p7s
says '2 signers'

# the attributes of RFC 5652 and RFC 5035 are there, and openssl finds the certificate they name right
accepts signengine -q sign -d SHA256withRSA-token content -o ours.p7s --time 2026-03-01T12:00:00Z
accepts openssl cms -cmsout -print -inform DER -in ours.p7s -noout
says 'signingTime'
says 'Mar  1 12:00:00 2026 GMT'
says 'id-smime-aa-signingCertificateV2'
accepts verify_by_openssl -cades -in ours.p7s -content content -out seen
same content seen

# raw values; those of PSS do not say how long their salt is, and have to be as others expect them
for name in SHA384withRSA SHA384withECDSA SHA256withRSAandMGF1 SHA384withRSAandMGF1 SHA512withRSAandMGF1; do
    pem=$(case $name in *ECDSA) echo ec.pem ;; *) echo rsa.pem ;; esac)
    size=$(echo "$name" | sed 's/^SHA\([0-9]*\).*/\1/')
    pss=$(case $name in *MGF1) echo "-sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:$((size / 8)) -sigopt rsa_mgf1_md:sha$size" ;; esac)
    setup openssl x509 -in "$pem" -pubkey -noout -out pub.pem
    for store in p12 token; do
        accepts signengine -q sign -d "$name-$store" --raw content -o ours.sig
        # shellcheck disable=SC2086 # they are words
        accepts openssl dgst "-sha$size" $pss -verify pub.pem -signature ours.sig content
        # shellcheck disable=SC2086
        others_refuse openssl dgst "-sha$size" $pss -verify pub.pem -signature ours.sig changed
        accepts signengine verify -d "$name-p12" --raw content -s ours.sig
        refuses 1 signengine verify -d "$name-p12" --raw changed -s ours.sig
    done
done
setup openssl dgst -sha256 -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:digest -sign rsa.key -out theirs.sig content
accepts signengine verify -d SHA256withRSAandMGF1-token --raw content -s theirs.sig
# a salt has to be as long as the digest (RFC 7518, 3.5), and that of openssl is longer unless it is told
setup openssl dgst -sha256 -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:max -sign rsa.key -out theirs.sig content
refuses 1 signengine verify -d SHA256withRSAandMGF1-token --raw content -s theirs.sig
