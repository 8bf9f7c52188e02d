#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A key in a vault that takes 3 to 24 ms for an operation (tests/azure/emulator, on this machine): beside a bare loop of libcurl with the same
# requests, and, where npm is, beside Microsoft's own client.  ECDSA, for what the emulator signs costs this machine too.
#
# Then a batch of values and a history at 24 ms, as fields.sh and history.sh have them with a token.  The last rows: what is left of a vault's
# limit, when it refuses whatever is more; and how many connections and refused tokens there were.
. "${here:?}/setup.sh"
emulator=$top/tests/azure/emulator
source=$here/../azure

control() { "$emulator" --control "$PWD/azure/control" "$@" >answer || { cat answer >&2 && exit 1; }; }
stat() { control stats && jq -r ".$1" <answer; }
row() { printf '%s\t%s\t%s\t%s\t%s\t%s\t%s\n' "$@"; }

command -v jq curl >/dev/null || { echo "bench: jq or curl is not installed: vaults are left out" >&2 && exit 0; }
mkdir azure
"$emulator" --folder "$PWD/azure" --mode hsm >azure/output 2>&1 &
pid=$!
trap 'kill $pid' EXIT
until [ -s azure/urls ]; do sleep 0.1; done
. ./azure/urls
# shellcheck disable=SC2153 # from urls
export VAULT RESOURCE AUTHORITY TENANT CLIENT SECRET SIGNENGINE_CONFIG="$PWD/engine.xml" NODE_EXTRA_CA_CERTS="$PWD/azure/ca.pem"
cat >engine.xml <<XML
<engineSignEncrypt>
  <descriptors>
    <descriptor name="Bench"><type algorithm="SHA256withECDSA" key="bench"/></descriptor>
    <descriptor name="Fields"><type algorithm="AES/CBC/PKCS7Padding" asymCipher="RSA/ECB/OAEPWithSHA-256AndMGF1Padding" key="fields" cacheAge="0"/></descriptor>
  </descriptors>
  <login name="azure" tenant="$TENANT" client="$CLIENT" pin.source="env:SECRET" authority="$AUTHORITY" caFile="azure/ca.pem"/>
  <keys>
    <key name="bench"><type name="AzureManagedHSM" login="azure" resource="$RESOURCE" locationValue="$VAULT" alias="bench" certificate="file:bench.pem" maxSessions="64"/></key>
    <key name="fields"><type name="AzureManagedHSM" login="azure" resource="$RESOURCE" locationValue="$VAULT" alias="fields" certificate="file:fields.pem" maxSessions="64"/></key>
  </keys>
</engineSignEncrypt>
XML
setup "$top/signengine" key generate bench --type ec:P-256
setup "$top/signengine" key generate fields --type rsa:2048 --key-usage encrypt
curl -sS --noproxy '*' --cacert azure/ca.pem "$AUTHORITY/$TENANT/oauth2/v2.0/token" -d grant_type=client_credentials -d "client_id=$CLIENT" \
    --data-urlencode "client_secret=$SECRET" --data-urlencode "scope=$RESOURCE/.default" >token
printf 'Authorization: Bearer %s' "$(jq -r .access_token token)" >header
key=$(curl -sS --noproxy '*' --cacert azure/ca.pem -H "$(cat header)" "$VAULT/keys/bench?api-version=7.4" | jq -r .key.kid)

# ---- beside a bare loop, and beside Microsoft's client ----
control latency 3 24
"$top/tests/bench/vault" race engine.xml "3 to 24 ms for a signature" "$key" ES256 header azure/ca.pem 1 12 32 64 | tee rows
cache=${SIGNENGINE_NPM:-$top/tests/lib/sources/npm}/azure
if command -v node >/dev/null && [ -d "$cache/node_modules/@azure" ]; then
    ln -s "$cache/node_modules" node_modules
    cp "$here/azure.mjs" .
    node azure.mjs "$key" ES256 10 12 64 >client
    while read -r threads theirs; do
        ours=$(awk -F '\t' -v n="$threads" '$3 == n { print $4 }' rows)
        row signatures/s "3 to 24 ms for a signature" "$threads" "$ours" "@azure/keyvault-keys" "$theirs" \
            "$(awk "BEGIN { printf \"%.2f\", $ours / $theirs }")"
    done <client
else
    echo "bench: Microsoft's client is not there (tests/azure/client.sh installs it): it is left out" >&2
fi

# ---- connections, and tokens that were refused ----
control stats reset
"$top/tests/bench/vault" alone engine.xml "3 to 24 ms for a signature" 4740 20 20 64 >alone.rows
requests=$(stat requests) connections=$(stat connections)
# the login has one of its own
row connections "$requests requests, 3 to 24 ms each" 64 "$((connections - 1))" threads 64 "$(awk "BEGIN { printf \"%.2f\", ($connections - 1) / 64 }")"
row "refused tokens" "$requests requests, 3 to 24 ms each" 64 "$(stat unauthorized)" "at the most" 0 "$(stat unauthorized)"

# ---- as with a token of 24 ms ----
control latency 24 24
control stats reset
"$top/tests/bench/vault" fields engine.xml "100,000 fields written in batches of 1,000, 24 ms for an unwrap"
# one of them, and one for the token, are before the clock runs
row unwraps "100,000 fields written in batches of 1,000" 1 "$(($(stat requests) - 2))" "at the most" 100 "$(awk "BEGIN { print ($(stat requests) - 2) / 100 }")"
"$top/tests/bench/history" engine.xml sqlite:history.db '24 ms for a signature, a vault, SQLite' 200000

# ---- what is left of a limit ----
kill $pid
wait $pid 2>/dev/null || true
mkdir limited
"$emulator" --folder "$PWD/limited" --mode vault >limited/output 2>&1 &
pid=$!
until [ -s limited/urls ]; do sleep 0.1; done
. ./limited/urls
sed -i "s#AzureManagedHSM#AzureKeyVault#; s# certificate=\"[^\"]*\"##; s#locationValue=\"[^\"]*\"#locationValue=\"$VAULT\"#; s#resource=\"[^\"]*\"#resource=\"$RESOURCE\"#" engine.xml
sed -i "s#authority=\"[^\"]*\"#authority=\"$AUTHORITY\"#; s#caFile=\"[^\"]*\"#caFile=\"limited/ca.pem\"#" engine.xml
mv azure azure.hsm
ln -s limited azure
setup "$top/signengine" key generate bench --type ec:P-256
control capacity on
control latency 3 24
"$top/tests/bench/vault" alone engine.xml "a vault that takes 2,000 in 10 s" 200 20 "${LIMIT_SECONDS:-240}" 64
