#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# An identity provider's keys in Azure, without Azure: in a Key Vault (certificate mode, key mode) and in a Managed HSM, from nothing to
# signatures and encrypted fields, with openssl, xmlsec1 and jarsigner to judge them.  The vaults are those of tests/azure/emulator.
#
#   ./samples/azure/run.sh BUILD [FOLDER]     BUILD: where make was run, after `make && make tests/azure/emulator`
#                                             FOLDER: for everything that it makes; default: `azure` in BUILD
set -eu
[ $# -ge 1 ] || { sed -n 's/^#   //p' "$0" && exit 64; }
sample=$(cd "$(dirname "$0")" && pwd)
build=$(cd "$1" && pwd)
folder=${2-$build/azure}
emulator=$build/tests/azure/emulator
[ -x "$emulator" ] || { echo "'$emulator' is not there: run \`make tests/azure/emulator\` in '$build'" && exit 69; }
mkdir -p "$folder"
cd "$folder"
started=''
trap '[ -z "$started" ] || kill "$started"' EXIT

step() { printf '\n== %s\n' "$*"; }
# prints a command as you would type it, and then its output
show() {
    printf '$'
    for word; do
        case $word in
        *[!A-Za-z0-9_./:=@-]*) printf " '%s'" "$word" ;;
        *) printf ' %s' "$word" ;;
        esac
    done
    echo
    "$@"
}
signengine() { "$build/signengine" "$@"; }
refused() { # STATUS COMMAND...
    wanted=$1 status=0
    shift
    show "$@" || status=$?
    [ "$status" = "$wanted" ] || { echo "status $status, not $wanted" && exit 1; }
}

# ---- what Azure would be ----

start_emulator() { # vault|hsm
    rm -rf "emulated-$1"
    mkdir "emulated-$1"
    "$emulator" --folder "emulated-$1" --mode "$1" >"emulated-$1/log" 2>&1 &
    started=$!
    for _ in $(seq 300); do
        [ ! -e "emulated-$1/urls" ] || break
        sleep 0.1
    done
    # shellcheck source=/dev/null
    . "./emulated-$1/urls" || { cat "emulated-$1/log" && exit 1; } # VAULT RESOURCE AUTHORITY TENANT CLIENT SECRET
}

# configure vault|hsm MODE: engineSignEncrypt.xml of this folder with its values.  authority, resource and caFile are for the emulator;
# in Azure the address of the vault says all three.
configure() {
    mkdir -p "$2"
    printf %s "$SECRET" >"$2/secret"
    chmod 600 "$2/secret"
    sed -e "s|YOUR-TENANT|$TENANT|; s|YOUR-CLIENT-ID|$CLIENT|; s|YOUR-SIGNER|idp-signer|; s|YOUR-FIELDS|idp-fields|" \
        -e "s|\"https://YOUR-VAULT.vault.azure.net\"|\"$VAULT\" resource=\"$RESOURCE\"|" \
        -e "s|<login |&authority=\"$AUTHORITY\" caFile=\"../emulated-$1/ca.pem\" |" "$sample/engineSignEncrypt.xml" >"$2/engineSignEncrypt.xml"
    cd "$2"
    [ "$2" = certificate ] || sed -i -e '/<type.*idp-signer/s|mode="certificate"|mode="key" certificate="file:signer.pem"|' \
        -e '/<type.*idp-fields/s|mode="certificate"|mode="key" certificate="file:fields.pem"|' engineSignEncrypt.xml
    [ "$1" = vault ] || sed -i '/<type/s|AzureKeyVault|AzureManagedHSM|' engineSignEncrypt.xml
    export SIGNENGINE_CONFIG="$PWD/engineSignEncrypt.xml"
    sed -n '/<login/p; /<key /,/<\/key>/p' engineSignEncrypt.xml
}

# ---- a CA, as every organisation has one already ----

make_ca() {
    openssl req -x509 -newkey rsa:2048 -noenc -keyout ca.key -out ca.pem -days 3650 -subj "/CN=Sample CA" -config /dev/null \
        -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign 2>/dev/null
    rm -f trust.p12
    keytool -importcert -noprompt -alias ca -file ca.pem -keystore trust.p12 -storepass changeit 2>/dev/null
}

