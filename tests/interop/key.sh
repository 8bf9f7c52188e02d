#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Keys of ours before other people's tools, and theirs before us: pkcs11-tool, p11tool, openssl with the pkcs11 engine, openssl pkcs12.
. "${top_srcdir:?}/tests/lib/harness.sh"
needs openssl pkcs11-tool p11tool

make_token lab
export PIN=1234 PASSWORD='pass wörd'

key() { signengine key "$@"; }
on_token() { # COMMAND ALIAS OPTION...
    command=$1 alias=$2
    shift 2
    key "$command" --module "$softhsm_module" --token-label lab --alias "$alias" --pin-source env:PIN "$@"
}
tool() { pkcs11-tool --module "$softhsm_module" --token-label lab --login --pin 1234 "$@"; }
# objects TYPE: labels and IDs
objects() { tool --list-objects --type "$1" | sed -n 's/^  label: *//p; s/^  ID: *//p'; }
# usage ALIAS: what pkcs11-tool tells about that private key alone
usage() {
    tool --list-objects --type privkey | awk -v want="$1" '
        /^Private Key Object/ { text = "" }
        { text = text $0 "\n" }
        $1 == "label:" { label = $2 }
        $1 == "Access:" && label == want { printf "%s", text }'
}

cat >engine.xml <<XML
<engineSignEncrypt>
  <descriptors>
    $(for name in made theirs answered pfx-rsa pfx-ec; do
        echo "<descriptor name='$name'><type algorithm='SHA-256' key='$name'/></descriptor>"
    done)
    <descriptor name="file"><type algorithm="SHA-256" key="file"/></descriptor>
  </descriptors>
  <keys>
    $(for name in made theirs answered pfx-rsa pfx-ec; do
        echo "<key name='$name'><type name='HSM' locationValue='$softhsm_module' tokenLabel='lab' alias='$name' pin='1234'/></key>"
    done)
    <key name="file"><type name="pkcs12" locationValue="file.p12" pin.source="env:PASSWORD"/></key>
  </keys>
</engineSignEncrypt>
XML
export SIGNENGINE_CONFIG="$tmp/engine.xml"
echo content >content

# cms_accepted DESCRIPTOR TRUST: we sign, openssl verifies
cms_accepted() {
    accepts signengine --quiet sign -d "$1" -o signature.p7s content
    accepts openssl cms -verify -binary -inform DER -in signature.p7s -content content -CAfile "$2" -purpose any -out /dev/null
}

# read_certificate ALIAS: what is on the token, to ALIAS.pem
read_certificate() {
    setup tool --read-object --type cert --label "$1" --output-file "$1.der"
    setup openssl x509 -inform DER -in "$1.der" -out "$1.pem"
}

# ---- made by us, seen by others ----
accepts on_token generate made --type rsa:3072 --subject /C=SE/O=Example/CN=made --days 100
accepts on_token generate made-ec --type ec:P-384
for name in made made-ec; do
    for type in privkey pubkey cert; do
        accepts objects $type
        says "$name"
    done
    read_certificate $name
    id=$(openssl x509 -in $name.pem -noout -ext subjectKeyIdentifier | tail -n 1 | tr -d ': \n' | tr A-F a-f)
    [ "${#id}" = 40 ] || fail 'no subjectKeyIdentifier'
    accepts tool --list-objects --id "$id"
    says 'Private Key Object'
    says 'Public Key Object'
    says 'Certificate Object'
    says 'never extractable'
    accepts openssl verify -x509_strict -CAfile $name.pem $name.pem
    accepts openssl x509 -in $name.pem -noout -text
    says 'Version: 3 '
    says 'X509v3 Basic Constraints: critical'
    says 'CA:FALSE'
    says 'X509v3 Key Usage: critical'
    says 'Digital Signature'
    says_not 'Encipherment'
done
accepts openssl x509 -in made.pem -noout -subject -nameopt rfc2253
says 'CN=made,O=Example,C=SE'
accepts openssl x509 -in made.pem -noout -checkend 8553600
others_refuse openssl x509 -in made.pem -noout -checkend 8726400
accepts openssl x509 -in made-ec.pem -noout -text
says 'ecdsa-with-SHA384'
accepts usage made
says 'Usage:      sign'
says_not 'decrypt'
accepts p11tool --provider "$softhsm_module" --login --set-pin 1234 --list-all 'pkcs11:token=lab'
says 'object=made;type=private'
says 'object=made;type=public'
says 'object=made;type=cert'
says 'object=made-ec;type=private'
serial=$(openssl x509 -in made.pem -noout -serial | sed 's/serial=//')
accepts tool --list-objects --type cert --label made
says "serial:     $serial"

# the serial number has 128 random bits
on_token generate made-ec --type ec:P-384 --force >again 2>&1
mv made-ec.pem before.pem
read_certificate made-ec
[ "$(openssl x509 -in before.pem -noout -serial)" != "$(openssl x509 -in made-ec.pem -noout -serial)" ] || fail 'the same serial number'

