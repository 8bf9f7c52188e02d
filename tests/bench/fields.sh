#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
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
    <descriptor name="Undivided"><type $cipher-1AndMGF1Padding" key="undivided" cacheAge="0"/></descriptor>
    <descriptor name="Encrypt"><type $cipher-384AndMGF1Padding" key="bench"/></descriptor>
    <descriptor name="Batch"><type $cipher-1AndMGF1Padding" key="bench"/></descriptor>
    <descriptor name="Slow"><type $cipher-1AndMGF1Padding" key="slow" cacheAge="0"/></descriptor>
  </descriptors>
  <keys>
    <key name="bench"><type name="HSM" locationValue="$module" $place/></key>
    <key name="undivided"><type name="HSM" locationValue="$module" $place deadline="none"/></key>
    <key name="slow"><type name="HSM" locationValue="$shim" $place/></key>
  </keys>
</engineSignEncrypt>
XML
setup "$top/signengine" key generate bench --type rsa:2048 --key-usage both
setup pkcs11-tool --module "$module" --token-label softhsm --read-object --type cert --label bench --output-file bench.der
setup openssl x509 -inform DER -in bench.der -out bench.pem
SHIM="$shim" SHIM_MODULE="$module" "$top/tests/bench/fields" engine.xml "$module" softhsm pin bench.pem | tee rows

# a Java program with Bouncy Castle on the same token; OAEP with SHA-1 as above
bouncy=/usr/share/java/bcprov.jar
if ! command -v java >/dev/null || [ ! -e $bouncy ]; then
    echo "bench: no java with Bouncy Castle: it is left out" >&2
    exit 0
fi
slot=$(softhsm2-util --show-slots | awk '/^Slot/ { slot = $2 } /Label: *softhsm/ { print slot; exit }')
java -cp $bouncy "$here/JceFields.java" "$module" "$slot" 1234 bench SHA-1 1 12 >jce
awk -F '\t' 'NR == FNR { if ($2 == "one by one, SoftHSM") ours[$1, $3] = $4; next }
    { what = $1 "ions/s" }
    ours[what, $2] {
      printf "%s\tone by one, SoftHSM\t%d\t%d\tJCE, Bouncy Castle\t%d\t%.2f\n", what, $2, ours[what, $2], $3, ours[what, $2] / $3 }' rows jce
