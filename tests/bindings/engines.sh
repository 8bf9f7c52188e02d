# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# engines.sh: the keys, configurations and authorities in $tmp that the tests of each binding use, after harness.sh:
#
#   . "${top_srcdir:?}/tests/bindings/engines.sh"
make_ca ca
make_ca other
make_cert one rsa:2048 keyUsage=critical,digitalSignature
make_cert two ec:P-256 keyUsage=critical,digitalSignature
make_cert three ec:P-256 issuer=other keyUsage=critical,digitalSignature
make_cert mail ec:P-256 subjectAltName=email:alice@example.org keyUsage=critical,digitalSignature extendedKeyUsage=emailProtection
make_cert old rsa:2048 keyUsage=critical,keyEncipherment
make_cert new rsa:2048 keyUsage=critical,keyEncipherment
for name in one two three mail old new; do cat $name.key $name.pem ca.pem >$name.bundle; done
cat three.key three.pem other.pem >three.bundle
make_tsa
serve authority
export tsa_url
vectors=$top_srcdir/tests/vectors
cp "$vectors"/xml-attacks/signer.pem "$vectors"/xml-attacks/curve.pem .
cp "$vectors/jwe/rfc7516-a1/key.pem" rfc.key
setup openssl req -x509 -key rfc.key -subj /CN=rfc -config /dev/null -days 3650 -out rfc.pem
cat rfc.key rfc.pem >rfc.both

# key NAME FILE, descriptor NAME VERSION ALGORITHM KEY [ATTRIBUTES]
key() { echo "<key name='$1'><type name='pem' locationValue='$2'/></key>"; }
descriptor() { echo "<descriptor name='$1' version='$2'><type algorithm='$3' key='$4' ${5-}/></descriptor>"; }
configure() { # FILE DESCRIPTORS KEYS [MORE]
    printf '<engineSignEncrypt><descriptors>%s</descriptors><keys>%s</keys>%s</engineSignEncrypt>\n' "$2" "$3" "${4-}" >"$1"
}
oaep="asymCipher='RSA/ECB/OAEPWithSHA-384AndMGF1Padding'"
fields_v1=$(descriptor EncryptedFields 1 AES/CBC/PKCS7Padding old "$oaep")
signers="$(descriptor FileSigner 1 SHA256withRSA one)$(descriptor Files 1 SHA-256 two)$(descriptor Strangers 1 SHA-256 three)
$(descriptor SignEmailDescriptor 1 SHA256withECDSA mail)$(descriptor ObjectHistorySigner 1 SHA-256 two)$(descriptor Api 1 ES256 two)"
all_keys=$(for name in one two three mail old new; do key $name $name.bundle; done)
configure engine.xml "$signers$fields_v1$(descriptor EncryptedFields 2 AES/GCM/NoPadding new "$oaep")" "$all_keys" \
    "<access><allow name='files' operations='sign verify' perMinute='60'><user name='$(id -un)'/><descriptor name='Files'/></allow></access>"
configure before.xml "$signers$fields_v1" "$all_keys"
configure nx02.xml "$(descriptor V 1 AES/CBC/PKCS7Padding k "$oaep")" "$(key k nx02.both)"
configure jwe.xml "$(descriptor rfc 1 AES/GCM/NoPadding k "result='JWE' asymCipher='RSA/ECB/OAEPWithSHA-1AndMGF1Padding'")" "$(key k rfc.both)"
configure attacks.xml "$(descriptor Signer 1 SHA256withRSA signer)$(descriptor Curve 1 SHA256withECDSA curve)" "$(key signer signer.pem)$(key curve curve.pem)"
export SIGNENGINE_CONFIG="$tmp/engine.xml"
