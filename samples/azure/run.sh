#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# An identity provider's keys in Azure, without Azure: in a Key Vault (certificate mode, key mode) and in a Managed HSM, from an empty one
# to signatures and encrypted fields.  openssl, xmlsec1 and jarsigner judge.  The vaults are played by tests/azure/emulator.
#
#   ./samples/azure/run.sh BUILD [FOLDER]     BUILD: where you ran `make` and `make tests/azure/emulator`
#                                             FOLDER: for everything that it makes; default: `azure` in BUILD
set -eu
[ $# -ge 1 ] || { sed -n 's/^#   //p' "$0" && exit 64; }
sample=$(cd "$(dirname "$0")" && pwd)
build=$(cd "$1" && pwd)
emulator=$build/tests/azure/emulator
[ -x "$emulator" ] || { echo "'$emulator' is not there: run \`make tests/azure/emulator\` in '$build'" && exit 69; }
folder=${2-$build/azure}
rm -rf "$folder"
mkdir -p "$folder"
cd "$folder"
started=''
trap '[ -z "$started" ] || kill "$started"' EXIT

# shellcheck source=samples/show.sh
. "$sample/../show.sh"
refused() { # STATUS COMMAND...
    wanted=$1 status=0
    shift
    show "$@" || status=$?
    [ "$status" = "$wanted" ] || { echo "status $status, not $wanted" && exit 1; }
}
signengine() { "$build/signengine" "$@"; }

# ---- what Azure and a CA would do ----

start_emulator() { # vault|hsm
    mkdir "$1"
    "$emulator" --folder "$1" --mode "$1" >"$1/log" 2>&1 &
    started=$!
    for _ in $(seq 300); do
        [ ! -e "$1/urls" ] || break
        sleep 0.1
    done
    # shellcheck source=/dev/null
    . "./$1/urls" # VAULT RESOURCE AUTHORITY TENANT CLIENT SECRET
    "$emulator" --control "$1/control" set purge-protection on >/dev/null
}

make_ca() {
    openssl req -x509 -newkey rsa:2048 -noenc -keyout ca.key -out ca.pem -days 3650 -subj "/CN=Sample CA" -config /dev/null \
        -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign 2>/dev/null
    keytool -importcert -noprompt -alias ca -file ca.pem -keystore trust.p12 -storepass changeit 2>/dev/null
}

certify() { # CSR CHAIN: what the CA answers
    printf 'keyUsage = critical, digitalSignature\nsubjectAltName = email:idp@example.org\n' >extensions
    openssl x509 -req -in "$1" -CA ../ca.pem -CAkey ../ca.key -CAcreateserial -days 365 -extfile extensions -out certificate.pem 2>/dev/null
    cat certificate.pem ../ca.pem >"$2"
}

# ---- the configuration ----

# configure vault|hsm MODE: engineSignEncrypt.xml with our values.  authority, resource and caFile are for the emulator only: in Azure the
# address of the vault says all three.
configure() {
    printf %s "$SECRET" >secret
    chmod 600 secret
    sed -e "s|YOUR-TENANT|$TENANT|; s|YOUR-CLIENT-ID|$CLIENT|; s|\"https://YOUR-VAULT.vault.azure.net\"|\"$VAULT\" resource=\"$RESOURCE\"|" \
        -e "s|<login |&authority=\"$AUTHORITY\" caFile=\"../$1/ca.pem\" |" "$sample/engineSignEncrypt.xml" >engineSignEncrypt.xml
    [ "$2" = certificate ] || sed -i 's|alias="idp-\(.*\)" mode="certificate"|alias="idp-\1" mode="key" certificate="file:\1.pem"|' engineSignEncrypt.xml
    [ "$1" = vault ] || sed -i 's|name="AzureKeyVault"|name="AzureManagedHSM"|' engineSignEncrypt.xml
    export SIGNENGINE_CONFIG="$PWD/engineSignEncrypt.xml"
    grep -e '<login' -e 'idp-files' engineSignEncrypt.xml
}

# ---- what the identity provider does ----

# In certificate mode the request makes the key; else the key is there first.
make_signer() { # MODE KEY
    [ "$1" = certificate ] || show signengine key generate "$2" --type rsa:2048
    show signengine key request "$2" --subject "/CN=Identity provider, $2" -o "$2.csr"
    openssl req -in "$2.csr" -verify -noout
    certify "$2.csr" "$2.chain"
    show signengine key certificate "$2" "$2.chain"
    # a vault gives a certificate without its issuers, and whoever verifies needs those: the configuration names the chain
    [ "$1" != certificate ] || sed -i "/idp-$2/s|mode=\"certificate\"|& certificate=\"file:$2.chain\"|" engineSignEncrypt.xml
}

make_keys() { # MODE
    step "Keys: the vault makes them, never lets them out, and signs the requests to the CA"
    for key in files mail zips history; do
        make_signer "$1" $key
    done
    show signengine key generate fields --type rsa:2048 --subject "/CN=Identity provider, fields"
    show signengine check --probe
}

sign_cms() {
    step "CMS: a file, judged by openssl; the ids are those of the vault's own log"
    date >file
    show signengine --verbose sign -d FileSigner file
    show openssl cms -verify -binary -inform DER -in file.p7s -content file -CAfile ../ca.pem -purpose any -out /dev/null
    sed '1s/^./#/' file >changed
    refused 1 signengine verify -d FileSigner changed --signature file.p7s
}

sign_xml() {
    step "XML: an assertion, judged by xmlsec1"
    echo '<Assertion ID="a1"><Subject>alice</Subject></Assertion>' >assertion.xml
    show signengine sign --xml -d FileSigner assertion.xml -o signed.xml
    show xmlsec1 --verify --trusted-pem ../ca.pem --id-attr:ID Assertion signed.xml
}

sign_zip() {
    step "A configuration as a signed zip, judged by jarsigner"
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
    step "A history of objects; its export as XML is judged by xmlsec1"
    show signengine history create --store sqlite:history.db
    for event in ordered produced handed-over; do
        echo $event | signengine -q history append --store sqlite:history.db --object card/4711
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
}

lose_key() {
    step "A backup; and a key that somebody deletes comes back"
    show signengine key backup files -o files.backup
    show signengine key delete files --yes
    refused 78 signengine sign -d FileSigner file -o lost.p7s
    show signengine key recover files
    show signengine sign -d FileSigner file -o back.p7s
    show openssl cms -verify -binary -inform DER -in back.p7s -content file -CAfile ../ca.pem -purpose any -out /dev/null
}

use_vault() { # vault|hsm MODE TITLE
    step "$3"
    mkdir "$1-$2"
    cd "$1-$2"
    configure "$1" "$2"
    make_keys "$2"
    sign_cms
    sign_xml
    sign_zip
    sign_mail
    keep_history
    encrypt_fields
    lose_key
    cd ..
}

make_ca
start_emulator vault
use_vault vault certificate "A Key Vault in certificate mode: $VAULT"
kill "$started"
rm -rf vault
start_emulator vault
use_vault vault key "A Key Vault in key mode: $VAULT"
kill "$started"
start_emulator hsm
use_vault hsm key "A Managed HSM: $VAULT"
step "Done"
echo "Everything is in $folder. Delete it when you have seen enough."
