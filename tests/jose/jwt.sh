#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# `jwt sign` and `jwt verify`: the claims, and their times by a clock that is set.
. "${top_srcdir:?}/tests/lib/harness.sh"
needs openssl python3

make_cert rsa rsa:2048 issuer=self
cat rsa.key rsa.pem >rsa.both
cat >engine.xml <<'XML'
<engineSignEncrypt>
  <descriptors><descriptor name='SelfServiceJWTSigner'><type algorithm='RSA' key='rsa'/></descriptor></descriptors>
  <keys><key name='rsa'><type name='pem' locationValue='rsa.both'/></key></keys>
</engineSignEncrypt>
XML
export SIGNENGINE_CONFIG="$tmp/engine.xml"
sign() { signengine jwt sign -d SelfServiceJWTSigner "$@"; }
verify() { signengine jwt verify -d SelfServiceJWTSigner "$@"; }
# part NUMBER FILE
part() {
    cut -d. -f"$1" "$2" | python3 -c 'import base64, sys; t = sys.stdin.read().strip(); sys.stdout.buffer.write(base64.urlsafe_b64decode(t + "=" * (-len(t) % 4)))'
}

# ---- making ----
accepts sign --expires 10m --issuer me --subject 4711 --audience api -o token
accepts part 1 token
says '{"alg":"RS256","typ":"JWT","kid":"'
accepts part 2 token
says '{"iss":"me","sub":"4711","aud":"api","exp":'
says '"iat":'
python3 - >span <<'PYTHON'
import base64, json
text = open("token").read().split(".")[1]
claims = json.loads(base64.urlsafe_b64decode(text + "=="))
print(claims["exp"] - claims["iat"])
PYTHON
[ "$(cat span)" = 600 ] || fail "it lasts $(cat span) s"
printf '{ "exp": 4102444800, "amount": 1.10,\n "list": [1e3] }\n' >claims
accepts sign --audience a --audience b --id claims -o long
accepts part 2 long
says '{ "exp": 4102444800, "amount": 1.10,'
says ' "list": [1e3] ,"aud":["a","b"],"iat":'
says '"jti":"'
printf '{}' >empty
accepts sign --no-expiry empty -o endless
printf '{"iat":1,"exp":4102444800}' >issued
accepts sign issued -o token-issued
accepts part 2 token-issued
says '{"iat":1,"exp":4102444800}'
from_pipe() { sign - <claims; }
accepts from_pipe
refuses 64 sign
says 'never expire'
refuses 64 sign --expires 10m claims
says "the claims have 'exp' already"
refuses 64 sign --expires 10 empty
refuses 64 sign --expires 0m empty
refuses 64 sign --expires m empty
refuses 64 sign --expires 10m --no-expiry empty
refuses 64 sign --expires 10m empty empty
printf '{"exp":"soon"}' >wrong
refuses 65 sign wrong
printf '{"exp":1,"exp":2}' >wrong
refuses 65 sign wrong
printf '["exp"]' >wrong
refuses 65 sign wrong

# ---- verifying ----
accepts verify --issuer me --subject 4711 --audience api token
says '{"iss":"me","sub":"4711","aud":"api","exp":'
accepts signengine --json jwt verify -d SelfServiceJWTSigner --audience api token
says '"leewayUsed":0,"claims":{"iss":"me"'
accepts verify --audience other --audience api token -o claims.out
part 2 token >expected
same claims.out expected
refuses 1 verify token
says "it is for another audience (aud): 'api'"
refuses 1 verify --audience ap token
refuses 1 verify --audience api --issuer m token
says "its claim 'iss' is 'me', not 'm'"
refuses 1 verify --audience api --subject 471 token
refuses 1 verify --audience api --id 1 token
says "it has no claim 'jti'"
accepts verify --audience b long
refuses 1 verify endless
says 'it never expires'
accepts verify --no-expiry endless
refuses 1 signengine --json jwt verify -d SelfServiceJWTSigner endless
says '"verdict":"refused"'

# ---- times ----
printf '{"nbf":1000000000,"iat":1000000000,"exp":1000000600}' >timed
accepts sign timed -o timed.jwt
accepts verify --time @1000000000 timed.jwt
accepts verify --time @1000000599 timed.jwt
refuses 1 verify --time @1000000600 timed.jwt
says 'it expired 2001-09-09T01:56:40Z (exp); the leeway is 0 s'
accepts verify --time @1000000600 --leeway 1 timed.jwt
says 'accepted with 1 s of the leeway of 1 s'
accepts verify --time @1000000659 --leeway 60 timed.jwt
refuses 1 verify --time @1000000660 --leeway 60 timed.jwt
refuses 1 verify --time @999999999 timed.jwt
says 'it may be used from (nbf) 2001-09-09T01:46:40Z'
accepts verify --time @999999940 --leeway 60 timed.jwt
refuses 1 verify --time @999999939 --leeway 60 timed.jwt
printf '{"iat":1000000000,"exp":1000000600}' >timed
accepts sign timed -o timed.jwt
refuses 1 verify --time @999999999 timed.jwt
says 'it was issued (iat)'
accepts sign --expires 1h --not-before 2100-01-01 empty -o later
refuses 1 verify later

# ---- kinds ----
accepts sign --expires 1h --type at+jwt empty -o access
refuses 1 verify access
says "its type (typ) is 'at+jwt', not 'JWT'"
accepts verify --type application/at+jwt access
refuses 1 verify --type at+jwt later
accepts signengine jws sign -d SelfServiceJWTSigner issued -o untyped
accepts verify untyped
refuses 1 verify --type JWT untyped
accepts signengine jws sign -d SelfServiceJWTSigner --flattened issued -o flattened
refuses 65 verify flattened
printf '{"exp":4102444800}' >bare
accepts signengine jws sign -d SelfServiceJWTSigner --unencoded bare -o unencoded
refuses 65 verify unencoded
says "its 'b64' is false"
