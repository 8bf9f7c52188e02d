#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Keys of vaults on the command line: made, requested, certified, brought in, listed and deleted, in a Key Vault and in a Managed HSM.
# openssl judges what comes out; every refusal has its status.
. "${top_srcdir:?}/tests/lib/harness.sh"
. "$top_srcdir/tests/azure/azure.sh"
needs openssl

# all that is printed is searched for the secrets at the end
key() {
    status=0
    signengine key "$@" >.now.out 2>.now.err || status=$?
    cat .now.out .now.err >>everything
    cat .now.out
    cat .now.err >&2
    return "$status"
}

# write_config FILE: for the emulator that is in use
write_config() {
    case $emulated in
    */hsm) store=AzureManagedHSM ;;
    *) store=AzureKeyVault ;;
    esac
    cat >"$1" <<XML
<engineSignEncrypt>
  <login name="app" credential="secret" tenant="$TENANT" client="$CLIENT" pin.source="env:VAULT_SECRET" authority="$AUTHORITY" caFile="$emulated/ca.pem"/>
  <descriptors>
    <descriptor name="Sign" version="1"><type algorithm="SHA256withRSA" key="signer"/></descriptor>
$3
  </descriptors>
  <keys>
    <key name="signer"><type name="$store" locationValue="$VAULT" resource="$RESOURCE" login="app" alias="signer" certificate="file:signer.pem" deadline="3"/></key>
    <key name="curve"><type name="$store" locationValue="$VAULT" resource="$RESOURCE" login="app" alias="curve" certificate="file:curve.pem" deadline="3"/></key>
    <key name="reader"><type name="$store" locationValue="$VAULT" resource="$RESOURCE" login="app" alias="reader" certificate="file:reader.pem"/></key>
    <key name="bought"><type name="$store" locationValue="$VAULT" resource="$RESOURCE" login="app" alias="bought" certificate="file:bought.pem" deadline="3"/></key>
    <key name="other"><type name="$store" locationValue="$VAULT" resource="$RESOURCE" login="app" alias="other" certificate="file:other.pem" deadline="3"/></key>
    <key name="underscore"><type name="$store" locationValue="$VAULT" resource="$RESOURCE" login="app" alias="no_such_name" certificate="file:other.pem"/></key>
    <key name="nowhere"><type name="$store" locationValue="$VAULT" resource="$RESOURCE" login="app" alias="nowhere" certificate="file:no/such/folder/a.pem"/></key>
$2
  </keys>
</engineSignEncrypt>
XML
    export SIGNENGINE_CONFIG="$PWD/$1"
}

# field FILTER: of the JSON that key list printed
field() {
    jq -rs "$1" <"$out"
}

is() { # FILTER TEXT: belongs to the case before
    [ "$(field "$1")" = "$2" ] || fail "$1 is '$(field "$1")', not '$2'"
}

# judge CERTIFICATE SUBJECT: openssl reads it, and it has signed itself
judge() {
    accepts openssl verify -x509_strict -CAfile "$1" "$1"
    accepts openssl x509 -in "$1" -noout -subject -nameopt RFC2253
    says "subject=$2"
}

# signs DESCRIPTOR CERTIFICATE: the engine signs with it, and openssl verifies
signs() {
    echo content >content
    accepts signengine sign -d "$1" content -o signature
    accepts openssl cms -verify -inform DER -in signature -content content -CAfile "$2" -purpose any -binary -out /dev/null
}

# a CA that answers requests
setup openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -subj /CN=CA -days 100
certify() { # REQUEST OUT [OPTION...]
    request=$1 reply=$2
    shift 2
    openssl x509 -req -in "$request" -CA "$tmp/ca.pem" -CAkey "$tmp/ca.key" -CAcreateserial -copy_extensions copyall -out reply.tmp "$@" && cat reply.tmp "$tmp/ca.pem" >"$reply"
}

# what to bring in
export P12=s3cr3t-of-the-file
setup openssl req -x509 -newkey rsa:2048 -nodes -keyout in.key -out in.crt -subj /CN=bought -days 50 -addext keyUsage=digitalSignature
setup openssl pkcs12 -export -inkey in.key -in in.crt -passout env:P12 -out in.p12
setup openssl ecparam -name prime256v1 -genkey -noout -out ec.key
setup openssl req -x509 -key ec.key -out ec.crt -subj /CN=bought-ec -days 50
cat ec.key ec.crt >ec.pem
setup openssl req -x509 -newkey rsa:2560 -nodes -keyout odd.key -out odd.crt -subj /CN=odd -days 50
cat odd.key odd.crt >odd.pem