certify() { # CSR USAGE CHAIN: what the CA answers
    printf 'keyUsage = critical, %s\nsubjectAltName = email:idp@example.org\n' "$2" >extensions
    openssl x509 -req -in "$1" -CA ../ca.pem -CAkey ../ca.key -CAcreateserial -days 365 -extfile extensions -out certificate.pem 2>/dev/null
    cat certificate.pem ../ca.pem >"$3"
}

# ---- what is done with keys in each of them ----

make_keys() { # MODE
    step "Keys that the vault makes and never lets out, and a request for a certificate, signed by the vault"
    if [ "$1" = certificate ]; then # the request makes the key
        show signengine key request signer --type rsa:2048 --subject "/CN=Identity provider" -o signer.csr
    else
        show signengine key generate signer --type rsa:2048
        show signengine key request signer --subject "/CN=Identity provider" -o signer.csr
    fi
    show openssl req -in signer.csr -verify -noout -subject
    certify signer.csr digitalSignature chain.pem
    show signengine key certificate signer chain.pem
    show signengine key generate fields --type rsa:2048 --subject "/CN=Encrypted fields"
    show signengine key list --versions signer
    # in certificate mode a vault gives the certificate without its issuers: the configuration has the chain then
    [ "$1" != certificate ] || {
        step "The vault keeps no issuers: the chain is put beside the configuration"
        cp chain.pem signer.pem
        sed -i '/<type.*idp-signer/s|mode="certificate"|& certificate="file:signer.pem"|' engineSignEncrypt.xml
    }
    show signengine check --probe
}

sign_cms() {
    step "CMS: a file, judged by openssl"
    date >file
    show signengine --verbose sign -d FileSigner file
    show openssl cms -verify -binary -inform DER -in file.p7s -content file -CAfile ../ca.pem -purpose any -out /dev/null
    sed '1s/^./#/' file >changed
    refused 1 signengine verify -d FileSigner changed --signature file.p7s --trust ../ca.pem
}

sign_xml() {
    step "XML: an assertion, judged by xmlsec1"
    echo '<Assertion ID="a1"><Subject>alice</Subject></Assertion>' >assertion.xml
    show signengine sign --xml -d FileSigner assertion.xml -o signed.xml
    show xmlsec1 --verify --trusted-pem ../ca.pem --id-attr:ID Assertion signed.xml
}

sign_zip() {
    step "A configuration as a signed zip, judged by jarsigner"
    rm -f export.zip
    zip -q export.zip assertion.xml
    show signengine zip sign export.zip -o signed.zip
    show jarsigner -verify -strict -keystore ../trust.p12 -storepass changeit signed.zip
}

sign_mail() {
    step "Mail: S/MIME, judged by openssl"
    printf 'From: idp@example.org\nTo: bob@example.org\nSubject: welcome\nMIME-Version: 1.0\n\nHello Bob\n' >mail.eml
    show signengine mail sign mail.eml -o signed.eml
    show openssl cms -verify -in signed.eml -CAfile ../ca.pem -purpose any -out /dev/null
}

keep_history() {
    step "A history of objects, exported as XML and judged by xmlsec1"
    rm -f history.db history.xml
    show signengine history create --store sqlite:history.db
    for event in ordered produced handed-over; do
        echo $event | signengine history append --store sqlite:history.db --object card/4711
    done
    show signengine history verify --store sqlite:history.db
    show signengine history export --store sqlite:history.db --xml -o history.xml
    show xmlsec1 --verify --trusted-pem ../ca.pem history.xml
}

encrypt_fields() {
    step "Fields: encrypted here with the public key, decrypted by the vault (RSA-OAEP-256)"
    printf 055433 >pin
    show signengine encrypt --context table=person --context row=7 pin -o value
    show signengine decrypt --context table=person --context row=7 value -o plain
    cmp pin plain
    refused 1 signengine decrypt --context table=person --context row=8 value -o moved
    step "A message from openssl, for the same key"
    [ -e fields.pem ] || openssl x509 -inform DER -in fields.der -out fields.pem
}

back_up() {
    step "A backup, and the key back from it"
    rm -f signer.backup
    show signengine key backup signer -o signer.backup
}

run_round() { # vault|hsm MODE TITLE
    step "$3"
    configure "$1" "$2"
    make_keys "$2"
    sign_cms
    sign_xml
    sign_zip
    sign_mail
    keep_history
    encrypt_fields
    back_up
    cd ..
}

step "A Key Vault on this machine, and an application that may log in"
make_ca
start_emulator vault
echo "$VAULT"
run_round vault certificate "Key Vault, certificate mode"
