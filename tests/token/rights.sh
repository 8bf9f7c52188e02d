#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What is encrypted can be decrypted: keys are made for what their descriptors do, and one that may not decrypt is not encrypted for.
. "${top_srcdir:?}/tests/lib/harness.sh"
needs openssl pkcs11-tool

make_token lab
cipher="algorithm='AES/GCM/NoPadding' asymCipher='RSA/ECB/OAEPWithSHA-384AndMGF1Padding'"
# write_config [PIN-ATTRIBUTE]: a descriptor for each key, but for `both`, which has two; `bare` has none
write_config() {
    pin=${1-pin=\'1234\'}
    {
        echo '<engineSignEncrypt><descriptors>'
        echo "<descriptor name='EncryptedFields'><type $cipher key='fields'/></descriptor>"
        echo "<descriptor name='Blobs'><type asymCipher='RSA/ECB/OAEPWithSHA-256AndMGF1Padding' key='blobs'/></descriptor>"
        echo "<descriptor name='ObjectHistorySigner'><type algorithm='SHA-256' key='history'/></descriptor>"
        echo "<descriptor name='Signer'><type algorithm='SHA256withRSA' key='both'/></descriptor>"
        echo "<descriptor name='Cipher'><type $cipher key='both'/></descriptor>"
        echo '</descriptors><keys>'
        for key in fields blobs history both bare; do
            echo "<key name='$key'><type name='HSM' locationValue='$softhsm_module' tokenLabel='lab' alias='$key' $pin ${2-}/></key>"
        done
        echo '</keys></engineSignEncrypt>'
    } >engine.xml
    chmod 600 engine.xml
}
write_config
export SIGNENGINE_CONFIG="$tmp/engine.xml"
key() { signengine -q key "$@"; }
# rights KEY TEXT: belongs to a case of its own
rights() {
    accepts signengine key list "$1"
    grep -q "^key '$1': .*, may $2, " "$out" || fail "$1 may not just $2"
}
encrypt() { printf secret | signengine encrypt "$@"; }
round_trip() { [ "$(encrypt "$@" | signengine decrypt "$@")" = secret ]; }

# ---- key generate: what the descriptors do ----
for key in fields blobs history both bare; do
    accepts key generate $key --type rsa:2048
done
rights fields decrypt
rights blobs decrypt
rights history sign
rights both 'sign and decrypt'
rights bare sign
for descriptor in EncryptedFields Blobs Cipher; do
    accepts round_trip -d $descriptor
done
accepts signengine check --probe
refuses 64 key generate --force --yes fields --type ec:P-256
says "descriptor 'EncryptedFields' encrypts with this key, and an EC key can't decrypt: it needs an RSA key"
accepts key generate --force --yes history --type ec:P-256
accepts key generate --force bare --type rsa:2048 --key-usage encrypt
rights bare decrypt

# ---- requests ask for the same ----
# asks_for KEY TEXT
asks_for() {
    signengine key request "$1" -o request.pem && openssl req -in request.pem -noout -text | grep -A1 'Key Usage' | grep -qx " *$2"
}
accepts asks_for history 'Digital Signature'
accepts asks_for both 'Digital Signature, Key Encipherment'

# ---- key import: what the certificate says, and what the descriptors do ----
make_cert signs rsa:2048 issuer=self keyUsage=critical,digitalSignature
make_cert wraps rsa:2048 issuer=self keyUsage=critical,keyEncipherment
cat signs.key signs.pem >signs.bundle
cat wraps.key wraps.pem >wraps.bundle
accepts key import --force --yes fields signs.bundle
rights fields 'sign and decrypt'
accepts round_trip
accepts key import --force --yes history signs.bundle
rights history sign
accepts key import --force --yes both wraps.bundle
rights both 'sign and decrypt'
accepts key generate --force --yes both --type rsa:2048

# ---- a key that may not decrypt is not encrypted for ----
accepts key generate --force --yes fields --type rsa:2048 --key-usage sign
rights fields sign
refused="what is encrypted for it could not be decrypted: private key 'fields' may not decrypt (CKA_DECRYPT is false)"
refuses 78 encrypt
says "signengine: encrypt: descriptor 'EncryptedFields': key 'fields': token 'lab' in slot "
says "$refused"
[ -s "$out" ] && fail 'there is an encrypted value'
printf 'a\nb\n' >lines
refuses 78 signengine encrypt --lines lines -o lines.out
says "$refused"
refuses 78 signengine zip encrypt -d EncryptedFields lines -o lines.nx02
says "$refused"
printf '%s\n' "$(encrypt -d Cipher)" >value
refuses 78 signengine rekey --lines --rejects bad -d EncryptedFields value -o value.out
for file in lines.out lines.nx02 value.out; do
    [ -e $file ] && fail "$file is there"
done
refuses 78 signengine check
says "may not decrypt (CKA_DECRYPT is false)"
refuses 78 signengine check --probe
says "may not decrypt (CKA_DECRYPT is false)"
# the others are as they were
accepts round_trip -d Cipher
printf x >file
accepts signengine sign -d Signer file -o file.p7s

# ---- and signing is refused to a key that may not sign ----
accepts key generate --force --yes history --type rsa:2048 --key-usage encrypt
refuses 78 signengine sign -d ObjectHistorySigner file -o history.p7s
says "private key 'history' may not sign (CKA_SIGN is false)"
refuses 78 signengine check
says "private key 'history' may not sign (CKA_SIGN is false)"

# ---- a private key that is another one ----
accepts key generate --force --yes fields --type rsa:2048
setup openssl x509 -in wraps.pem -outform DER -out wraps.der
setup pkcs11-tool --module "$softhsm_module" --token-label lab --login --pin 1234 --delete-object --type cert --label fields
setup pkcs11-tool --module "$softhsm_module" --token-label lab --login --pin 1234 --write-object wraps.der --type cert --label fields
refuses 78 encrypt
says "private key 'fields' and its certificate do not belong together"
setup pkcs11-tool --module "$softhsm_module" --token-label lab --login --pin 1234 --delete-object --type cert --label fields

# ---- where the token can't tell, nothing is in the way: no PIN, a wrong PIN, no private key, the configuration's own certificate ----
accepts key generate --force --yes fields --type rsa:2048 --key-usage sign
setup pkcs11-tool --module "$softhsm_module" --token-label lab --read-object --type cert --label fields -o fields.der
write_config ''
accepts encrypt
write_config "pin.source='env:NONE'"
accepts encrypt
write_config "pin='11111'"
accepts encrypt
write_config "pin='1234'" "certificate='file:fields.der'"
accepts encrypt
write_config "pin='1234'"
refuses 78 encrypt
setup pkcs11-tool --module "$softhsm_module" --token-label lab --login --pin 1234 --delete-object --type privkey --label fields
accepts encrypt

# ---- another replica may decrypt ----
make_token spare
accepts key generate --force --yes fields --type rsa:2048 --key-usage sign
cat >two.xml <<XML
<engineSignEncrypt>
  <descriptors><descriptor name='EncryptedFields'><type $cipher key='k'/></descriptor></descriptors>
  <keys><key name='k'>
    <type name='HSM' locationValue='$softhsm_module' tokenLabel='lab' alias='twin' pin='1234'/>
    <type name='HSM' locationValue='$softhsm_module' tokenLabel='spare' alias='twin' pin='1234'/>
  </key></keys>
</engineSignEncrypt>
XML
chmod 600 two.xml
accepts signengine -q -c two.xml key import --replica 1 --key-usage sign k signs.bundle
refuses 78 encrypt -c two.xml
accepts signengine -q -c two.xml key import --replica 2 k signs.bundle
accepts round_trip -c two.xml
