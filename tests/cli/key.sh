#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The key commands on the command line: what they do, and every refusal with its status.
. "${top_srcdir:?}/tests/lib/harness.sh"
needs openssl softhsm2-util pkcs11-tool
[ "$softhsm_module" ] || skip "libsofthsm2.so is not installed"

# secrets that no output may hold
pin=s3cr3t-user-pin so_pin=s3cr3t-officer other=s3cr3t-of-the-file
export PIN=$pin SO_PIN=$so_pin OTHER=$other WRONG=s3cr3t-wrong-one EMPTY='' SHORT=s3c
unset NOT_SET

mkdir tokens
printf 'directories.tokendir = %s\nobjectstore.backend = file\nlog.level = ERROR\n' "$tmp/tokens" >softhsm2.conf
export SOFTHSM2_CONF="$tmp/softhsm2.conf"

cat >engine.xml <<XML
<engineSignEncrypt>
  <descriptors>
    <descriptor name="Token" version="1"><type algorithm="SHA256withRSA" key="token"/></descriptor>
    <descriptor name="Curve" version="1"><type algorithm="SHA384withECDSA" key="curve"/></descriptor>
    <descriptor name="File" version="1"><type algorithm="SHA256withRSA" key="file"/></descriptor>
  </descriptors>
  <keys>
    <key name="token"><type name="HSM" locationValue="$softhsm_module" tokenLabel="lab" alias="signer" pin.source="env:PIN"/></key>
    <key name="curve"><type name="HSM" locationValue="$softhsm_module" tokenLabel="lab" alias="curve" pin.source="env:PIN"/></key>
    <key name="file"><type name="pkcs12" locationValue="file.p12" pin.source="env:OTHER"/></key>
    <key name="both">
      <type name="pkcs12" locationValue="one.p12" pin.source="env:OTHER"/>
      <type name="pem" locationValue="two.pem" pin.source="env:OTHER"/>
    </key>
    <key name="wrong"><type name="HSM" locationValue="$softhsm_module" tokenLabel="lab" alias="signer" pin.source="env:WRONG"/></key>
    <key name="nowhere"><type name="HSM" locationValue="$softhsm_module" tokenLabel="elsewhere" alias="signer" pin.source="env:PIN"/></key>
    <key name="module"><type name="HSM" locationValue="$tmp/no-such-module" alias="signer" pin.source="env:PIN"/></key>
    <key name="pinless"><type name="HSM" locationValue="$softhsm_module" tokenLabel="lab" alias="signer"/></key>
    <key name="folder"><type name="pkcs12" locationValue="no/such/folder/file.p12" pin.source="env:OTHER"/></key>
  </keys>
</engineSignEncrypt>
XML
export SIGNENGINE_CONFIG="$tmp/engine.xml"

# every command's output is kept for the search for secrets at the end
key() {
    status=0
    signengine key "$@" >.now.out 2>.now.err || status=$?
    cat .now.out .now.err >>everything
    cat .now.out
    cat .now.err >&2
    return "$status"
}

# ---- tokens: init ----
accepts key list --module "$softhsm_module"
says 'not initialised'
refuses 64 key init token
says '--so-pin-source is missing'
refuses 64 key init --so-pin-source env:SO_PIN
says 'which KEY'
refuses 64 key init --so-pin-source "$so_pin" token
says '--so-pin-source takes env:NAME'
refuses 77 key init --so-pin-source env:NOT_SET token
refuses 77 key init --so-pin-source env:SHORT token
says 'SO PIN must have'
refuses 77 key init --so-pin-source env:SO_PIN --pin-source env:SHORT token
says 'user PIN must have'
refuses 77 key init --so-pin-source env:SO_PIN pinless
says 'no PIN'
refuses 69 key init --so-pin-source env:SO_PIN --module "$softhsm_module" --slot 77 --pin-source env:PIN
refuses 69 key init --so-pin-source env:SO_PIN module
refuses 64 key init --so-pin-source env:SO_PIN file
says 'only tokens'
refuses 64 key init --so-pin-source env:SO_PIN --module "$softhsm_module" --pin-source env:PIN \
    --token-label a-label-of-more-than-thirty-two-bytes
accepts key list --module "$softhsm_module"
says_not "token 'lab'"