# ---- key mode, the same in a vault and in a Managed HSM ----

for mode in vault hsm; do
    mkdir "in-$mode"
    cd "in-$mode"
    start_emulator "$mode" "$tmp/$mode"
    setup emulator set delay 100
    # shellcheck disable=SC2153 # from the emulator
    export VAULT_SECRET="$SECRET"
    write_config engine.xml '' ''

    # generate
    refuses 64 key generate underscore
    says 'letters, digits'
    refuses 64 key generate --type rsa:2560 signer
    says '2048, 3072 and 4096'
    refuses 64 key generate --protection hardware signer
    says 'not hsm or software'
    refuses 64 key generate --expires 40000 signer
    refuses 64 key list --versions --file signer.p12 --pin-source env:P12
    says '--versions'
    refuses 64 key generate --protection hsm --file new.p12 --pin-source env:P12
    says '--protection'
    refuses 64 key generate --expires 3 --file new.p12 --pin-source env:P12
    refuses 73 key generate nowhere
    others_refuse ask GET /keys/nowhere
    accepts key list signer
    says_not "key 'signer'"
    accepts key generate --subject 'CN=signer,O=Example' --expires 500 signer
    says "key 'signer': RSA-2048"
    says 'in an HSM'
    says 'may sign,'
    judge signer.pem 'CN=signer,O=Example'
    accepts ask GET /keys/signer
    is '.[0].key.kty' RSA-HSM
    is '.[0].key.key_ops | sort | join(" ")' 'sign verify'
    is '.[0].attributes.exportable' false
    is '(.[0].attributes.exp - .[0].attributes.created) / 86400 | round' 500
    signs Sign signer.pem
    accepts signengine jws sign -d Sign content -o signature.jws
    accepts signengine jws verify -d Sign signature.jws
    says 'algorithm  RS256'
    refuses 73 key generate signer
    says '--force makes a new version'
    accepts key list --json signer
    first=$(field '.[] | select(.label == "signer") | .version')
    is '.[] | select(.label == "signer") | .protection' HSM
    is '.[] | select(.label == "signer") | .used' true
    is '.[] | select(.label == "signer") | .exportable' false
    # a new version, and the old one beside it
    refuses 64 key generate --force signer </dev/null
    says "descriptor 'Sign' uses it"
    accepts key generate --force --dry-run signer
    accepts key list --json signer
    is '.[] | select(.label == "signer") | .version' "$first"
    accepts key generate --force --yes --type ec:P-384 signer
    says "before version $first, which stays in the vault"
    says 'EC-P-384'
    judge signer.pem 'CN=signer'
    accepts key list --versions signer
    says "$first, in"
    says '*, in'
    accepts key list --json --versions signer
    is 'map(select(.label == "signer")) | length' 2
    is 'map(select(.used)) | length' 1
    # the file with its certificate is not overwritten, and is not forgotten
    cp signer.pem curve.pem
    refuses 73 key generate curve
    same signer.pem curve.pem
    rm curve.pem
    for curve in P-256 P-384 P-521; do
        accepts key generate --force --yes --type "ec:$curve" curve
        says "EC-$curve"
        judge curve.pem CN=curve
    done
    # a key for decryption signs once only
    accepts key generate --key-usage encrypt --san DNS:a.example,IP:192.0.2.1 reader
    accepts ask GET /keys/reader
    is '.[0].key.key_ops | sort | join(" ")' 'decrypt encrypt unwrapKey wrapKey'
    accepts openssl x509 -in reader.pem -noout -text
    says 'Key Encipherment'
    says 'IP Address:192.0.2.1'

    # request and certificate
    refuses 78 key request other
    refuses 64 key request --type rsa:2048 signer
    refuses 64 key request --force signer
    accepts key request --subject 'CN=asked,O=Example' --san DNS:a.example,email:a@example.org signer -o signer.csr
    accepts openssl req -in signer.csr -verify -noout -text
    says 'verify OK'
    says 'DNS:a.example'
    setup certify signer.csr reply.pem -days 90
    setup certify signer.csr later.pem -days 90
    refuses 65 key certificate curve reply.pem
    says 'none of the answer'
    refuses 78 key certificate other reply.pem
    accepts key certificate signer reply.pem
    says 'CN=asked'
    accepts openssl verify -CAfile "$tmp/ca.pem" -untrusted signer.pem signer.pem
    [ "$(grep -c BEGIN signer.pem)" = 3 ] || fail 'the chain, or the certificate before, is not in signer.pem'

    # with no right to sign there is no request
    refuses 78 key request reader

    # import
    refuses 77 key import bought ../in.p12
    refuses 77 key import --password-source env:VAULT_SECRET bought ../in.p12
    refuses 64 key import bought ../odd.pem
    says 'not of 2560'
    accepts key import --password-source env:P12 bought ../in.p12
    says 'in an HSM'
    accepts ask GET /keys/bought
    is '.[0].key.key_ops | sort | join(" ")' 'sign verify'
    same ../in.crt bought.pem
    accepts key request bought
    cp "$out" bought.csr
    accepts openssl req -in bought.csr -noout -pubkey
    cp "$out" asked.pub
    accepts openssl x509 -in ../in.crt -noout -pubkey
    same "$out" asked.pub
    refuses 73 key import bought ../ec.pem
    accepts key import --force bought ../ec.pem
    says 'EC-P-256'
    accepts key list --versions bought
    says 'RSA-2048'

    # what is lost on the way is looked for
    setup emulator fault reset-headers 1 only=create
    accepts key generate other
    judge other.pem CN=other
    accepts key list --json --versions other
    is length 1
    setup emulator fault reset 1 only=create
    accepts key generate --force --yes other
    setup emulator fault 503 1 only=create
    refuses 69 key generate --force --yes other
    says 'the vault has not made the key'
    accepts key list --json --versions other
    is length 2
    setup emulator fault reset-headers 1 only=import
    accepts key import --force other ../ec.pem
    accepts key list --json --versions other
    is length 3
    setup emulator fault 403-rbac 1 only=create
    refuses 77 key generate --force --yes other
    setup emulator fault html-body 1 only=create
    refuses 69 key generate --force --yes other
    setup emulator clear

    # delete
    accepts key delete --dry-run other
    says 'EC-P-256'
    says 'RSA-2048'
    refuses 64 key delete other </dev/null
    accepts ask GET /keys/other
    accepts key delete --force other
    says 'can be brought back'
    says 'its certificate stays in'
    others_refuse ask GET /keys/other
    refuses 78 key delete --force other
    accepts key list --deleted other
    says 'deleted 20'
    says 'recovered until 20'
    accepts key list --json --deleted signer
    is 'map(select(.label == "other")) | length' 1
    rm other.pem
    refuses 64 key generate other
    says 'key recover'
    says 'until 20'
    # one that is not possible does not hide the others
    refuses 64 key list
    says 'signer: '
    says 'other: nothing'
    says 'reader: '
    cd "$tmp"
