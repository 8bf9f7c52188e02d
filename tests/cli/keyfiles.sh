#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Key files as other tools leave them, PKCS #12 and PEM: which key is meant, what is read, and what a command that changes them takes along.
. "${top_srcdir:?}/tests/lib/harness.sh"
needs openssl keytool python3

export SIGNENGINE_CONFIG="$tmp/engine.xml" PIN=1234 WRONG=4321
echo data >data
conf() { # ATTRIBUTES
    cat >engine.xml <<-XML
	<engineSignEncrypt>
	  <descriptors><descriptor name="Signer"><type algorithm="SHA256withRSA" key="k"/></descriptor></descriptors>
	  <keys><key name="k"><type $*/></key></keys>
	</engineSignEncrypt>
	XML
}
p12() { conf "name='pkcs12' locationValue='$1' pin='1234' $2"; }
signs_as() { # NAME
    accepts signengine sign -d Signer -o data.p7s data
    accepts openssl cms -verify -binary -inform DER -in data.p7s -content data -CAfile ca.pem -purpose any -signer used.pem -out /dev/null
    openssl x509 -noout -subject -in used.pem | grep -q "CN = $1\$" || fail "not $1 has signed, but $(openssl x509 -noout -subject -in used.pem)"
}
file() { # FILE MAC BAG...
    made=$1
    mac=$2
    shift 2
    setup python3 "${top_srcdir:?}/tests/cli/p12.py" "$made" 1234 "$mac" "$@"
}

make_ca ca
for name in one two three; do
    make_cert $name rsa:2048 keyUsage=critical,digitalSignature
    setup openssl pkcs8 -topk8 -nocrypt -in "$name.key" -outform DER -out "$name.p8"
    setup openssl x509 -in "$name.pem" -outform DER -out "$name.der"
    make_p12 "$name" 1234 "$name"
done
fingerprint() { openssl x509 -noout -fingerprint "-$2" -in "$1.pem" | sed 's/.*=//'; }

# ---- which key is meant ----
file same.p12 pbmac1-sha256 key=one.p8,name=Imported,id=01 key=two.p8,name=Imported,id=02 cert=one.der,id=01 cert=two.der,id=02
p12 same.p12 'alias="Imported"'
refuses 78 signengine sign -d Signer -o none data
says "alias 'Imported' names 2 keys"
says "localKeyID, is: 'CN=one' (called 'Imported'), 'CN=two' (called 'Imported')"
refuses 78 signengine key request k
refuses 78 signengine key delete --yes k
for alias in 02 CN=two "$(fingerprint two sha1)" "$(fingerprint two sha256 | tr -d : | tr A-F a-f)"; do
    p12 same.p12 "alias='$alias'"
    signs_as two
done
accepts signengine key delete --yes k
p12 same.p12 ''
signs_as one

file case.p12 none key=one.p8,name=Signer,id=01 key=two.p8,name=signer,id=02 cert=one.der,id=01 cert=two.der,id=02
p12 case.p12 'alias="signer"'
signs_as two
p12 case.p12 'alias="Signer"'
signs_as one
p12 case.p12 'alias="SIGNER"'
refuses 78 signengine sign -d Signer -o none data
says 'names 2 keys'
p12 case.p12 'alias="signer"'
accepts signengine key delete --yes k
p12 case.p12 'alias="Signer"'
signs_as one

# without friendlyName, as .NET and Go write them: what `key list` shows is an alias
file nameless.p12 none key=one.p8,id=01 key=two.p8 cert=one.der,id=01 cert=two.der
p12 nameless.p12 ''
refuses 78 signengine sign -d Signer -o none data
says "2 keys, and no alias that says which: 'one', 'two'"
accepts signengine key list k
says "key 'two': RSA-2048"
serial=$(openssl x509 -noout -serial -in two.pem | sed 's/.*=//')
for alias in two TWO CN=two "$serial" "0x$serial" "$(fingerprint two sha1)"; do
    p12 nameless.p12 "alias='$alias'"
    signs_as two
done
p12 nameless.p12 'alias="none"'
refuses 78 signengine sign -d Signer -o none data

# the name of a new key is never taken from another's certificate
cp one.p12 grown.p12
accepts signengine key generate --file grown.p12 --pin-source env:PIN --alias CA --type ec:P-256
accepts signengine key generate --file grown.p12 --pin-source env:PIN --alias two --type ec:P-256

# ---- what goes ----
many() {
    rm -f many.p12
    for name in one two three; do
        setup keytool -importkeystore -srckeystore $name.p12 -srcstorepass 123456 -destkeystore many.p12 -deststoretype pkcs12 \
            -deststorepass 123456 -noprompt
    done
    cp many.p12 before.p12
}
for name in one two three; do make_p12 $name 123456 $name; done
many
conf 'name="pkcs12" locationValue="many.p12" pin="123456"'
printf 123456 >long.pin
for command in 'delete --force k' 'delete --yes k' 'generate --force --yes k' 'import --force --yes --password-source file:long.pin k one.p12' \
    'generate k' 'certificate k one.pem' 'request k'; do
    # shellcheck disable=SC2086 # several words
    refuses 78 signengine key $command
    says '3 keys, and no alias that says which'
    same many.p12 before.p12