accepts key init --so-pin-source env:SO_PIN token
says "token 'lab'"
accepts pkcs11-tool --module "$softhsm_module" --token-label lab --login --pin "$pin" --list-objects
refuses 73 key init --so-pin-source env:SO_PIN token
says '--force wipes it'
refuses 77 key init --so-pin-source env:WRONG --force --yes token
accepts key generate --type ec:P-256 token
refuses 64 key init --so-pin-source env:SO_PIN --force token
accepts key init --so-pin-source env:SO_PIN --force --yes token
accepts key list token
says_not "key 'signer'"
slot=$(sed -n "s/^slot \([0-9]*\): token 'lab'.*/\1/p" "$out")
accepts key init --so-pin-source env:SO_PIN --module "$softhsm_module" --pin-source env:PIN --token-label spare
spare=$(sed -n 's/^slot \([0-9]*\): .*/\1/p' "$out")
refuses 73 key init --so-pin-source env:SO_PIN --module "$softhsm_module" --slot "$slot" --force --pin-source env:PIN --token-label spare
says "there is a token 'spare' already"

# ---- tokens: generate ----
refuses 64 key generate
refuses 64 key generate token more
says "one key at a time"
refuses 64 key generate --type rsa:1024 token
refuses 64 key generate --type rsa:3000 token
refuses 64 key generate --type ec:P-224 token
refuses 64 key generate --type dsa token
refuses 64 key generate --days 0 token
refuses 64 key generate --days 36501 token
refuses 64 key generate --key-usage sing token
refuses 64 key generate --type ec:P-256 --key-usage encrypt token
refuses 64 key generate --subject '' --subject CN token
refuses 64 key generate --subject 'CN=' token
refuses 64 key generate --subject 'XY=a' token
says "attribute type 'XY'"
refuses 64 key generate --subject 'C=Sweden' token
refuses 64 key generate --san host token
refuses 64 key generate --san DNS:a,IP:1.2.3 token
refuses 64 key generate --replica 2 token
refuses 64 key generate --alias else token
refuses 64 key generate --module "$softhsm_module" --file a.p12 --pin-source env:PIN
refuses 64 key generate --module "$softhsm_module" --slot x --alias a --pin-source env:PIN
refuses 64 key generate --pin-source "$pin" token
refuses 78 key generate no-such-key
says "no-such-key"
refuses 78 signengine --config not-there.xml key generate token
refuses 77 key generate wrong
says 'wrong PIN'
refuses 77 key generate pinless
refuses 77 key generate --pin-source fd:9 pinless
refuses 77 key generate --pin-source file:not-there pinless
refuses 69 key generate nowhere
says "'lab' serial"
refuses 69 key generate module
accepts key list token
says_not "key 'signer'"

accepts key generate token
says "key 'signer': RSA-3072"
says 'may sign, certificate CN=signer'
refuses 73 key generate token
says '--force replaces it'
cp .now.err told
first=$(sed -n 's/.*ID \([0-9a-f]*\),.*/\1/p' "$out")
accepts key generate --force --yes --type rsa:2048 --key-usage both --subject '/C=SE/O=Example, Inc/CN=signer' token
says "key 'signer': RSA-2048"
says 'may sign and decrypt, certificate CN=signer,O=Example\, Inc,C=SE'
accepts key list token
says 'RSA-2048'
says_not 'RSA-3072'
says_not "${first:-no ID}"
accepts key generate --type ec:P-384 curve
says "key 'curve': EC-P-384"
accepts key generate --module "$softhsm_module" --slot "$spare" --alias third --type ec:P-521 --key-usage sign --pin-source env:PIN
says 'EC-P-521'
accepts key generate --module "$softhsm_module" --token-label spare --alias fourth --type rsa:2048 --key-usage encrypt --pin-source env:PIN
says "key 'fourth': RSA-2048"
says 'may decrypt'
accepts key generate --pin-source fd:3 --force --yes --type ec:P-256 curve 3<<LINE
$pin
this belongs to somebody else
LINE
accepts sh -c 'printf "%s\r\n" "$PIN" | "$top_builddir/signengine" key generate --pin-source fd:0 --force --yes --type ec:P-384 curve'
accepts signengine --quiet key generate --force --yes --type ec:P-384 curve
[ ! -s "$out" ] || fail 'it is not quiet'

