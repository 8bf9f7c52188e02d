# SPDX-License-Identifier: Apache-2.0
# A key that is certified anew: it signs with the new certificate, and what was signed before it goes on verifying, in all forms and stores.
. "${top_srcdir:?}/tests/lib/harness.sh"
needs openssl softhsm2-util pkcs11-tool faketime
printf 1234 >pin
chmod 600 pin
echo data >data
echo '<data/>' >data.xml
day() { date -u -d "$1 days" +%Y%m%d000000Z; }
make_ca ca
make_ca stranger
make_token lab
make_key signer rsa:2048
certificate() { # NAME FROM UNTIL [ISSUER [SUBJECT]]: of that key
    cp signer.key "$1.key"
    make_cert "$1" rsa:2048 issuer="${4-ca}" "from=$(day "$2")" "until=$(day "$3")" "subject=${5-/CN=signer}" keyUsage=critical,digitalSignature
}
certificate old -300 20
certificate new -1 600
certificate renamed -1 500 ca /CN=other-name
certificate unknown -200 300
certificate foreign -200 300 stranger

conf() {
    cat >engine.xml <<-XML
	<engineSignEncrypt>
	  <descriptors><descriptor name="Signer"><type algorithm="SHA256withRSA" key="one"/></descriptor></descriptors>
	  <keys><key name="one"><type $*/></key></keys>
	</engineSignEncrypt>
	XML
}
export SIGNENGINE_CONFIG="$tmp/engine.xml"
signs_all() { # PREFIX: in each form
    accepts signengine sign -d Signer -o "$1.p7s" data
    accepts signengine sign -d Signer --attached -o "$1.p7m" data
    accepts signengine sign -d Signer --raw -o "$1.raw" data
    accepts signengine sign -d Signer --xml -o "$1.xml" data.xml
}
verifies_all() { # PREFIX [CMD...]
    prefix=$1
    shift
    accepts "$@" signengine verify -d Signer -s "$prefix.p7s" data
    accepts "$@" signengine verify -d Signer -o back "$prefix.p7m"
    accepts "$@" signengine verify -d Signer --raw -s "$prefix.raw" data
    accepts "$@" signengine verify -d Signer --xml "$prefix.xml"
}
signer_of() { # NAME SIGNATURE: openssl finds that certificate in it
    accepts openssl cms -verify -binary -inform DER -in "$2" -content data -noverify -signer used.pem -out /dev/null
    [ "$(openssl x509 -noout -serial -in used.pem)" = "$(openssl x509 -noout -serial -in "$1.pem")" ] || fail "another certificate than $1 signed"
}
later() {
    shift # signengine
    moved +100d "$top_builddir/signengine" "$@"
}

place() { # NAME: a key with the certificate `old`
    case $1 in
    pem) cat signer.key old.pem ca.pem >key.pem && conf "name='pem' locationValue='key.pem'" ;;
    pkcs12)
        rm -f key.p12
        setup openssl pkcs12 -export -inkey signer.key -in old.pem -certfile ca.pem -name one -passout pass:1234 -out key.p12
        conf "name='pkcs12' locationValue='key.p12' alias='one' pin='1234'"
        ;;
    token)
        setup openssl pkcs8 -topk8 -nocrypt -in signer.key -out signer.p8
        setup softhsm2-util --import signer.p8 --token lab --label one --id 0a --pin 1234
        setup openssl x509 -in old.pem -outform DER -out old.der
        setup pkcs11-tool --module "$softhsm_module" --token-label lab --login --pin 1234 -w old.der -y cert --label one --id 0a
        conf "name='HSM' locationValue='$softhsm_module' tokenLabel='lab' alias='one' pin='1234'"
        ;;
    file)
        cat old.pem ca.pem >public.pem
        conf "name='HSM' locationValue='$softhsm_module' tokenLabel='lab' alias='one' pin='1234' certificate='file:public.pem'"
        ;;
    esac
}
for name in pem pkcs12 token file; do
    place $name
    signs_all before
    signer_of old before.p7s
    cat new.pem ca.pem >reply.pem
    accepts signengine key certificate one reply.pem
    says "until $(date -u -d '600 days' +%Y-%m-%d)"
    signs_all after
    signer_of new after.p7s
    verifies_all before
    verifies_all after
    # the new one vouches for what the key has signed, when the old one has expired
    verifies_all before later
    # a second time changes nothing
    accepts signengine key certificate one reply.pem
    verifies_all before
    # another name for the same key
    accepts signengine key certificate one renamed.pem
    signs_all third
    verifies_all before
    verifies_all after
    verifies_all third
    accepts signengine check --probe