done

# ---- what only one of them has ----

use_emulator "$tmp/hsm"
export SIGNENGINE_CONFIG="$tmp/in-hsm/engine.xml"
refuses 64 key generate --protection software --force --yes curve
says 'no keys in software'

use_emulator "$tmp/vault"
mkdir in-certificates
cd in-certificates
write_config engine.xml "
    <key name='kept'><type name='AzureKeyVault' locationValue='$VAULT' resource='$RESOURCE' login='app' alias='kept' deadline='3'/></key>
    <key name='asked'><type name='AzureKeyVault' locationValue='$VAULT' resource='$RESOURCE' login='app' alias='asked' mode='certificate' certificate='file:asked.pem' deadline='3'/></key>
    <key name='managed'><type name='AzureKeyVault' locationValue='$VAULT' resource='$RESOURCE' login='app' alias='kept' mode='key' certificate='file:managed.pem'/></key>
    <key name='inbase64'><type name='AzureKeyVault' locationValue='$VAULT' resource='$RESOURCE' login='app' alias='inbase64' mode='key' certificate='$(grep -v -e - ../in.crt | tr -d '\n')'/></key>
    <key name='plain'><type name='AzureKeyVault' locationValue='$VAULT' resource='$RESOURCE' login='app' alias='plain' mode='certificate' deadline='3'/></key>
    <key name='both'><type name='AzureKeyVault' locationValue='$VAULT' resource='$RESOURCE' login='app' alias='both' deadline='3'/></key>" \
    '    <descriptor name="Both" version="1"><type algorithm="AES/CBC/PKCS7Padding" asymCipher="RSA/ECB/OAEPWithSHA-256AndMGF1Padding" key="both"/></descriptor>'

