#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The real command with a module that is slow, hangs, loses its token or lacks something: $SHIM_FILE says what is wrong.
. "${top_srcdir:?}/tests/lib/harness.sh"
. "$top_srcdir/tests/token/keys.sh"

make_token lab
make_cert k rsa:2048 issuer=self keyUsage=critical,digitalSignature
put_object() {
    setup pkcs11-tool --module "$softhsm_module" --token-label lab --login --pin 1234 --write-object "$1" --type "$2" --label k --id 01
}
needs openssl pkcs11-tool
setup openssl pkcs8 -topk8 -nocrypt -in k.key -outform DER -out k.der
put_object k.der privkey
setup openssl x509 -in k.pem -outform DER -out k.der
put_object k.der cert

cat >engine.xml <<XML
<engineSignEncrypt>
  <descriptors><descriptor name='Files'><type algorithm='SHA-256' key='k'/></descriptor></descriptors>
  <keys><key name='k'>
    <type name='HSM' locationValue='${top_builddir:?}/tests/lib/.libs/shim.so' tokenLabel='lab' alias='k' pin='1234' deadline='1'/>
  </key></keys>
</engineSignEncrypt>
XML
sed "s/deadline='1'/deadline='100'/" engine.xml >patient.xml
chmod 600 engine.xml patient.xml
echo content >file
export SHIM_FILE="$tmp/faults"

# faults LINE...: what is wrong from now on
faults() {
    printf '%s\n' "module $softhsm_module" "$@" >.faults
    mv .faults faults
}
now() { echo $(($(date +%s%N) / 1000000)); }
# sign [CONFIGURATION]: how long it took goes to $took
sign() {
    begun=$(now)
    done=0
    signengine -c "${1-engine.xml}" sign -d Files file -o file.p7s || done=$?
    echo $(($(now) - begun)) >took
    return "$done"
}
is_good() { openssl cms -verify -binary -inform DER -in file.p7s -content file -CAfile k.pem -purpose any -out verified; }
took_from_to() {
    took=$(cat took)
    if [ "$took" -lt "$1" ] || [ "$took" -gt "$2" ]; then fail "took $took ms, not $1 to $2"; fi
}
# with valgrind or a sanitizer everything takes longer
slow=$([ "${MEMCHECK-}${sanitize-}" ] && echo 20000 || echo 1500)

# ---- nothing is wrong ----
faults '# nothing'
accepts sign
accepts is_good

# ---- hangs end at the deadline ----
for call in C_Initialize C_OpenSession C_Login C_Sign; do
    faults "$call hang"
    refuses 69 sign
    says "shim.so' has not answered within 1 s"
    took_from_to 1000 $((1000 + slow))
done

# ---- a token that is lost in the middle, and comes back ----
for loss in 'answer CKR_DEVICE_REMOVED' 'lose sessions' 'lose login' 'lose handles' 'lose module' 'lose sessions answer CKR_SESSION_HANDLE_INVALID'; do
    for call in C_SignInit C_Sign; do
        faults "$call at 1 $loss"
        accepts sign
        accepts is_good
    done
done
faults 'C_Sign at 1 lose module' 'C_Login after 1 answer CKR_DEVICE_REMOVED'
refuses 69 sign
says 'CKR_DEVICE_REMOVED'

# ---- the file is read again when it has changed: what hung goes on ----
faults 'C_Sign hang'
sign patient.xml 2>background &
sleep 1
faults '# mended'
accepts wait $!
accepts is_good
took_from_to 900 $((10000 + slow))

# ---- sessions ----
faults 'sessions 1'
accepts sign
faults 'C_OpenSession answer CKR_SESSION_COUNT'
refuses 69 sign
says 'the token gives no session: other programs hold all that it has'

# ---- mechanisms ----
faults 'CKM_RSA_PKCS refuse CKR_MECHANISM_INVALID'
accepts sign
accepts is_good
faults 'CKM_RSA_PKCS refuse CKR_MECHANISM_INVALID' 'CKM_RSA_X_509 refuse CKR_MECHANISM_INVALID'
refuses 78 sign
says 'the token has neither CKM_RSA_PKCS nor CKM_RSA_X_509 for it: CKR_MECHANISM_INVALID'

# ---- latency, and answers from memory ----
faults 'C_Sign latency 400' 'C_SignInit latency 100.5' replay
accepts sign
accepts is_good
took_from_to 500 $((500 + slow))

# ---- what the file may not say ----
for line in 'C_Nothing hang' 'C_Sign' 'C_Sign sing' 'C_Sign at 0 hang' 'C_Sign at x hang' 'C_Sign at 1 times' 'C_Sign answer CKR_NOTHING' \
    'C_Sign latency -1' 'C_Sign lose it' 'CKM_RSA_PKCS hang' 'CKM_RSA_PKCS refuse CKR_OK' 'sessions none' 'replay twice' 'module'; do
    faults "$line"
    refuses 99 sign
    says "$tmp/faults:2: "
done