done
conf 'name="pkcs12" locationValue="many.p12" pin="123456" alias="TWO"'
accepts signengine key delete --dry-run k
says "key 'two': RSA-2048"
says_not 'one'
same many.p12 before.p12
refuses 64 signengine key generate --force k </dev/null
says "descriptor 'Signer' uses it: without a terminal to ask on, --yes says that it is meant"
same many.p12 before.p12
refuses 64 signengine key import --force --password-source file:long.pin k one.p12 </dev/null
same many.p12 before.p12
accepts signengine key generate --force --dry-run k
says "key 'two': RSA-2048"
same many.p12 before.p12
accepts signengine key generate --force --yes --type ec:P-256 k
accepts keytool -list -keystore many.p12 -storepass 123456
says 'contains 3 entries'
accepts signengine key delete --force k
accepts keytool -list -keystore many.p12 -storepass 123456
says 'contains 2 entries'
says 'one, '
says 'three, '
# nobody uses it: --force is enough
accepts signengine key generate --file many.p12 --alias one --force --pin-source file:long.pin --type ec:P-256
if command -v script >/dev/null; then
    many
    { sleep 1 && echo no; } | script -qec '"$top_builddir/signengine" key generate --force k' -E never /dev/null >asked 2>&1 || true
    accepts cat asked
    says "key 'two': RSA-2048"
    says "Descriptor 'Signer' uses it."
    says 'nothing is replaced'
    same many.p12 before.p12
fi

# one key under two names: the other keeps its certificate
file twice.p12 none key=one.p8,name=a key=one.p8,name=b cert=one.der
p12 twice.p12 'alias="a"'
accepts signengine key delete --yes k
p12 twice.p12 'alias="b"'
signs_as one

# ---- kinds of PKCS #12 ----
for kind in none pbmac1-sha256 pbmac1-sha512; do
    rm -f kind.p12
    file kind.p12 $kind key=one.p8,name=one,id=01 cert=one.der,id=01
    p12 kind.p12 ''
    signs_as one
done
accepts signengine key list --file kind.p12 --pin-source env:PIN
refuses 77 signengine key list --file kind.p12 --pin-source env:WRONG
says 'the PIN does not open it'
file kind.p12 pbmac1-sm3 key=one.p8,name=one,id=01 cert=one.der,id=01
refuses 69 signengine key list --file kind.p12 --pin-source env:PIN
says 'PBMAC1 (RFC 9579) that is not'

file nested.p12 pbmac1-sha256 '(' key=one.p8,name=one,id=01 '(' key=two.p8,name=two,id=02 ')' cert=one.der,id=01 ')' cert=two.der,id=02
for name in one two; do
    p12 nested.p12 "alias='$name'"
    signs_as $name
done
accepts signengine key delete --yes k
p12 nested.p12 ''
signs_as one

# a key of a type that is not known and a broken certificate beside good ones: ML-DSA-44
printf '\060\064\002\001\000\060\013\006\011\140\206\110\001\145\003\004\003\021\004\042\200\040' >mldsa.p8
head -c 32 /dev/zero >>mldsa.p8
head -c 100 two.der >broken.der
file odd.p12 pbmac1-sha256 key=one.p8,name=one,id=01 cert=broken.der,name=broken cert=one.der,id=01 key=mldsa.p8,name=new,id=03
for alias in 'alias="one"' ''; do
    p12 odd.p12 "$alias"
    signs_as one
done
p12 odd.p12 'alias="new"'
refuses 78 signengine sign -d Signer -o none data
says "a private key that can't be read, of type 2.16.840.1.101.3.4.3.17"
accepts signengine key list k
says "key 'one': RSA-2048"
says "key 'new': unknown"
p12 odd.p12 'alias="one"'
accepts signengine key generate --force --yes --type rsa:2048 k
accepts signengine key list k
says "key 'new': unknown"
p12 odd.p12 'alias="new"'
accepts signengine key delete --yes k
accepts signengine key list k
says_not 'unknown'

# without a MAC, a wrong PIN is one all the same
for how in '-certpbe NONE' '' '-legacy' '-keypbe AES-128-CBC -certpbe NONE'; do
    # shellcheck disable=SC2086 # several options
    setup openssl pkcs12 -export -nomac $how -inkey one.key -in one.pem -name one -passout pass:1234 -out nomac.p12
    p12 nomac.p12 ''
    signs_as one
    refuses 77 signengine key list --file nomac.p12 --pin-source env:WRONG
    says 'PIN'
    sed -i s/1234/4321/ engine.xml
    refuses 77 signengine sign -d Signer -o none data
    says 'the PIN does not open'
    refuses 77 signengine key import --password-source env:WRONG --file new.pem nomac.p12
done

