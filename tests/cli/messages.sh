#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every message that a wrong argument, file, PIN or configuration can cause: messages.table has a row for each.
. "${top_srcdir:?}/tests/lib/harness.sh"
. "$top_srcdir/tests/azure/azure.sh"
needs openssl zip pkcs11-tool python3

make_ca ca
make_cert one rsa:2048 keyUsage=critical,digitalSignature subjectAltName=email:me@example.org extendedKeyUsage=emailProtection,codeSigning
make_cert two rsa:2048 keyUsage=critical,digitalSignature,dataEncipherment,keyEncipherment
make_cert curve ec:P-384 keyUsage=critical,digitalSignature
make_cert expired ec:P-256 keyUsage=critical,digitalSignature until=20210101000000Z
make_cert early ec:P-256 keyUsage=critical,digitalSignature from=21000101000000Z
make_cert encrypts ec:P-256 keyUsage=critical,keyAgreement
make_cert self rsa:2048 issuer=self keyUsage=critical,digitalSignature
make_cert small rsa:1024 keyUsage=critical,digitalSignature
make_cert server rsa:2048 keyUsage=critical,digitalSignature subjectAltName=email:me@example.org extendedKeyUsage=serverAuth
for name in one two curve expired early encrypts self small server; do cat $name.key $name.pem ca.pem >$name.bundle; done
cat one.key curve.key one.pem >both.bundle
cat one.key curve.pem >alien.bundle
setup openssl genpkey -quiet -algorithm ED25519 -out edward.key
setup openssl pkcs8 -topk8 -in one.key -passout pass:1234 -out locked.key
cat locked.key one.pem >locked.bundle
make_cert recovery ec:P-256 keyUsage=critical,keyAgreement
make_cert second ec:P-256 keyUsage=critical,keyAgreement
make_cert late ec:P-256 keyUsage=critical,keyAgreement until=20210101000000Z
cat recovery.key recovery.pem >recovery.bundle
cat two.pem ca.pem >both.certificates
make_p12 one 1234
make_p12 two 1234
make_p12 self 1234
cat >engine.xml <<XML
<engineSignEncrypt>
  <descriptors>
    <descriptor name="Files" version="1"><type algorithm="SHA-256" key="one"/></descriptor>
    <descriptor name="Fields"><type algorithm="AES/CBC/PKCS7Padding" asymCipher="RSA/ECB/OAEPWithSHA-256AndMGF1Padding" key="two"/></descriptor>
  </descriptors>
  <keys>
    <key name="one"><type name="pem" locationValue="one.bundle"/></key>
    <key name="two"><type name="pkcs12" locationValue="two.p12" pin="1234"/></key>
  </keys>
</engineSignEncrypt>
XML
sed 's|</keys>|<key name="spare"><type name="pem" locationValue="self.bundle"/></key></keys>|' engine.xml >warned.xml
sed 's|^  </keys>|&\
  <access><allow name="one" operations="sign"><user name="root"/><descriptor name="Files"/></allow></access>|' engine.xml >allowed.xml
