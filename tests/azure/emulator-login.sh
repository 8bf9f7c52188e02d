#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What is wrong with TLS, tokens, managed identities and the proxy of the emulator, if a test wants it.
. "${top_srcdir:?}/tests/lib/harness.sh"
. "$top_srcdir/tests/azure/azure.sh"
needs openssl python3

hash=ltYuKr0-Qt5fUDMPuO_ExVmYNSeAd7IemqCzPB3wehw
sign="{\"alg\":\"PS256\",\"value\":\"$hash\"}"

start_emulator vault
setup ask POST /keys/k1/create '{"kty":"RSA"}'

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
says '"expires_in":9223372036854775807'
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