refuses 64 key generate inbase64
says 'in base64'
accepts key generate --protection software --type rsa:3072 --days 365 kept
says "key 'kept': RSA-3072"
says 'in software'
says '100 operations a second'
refuses 64 key generate managed
says 'manages the key'
refuses 64 key delete --force managed

# certificate mode: the vault makes both
accepts ask GET /certificates/kept
is '.[0].policy.key_props.exportable' false
is '.[0].policy.key_props.reuse_key' false
is '.[0].policy.issuer.name' Self
is '.[0].policy.x509_props.ekus | length' 0
field '.[0].cer' | openssl base64 -d -A >kept.der
setup openssl x509 -inform DER -in kept.der -out kept.pem
judge kept.pem CN=kept
accepts openssl x509 -in kept.pem -noout -ext keyUsage,extendedKeyUsage
says_not 'TLS Web'
refuses 73 key generate kept
refuses 64 key generate --expires 30 plain
says '--expires'
refuses 64 key generate --san IP:192.0.2.1 plain
says 'DNS:host and email'
accepts key generate --days 100 --san DNS:a.example,email:a@example.org --subject 'CN=plain,O=Example\, Inc.' --type ec:P-384 plain
says 'valid for 3 of them instead of 100 days'
says 'EC-P-384'
accepts key generate --force --yes --type rsa:2048 plain
says 'which stays in the vault'
accepts key list --versions plain
says 'EC-P-384'
says 'RSA-2048'
accepts key list --json --versions plain
is 'map(select(.used)) | length' 1
is '.[] | select(.used) | .type' RSA-2048

# what a certificate is for, its key may do: both operations that a vault has for it
accepts key generate --key-usage both both
accepts ask GET /keys/both
is '.[0].key.key_ops | sort | join(" ")' 'decrypt encrypt sign unwrapKey verify wrapKey'
says '"managed":true'
echo content >clear
accepts signengine encrypt -d Both clear -o sealed
accepts signengine decrypt -d Both sealed -o opened
same clear opened

# a request, which is the same until it is answered
refuses 78 key certificate asked ../in.crt
says 'key request'
accepts key request --type rsa:2048 --subject 'CN=asked' --san DNS:a.example asked -o asked.csr
accepts openssl req -in asked.csr -verify -noout -text
says 'verify OK'
says 'DNS:a.example'
says_not 'TLS Web'
accepts key request --subject 'CN=asked' --san DNS:a.example asked -o again.csr
same asked.csr again.csr
refuses 73 key request --subject 'CN=else' asked -o else.csr
says '--force gives it up'
accepts key request --force --subject 'CN=else' asked -o else.csr
accepts openssl req -in else.csr -verify -noout -subject
says 'CN = else'
setup certify asked.csr wrong.pem
refuses 65 key certificate asked wrong.pem
setup certify else.csr right.pem -days 90
setup emulator fault reset-headers 1 only=certificate-merge
accepts key certificate asked right.pem
says 'CN=else'
accepts openssl verify -CAfile "$tmp/ca.pem" -untrusted asked.pem asked.pem
refuses 78 key certificate asked right.pem
setup emulator fault reset-headers 1 only=certificate-create
accepts key generate --force --yes asked
says 'which stays in the vault'

# PKCS #12, made on the way
accepts key import --force --password-source env:P12 plain ../in.p12
says 'CN=bought'
accepts ask GET /certificates/plain
is '.[0].policy.key_props.exportable' false
accepts key list --json plain
is '.[0].exportable' false
accepts key delete --force plain
says 'can be brought back'
accepts key list --deleted plain
says "'plain'"
refuses 64 key generate plain
says 'key recover'
refuses 64 key import --password-source env:P12 plain ../in.p12
says 'key recover'

# all keys of the configuration, one row each; the one that is out of reach hides none
refuses 64 key list
says 'kept: '
setup emulator fault 403-rbac 1 only=certificate-list
refuses 77 key list kept
setup emulator clear
cd ..

cases=$((cases + 1)) bad=''
for secret in "$SECRET" "$P12" 'BEGIN PRIVATE' 'Bearer '; do
    if grep -q -F -e "$secret" in-*/everything everything 2>/dev/null; then fail "a secret was printed: $secret"; fi
done
