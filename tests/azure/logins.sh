#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A login service that does all that it should not, and the ways to log in that need no secret, under threads.
. "${top_srcdir:?}/tests/lib/harness.sh"
. "$top_srcdir/tests/azure/azure.sh"
. "$top_srcdir/tests/azure/load.sh"

LOGIN_THREADS=16
start_emulator vault
unset IDENTITY_ENDPOINT IDENTITY_HEADER IDENTITY_SERVER_THUMBPRINT IMDS_ENDPOINT MSI_ENDPOINT MSI_SECRET
# whatever a machine has: no test asks another
export AZURE_POD_IDENTITY_AUTHORITY_HOST="$IDENTITY"

# configure FILE [ATTRIBUTE...]: with $login, and a deadline of its own
configure() {
    file=$1
    shift
    descriptors=$(signs RSA rsa SHA256withRSA)
    keys=$(vault_key rsa certificate="'file:$tmp/rsa.pem'" deadline="'$DEADLINE'" "$@")${more_keys-}
    write_config "$tmp/$file"
}
login=$(by_secret)
DEADLINE=60
configure engine.xml
setup signengine -c engine.xml key generate rsa --type rsa:2048
DEADLINE=3
configure engine.xml

healthy_within() { # MILLISECONDS
    before=$(date +%s%3N)
    while tell run sign RSA 1 1 && [ "${seen_ok-0}" = 0 ] && [ $(($(date +%s%3N) - before)) -lt $(($1 * slow)) ]; do
        cases=$((cases - 1))
        sleep 0.1
    done
    tell run sign RSA "$LOGIN_THREADS" 2
    saw_only ok
}

# at_login FAULT STATUS: an engine that has no token
at_login() {
    setup emulator stats reset
    setup emulator fault "$1" 99999
    tell open "$tmp/engine.xml"
    tell run sign RSA "$LOGIN_THREADS" 1
    saw_only "$2"
    saw_most longest $((DEADLINE * 1000 + 1000 * slow))
    setup emulator clear
    tell retry
    healthy_within "${3-1500}"
}

start_load
while read -r row status within; do
    at_login "$row" "$status" $within
done <<ROWS
token-invalid-client access
token-expired-secret access
token-unauthorized-client access
token-unavailable unavailable
token-500 unavailable
token-429 unavailable
token-502-html unavailable
token-html key_store
token-not-json key_store
token-empty key_store
token-missing key_store
token-huge-lifetime key_store
token-reset unavailable
token-endless key_store
ROWS

# The flight goes on without those who wait for it, up to 30 seconds.
at_login token-stall unavailable 40000

# ---- a refused secret is presented once, by all threads together, and again when somebody says so ----
export SECRET_WRONG=wrong
login="tenant='$TENANT' client='$CLIENT' authority='$AUTHORITY' pin.source='env:SECRET_WRONG'"
configure wrong.xml
stop_load
start_load
setup emulator stats reset
tell open "$tmp/wrong.xml"
tell run sign RSA "$LOGIN_THREADS" 3
saw_only access
accepts emulator stats
value .operations.token 1
tell retry
tell run sign RSA 4 1
saw_only access
accepts emulator stats
value .operations.token 2

# ---- tokens that last 3 seconds, and a login service that is away meanwhile ----
login=$(by_secret)
configure engine.xml
setup emulator set token-lifetime 3
tell open "$tmp/engine.xml"
tell run sign RSA 1 1
saw ok 1
setup emulator stats reset
tell for sign RSA "$THREADS" 7000
saw_only ok
accepts emulator stats
value .unauthorized 0
[ "$(jq .operations.token <"$out")" -ge 3 ] || fail "few tokens: $(cat "$out")"
[ "$(jq .operations.token <"$out")" -le 10 ] || fail "many tokens: $(cat "$out")"
setup emulator set token-lifetime 60
setup emulator set token-refresh 1
tell open "$tmp/engine.xml"
tell run sign RSA 1 1
sleep 1
setup emulator fault token-500 99999
tell for sign RSA "$THREADS" 1000
saw_only ok
setup emulator clear
setup emulator fault token-stall 1
tell for sign RSA "$THREADS" 1000
saw_only ok
setup emulator clear
setup emulator pause 1500 authority
tell for sign RSA "$THREADS" 1000
saw_only ok
setup emulator set token-refresh 0
setup emulator set token-lifetime 3599
sleep 1

