#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What we make in a vault Microsoft's own client uses, and the other way round; openssl judges.
. "${top_srcdir:?}/tests/lib/harness.sh"
. "$top_srcdir/tests/azure/azure.sh"
. "$top_srcdir/tests/lib/npm.sh"
needs openssl python3
npm_packages azure
# modules are looked for from the script's folder
cp "$top_srcdir/tests/azure/key-client.mjs" "$tmp/key-client.mjs"
ln -sfn "$npm_modules" "$tmp/node_modules"

client() {
    node "$tmp/key-client.mjs" "$@"
}

write_config() {
    store=AzureKeyVault
    [ "$mode" = vault ] || store=AzureManagedHSM
    cat >"$mode.xml" <<XML
<engineSignEncrypt>
  <login name="app" credential="secret" tenant="$TENANT" client="$CLIENT" pin.source="env:SECRET" authority="$AUTHORITY" caFile="$emulated/ca.pem"/>
  <descriptors>
    <descriptor name="Theirs" version="1"><type algorithm="SHA256withRSAandMGF1" key="theirs"/></descriptor>
$1
  </descriptors>
  <keys>
    <key name="ours"><type name="$store" locationValue="$VAULT" resource="$RESOURCE" login="app" alias="ours" certificate="file:$mode-ours.pem"/></key>
    <key name="theirs"><type name="$store" locationValue="$VAULT" resource="$RESOURCE" login="app" alias="theirs" certificate="file:$mode-theirs.pem"/></key>
$2
  </keys>
</engineSignEncrypt>
XML
    export SIGNENGINE_CONFIG="$tmp/$mode.xml"
}

# verifies SIGNATURE-IN-BASE64 CERTIFICATE: of `content`, PSS with SHA-256
verifies() {
    setup openssl base64 -d -A -in "$1" -out "$1.raw"
    setup openssl x509 -in "$2" -noout -pubkey
    cp "$out" public.pem
    accepts openssl dgst -sha256 -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:32 -verify public.pem -signature "$1.raw" content
}

signs() { # DESCRIPTOR CERTIFICATE
    accepts signengine sign -d "$1" content -o signature
    accepts openssl cms -verify -inform DER -in signature -content content -CAfile "$2" -purpose any -binary -out /dev/null
}

recovers() {
    accepts signengine key delete --force ours
    others_refuse client sign-key ours content
    accepts client recover ours
    accepts client sign-key ours content
    accepts client delete ours
    accepts signengine key list ours
    says_not "key 'ours'"
    accepts signengine key recover ours
    accepts client sign-key ours content
}

# one file: what the vault gave, under lines that say what it is of (doc/formats.md)
restores() {
    accepts client sign-key ours content
    cp "$out" before
    rm -f ours.backup
    accepts signengine key backup ours -o ours.backup
    python3 -c 'import base64, sys; b = open(sys.argv[1], "rb").read().split()[-1]; sys.stdout.buffer.write(base64.urlsafe_b64decode(b + b"=="))' ours.backup >ours.blob
    accepts signengine key delete --force ours
    accepts signengine key purge --yes ours
    accepts client restore ours ours.blob
    accepts signengine key list ours
    # theirs
    accepts client backup ours theirs.blob
    blob=$(openssl base64 -A -in theirs.blob | tr '+/' '-_' | tr -d '=')
    sed '/^sha256: /,$d' ours.backup >theirs.backup
    printf 'sha256: %s\n\n%s\n' "$(printf %s "$blob" | sha256sum | cut -d' ' -f1)" "$blob" >>theirs.backup
    accepts client delete ours
    accepts client purge ours
    accepts signengine key restore ours theirs.backup
    # the key is what it was
    verifies before in.crt
    accepts client sign-key ours content
    cp "$out" signed
    verifies signed in.crt
}

# A version that somebody else makes changes nothing for us; ours is theirs to use.
rotates() {
    accepts client rotate theirs
    signs Theirs ca.pem
    rm -f newest.pem
    accepts signengine key rotate theirs -o newest.pem
    accepts client sign-key theirs content
    cp "$out" signed
    verifies signed newest.pem
    signs Theirs ca.pem
}

