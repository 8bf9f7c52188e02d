#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A TPM 2.0: it makes its keys itself, takes no denials of rights, is cut off when its resource manager goes, and locks all keys alike.
. "${top_srcdir:?}/tests/lib/tpm.sh"
tpm_alone "$0"
. "$top_srcdir/tests/lib/harness.sh"
. "$top_srcdir/tests/token/keys.sh"

tpm_token lab 123456
cipher="algorithm='AES/GCM/NoPadding' asymCipher='RSA/ECB/OAEPWithSHA-384AndMGF1Padding'"
{
    echo '<engineSignEncrypt><descriptors>'
    echo "<descriptor name='Signer'><type algorithm='SHA256withRSA' key='rsa'/></descriptor>"
    echo "<descriptor name='EncryptedFields'><type $cipher key='fields'/></descriptor>"
    echo "<descriptor name='Curve'><type algorithm='SHA256withECDSA' key='p256'/></descriptor>"
    echo '</descriptors><keys>'
    for key in rsa fields p256 p384; do
        echo "<key name='$key'><type name='HSM' locationValue='$module' tokenLabel='lab' alias='$key' pin.source='env:PIN'/></key>"
    done
    echo '</keys></engineSignEncrypt>'
} >engine.xml
export SIGNENGINE_CONFIG="$tmp/engine.xml" PIN=123456
echo content >file
# tpm2-pkcs11 tells on stderr what it did not like, which is not ours
quietly() {
    done=0
    "$@" 2>.all || done=$?
    grep -v '^ERROR: ' .all >&2
    return $done
}
sign() { quietly signengine "$@" sign -d "${descriptor-Signer}" file -o file.p7s; }
is_good() { openssl cms -verify -binary -inform DER -in file.p7s -content file -noverify -out verified; }
encrypt() { printf secret | signengine encrypt; }

# ---- keys for signing, for encryption and on a curve, as their descriptors want them; what the token makes of it is told ----
refuses 78 quietly signengine key generate rsa --type rsa:2048 --exportable
says '--exportable: the token does not generate a key pair that may leave it, encrypted'
accepts signengine key generate rsa --type rsa:2048
says 'may sign'
says 'may leave: no'
make_cert safe rsa:3072 issuer=self
refuses 64 quietly signengine key backup rsa -o never --to safe.pem
says 'this key does not leave its token (CKA_EXTRACTABLE is false)'
accepts signengine key generate fields --type rsa:2048
says 'decrypt'
accepts signengine key generate p256 --type ec:P-256
says "key 'p256': EC-P-256"
accepts signengine key generate p384 --type ec:P-384
refuses 73 signengine key generate p384 --type ec:P-384
accepts signengine check --probe
accepts sign
accepts is_good
descriptor=Curve
accepts sign
accepts is_good
descriptor=Signer
encrypt >value
accepts signengine decrypt value
says secret

# ---- every operation ----
for key in rsa p256 p384; do
    setup pkcs11-tool --module "$module" --token-label lab --read-object --type cert --label $key -o $key.der
    setup openssl x509 -inform DER -in $key.der -out $key.pem
done
use_keys lab SHIM_MODULE="$module" TOKEN_PIN=123456 TOKEN_CURVES='p256 p384'

# ---- the resource manager goes and comes, under four threads ----
cat >restart <<RESTART
#!/bin/sh
tmp=$tmp
. "$top_srcdir/tests/lib/tpm.sh"
tpm_restart
RESTART
chmod +x restart
use restarts lab SHIM_MODULE="$module" TOKEN_PIN=123456 TOKEN_RESTART="$tmp/restart" TOKEN_RESTARTS="${RESTARTS-3}"
grep '^restart' "$out" "$err" | sed 's/^[^:]*://'

# ---- a wrong PIN is presented once an hour, by whichever process ----
property() { tpm_wait && printf '%d' "$(tpm2_getcap properties-variable | sed -n "s/TPM2_PT_$1: //p")"; }
counter() { property LOCKOUT_COUNTER; }
before=$(counter)
PIN=000000
refuses 77 sign
says 'wrong PIN'
[ "$(counter)" = $((before + 1)) ] || fail "the TPM counts $(counter), not $((before + 1))"
for _ in 1 2 3 4; do
    refuses 77 sign
    says 'wrong PIN: the token refused it 0 minutes ago'
    accepts encrypt
done
[ "$(counter)" = $((before + 1)) ] || fail "the TPM counts $(counter), not $((before + 1))"
[ "$(stat -c '%a %s' signengine-pins)" = '600 1056' ] || fail "the memory of PINs is $(stat -c '%a %s' signengine-pins)"
grep -q 000000 signengine-pins && fail 'the PIN is in the memory of PINs'
# another PIN, and the same when it is asked for
PIN=123456
accepts sign
PIN=000000
refuses 77 sign --retry-pin
says 'wrong PIN'
says_not 'minutes ago'
[ "$(counter)" = $((before + 2)) ] || fail "the TPM counts $(counter), not $((before + 2))"

# ---- its lockout is told as what it is, and ends ----
tries=0
until [ "$(counter)" = "$(property MAX_AUTH_FAIL)" ] || [ $tries = 40 ]; do
    tries=$((tries + 1))
    sign --retry-pin 2>.said || true
done
PIN=123456
refuses 77 sign
says 'the TPM is in lockout: after too many wrong PINs it takes none'
says_not 'security officer'
setup tpm2_dictionarylockout --clear-lockout
accepts sign