# ---- tokens: list ----
accepts key list token
says "token 'lab'"
says "key 'signer'"
says "key 'curve'"
says_not "key 'third'"
accepts key list --module "$softhsm_module" --token-label spare
says "certificate 'third'"
says_not "key 'third'"
accepts key list --module "$softhsm_module"
says "token 'spare'"
says_not 'third'
accepts signengine --json key list --module "$softhsm_module" --token-label spare --pin-source env:PIN
says '"tokenLabel":"spare","tokenSerial":"'
says '"initialised":true,"userPin":true,"pinLocked":false}'
says '"initialised":false,"userPin":false,"pinLocked":false}'
says '{"label":"third","type":"EC-P-521","id":"'
says '"privateKey":true,"certificate":true,"maySign":true,"mayDecrypt":false,"subject":"CN=third","notAfter":"20'
says '"maySign":false,"mayDecrypt":true,"subject":"CN=fourth","notAfter":"20'
[ "$(grep -c '^{.*}$' "$out")" = "$(wc -l <"$out")" ] || fail 'not an object per line'
refuses 77 key list
says 'wrong PIN'
says "token: key 'signer'"
refuses 64 key list token more
says "one key at a time"
refuses 64 key list --slot 3 token
refuses 69 key list nowhere
refuses 77 key list wrong

# ---- requests ----
accepts key request token
says 'BEGIN CERTIFICATE REQUEST'
accepts key request -o token.csr --subject 'CN=Räksmörgås,O=Ex\2Cample' --san DNS:a.example,email:b@example.org token
[ ! -s .now.out ] || fail 'it wrote to standard output as well'
refuses 73 key request -o no/such/folder/out token
if [ -c /dev/full ]; then
    refuses 73 key request -o /dev/full token
    says "No space left on device"
fi
refuses 78 key request --module "$softhsm_module" --token-label lab --alias nobody --pin-source env:PIN
says "there is no such private key; there is certificate '"
refuses 64 key request --key-usage encrypt curve
refuses 77 key request wrong

