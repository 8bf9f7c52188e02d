#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A certificate in a Key Vault is renewed: until the CA has signed, the one before it goes on.
. "${top_srcdir:?}/tests/lib/harness.sh"
. "$top_srcdir/tests/azure/azure.sh"
needs openssl faketime

start_emulator vault
cat >engine.xml <<XML
<engineSignEncrypt>
  <descriptors><descriptor name="FileSigner"><type algorithm="SHA256withRSA" key="k"/></descriptor></descriptors>
  <login name="azure" tenant="$TENANT" client="$CLIENT" pin.source="env:SECRET" authority="$AUTHORITY" caFile="$emulated/ca.pem"/>
  <keys><key name="k"><type name="AzureKeyVault" login="azure" resource="$RESOURCE" locationValue="$VAULT" alias="k1"/></key></keys>
</engineSignEncrypt>
XML
export SIGNENGINE_CONFIG="$tmp/engine.xml"
echo content >file
verified() { # FILE: it was signed by a version that the vault has
    accepts signengine verify -d FileSigner -s "$1" file
}
certificate() { signengine key list | sed -n "s/.*version \([0-9a-f]*\)\*.*/\1/p"; }

# ---- none yet, and the CA has not signed ----
accepts signengine key request k --type rsa:2048 --subject /CN=first -o first.csr
refuses 78 signengine sign -d FileSigner -o file.p7s file
says 'still pending'
setup openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -subj /CN=CA -days 30
printf 'keyUsage=critical,digitalSignature\nextendedKeyUsage=emailProtection\n' >extensions
issue() { setup openssl x509 -req -in "$1.csr" -CA ca.pem -CAkey ca.key -CAcreateserial -days 20 -extfile extensions -out "$1.pem"; }
issue first
accepts signengine key certificate k first.pem
accepts signengine sign -d FileSigner -o file.p7s file
accepts openssl cms -verify -binary -inform DER -in file.p7s -content file -CAfile ca.pem
before=$(certificate)
cp file.p7s first.p7s

# ---- the renewal ----
sleep 1 # a version is made in a second
accepts signengine key request k --type rsa:2048 --subject /CN=second -o second.csr
accepts signengine sign -d FileSigner -o file.p7s file
accepts openssl cms -verify -binary -inform DER -in file.p7s -content file -CAfile ca.pem -signer signer.pem
accepts openssl x509 -in signer.pem -noout -subject
says 'CN = first'
# whether the vault answers with the new one meanwhile, which has no certificate yet, or not
setup emulator set pending-newest on
accepts ask GET /certificates/k1
says_not '"cer"'
accepts signengine sign -d FileSigner -o file.p7s file
accepts openssl cms -verify -binary -inform DER -in file.p7s -content file -CAfile ca.pem -signer signer.pem
accepts openssl x509 -in signer.pem -noout -subject
says 'CN = first'
setup emulator set pending-newest off
issue second
accepts signengine key certificate k second.pem
accepts signengine sign -d FileSigner -o file.p7s file
accepts openssl cms -verify -binary -inform DER -in file.p7s -content file -CAfile ca.pem -signer signer.pem
accepts openssl x509 -in signer.pem -noout -subject
says 'CN = second'
after=$(certificate)
[ "$before" ] || fail "no version was in use"
[ "$before" != "$after" ] || fail "the version in use is still '$before'"

# ---- what was signed before stays good, as long as the vault lets its certificate be used ----
verified file.p7s
verified first.p7s
accepts ask PATCH "/certificates/k1/$before" '{"attributes":{"enabled":false}}'
refuses 1 signengine verify -d FileSigner -s first.p7s file
accepts ask PATCH "/certificates/k1/$before" '{"attributes":{"enabled":true}}'
verified first.p7s

# ---- one that is not valid yet waits ----
accepts signengine key request k --type rsa:2048 --subject /CN=third -o third.csr
setup moved +2d openssl x509 -req -in third.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 20 -extfile extensions -out third.pem
refuses 78 signengine key certificate k third.pem
says 'a vault uses it at once'
accepts ask POST /certificates/k1/pending/merge "{\"x5c\":[\"$(openssl x509 -in third.pem -outform DER | openssl base64 -A)\"]}"
accepts signengine sign -d FileSigner -o file.p7s file
accepts openssl cms -verify -binary -inform DER -in file.p7s -content file -CAfile ca.pem -signer signer.pem
accepts openssl x509 -in signer.pem -noout -subject
says 'CN = second'
verified file.p7s
