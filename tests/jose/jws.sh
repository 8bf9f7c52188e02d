#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# `jws sign`, `jws verify`, `key jwks`: forms, headers, versions, what a descriptor can't do, and what is refused with which status.
. "${top_srcdir:?}/tests/lib/harness.sh"
needs openssl python3

umask 077
make_ca ca
for name in rsa new p256 p384; do
    case $name in p*) kind=ec:P-${name#p} ;; *) kind=rsa:2048 ;; esac
    make_cert "$name" "$kind"
    cat "$name.key" "$name.pem" ca.pem >"$name.both"
done
make_cert old rsa:2048 until=20210101000000Z
cat old.key old.pem >old.both
# config NAME DESCRIPTOR...: each as NAME:VERSION:ALGORITHM:KEY
config() {
    file=$1.xml
    shift
    {
        echo '<engineSignEncrypt><descriptors>'
        for row; do
            echo "$row" | sed "s|\([^:]*\):\([^:]*\):\([^:]*\):\(.*\)|<descriptor name='\1' version='\2'><type algorithm='\3' key='\4'/></descriptor>|"
        done
        echo '</descriptors><keys>'
        for name in rsa new p256 p384 old; do echo "<key name='$name'><type name='pem' locationValue='$name.both'/></key>"; done
        echo "<key name='public'><type name='pem' locationValue='rsa.pem'/></key>"
        echo '</keys></engineSignEncrypt>'
    } >"$file"
}
config engine SelfServiceJWTSigner:1:RSA:rsa ContentProviderJWSSigner:1:PS512:rsa Api:1:ES256:p256 Api:2:ES384:p384 Files:1:SHA256withRSA:rsa \
    Digest:1:SHA-384:p384 Expired:1:RS256:old Third:1:RS256:new att_phone:1:RS256:public
export SIGNENGINE_CONFIG="$tmp/engine.xml"
printf '{"order":4711}' >order
header() { cut -d. -f1 "$1" | python3 -c 'import base64, sys; t = sys.stdin.read().strip(); sys.stdout.buffer.write(base64.urlsafe_b64decode(t + "=" * (-len(t) % 4)))'; }

# ---- what a descriptor makes ----
accepts signengine jws sign -d SelfServiceJWTSigner order
[ -e order.jws ] || fail 'no order.jws'
accepts header order.jws
says '{"alg":"RS256","kid":"'
accepts signengine jws verify -d SelfServiceJWTSigner order.jws
says 'order.jws: good signature'
says 'algorithm  RS256'
accepts signengine --json jws verify -d SelfServiceJWTSigner order.jws
says '"verdict":"good","version":1,"algorithm":"RS256"'
accepts signengine jws verify -d SelfServiceJWTSigner -o - order.jws
same "$out" order
# the same key by another descriptor; the algorithm is another one
refuses 1 signengine jws verify -d ContentProviderJWSSigner order.jws
says "its algorithm is 'RS256', and the descriptor's is PS512"
for name in ContentProviderJWSSigner Api Files Digest; do
    accepts signengine jws sign -d $name order -o $name.jws
    accepts signengine jws verify -d $name $name.jws
done
accepts header Files.jws
says '"alg":"RS256"'
accepts header Digest.jws
says '"alg":"ES384"'
refuses 1 signengine jws verify -d Files Digest.jws
says '(kid)'

# ---- versions ----
accepts header Api.jws
says '"alg":"ES384"'
accepts signengine jws sign -d Api:1 order -o old.jws
accepts signengine jws verify -d Api old.jws
says 'version    1'
refuses 1 signengine jws verify -d Api:2 old.jws

# ---- pipes ----
through() { signengine jws sign -d Api <order >piped && { cat piped && echo; } | signengine jws verify -d Api -o back && cmp back order; }
accepts through
{ cat piped && echo; } >lined
refuses 65 signengine jws verify -d Api lined

# ---- forms ----
for options in --flattened --general '--detached' '--detached --unencoded' '--flattened --unencoded' '--general --detached --unencoded' --certificates; do
    # shellcheck disable=SC2086 # several options
    accepts signengine jws sign -d Api $options order -o form.jws
    case $options in
    *--detached*)
        accepts signengine jws verify -d Api --payload order form.jws
        refuses 1 signengine jws verify -d Api --payload form.jws form.jws
        ;;
    *)
        accepts signengine jws verify -d Api -o back form.jws
        same back order
        refuses 65 signengine jws verify -d Api --payload order form.jws
        ;;
    esac
