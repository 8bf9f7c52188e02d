#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The engine logs in by an assertion that a key signs which can't leave its token: in SoftHSM, and in a TPM.  An OAuth server of others
# (npm: oidc-provider) judges it.
. "${top_srcdir:?}/tests/lib/tpm.sh"
tpm_alone "$0"
. "$top_srcdir/tests/lib/harness.sh"
. "$top_srcdir/tests/azure/azure.sh"
. "$top_srcdir/tests/lib/npm.sh"

needs node npm openssl jq pkcs11-tool
npm_packages azure
make_token lab 1234
softhsm=$softhsm_module
tpm_token tpm 123456
tpm=$module
start_emulator vault
export NODE_EXTRA_CA_CERTS="$emulated/ca.pem"

# ---- the front, and the keys that log in ----
mkdir front
setup openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout front/key.pem -out front/ca.pem -subj /CN=localhost \
    -addext subjectAltName=DNS:localhost -days 30
cat front/key.pem front/ca.pem >front/front.pem

configure() { # VAULT AUTHORITY
    cat >engine.xml <<XML
<engineSignEncrypt>
  <descriptors>
    <descriptor name="BySoftHsm"><type algorithm="SHA256withRSA" key="one"/></descriptor>
    <descriptor name="ByTpm"><type algorithm="SHA256withRSA" key="two"/></descriptor>
    <descriptor name="ByStranger"><type algorithm="SHA256withRSA" key="three"/></descriptor>
  </descriptors>
  <login name="softhsm" credential="certificate" tenant="tenant" client="engine" credentialKey="softhsm" authority="$2" caFile="front/ca.pem"/>
  <login name="tpm" credential="certificate" tenant="tenant" client="engine" credentialKey="tpm" authority="$2" caFile="front/ca.pem"/>
  <login name="stranger" credential="certificate" tenant="tenant" client="engine" credentialKey="stranger" authority="$2" caFile="front/ca.pem"/>
  <keys>
    <key name="one"><type name="AzureKeyVault" locationValue="$1" resource="$RESOURCE" login="softhsm" alias="k1"/></key>
    <key name="two"><type name="AzureKeyVault" locationValue="$1" resource="$RESOURCE" login="tpm" alias="k1"/></key>
    <key name="three"><type name="AzureKeyVault" locationValue="$1" resource="$RESOURCE" login="stranger" alias="k1"/></key>
    <key name="softhsm"><type name="HSM" locationValue="$softhsm" tokenLabel="lab" alias="login" pin="1234"/></key>
    <key name="tpm"><type name="HSM" locationValue="$tpm" tokenLabel="tpm" alias="login" pin="123456"/></key>
    <key name="stranger"><type name="HSM" locationValue="$softhsm" tokenLabel="lab" alias="stranger" pin="1234"/></key>
  </keys>
</engineSignEncrypt>
XML
    chmod 600 engine.xml
}
configure https://localhost https://localhost
export SIGNENGINE_CONFIG="$tmp/engine.xml"
for key in softhsm tpm stranger; do
    setup signengine key generate $key --type rsa:2048
done

# what the client registers: the public keys of two of the certificates
jwk() { # MODULE TOKEN
    setup pkcs11-tool --module "$1" --token-label "$2" --read-object --type cert --label login -o cert.der
    modulus=$(openssl x509 -inform DER -in cert.der -noout -modulus | sed 's/.*=//')
    printf '{"kty":"RSA","use":"sig","alg":"PS256","e":"AQAB","n":"%s"}' \
        "$(printf %s "$modulus" | basenc -d --base16 | basenc --base64url -w 0 | tr -d =)"
}
printf '{"keys":[%s,%s]}' "$(jwk "$softhsm" lab)" "$(jwk "$tpm" tpm)" >front/client.json

# ---- the key in the vault, and who signs with it ----
setup ask POST /certificates/k1/create '{"policy":{"key_props":{"kty":"RSA","key_size":2048},"x509_props":{"subject":"CN=k1","validity_months":12},"issuer":{"name":"Self"}}}'
until ask GET /certificates/k1 | jq -e .cer >/dev/null; do sleep 0.2; done
cp "$top_srcdir/tests/azure/oidc.mjs" .
ln -s "$npm_modules" node_modules
node oidc.mjs front >front/output 2>&1 &
echo $! >front/pid
until [ -s front/authority ]; do
    kill -0 "$(cat front/pid)" || { cat front/output && exit 99; }
    sleep 0.1
done
configure "$(cat front/vault)" "$(cat front/authority)"
echo content >file
setup ask GET /certificates/k1
jq -r .cer "$out" | base64 -d | openssl x509 -inform DER -out k1.pem

for descriptor in BySoftHsm ByTpm; do
    accepts signengine sign -d $descriptor -o file.p7s file
    accepts openssl cms -verify -binary -inform DER -in file.p7s -content file -CAfile k1.pem -purpose any
done
refuses 77 signengine sign -d ByStranger -o other.p7s file
says 'invalid_client'
kill "$(cat front/pid)"
