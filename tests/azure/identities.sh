#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The ways to log in that need no secret, under threads: what they are shown, and what may go wrong.
. "${top_srcdir:?}/tests/lib/harness.sh"
. "$top_srcdir/tests/azure/azure.sh"
. "$top_srcdir/tests/azure/load.sh"
. "$top_srcdir/tests/azure/login.sh"

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
at_login 'identity-400 99999' key_store
at_login 'identity-html 99999' key_store
at_login 'identity-410 99999' unavailable 10000
at_login 'identity-stall 99999 4000' unavailable 6000
for row in 404 410 429 500; do
    at_login "identity-$row 1" ok
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