# an empty password
setup openssl pkcs12 -export -inkey one.key -in one.pem -name one -passout pass: -out empty.p12
conf 'name="pkcs12" locationValue="empty.p12"'
signs_as one
accepts signengine key list k
accepts signengine key request k
accepts signengine key certificate k one.pem
accepts openssl pkcs12 -in empty.p12 -passin pass: -noenc
signs_as one
accepts signengine key generate --force --yes --type rsa:2048 k
accepts openssl pkcs12 -in empty.p12 -passin pass: -noenc
accepts signengine key delete --yes k
refuses 77 signengine key generate k
says 'no PIN is given'

# OpenSSL before 1.1.0 took each byte of a password for a character
password=$(printf 'P\303\244ssw\303\266rd')
bytewise=$(printf '%s' "$password" | iconv -f LATIN1 -t UTF-8)
printf '%s' "$password" >odd.pin
for how in -legacy '-nomac -legacy' ''; do
    # shellcheck disable=SC2086 # several options
    setup openssl pkcs12 -export $how -inkey one.key -in one.pem -name one -passout "pass:$bytewise" -out old.p12
    conf "name='pkcs12' locationValue='old.p12' pin='$password'"
    signs_as one
done
accepts signengine key generate --file old.p12 --pin-source file:odd.pin --alias two --type ec:P-256
accepts openssl pkcs12 -in old.p12 -passin "pass:$bytewise" -noenc
says 'friendlyName: two'

# ---- kinds of PEM ----
pem() { conf "name='pem' locationValue='$1' pin='1234'"; }
for kind in PBE-MD5-DES PBE-SHA1-RC2-40 PBE-SHA1-RC4-128 PBE-SHA1-3DES; do
    setup openssl pkcs8 -topk8 -in one.key -v1 $kind -passout pass:1234 -out k.pem -provider default -provider legacy
    cat k.pem one.pem >kc.pem
    pem kc.pem
    signs_as one
    rm -f new.pem
    accepts signengine key import --password-source env:PIN --file new.pem kc.pem
    sed -i s/1234/4321/ engine.xml
    refuses 77 signengine sign -d Signer -o none data
    says 'the PIN does not open the private key'
done
for cipher in -des -des3 -aes-256-cbc; do
    setup openssl rsa -traditional -in one.key $cipher -passout pass:1234 -out k.pem -provider default -provider legacy
    cat k.pem one.pem >kc.pem
    pem kc.pem
    signs_as one
    sed -i s/1234/4321/ engine.xml
    refuses 77 signengine sign -d Signer -o none data
    says 'the PIN does not open the private key'
done
sed -i 's/^DEK-Info: .*/DEK-Info: NO-SUCH-CIPHER,0011223344556677/' kc.pem
refuses 78 signengine sign -d Signer -o none data
says 'in a way that is not known'

# openssl ecparam writes the curve before the key
setup openssl ecparam -name prime256v1 -genkey -out curve.key
grep -q 'EC PARAMETERS' curve.key || fail 'no parameters'
make_cert curve ec:P-256
for command in 'list' 'request' 'import --file new.pem' 'certificate' 'generate --force --type ec:P-256' 'delete --force'; do
    cat curve.key curve.pem >curve.bundle
    cp curve.bundle c.pem
    rm -f new.pem
    case $command in
    import*) accepts signengine key import --file new.pem c.pem ;;
    certificate) accepts signengine key certificate --file c.pem curve.pem ;;
    *) # shellcheck disable=SC2086 # several words
        accepts signengine key $command --file c.pem ;;
    esac
done

# text, or a byte order mark, before BEGIN; the text begins as DER does
mark=$(printf '\357\273\277')
for before in 'A comment' '0001: the key' "$mark" "$mark# comment"; do
    end=$(test "$before" = "$mark" || echo x)
    for part in one.key one.pem; do
        printf '%s%s' "$before" "${end:+
}"
        cat $part
    done >text.pem
    conf "name='pem' locationValue='text.pem'"
    signs_as one
    accepts signengine key list --file text.pem
    says "key 'text': RSA-2048, ID"
    says 'CN=one'
    rm -f new.pem
    accepts signengine key import --file new.pem text.pem
    { printf '%s%s' "$before" "${end:+
}" && cat one.pem; } >answer.pem
    accepts signengine key certificate --file new.pem answer.pem
    conf "name='pem' locationValue='answer.pem'"
    setup openssl smime -sign -binary -in data -signer one.pem -inkey one.key -outform PEM -out s.pem
    { printf '%s%s' "$before" "${end:+
}" && cat s.pem; } >text.p7s
    accepts signengine verify -d Signer -s text.p7s data
done

# two keys in a PEM file: none of them is the first
cat one.key one.pem two.key two.pem >pair.pem
conf "name='pem' locationValue='pair.pem'"
refuses 78 signengine sign -d Signer -o none data
says '2 private keys, and PEM has no names that say which'
cp pair.pem before.pem
refuses 69 signengine key delete --yes k
says 'it holds 2 private keys'
same pair.pem before.pem