# all tokens become worthless in mid-run: one new one for all
tell open "$tmp/engine.xml"
tell run sign RSA "$THREADS" 1
saw_only ok
setup emulator stats reset
tell_begin for sign RSA "$THREADS" 1500
sleep 0.5
setup emulator revoke
tell_end
saw_only ok
accepts emulator stats
value .operations.token 1
stop_load

# ---- workload identity: the file is replaced ----
echo header.one.signature >federated
setup emulator federated "$CLIENT" "$tmp/federated"
export AZURE_FEDERATED_TOKEN_FILE="$tmp/federated"
login="credential='workloadIdentity' tenant='$TENANT' client='$CLIENT' authority='$AUTHORITY'"
configure engine.xml
start_load
tell open "$tmp/engine.xml"
tell run sign RSA "$LOGIN_THREADS" 1
saw_only ok
echo header.two.signature >federated.new
setup emulator federated "$CLIENT" "$tmp/federated.new"
mv federated.new federated
tell_begin for sign RSA "$THREADS" 1000
setup emulator revoke
tell_end
saw_only ok
: >federated
setup emulator revoke
tell run sign RSA "$LOGIN_THREADS" 1
saw_only access
grep -q 'is empty' "$out" || fail "does not say what is wrong"
echo header.two.signature >federated
healthy_within 1500
stop_load

# ---- managed identity ----
login="credential='managedIdentity'"
configure engine.xml
start_load
tell open "$tmp/engine.xml"
tell run sign RSA "$LOGIN_THREADS" 1
saw_only ok
at_login identity-400 key_store
at_login identity-html key_store
for row in 404 410 429 500; do
    at_login "identity-$row" unavailable 10000
done
stop_load

# App Service, and Azure Arc, which shows that a file can be read: only one in its own folder
export IDENTITY_ENDPOINT="$IDENTITY/msi/token" IDENTITY_HEADER="$IDENTITY_SECRET"
start_load
tell open "$tmp/engine.xml"
tell run sign RSA "$LOGIN_THREADS" 1
saw_only ok
stop_load
unset IDENTITY_HEADER
export IDENTITY_ENDPOINT="$IDENTITY/arc/token" IMDS_ENDPOINT="$IDENTITY"
start_load
for row in arc-outside arc-dots arc-suffix arc-big arc-missing; do
    setup emulator fault "$row"
    tell open "$tmp/engine.xml"
    tell run sign RSA 4 1
    saw_only key_store
    grep -q 'it is not read' "$out" || fail "does not say what is wrong"
done
accepts emulator log identity
value '[.[] | select(.path | test("arc")) | select(.status == 200)] | length' 0
stop_load
unset IDENTITY_ENDPOINT IMDS_ENDPOINT

# ---- a certificate whose key is in a token, and the proxy ----
make_token lab
make_cert client rsa:2048 issuer=self keyUsage=critical,digitalSignature
setup softhsm2-util --import client.key --token lab --label client --id 01 --pin 1234
setup emulator register-certificate "$CLIENT" "$tmp/client.pem"
more_keys="<key name='hsm'><type name='HSM' locationValue='$softhsm_module' tokenLabel='lab' alias='client' pin='1234' certificate='file:$tmp/client.pem'/></key>"
login="credential='certificate' credentialKey='hsm' tenant='$TENANT' client='$CLIENT' authority='$AUTHORITY' proxy='$PROXY'"
configure engine.xml
start_load
tell open "$tmp/engine.xml"
tell run sign RSA "$LOGIN_THREADS" 2
saw_only ok
setup emulator revoke
tell run sign RSA "$THREADS" 2
saw_only ok
accepts emulator proxy-log
[ "$(jq length <"$out")" -ge 2 ] || fail 'nothing went through the proxy'
setup emulator proxy-password user other
setup emulator reset
tell run sign RSA "$LOGIN_THREADS" 1
saw_only key_store
stop_load

accepts emulator attacker-log
value length 0
