#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What is wrong with a token is told with what is there instead, with its exit status, and without the PIN.
. "${top_srcdir:?}/tests/lib/harness.sh"
needs openssl pkcs11-tool p11tool

pin=87654321
make_token first $pin
first=$slot
make_token second $pin
make_ca ca
make_cert good rsa:2048 keyUsage=critical,digitalSignature
make_cert other rsa:2048 keyUsage=critical,digitalSignature
make_cert decrypts rsa:2048 keyUsage=critical,digitalSignature

# put TOKEN FILE privkey|cert LABEL ID [OPTION...]
put() {
    token=$1 file=$2 type=$3 label=$4 id=$5
    shift 5
    case $type in
    privkey) setup openssl pkcs8 -topk8 -nocrypt -in "$file" -outform DER -out .object ;;
    cert) setup openssl x509 -in "$file" -outform DER -out .object ;;
    esac
    setup pkcs11-tool --module "$softhsm_module" --token-label "$token" --login --pin $pin --write-object .object --type "$type" \
        --label "$label" --id "$id" "$@"
}
put first good.key privkey good 01
put first good.pem cert good 01
put first good.key privkey bare 02
put first good.pem cert lonely 03
put first good.key privkey mixed 04
put first other.pem cert mixed 04
put first good.key privkey twice 05
put first good.pem cert twice 05
put second good.key privkey twice 05
put second good.pem cert twice 05
# pkcs11-tool makes keys that may all, p11tool one that may only decrypt
export GNUTLS_PIN=$pin
setup p11tool --provider "$softhsm_module" --login --write --load-privkey decrypts.key --label decrypts --id 06 --no-mark-sign --mark-decrypt \
    'pkcs11:token=first'
unset GNUTLS_PIN
put first decrypts.pem cert decrypts 06

echo content >file
# with ATTRIBUTES: a configuration whose only key is that
with() {
    cat >engine.xml <<-XML
	<engineSignEncrypt>
	  <descriptors><descriptor name='Files'><type algorithm='SHA-256' key='k'/></descriptor></descriptors>
	  <keys><key name='k'><type name='HSM' $*/></key></keys>
	</engineSignEncrypt>
	XML
    chmod 600 engine.xml
}
sign() { signengine -c engine.xml "$@" sign -d Files file; }
told() {
    says "signengine: sign: descriptor 'Files': key 'k': "
    says_not $pin
    says_not 11112222
}
module="locationValue='$softhsm_module'"
right="pin='$pin'"

# ---- each way to say which token ----
for which in "slot='$first'" "tokenLabel='first'" "tokenLabel='first' slot='$first'"; do
    with "$module $right alias='good' $which"
    accepts sign
done
with "$module $right alias='good'"
accepts sign
for name in "${softhsm_module%.so}" libsofthsm2 softhsm2; do
    with "locationValue='$name' $right alias='good' tokenLabel='first'"
    if [ "$name" = "${softhsm_module%.so}" ] || ls /usr/lib/*/pkcs11/libsofthsm2.so >.ls 2>&1; then
        accepts sign
    fi
done

# ---- out of reach: 69 ----
with "locationValue='/no/such/module' $right alias='good'"
refuses 69 sign
told
says '/no/such/module.so'
with "locationValue='nosuchmodule' $right alias='good'"
refuses 69 sign
told
says 'libnosuchmodule.so'
with "locationValue='$tmp/file' $right alias='good'"
refuses 69 sign
told
with "$module $right alias='good' slot='4711'"
refuses 69 sign
told
says '4711'
says "'first'"
with "$module $right alias='good' tokenLabel='third'"
refuses 69 sign
told
says "'third'"
says "'second'"
with "$module $right alias='good' tokenSerial='0'"
refuses 69 sign
told
with "$module $right alias='good' slotIndex='99'"
refuses 69 sign
told
with "$module $right alias='twice'"
refuses 69 sign
told
says "'first'"
says "'second'"

# ---- PINs: 77 ----
with "$module pin='11112222' alias='good' tokenLabel='first'"
refuses 77 sign
told
says 'wrong PIN'
with "$module alias='good' tokenLabel='first'"
refuses 77 sign
told
says 'none is configured'
with "$module pin.source='env:NO_SUCH_VARIABLE' alias='good' tokenLabel='first'"
refuses 77 sign
told
says 'NO_SUCH_VARIABLE'
with "$module pin.source='env:THE_PIN' alias='good' tokenLabel='first'"
THE_PIN=$pin accepts sign
THE_PIN=11112222 refuses 77 sign
told
with "$module pin.source='file:$tmp/the.pin' alias='good' tokenLabel='first'"
refuses 77 sign
told
says 'the.pin'
(umask 077 && echo $pin >the.pin)
accepts sign
mkdir credentials
(umask 077 && printf %s $pin >credentials/hsm)
with "$module pin.source='credential:hsm' alias='good' tokenLabel='first'"
refuses 77 sign
CREDENTIALS_DIRECTORY="$tmp/credentials" accepts sign

# ---- what the token has not: 78 ----
with "$module $right alias='missing' tokenLabel='first'"
refuses 78 sign
told
says "'missing'"
says ' others'
with "$module $right alias='lonly' tokenLabel='first'"
refuses 78 sign
says "no certificate 'lonly'; there is certificate 'lonely'"
with "$module $right alias='bare' tokenLabel='first'"
refuses 78 sign
told
says 'certificate='
with "$module $right alias='bare' tokenLabel='first' certificate='file:$tmp/good.pem'"
accepts sign
with "$module $right alias='bare' tokenLabel='first' certificate='file:$tmp/other.pem'"
refuses 78 sign
told
with "$module $right alias='mixed' tokenLabel='first'"
refuses 78 sign
told
with "$module $right alias='decrypts' tokenLabel='first'"
refuses 78 sign
told
says 'may not sign'

# what only decrypts is right for what decrypts
sed "s|<descriptor name='Files'><type algorithm='SHA-256'|<descriptor name='EncryptedFields'><type algorithm='AES/GCM/NoPadding'|
     s|key='k'/></descriptor>|asymCipher='RSA/ECB/OAEPWithSHA-256AndMGF1Padding' &|" engine.xml >fields.xml
accepts signengine -c fields.xml check
says 'EncryptedFields:1'

# ---- verifying takes no PIN ----
with "$module $right alias='good' tokenLabel='first'"
accepts sign
with "$module pin='11112222' alias='good' tokenLabel='first'"
accepts signengine -c engine.xml verify -d Files file -s file.p7s

# ---- replicas: the second is asked when the first is away or refuses the PIN ----
cat >engine.xml <<XML
<engineSignEncrypt>
  <descriptors><descriptor name='Files'><type algorithm='SHA-256' key='k'/></descriptor></descriptors>
  <keys><key name='k'>
    <type name='HSM' $module tokenLabel='third' alias='good' $right/>
    <type name='HSM' $module tokenLabel='first' alias='good' $right/>
  </key></keys>
</engineSignEncrypt>
XML
accepts sign
sed "s/tokenLabel='third' alias='good' pin='$pin'/tokenLabel='second' alias='twice' pin='11112222'/" engine.xml >wrong.xml
mv wrong.xml engine.xml
accepts sign -v
says "key 'k' replica 1: lost: "
says 'wrong PIN'
says "key 'k' replica 2: failed over"
says_not 11112222
says_not $pin