# and used by openssl's engine
if openssl engine pkcs11 >/dev/null 2>&1; then
    export PKCS11_MODULE_PATH="$softhsm_module"
    for name in made made-ec; do
        openssl x509 -in $name.pem -noout -pubkey >$name.pub
        accepts openssl dgst -sha256 -engine pkcs11 -keyform engine -sign "pkcs11:token=lab;object=$name;type=private;pin-value=1234" \
            -out engine.sig content
        accepts openssl dgst -sha256 -verify $name.pub -signature engine.sig content
    done
    unset PKCS11_MODULE_PATH
else
    echo "# openssl has no pkcs11 engine here"
fi
cms_accepted made made.pem

# encryption keys: their certificate says so, and they do nothing else
accepts on_token generate secrets --type rsa:2048 --key-usage encrypt
says 'may decrypt'
read_certificate secrets
id=$(on_token list secrets | sed -n "s/^key 'secrets'.* ID \([0-9a-f]*\),.*/\1/p")
accepts openssl x509 -in secrets.pem -noout -ext keyUsage
says 'Key Encipherment'
says_not 'Digital Signature'
accepts openssl verify -CAfile secrets.pem secrets.pem
printf 'a secret' >plain
setup openssl pkeyutl -encrypt -certin -inkey secrets.pem -pkeyopt rsa_padding_mode:oaep -in plain -out sealed
accepts tool --decrypt --mechanism RSA-PKCS-OAEP --hash-algorithm SHA-1 --id "$id" --input-file sealed --output-file opened
same plain opened
others_refuse tool --sign --mechanism SHA256-RSA-PKCS --id "$id" --input-file plain --output-file not-signed

# ---- made by others, used by us ----
setup tool --keypairgen --key-type rsa:2048 --label theirs --id a1b2
setup tool --keypairgen --key-type EC:prime256v1 --label answered --id c3
accepts on_token list theirs
says "key 'theirs': RSA-2048, ID a1b2"
says 'no certificate'
accepts on_token request theirs --subject CN=theirs -o theirs.csr
accepts openssl req -in theirs.csr -noout -verify
says 'verify OK'
accepts on_token request answered --subject CN=answered,O=Example --san DNS:host.example,email:a@example.org,IP:2001:db8::1,URI:https://b.example \
    -o answered.csr
accepts openssl req -in answered.csr -noout -verify -text
says 'verify OK'
says 'Subject: O = Example, CN = answered'
says 'DNS:host.example, email:a@example.org, IP Address:2001:DB8:0:0:0:0:0:1, URI:https://b.example'
says 'Digital Signature'

# ---- a CA answers, in every form ----
make_ca root
make_cert ca ec:P-256 issuer=root basicConstraints=critical,CA:TRUE keyUsage=critical,keyCertSign
answer() { setup openssl x509 -req -in "$1.csr" -CA ca.pem -CAkey ca.key -days 365 -copy_extensions copyall -out "$1.answer"; }
answer theirs
answer answered
setup openssl x509 -in theirs.answer -outform DER -out theirs.cer
cat root.pem ca.pem answered.answer >answered.pem
setup openssl crl2pkcs7 -nocrl -certfile answered.pem -outform DER -out answered.p7b
setup openssl crl2pkcs7 -nocrl -certfile answered.pem -out answered.p7

accepts on_token certificate theirs theirs.cer
says 'ID a1b2, may sign and decrypt, certificate CN=theirs'
setup openssl crl2pkcs7 -nocrl -certfile ca.pem -certfile theirs.answer -out theirs.p7
accepts on_token certificate theirs theirs.p7
cms_accepted theirs root.pem
accepts on_token certificate answered answered.p7b
says 'certificate CN=answered'
accepts on_token certificate answered answered.p7
accepts on_token certificate answered answered.pem
cms_accepted answered root.pem
accepts objects cert
[ "$(grep -c '^answered$' "$out")" = 1 ] || fail 'the old certificate is still there'
[ "$(grep -c '^CN=ca$' "$out")" = 1 ] || fail 'the CA is there not once'
[ "$(grep -c '^c3$' "$out")" = 1 ] || fail 'the certificate has not the ID of its key'
accepts key generate --file answered.key --type ec:P-256
refuses 65 on_token certificate theirs answered.p7b

