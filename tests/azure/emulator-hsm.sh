#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The emulator as a Managed HSM: roles, backups, limits.
. "${top_srcdir:?}/tests/lib/harness.sh"
. "$top_srcdir/tests/azure/azure.sh"

hash=ltYuKr0-Qt5fUDMPuO_ExVmYNSeAd7IemqCzPB3wehw
sign="{\"alg\":\"PS256\",\"value\":\"$hash\"}"

start_emulator hsm
setup emulator set delay 1000
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
setup emulator set role-delay 5000
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
sleep 5.1
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
sleep 1.2
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
sleep 1.2
accepts ask GET "/restore/$job/pending"
value .statusDetails 'Number of successful key versions restored: 1, Number of key versions could not overwrite: 0'
accepts ask POST /keys/k1/sign "$sign"
accepts ask POST /backup '{"storageResourceUri":"https://storage.example/c","token":"sv=1"}'
others_refuse ask GET "/backup/$(jq -r .jobId <"$out")/pending"
status_is 400
says 'does not contain the expiry field'

# throttled by the second
setup emulator capacity on 1 0.003
for i in 1 2 3 4 5 6 7 8 9 10 11 12; do
    ask POST /keys/k1/sign "$sign" >/dev/null 2>&1 &
    eval "pid$i=\$!"
done
for i in 1 2 3 4 5 6 7 8 9 10 11 12; do
    eval "wait \$pid$i" || :
done
accepts emulator stats
value '.throttled > 0' true
setup emulator capacity off

# a blob goes to another of the same domain, and to no other
setup ask POST /keys/k1/backup
blob=$(cat "$out")
start_emulator hsm "$tmp/twin"
accepts ask POST /keys/restore "$blob"
start_emulator hsm "$tmp/foreign" --domain other
others_refuse ask POST /keys/restore "$blob"
says MalformedBackupBlob
start_emulator vault "$tmp/vault"
others_refuse ask POST /keys/restore "$blob"
says 'Malformed backup blob'
accepts emulator quit
hangs_up ask GET /keys/k1
