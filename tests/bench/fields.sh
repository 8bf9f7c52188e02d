#!/bin/sh
# Encrypted fields of 64 bytes with a key of 2,048 bits on SoftHSM.
. "${here:?}/setup.sh"

softhsm_token
setup "$top/signengine" key delete bench --force
shim=$top/tests/lib/.libs/shim.so
place="tokenLabel=\"softhsm\" alias=\"bench\" pin.source=\"file:$PWD/pin\""
cipher='algorithm="AES/CBC/PKCS7Padding" asymCipher="RSA/ECB/OAEPWithSHA'
cat >engine.xml <<XML
<engineSignEncrypt>
  <descriptors>
    <descriptor name="Single"><type $cipher-1AndMGF1Padding" key="bench" cacheAge="0"/></descriptor>
    <descriptor name="Encrypt"><type $cipher-384AndMGF1Padding" key="bench"/></descriptor>
    <descriptor name="Batch"><type $cipher-1AndMGF1Padding" key="bench"/></descriptor>
    <descriptor name="Slow"><type $cipher-1AndMGF1Padding" key="slow" cacheAge="0"/></descriptor>
  </descriptors>
  <keys>
    <key name="bench"><type name="HSM" locationValue="$module" $place/></key>
    <key name="slow"><type name="HSM" locationValue="$shim" $place/></key>
  </keys>
</engineSignEncrypt>
XML
setup "$top/signengine" key generate bench --type rsa:2048 --key-usage both
setup pkcs11-tool --module "$module" --token-label softhsm --read-object --type cert --label bench --output-file bench.der
setup openssl x509 -inform DER -in bench.der -out bench.pem
SHIM="$shim" SHIM_MODULE="$module" "$top/tests/bench/fields" engine.xml "$module" softhsm pin bench.pem