# ---- the answer of a CA ----
make_ca ca
setup openssl x509 -req -in token.csr -CA ca.pem -CAkey ca.key -days 10 -out answer.pem
make_cert stranger ec:P-256
refuses 66 key certificate token not-there.pem
refuses 65 key certificate token engine.xml
refuses 65 key certificate token stranger.pem
says "the first is for 'CN=stranger'"
refuses 64 key certificate token
refuses 64 key certificate
refuses 77 key certificate wrong answer.pem
refuses 78 key certificate nobody answer.pem
cat answer.pem ca.pem >chain.pem
accepts key certificate token - <chain.pem
says 'certificate CN=Räksmörgås,O=Ex\,ample, until'
accepts key list token
says "certificate 'CN=Test CA ca'"
[ "$(grep -c "^key 'signer'" "$out")" = 1 ] || fail 'the key is not there once'
[ "$(grep -c "certificate 'signer until 20" "$out")" = 1 ] || fail 'the old certificate has not been kept'
accepts key certificate token chain.pem
accepts key list token
[ "$(grep -c "'signer" "$out")" = 2 ] || fail 'the same certificate is there twice'
[ "$(grep -c "'CN=Test CA ca'" "$out")" = 1 ] || fail 'the CA is there twice'

# ---- import ----
make_cert incoming rsa:2048 keyUsage=critical,digitalSignature
make_p12 incoming "$other" incoming -certfile ca.pem
refuses 64 key import token
refuses 66 key import token not-there.p12
refuses 65 key import token engine.xml
refuses 65 key import token incoming.pem
refuses 65 key import --password-source env:OTHER token ca.key
says 'no certificate of the private key'
: >empty
refuses 65 key import token empty
head -c 100 incoming.p12 >broken.p12
refuses 65 key import --password-source env:OTHER token broken.p12
refuses 77 key import token incoming.p12
refuses 77 key import --password-source env:WRONG token incoming.p12
refuses 64 key import --password-source "$other" token incoming.p12
refuses 66 key import --password-source env:OTHER --ca not-there.pem token incoming.p12
refuses 65 key import --password-source env:OTHER --ca engine.xml token incoming.p12
refuses 64 key import --password-source env:OTHER --key-usage all token incoming.p12
refuses 73 key import --password-source env:OTHER token incoming.p12
accepts key list token
says 'CN=Räksmörgås'
accepts key import --password-source env:OTHER --force --yes token incoming.p12
says 'RSA-2048'
says 'may sign, certificate CN=incoming'

# ---- delete ----
refuses 64 key delete token </dev/null
says '--force says that it is meant'
refuses 77 key delete --force wrong
refuses 78 key delete --force --module "$softhsm_module" --token-label lab --alias nobody --pin-source env:PIN
accepts key delete --force token
accepts key list token
says_not "'signer'"
says "key 'curve'"
refuses 78 key delete --force token

# on a terminal, it asks
terminal() { # INPUT COMMAND
    { sleep 1 && printf '%s\n' "$1"; } | script -qec "$2" -E never /dev/null >.terminal 2>&1
    status=$?
    tr -d '\r' <.terminal
    return $status
}
if command -v script >/dev/null; then
    asks='"$top_builddir/signengine" key'
    others_refuse terminal no "$asks delete curve"
    says "Delete key 'curve'"
    says 'nothing is deleted'
    accepts key list curve
    says "key 'curve'"
    accepts terminal yes "$asks delete curve"
    accepts key list curve
    says_not "key 'curve'"
    accepts terminal "$pin" "$asks generate --pin-source prompt --type ec:P-256 pinless"
    says 'PIN: '
    says "key 'signer'"
    cat .terminal >>everything
fi

# ---- key files ----
refuses 77 key generate --pin-source env:EMPTY file
accepts key generate --type rsa:2048 file
says "key 'file': RSA-2048"
[ "$(stat -c %a file.p12)" = 600 ] || fail 'others may read the new file'
refuses 73 key generate file
refuses 77 key generate --pin-source env:WRONG file
refuses 73 key generate folder
accepts key generate --force --yes --type ec:P-256 --subject CN=second file
says 'EC-P-256'
accepts key list file
says_not 'RSA'
accepts key request file
says 'BEGIN CERTIFICATE REQUEST'
refuses 64 key generate --replica 3 both
refuses 64 key generate both
says '--replica says which'
accepts key generate --replica 1 --type ec:P-256 both
accepts key generate --replica 2 --type ec:P-256 both
grep -q 'BEGIN ENCRYPTED PRIVATE KEY' two.pem || fail 'the PEM key lies open'
refuses 73 key generate --replica 2 both
refuses 77 key list --replica 2 --pin-source env:WRONG both
accepts key list --replica 2 both
says "key 'both': EC-P-256"

direct='--pin-source env:OTHER --type ec:P-256'
# shellcheck disable=SC2086 # several options
{
    accepts key generate --file many.p12 --alias One $direct
    accepts key generate --file many.p12 --alias Two $direct
    refuses 73 key generate --file many.p12 --alias one $direct
    refuses 64 key generate --file new.xyz $direct
    refuses 64 key generate --file many.p12 --alias Three --replica 1 $direct
    cp engine.xml copy.xml
    refuses 69 key generate --file copy.xml --force $direct
    same engine.xml copy.xml
    accepts key generate --file open.key --type ec:P-256
}
refuses 69 key list --file broken.p12 --pin-source env:OTHER
accepts key list --file many.p12 --pin-source env:OTHER
says "key 'One'"
says "key 'Two'"
refuses 78 key request --file many.p12 --pin-source env:OTHER
says "2 keys, and no alias that says which: 'One', 'Two'"
refuses 78 key request --file many.p12 --alias Three --pin-source env:OTHER
refuses 77 key list --file many.p12
[ "$(stat -c %a open.key)" = 600 ] || fail 'others may read the open key'
accepts key list --file open.key
says "key 'open': EC-P-256"

accepts key import --file many.p12 --alias Three --pin-source env:OTHER --password-source env:OTHER incoming.p12
says "key 'Three': RSA-2048"
accepts key list --file many.p12 --pin-source env:OTHER
says 'CN=Test CA ca'
accepts key delete --force --file many.p12 --alias two --pin-source env:OTHER
accepts key list --file many.p12 --pin-source env:OTHER
says_not "key 'Two'"
says "key 'One'"
says "key 'Three'"
accepts key delete --force --file open.key
[ ! -e open.key ] || fail 'the file is still there'
refuses 78 key delete --force --file open.key

# a target that can't be written keeps what it has
if [ "$(id -u)" != 0 ]; then
    mkdir closed
    cp many.p12 closed
    chmod 500 closed
    refuses 77 key generate --file closed/many.p12 --alias Four --pin-source env:OTHER --type ec:P-256
    same many.p12 closed/many.p12
    chmod 700 closed
fi

# ---- no secret was told ----
[ "$(wc -l <everything)" -gt 100 ] || fail 'the outputs were not kept'
accepts cat everything
says_not 's3cr3t'