# ---- PFX and PEM into the token ----
for kind in rsa:2048 ec:P-256; do
    name=pfx-${kind%%:*}
    make_cert "$name" "$kind" keyUsage=critical,digitalSignature
    setup env pass="$PASSWORD" openssl pkcs12 -export -inkey "$name.key" -in "$name.pem" -certfile ca.pem -name anything -passout env:pass -out "$name.p12"
    accepts on_token import "$name" --password-source env:PASSWORD --ca root.pem "$name.p12"
    says "certificate CN=$name"
    cms_accepted "$name" root.pem
    accepts usage "$name"
    says 'Usage:      sign'
    says_not 'decrypt'
    others_refuse on_token import "$name" --password-source env:PASSWORD "$name.p12"

    # over an older one, from PEM, encrypted and not
    cat "$name.key" "$name.pem" ca.pem >"$name.bundle"
    accepts on_token import "$name" --force "$name.bundle"
    setup env pass="$PASSWORD" openssl pkcs8 -topk8 -in "$name.key" -passout env:pass -out "$name.sealed"
    cat "$name.pem" "$name.sealed" >"$name.bundle"
    refuses 77 on_token import "$name" --force "$name.bundle"
    accepts on_token import "$name" --force --password-source env:PASSWORD "$name.bundle"
    cms_accepted "$name" root.pem
    for type in privkey pubkey cert; do
        accepts objects $type
        [ "$(grep -c "^$name$" "$out")" = 1 ] || fail "$name is there not once"
    done
done
# as Windows and older tools write them
setup openssl pkcs12 -export -legacy -inkey pfx-rsa.key -in pfx-rsa.pem -passout pass:old-password -out old.p12
export OLD=old-password
accepts on_token import pfx-rsa --force --password-source env:OLD old.p12

# ---- files of ours, read by others ----
accepts key generate file --type rsa:2048 --subject CN=file
setup env pass="$PASSWORD" openssl pkcs12 -in file.p12 -passin env:pass -nodes -out file.out
accepts openssl pkcs12 -in file.p12 -info -noout -passin env:PASSWORD
says 'MAC: sha256, Iteration 100000'
says 'PBES2, PBKDF2, AES-256-CBC, Iteration 100000, PRF hmacWithSHA256'
others_refuse openssl pkcs12 -in file.p12 -noout -passin pass:wrong
setup openssl x509 -in file.out -out file.pem
cms_accepted file file.pem
accepts key request file -o file.csr
setup openssl x509 -req -in file.csr -CA ca.pem -CAkey ca.key -days 365 -copy_extensions copyall -out file.answer
cat file.answer ca.pem >file.chain
accepts key certificate file file.chain
cms_accepted file root.pem
accepts openssl pkcs12 -in file.p12 -passin env:PASSWORD -nokeys
says 'friendlyName: file'
says 'localKeyID'
# the CA's, the new one, and the one before, which nobody else takes for the key's
[ "$(grep -c 'BEGIN CERTIFICATE' "$out")" = 3 ] || fail 'not three certificates'
[ "$(grep -c 'localKeyID' "$out")" = 1 ] || fail 'several certificates say that they are the key'"'"'s'

# what openssl made stays what it is when we add a key
accepts key generate --file pfx-rsa.p12 --pin-source env:PASSWORD --alias second --type ec:P-256
setup env pass="$PASSWORD" openssl pkcs12 -in pfx-rsa.p12 -passin env:pass -nodes -out both.out
[ "$(grep -c 'BEGIN PRIVATE KEY' both.out)" = 2 ] || fail 'not two keys'
[ "$(grep -c 'BEGIN CERTIFICATE' both.out)" = 3 ] || fail 'not three certificates'
grep -q 'friendlyName: anything' both.out || fail 'the first key has lost its name'

accepts key generate --file sealed.pem --pin-source env:PASSWORD --type rsa:2048
accepts openssl pkey -in sealed.pem -passin env:PASSWORD -noout
others_refuse openssl pkey -in sealed.pem -passin pass:wrong -noout
accepts openssl verify -CAfile sealed.pem sealed.pem
accepts openssl pkey -in answered.key -noout -check

if command -v keytool >/dev/null; then
    accepts key generate --file java.p12 --pin-source env:OLD --alias First
    accepts key import --file java.p12 --pin-source env:OLD --alias second --password-source env:PASSWORD --ca ca.pem pfx-ec.p12
    accepts keytool -list -v -keystore java.p12 -storepass "$OLD"
    says 'Alias name: first'
    says 'Alias name: second'
    says 'Certificate chain length: 2'
    setup keytool -genkeypair -keyalg RSA -keystore java.p12 -storepass "$OLD" -alias third -dname CN=third
    setup keytool -genseckey -keyalg AES -keysize 256 -keystore java.p12 -storepass "$OLD" -alias secret
    accepts key delete --force --file java.p12 --pin-source env:OLD --alias FIRST
    accepts keytool -list -keystore java.p12 -storepass "$OLD"
    says_not 'first, '
    says 'second, '
    says 'third, '
    says 'secret, '
    says 'SecretKeyEntry'
else
    echo "# keytool is not installed"
fi

# ---- gone is gone ----
for name in made made-ec secrets theirs answered pfx-rsa pfx-ec; do
    accepts on_token delete $name --force
done
for type in privkey pubkey; do
    accepts objects $type
    [ ! -s "$out" ] || fail "there are keys left"
done
accepts objects cert
says_not made
says_not pfx
says 'CN=ca'
