#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# JWS of ours before jwcrypto, PyJWT, Debian's jose, and npm's jose and node-jose, with the keys that `key jwks` tells them; and theirs before
# us. The keys are in SoftHSM and PKCS #12.
. "${top_srcdir:?}/tests/lib/harness.sh"
. "${top_srcdir:?}/tests/lib/npm.sh"
needs openssl pkcs11-tool python3 jose
python3 -c 'import jwcrypto, jwt' 2>/dev/null || skip 'Python has no jwcrypto or no PyJWT'
node=yes
npm_install jose || {
    node=''
    echo "without node: $npm_missing"
}

# all algorithms, and every form of some
forms_of() {
    case $1 in
    RS256 | PS384 | ES512) echo compact flattened general detached unencoded ;;
    *) echo compact ;;
    esac
}
algorithms='RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 ES512'
make_token jose
# in_token NAME KIND ID
in_token() {
    make_cert "$1" "$2" issuer=self
    setup openssl pkcs8 -topk8 -nocrypt -in "$1.key" -outform DER -out object
    setup pkcs11-tool --module "$softhsm_module" --token-label jose --login --pin 1234 --write-object object --type privkey --label "$1" --id "$3"
    setup openssl x509 -in "$1.pem" -outform DER -out object
    setup pkcs11-tool --module "$softhsm_module" --token-label jose --login --pin 1234 --write-object object --type cert --label "$1" --id "$3"
}
in_token rsa rsa:2048 01
in_token p256 ec:P-256 02
in_token p384 ec:P-384 03
in_token p521 ec:P-521 04
make_cert file rsa:3072 issuer=self
make_p12 file

key_of() {
    case $1 in
    ES256) echo p256 ;;
    ES384) echo p384 ;;
    ES512) echo p521 ;;
    *384) echo file ;;
    *) echo rsa ;;
    esac
}
{
    echo '<engineSignEncrypt><descriptors>'
    for algorithm in $algorithms; do
        echo "<descriptor name='$algorithm'><type algorithm='$algorithm' key='$(key_of "$algorithm")'/></descriptor>"
        cp "$(key_of "$algorithm").key" "$algorithm.key"
    done
    echo '</descriptors><keys>'
    for name in rsa p256 p384 p521; do
        echo "<key name='$name'><type name='HSM' locationValue='$softhsm_module' tokenLabel='jose' alias='$name' pin='1234'/></key>"
    done
    echo "<key name='file'><type name='pkcs12' locationValue='file.p12' pin='1234' alias='file'/></key></keys></engineSignEncrypt>"
} >engine.xml
chmod 600 engine.xml
export SIGNENGINE_CONFIG="$tmp/engine.xml"
printf '{"order":4711,"text":"\303\244 \342\202\254 \\u0041"}\n' >payload

# ---- ours ----
accepts signengine key jwks -o keys.json
for algorithm in $algorithms; do
    for form in $(forms_of "$algorithm"); do
        case $form in
        flattened | general | detached) set -- "--$form" ;;
        unencoded) set -- --flattened --detached --unencoded ;;
        *) set -- ;;
        esac
        accepts signengine jws sign "$@" -d "$algorithm" payload -o "$algorithm.$form"
        echo "$algorithm $form $algorithm.$form" >>made
    done
done
accepts python3 "$top_srcdir/tests/jose/judge.py" verify <made
[ "$(wc -l <"$out")" = 24 ] || fail 'not all were judged'
if [ "$node" ]; then
    accepts node "$top_srcdir/tests/jose/judge.mjs" "$npm_modules" verify <made
    [ "$(wc -l <"$out")" = 36 ] || fail 'not all were judged'
fi
for algorithm in $algorithms; do
    for form in $(forms_of "$algorithm"); do
        case $form in
        unencoded) ;; # Debian's jose does not know it
        detached) accepts jose jws ver -i "$algorithm.detached" -I payload -k keys.json ;;
        *)
            accepts jose jws ver -i "$algorithm.$form" -k keys.json -O back
            same back payload
            ;;
        esac
    done
done

# ---- theirs ----
judged=0
mkdir theirs
# shellcheck disable=SC2086 # words
setup python3 "$top_srcdir/tests/jose/judge.py" sign $algorithms
# shellcheck disable=SC2086
[ ! "$node" ] || setup node "$top_srcdir/tests/jose/judge.mjs" "$npm_modules" sign $algorithms
for algorithm in $algorithms; do
    openssl pkey -in "$algorithm.key" -pubout -out "$algorithm.pub" 2>/dev/null
    python3 -c "from jwcrypto import jwk; print(jwk.JWK.from_pem(open('$algorithm.key','rb').read()).export())" >"$algorithm.jwk"
    setup jose jws sig -I payload -k "$algorithm.jwk" -s "{\"protected\":{\"alg\":\"$algorithm\"}}" -o "theirs/debian-$algorithm-flattened"
    setup jose jws sig -I payload -k "$algorithm.jwk" -s "{\"protected\":{\"alg\":\"$algorithm\"}}" -c -o "theirs/debian-$algorithm-compact"
done
for token in theirs/*; do
    algorithm=$(echo "$token" | sed 's/.*-\([RPE]S[0-9]*\)-.*/\1/')
    forms_of "$algorithm" | grep -qw "${token##*-}" || continue
    judged=$((judged + 1))
    case $token in
    *-detached | *-unencoded) accepts signengine jws verify -d "$algorithm" --payload payload "$token" ;;
    *)
        accepts signengine jws verify -d "$algorithm" "$token" -o back
        same back payload
        ;;
    esac
done
wanted=36
[ ! "$node" ] || wanted=72
[ $judged = $wanted ] || fail "not $wanted tokens of theirs, but $judged"