done
accepts signengine jws sign -d Api --detached --general order -o form.jws
refuses 65 signengine jws verify -d Api form.jws
says 'a detached one has to be given'
accepts signengine jws sign -d Api --detached order -o form.jws
refuses 1 signengine jws verify -d Api form.jws
: >empty
accepts signengine jws sign -d Api empty -o form.jws
accepts signengine jws verify -d Api form.jws -o back
same back empty
printf '{"a":"1.5"}' >dotted
refuses 64 signengine jws sign -d Api --unencoded dotted
says 'detach it'
printf 'a\377' >binary
refuses 64 signengine jws sign -d Api --unencoded --flattened binary
accepts signengine jws sign -d Api --unencoded --flattened dotted -o form.jws
accepts signengine jws verify -d Api -o back form.jws
same back dotted
accepts signengine jws sign -d Api --unencoded --detached binary -o form.jws
accepts signengine jws verify -d Api --payload binary form.jws

# ---- the header ----
accepts signengine jws sign -d Api --type example --header cty=text/plain --header 'nonce=a"b' --key-id mine order -o form.jws
accepts header form.jws
says '{"alg":"ES384","typ":"example","kid":"mine","cty":"text/plain","nonce":"a\"b"}'
refuses 1 signengine jws verify -d Api form.jws
accepts signengine jws verify -d Api --key-id mine form.jws
accepts signengine jws verify -d Api --key-id mine --type APPLICATION/Example form.jws
refuses 1 signengine jws verify -d Api --key-id mine --type other form.jws
says "its type (typ) is 'example', not 'other'"
refuses 1 signengine jws verify -d Api --type example Api.jws
refuses 64 signengine jws sign -d Api --header alg=none order
refuses 64 signengine jws sign -d Api --header crit=x order
refuses 64 signengine jws sign -d Api --header a=1 --header a=2 order
refuses 64 signengine jws sign -d Api --header a order
refuses 64 signengine jws sign -d Api --header =a order
refuses 64 signengine jws sign -d Api --flattened --general order
refuses 64 signengine jws sign -d Api order order
refuses 64 signengine jws sign -d Api --detached order -o order
refuses 64 signengine jws verify -d Api --payload order -o back order.jws
refuses 64 signengine jws verify -d Api --payload - -
refuses 66 signengine jws verify -d Api not-there
refuses 78 signengine jws sign -d Nobody order

# ---- what a descriptor can't do ----
refuses 78 signengine sign -d SelfServiceJWTSigner order
says 'its algorithm RSA is for JWS only'
refuses 78 signengine verify --raw -d SelfServiceJWTSigner --signature order order
refuses 78 signengine jws sign -d Expired order
says 'certificate expired'
refuses 78 signengine check
says 'Expired:1'
accepts signengine certificates -d SelfServiceJWTSigner
accepts signengine jws verify -d att_phone order.jws
refuses 78 signengine jws sign -d att_phone order
config good SelfServiceJWTSigner:1:RSA:rsa Api:1:ES256:p256 att_phone:1:RS256:public
accepts signengine -c good.xml check --probe
says 'SelfServiceJWTSigner:1'
says 'it is for what others sign'
grep -c ' ok$' "$out" >count || :
[ "$(cat count)" = 3 ] || fail 'not all are ok'
config curve Api:1:ES256:p384
refuses 78 signengine -c curve.xml check
says 'JOSE has no ES256 with its key, EC-P-384'
refuses 78 signengine -c curve.xml jws sign -d Api order
config curve Api:1:SHA512withECDSA:p256
accepts signengine -c curve.xml check
refuses 78 signengine -c curve.xml jws sign -d Api order
config use SelfServiceJWTSigner:1:ES256:p256
refuses 78 signengine -c use.xml check
says "'SelfServiceJWTSigner' takes RSA keys only, not ES256"

# ---- the keys for others ----
accepts signengine key jwks
says '{"keys":[{"e":"AQAB","kty":"RSA","n":"'
kids() { tr ',' '\n' <"$out" | grep -c '"kid"'; }
[ "$(kids)" = 6 ] || fail "not 6 keys, but $(kids)"
accepts signengine key jwks --current -d Api
[ "$(kids)" = 1 ] || fail 'not one key'
says '"alg":"ES384"'
accepts signengine key jwks -d Api -d SelfServiceJWTSigner -d Files -o keys.json
python3 - >keys <<'PYTHON'
import base64, json, sys
keys = json.load(open("keys.json"))["keys"]
print(len(keys), [key["alg"] for key in keys], all(key["use"] == "sig" and len(key["x5c"]) == 2 for key in keys))
PYTHON
[ "$(cat keys)" = "3 ['ES256', 'ES384', 'RS256'] True" ] || fail "other keys: $(cat keys)"
refuses 78 signengine key jwks -d Nobody
refuses 78 signengine -c curve.xml key jwks -d Api
refuses 64 signengine key jwks Api

# ---- recorded ----
accepts signengine --audit file:audit.log jws sign -d Api order -o form.jws
accepts signengine --audit file:audit.log jws verify -d Api form.jws
accepts cat audit.log
says '"jws sign"'
says '"jws verify"'