done

# ---- values, ours and CMS of openssl for the certificate of then, which is named by number or by key ----
make_key reader rsa:2048
fields="algorithm='AES/CBC/PKCS7Padding' asymCipher='RSA/ECB/OAEPWithSHA-1AndMGF1Padding' key='one'"
for name in old new; do
    cp reader.key reader-$name.key
    make_cert reader-$name rsa:2048 issuer=ca "subject=/CN=reader $name" keyUsage=critical,keyEncipherment
done
cat >engine.xml <<-XML
	<engineSignEncrypt>
	  <descriptors>
	    <descriptor name="NX02"><type $fields/></descriptor>
	    <descriptor name="CMS"><type $fields result="CMS"/></descriptor>
	  </descriptors>
	  <keys><key name="one"><type name="pem" locationValue="reader.pem"/></key></keys>
	</engineSignEncrypt>
XML
cat reader.key reader-old.pem >reader.pem
for descriptor in NX02 CMS; do accepts signengine encrypt -d $descriptor -o $descriptor.value data; done
for named in '' -keyid; do
    setup openssl cms -encrypt -binary -aes256 -in data -outform DER -out "theirs$named.cms" ${named:+"$named"} -recip reader-old.pem -keyopt rsa_padding_mode:oaep
    base64 -w 0 "theirs$named.cms" >"theirs$named.value"
done
decrypts_all() {
    for value in NX02 CMS theirs theirs-keyid; do
        descriptor=${value%%theirs*}
        accepts signengine decrypt -d "${descriptor:-CMS}" -o plain $value.value
        accepts cmp plain data
    done
}
decrypts_all
accepts signengine key certificate one reader-new.pem
decrypts_all

# ---- the one that the key was made with: only that it was kept vouches for it ----
rm -f made.pem
conf "name='pem' locationValue='made.pem'"
accepts signengine key generate one --type rsa:2048 --subject /CN=made
signs_all before
accepts signengine key request one -o made.csr
setup openssl x509 -req -in made.csr -CA ca.pem -CAkey ca.key -days 100 -out made.answer
cat ca.pem >>made.answer
accepts signengine key certificate one made.answer
signs_all after
verifies_all before
verifies_all after

# ---- how others see it ----
place pkcs12
accepts signengine key certificate one reply.pem
accepts openssl pkcs12 -in key.p12 -nokeys -passin pass:1234
[ "$(grep -c 'localKeyID' "$out")" = 1 ] || fail 'several certificates say that they are the key'"'"'s'
if command -v keytool >/dev/null; then
    accepts keytool -list -v -keystore key.p12 -storetype PKCS12 -storepass 1234
    says 'Entry type: PrivateKeyEntry'
    serial=$(openssl x509 -noout -serial -in new.pem | sed 's/.*=0*//' | tr A-F a-f)
    says "Serial number: $serial"
fi

# ---- a certificate that the store does not have, and the signature has ----
openssl_signs() { # NAME
    setup openssl cms -sign -binary -md sha256 -in data -signer "$1.pem" -inkey signer.key -outform DER -out "$1.p7s"
}
cat signer.key new.pem ca.pem >key.pem
conf "name='pem' locationValue='key.pem'"
openssl_signs unknown
openssl_signs foreign
accepts signengine verify -d Signer -s unknown.p7s data
refuses 1 signengine verify -d Signer -s foreign.p7s data
says 'a certificate that the descriptor does not have'
says 'put it, or its issuer, beside'
cat signer.key new.pem >key.pem
refuses 1 signengine verify -d Signer -s unknown.p7s data
says 'put it, or its issuer, beside'

# a zip, which is verified by other rules
mkdir zipped
echo text >zipped/a
(cd zipped && python3 -m zipfile -c ../plain.zip a)
for name in unknown foreign; do
    cat signer.key $name.pem >key.pem
    accepts signengine zip sign -d Signer -o $name.zip plain.zip
done
cat signer.key new.pem ca.pem >key.pem
accepts signengine zip verify -d Signer unknown.zip
refuses 1 signengine zip verify -d Signer foreign.zip
says 'put it, or its issuer, beside'
cat signer.key new.pem >key.pem
refuses 1 signengine zip verify -d Signer unknown.zip
says 'put it, or its issuer, beside'

# ---- everything of the key goes with it ----
conf "name='HSM' locationValue='$softhsm_module' tokenLabel='lab' alias='one' pin='1234'"
accepts signengine key delete one --force
accepts pkcs11-tool --module "$softhsm_module" --token-label lab --login --pin 1234 --list-objects --type cert
says_not "label:      one"