setup openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -subj /CN=CA -days 100
echo content >content

for mode in vault hsm; do
    start_emulator "$mode" "$tmp/$mode"
    setup emulator set delay 100
    export NODE_EXTRA_CA_CERTS="$tmp/$mode/ca.pem"
    write_config '' ''

    # ours
    accepts signengine key generate ours
    accepts client describe-key ours
    says '{"type":"RSA-HSM","operations":["sign","verify"],"enabled":true,"exportable":false,"expires":false,"managed":false}'
    accepts client sign-key ours content
    cp "$out" signed
    verifies signed "$mode-ours.pem"
    # theirs, which has no certificate yet
    setup client make-key theirs
    accepts signengine key request --subject CN=theirs theirs -o theirs.csr
    accepts openssl req -in theirs.csr -verify -noout
    setup openssl x509 -req -in theirs.csr -CA ca.pem -CAkey ca.key -CAcreateserial -copy_extensions copyall -out reply.pem -days 30
    accepts signengine key certificate theirs reply.pem
    says 'RSA-2048'
    signs Theirs ca.pem
    accepts client sign-key theirs content
    cp "$out" signed
    verifies signed "$mode-theirs.pem"
    # brought in by us
    accepts openssl req -x509 -newkey rsa:2048 -nodes -keyout in.key -out in.crt -subj /CN=in -days 50
    cat in.key in.crt >in.pem
    accepts signengine key import --force --yes ours in.pem
    accepts client sign-key ours content
    cp "$out" signed
    verifies signed in.crt
    recovers
    restores
    rotates
    accepts signengine key delete --force ours
    others_refuse client describe-key ours
done

mode=vault
use_emulator "$tmp/vault"
export NODE_EXTRA_CA_CERTS="$tmp/vault/ca.pem"
write_config '    <descriptor name="Kept" version="1"><type algorithm="SHA256withRSAandMGF1" key="kept"/></descriptor>
    <descriptor name="Their" version="1"><type algorithm="SHA256withRSAandMGF1" key="their"/></descriptor>
    <descriptor name="Asked" version="1"><type algorithm="SHA256withRSAandMGF1" key="asked"/></descriptor>' "
    <key name='kept'><type name='AzureKeyVault' locationValue='$VAULT' resource='$RESOURCE' login='app' alias='kept'/></key>
    <key name='their'><type name='AzureKeyVault' locationValue='$VAULT' resource='$RESOURCE' login='app' alias='their'/></key>
    <key name='asked'><type name='AzureKeyVault' locationValue='$VAULT' resource='$RESOURCE' login='app' alias='asked'/></key>"
# ours in certificate mode
accepts signengine key generate --days 365 --subject 'CN=kept,O=Example' kept
accepts client describe-certificate kept
says '"issuer":"Self"'
says '"exportable":false,"reuse":false,"type":"RSA-HSM","usage":["digitalSignature"],"purposes":[],"months":12'
accepts client sign-certificate kept content
setup ask GET /certificates/kept
jq -r .cer <"$out" | openssl base64 -d -A | openssl x509 -inform DER -out kept.pem
signs Kept kept.pem
# theirs
setup client make-certificate their
setup ask GET /certificates/their
jq -r .cer <"$out" | openssl base64 -d -A | openssl x509 -inform DER -out their.pem
accepts signengine key list --versions their
says 'CN=their'
signs Their their.pem
accepts signengine key generate --force --yes their
accepts client sign-certificate their content
# our request, their merge
accepts signengine key request --subject CN=asked asked -o asked.csr
setup openssl x509 -req -in asked.csr -CA ca.pem -CAkey ca.key -CAcreateserial -copy_extensions copyall -outform DER -out asked.der -days 30
accepts client merge asked asked.der
signs Asked ca.pem
accepts client sign-certificate asked content