sed 's|^  <descriptors>|  <access/>\
&|' engine.xml >misplaced.xml
chmod 600 ./*.xml ./*.key ./*.bundle
export SIGNENGINE_CONFIG="$tmp/engine.xml"

# tokens: `lab` with a key `signer`, and what is not as it should be
make_token lab 12345678
printf 12345678 >pin
printf 1234567890 >so.pin
printf 99999999 >wrong.pin
printf 12 >short.pin
: >empty.pin
printf '12345678\nmore\n' >lines.pin
printf '\357\273\27712345678' >marked.pin
printf ' 12345678' >blank.pin
chmod 600 ./*.pin pin
setup signengine key generate --module "$softhsm_module" --token-label lab --alias signer --pin-source file:pin
export RIGHT_PIN=1234 WRONG_PIN=9999 EMPTY_PIN=''

setup signengine history create -d Files --store sqlite:history.db
echo payload >payload
setup signengine history append -d Files --store sqlite:history.db --idempotency-key used payload
setup signengine history append -d Files --store sqlite:history.db --idempotency-key erased payload
setup signengine history erase -d Files --store sqlite:history.db --yes 2

# a vault with a key `signer`
start_emulator vault
export VAULT_SECRET="$SECRET"
application="tenant='$TENANT' client='$CLIENT' authority='$AUTHORITY' caFile='$emulated/ca.pem'"
# vault_configuration KEY-ATTRIBUTES [LOGIN-ATTRIBUTES]
vault_configuration() {
    cat <<-XML
	<engineSignEncrypt><login name="app" ${2-$application pin.source='env:VAULT_SECRET'}/>
	<descriptors><descriptor name="Files"><type algorithm="${algorithm-SHA256withRSA}" key="k"/></descriptor></descriptors>
	<keys><key name="k"><type name="AzureKeyVault" login="app" locationValue="$VAULT" resource="$RESOURCE" deadline="1" $1/></key></keys>
	</engineSignEncrypt>
	XML
}
vault_configuration "alias='signer' mode='key' certificate='file:signer.pem'" >vault.xml
chmod 600 vault.xml
setup signengine -c vault.xml key generate k

# files
echo content >file
echo other >other
: >empty
mkdir folder
ln -s loop loop
setup signengine sign -d Files file
setup signengine sign -d Files --raw file
setup signengine sign -d Files --attached file
setup signengine encrypt -d Fields -o value file
head -c 40 value >short
echo 'not a value' >no-value
setup signengine key backup one -o one.backup --to recovery.pem
setup signengine key backup one -o shared.backup --to recovery.pem --to second.pem --threshold 2
sed '/^content:$/,$d' shared.backup >cut.shared
setup signengine key generate --exportable --type ec:P-256 --module "$softhsm_module" --token-label lab --alias leaves --pin-source file:pin
head -n 20 one.backup >cut.backup
sed '/BEGIN/s/$/\nAAAA/' one.backup >damaged.backup
setup openssl cms -cmsout -inform PEM -in one.backup -outform DER -out changed.backup
printf '\377\377\377\377' | dd of=changed.backup bs=1 seek=1000 conv=notrunc 2>/dev/null
setup openssl cms -encrypt -binary -aes256 -in file -outform PEM -out cbc.backup -recip recovery.pem
zip -qX a.zip file
sed 's/"Files"/"ConfigZipSigner"/' engine.xml >zips.xml
setup signengine -c zips.xml zip sign -o signed.zip a.zip
sed 's/"Files"/"SignEmailDescriptor"/; s/"SHA-256"/"SHA256withRSA"/' engine.xml >mail.xml
printf 'From: me@example.org\nSubject: s\nMIME-Version: 1.0\n\ntext\n' >message
printf 'From: you@example.org\nSubject: s\nMIME-Version: 1.0\n\ntext\n' >strange-message
printf '<a><b ID="x"/></a>' >doc.xml
setup signengine sign -d Files --xml -o doc.signed.xml doc.xml
sed 's/ID="x"/ID="y"/' doc.signed.xml >doc.changed.xml

# edited SED...: `check` of the configuration after these changes
edited() {
    expressions=''
    for expression; do expressions="$expressions
$expression"; done
    sed -e "$expressions" engine.xml >edited.xml
    chmod 600 edited.xml
    signengine -c edited.xml check
}
# holding TEXT: `check` of a configuration that is this
holding() {
    printf '%b' "$1" >edited.xml
    signengine -c edited.xml check
}
# allow ATTRIBUTES CONTENT list|test: what becomes of a row that is written so
allow() {
    sed "s|operations=.*</allow>|$1>$2</allow>|" allowed.xml >allowed.edited.xml
    case $3 in
    list) signengine -c allowed.edited.xml access list ;;
    test) signengine -c allowed.edited.xml access test --uid 0 --operation sign ;;
    esac
}
# key KIND ATTRIBUTES [DESCRIPTOR]: what becomes of a key that is written so, and of a descriptor that uses it
key() {
    cat >edited.xml <<-XML
	<engineSignEncrypt>
	<descriptors><descriptor name="${3-Files}"><type algorithm="${4-SHA-256}" key="k"/></descriptor></descriptors>
	<keys><key name="k"><type name="$1" $2/></key></keys>
	</engineSignEncrypt>
	XML
    chmod 600 edited.xml
    signengine -c edited.xml check
}
# login ATTRIBUTES [KEY-ATTRIBUTES]: what becomes of a key in a vault whose <login> is written so
login() {
    cat >edited.xml <<-XML
	<engineSignEncrypt><login name="app" $1/>
	<descriptors><descriptor name="Files"><type algorithm="SHA256withRSA" key="k"/></descriptor></descriptors>
	<keys><key name="k"><type name="AzureKeyVault" alias="a" locationValue="https://a.vault.azure.net" ${2-login='app'}/></key></keys>
	</engineSignEncrypt>
	XML
    chmod 600 edited.xml
    signengine -c edited.xml check
}
# vault KEY-ATTRIBUTES [LOGIN-ATTRIBUTES]: signs with a key in the vault that is there
vault() {
    vault_configuration "$@" >edited.xml
    chmod 600 edited.xml
    signengine -c edited.xml sign -d Files -o never file
}
# faulty FAULT [only=OPERATION]: signs with the good key while the vault, or its login service, does that
faulty() {
    emulator clear >/dev/null
    emulator fault "$1" '*' ${2+"$2"} >/dev/null || return
    status=0
    signengine -c vault.xml sign -d Files -o never file || status=$?
    emulator clear >/dev/null
    return "$status"
}
# tls MODE: signs while the vault's TLS is like that
tls() {
    emulator tls "$1" >/dev/null || return
    status=0
    signengine -c vault.xml sign -d Files -o never file || status=$?
    emulator tls normal >/dev/null
    return "$status"
}
# given TEXT ARGUMENT...: with that on standard input
given() {
    content=$1
    shift
    printf '%b' "$content" | signengine "$@"
}
# token VERB ARGUMENT...: a `key` command about the token
token() {
    verb=$1
    shift
    signengine key "$verb" --module "$softhsm_module" "$@"
}

# keyed KEY ARGUMENT...: appends to a history
keyed() {
    key=$1
    shift
    signengine history append -d Files --store sqlite:history.db --idempotency-key "$key" "$@"
}
# daemon LINE...: reads settings of signengined with these lines
daemon() {
    printf 'listen = unix:%s/socket\n' "$tmp" >signengined.conf
    printf '%s\n' "$@" >>signengined.conf
    "${top_builddir:?}/signengined" --settings signengined.conf --check
}

rows=0
while IFS='|' read -r wanted command text; do
    case $wanted in '' | '#'*) continue ;; esac
    rows=$((rows + 1))
    case $command in ' ! daemon '*) [ -x "$top_builddir/signengined" ] || continue ;; esac
    wanted=${wanted% } text=${text# }
    case $command in
    ' ! '*) command=${command# ! } ;;
    *) command="signengine $command" ;;
    esac
    eval "refuses $wanted $command" </dev/null
    says "$text"
    [ -z "${TRANSCRIPT-}" ] || sed "s|^|$wanted |; s|$tmp|TMP|g" "$err" "$out" >>"$TRANSCRIPT"
done <"$top_srcdir/tests/cli/messages.table"
echo "$rows messages"
[ "$rows" -gt 350 ] || fail "only $rows rows were read"
