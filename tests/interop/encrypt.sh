#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Encrypted values of ours before openssl, Bouncy Castle and jwcrypto, and theirs before us; and NX02 before a reader that was written
# from doc/formats.md alone.
. "${top_srcdir:?}/tests/lib/harness.sh"
needs openssl

make_cert rsa rsa:2048 issuer=self subjectKeyIdentifier=hash
make_cert plain rsa:2048 issuer=self
for name in rsa plain; do
    cat "$name.key" "$name.pem" >"$name.both"
    setup openssl pkcs8 -topk8 -nocrypt -in "$name.key" -outform DER -out "$name.p8"
    setup openssl x509 -in "$name.pem" -outform DER -out "$name.der"
done
{ cat "$top_srcdir/tests/vectors/jwe/rfc7516-a1/key.pem" && openssl req -x509 -key "$top_srcdir/tests/vectors/jwe/rfc7516-a1/key.pem" \
    -subj /CN=rfc -config /dev/null; } >rfc.both 2>"$err"

hashes='1 256 384 512'
{
    echo '<engineSignEncrypt><descriptors>'
    for hash in $hashes; do
        for key in rsa plain; do
            for cipher in CBC/PKCS7Padding GCM/NoPadding; do
                for size in 128 192 256; do
                    for result in NX02 CMS JWE; do
                        echo "<descriptor name='$result-${cipher%/*}-$size-$hash-$key'><type algorithm='AES/$cipher' size='$size' key='$key'" \
                            "result='$result' asymCipher='RSA/ECB/OAEPWithSHA-${hash}AndMGF1Padding'/></descriptor>"
                    done
                done
            done
        done
    done
    for hash in 256 384 512; do
        echo "<descriptor name='old-$hash'><type algorithm='AES/CBC/PKCS7Padding' key='plain' mgf1='SHA-1'" \
            "asymCipher='RSA/None/OAEPWithSHA${hash}AndMGF1Padding'/></descriptor>"
        echo "<descriptor name='oldcms-$hash'><type algorithm='AES/GCM/NoPadding' key='plain' mgf1='SHA-1' result='CMS'" \
            "asymCipher='RSA/None/OAEPWithSHA${hash}AndMGF1Padding'/></descriptor>"
    done
    echo "<descriptor name='rfc'><type algorithm='AES/GCM/NoPadding' key='rfc' result='JWE'" \
        "asymCipher='RSA/ECB/OAEPWithSHA-1AndMGF1Padding'/></descriptor>"
    echo '</descriptors><keys>'
    for key in rsa plain rfc; do
        echo "<key name='$key'><type name='pem' locationValue='$key.both'/></key>"
    done
    echo '</keys></engineSignEncrypt>'
} >all.xml
export SIGNENGINE_CONFIG="$tmp/engine.xml"
# CMS with CBC is not read where its key has GCM or JWE too: those descriptors are by themselves
grep -v "<descriptor name='CMS-CBC" all.xml >engine.xml
grep -v -e "<descriptor name='[NJor]" -e "<descriptor name='CMS-GCM" all.xml >cbc.xml
ours() {
    case " $* " in
    *' CMS-CBC-'*) SIGNENGINE_CONFIG=$tmp/cbc.xml signengine "$@" ;;
    *) signengine "$@" ;;
    esac
}
printf 'a field\n\n with \377 bytes' >field
head -c 100000 /dev/urandom >large

# ---- NX02, and the reader that was written from the page ----

reader="$top_srcdir/tests/vectors/nx02/read.py"
if command -v python3 >/dev/null; then
    for hash in $hashes; do
        for cipher in CBC GCM; do
            for size in 128 192 256; do
                setup signengine encrypt -d NX02-$cipher-$size-"$hash"-rsa --context row=7 field -o value
                setup signengine encrypt -d NX02-$cipher-$size-"$hash"-rsa --context row=7 --binary field -o binary
                printf '\0\0\0\3row\0\0\0\0017' >context
                for form in value binary; do
                    try sh -c "python3 '$reader' rsa.key context <$form"
                    [ "$status" = 0 ] || fail "NX02-$cipher-$size-$hash: the other reader: status $status"
                    same "$out" field
                done
            done
        done
    done
    for hash in 256 384 512; do
        setup signengine encrypt -d "old-$hash" field -o value
        try sh -c "python3 '$reader' plain.key <value"
        [ "$status" = 0 ] || fail "MGF1 with SHA-1: status $status"
        same "$out" field
    done
    others_refuse sh -c "python3 '$reader' rsa.key <value"
else
    echo "python3 is not installed: NX02 was not read by others"
fi

# ---- CMS, and openssl ----

for key in rsa plain; do
    for hash in $hashes; do
        for size in 128 192 256; do
            for cipher in CBC GCM; do
                descriptor=CMS-$cipher-$size-$hash-$key
                setup ours encrypt -d "$descriptor" --binary field -o value
                accepts openssl cms -decrypt -inform DER -in value -recip $key.pem -inkey $key.key -binary
                same "$out" field
                option=$(echo "-aes-$size-$cipher" | tr CBGM cbgm)
                setup openssl cms -encrypt "$option" -outform DER -binary -in field -out theirs -recip $key.pem \
                    -keyopt rsa_padding_mode:oaep -keyopt "rsa_oaep_md:sha$hash"
                accepts ours decrypt -d "$descriptor" theirs
                same "$out" field
            done
        done
    done
done
setup openssl cms -encrypt -aes-256-gcm -outform DER -binary -in large -out theirs -keyid -recip rsa.pem -keyopt rsa_padding_mode:oaep
accepts signengine decrypt -d CMS-GCM-256-1-rsa theirs
same "$out" large
setup openssl cms -encrypt -aes-256-cbc -stream -indef -outform DER -binary -in large -out theirs -recip rsa.pem \
    -keyopt rsa_padding_mode:oaep
accepts ours decrypt -d CMS-CBC-256-1-rsa theirs
same "$out" large
for hash in 256 384 512; do
    setup signengine encrypt -d "oldcms-$hash" --binary large -o value
    accepts openssl cms -decrypt -inform DER -in value -recip plain.pem -inkey plain.key -binary
    same "$out" large
done
# to somebody else, with another padding, with a cipher that is not ours, as CBC where GCM is prescribed
setup openssl cms -encrypt -aes-256-gcm -outform DER -binary -in field -out theirs -recip plain.pem -keyopt rsa_padding_mode:oaep
refuses 1 signengine decrypt -d CMS-GCM-256-1-rsa theirs
setup openssl cms -encrypt -aes-256-gcm -outform DER -binary -in field -out theirs -recip rsa.pem
refuses 1 signengine decrypt -d CMS-GCM-256-1-rsa theirs
setup openssl cms -encrypt -des3 -outform DER -binary -in field -out theirs -recip rsa.pem -keyopt rsa_padding_mode:oaep
refuses 1 ours decrypt -d CMS-CBC-256-1-rsa theirs
setup openssl cms -encrypt -aes-256-cbc -outform DER -binary -in field -out theirs -recip rsa.pem -keyopt rsa_padding_mode:oaep
refuses 1 signengine decrypt -d CMS-GCM-256-1-rsa theirs

# ---- CMS, and Bouncy Castle ----

jars=
for jar in bcprov bcpkix bcutil; do
    [ ! -e /usr/share/java/$jar.jar ] || jars=$jars${jars:+:}/usr/share/java/$jar.jar
done
descriptors=
bouncy() { java -cp "$jars:$tmp" Envelope <todo; }
if [ "$jars" ] && command -v javac >/dev/null; then
    setup javac -cp "$jars" -d "$tmp" "$top_srcdir/tests/interop/Envelope.java"
    : >todo
    for hash in $hashes; do
        for cipher in CBC GCM; do
            descriptor=CMS-$cipher-256-$hash-rsa
            setup ours encrypt -d "$descriptor" --binary field -o "$descriptor"
            echo "decrypt rsa.p8 $descriptor $descriptor.read" >>todo
            echo "encrypt rsa.der field $descriptor.theirs SHA-$hash $(echo $cipher | tr CBGM cbgm)" >>todo
            descriptors="$descriptors $descriptor"
        done
    done
    accepts bouncy
    for descriptor in $descriptors; do
        accepts cat "$descriptor.read"
        same "$out" field
        accepts ours decrypt -d "$descriptor" "$descriptor.theirs"
        same "$out" field
    done
else
    echo "Bouncy Castle or javac is not installed: CMS was not read by it"
fi

# ---- JWE ----

accepts signengine decrypt -d rfc "$top_srcdir/tests/vectors/jwe/rfc7516-a1/value"
same "$out" "$top_srcdir/tests/vectors/jwe/rfc7516-a1/plain"
# Debian's, whatever else is called python3 here
python=/usr/bin/python3
if $python -c 'import jwcrypto' 2>"$err"; then
    : >todo
    : >made
    : >theirs
    for hash in $hashes; do
        for size in 128 192 256; do
            for cipher in CBC GCM; do
                case $hash-$cipher in 384-CBC | 512-CBC) continue ;; esac
                descriptor=JWE-$cipher-$size-$hash-rsa
                setup signengine encrypt -d "$descriptor" --context a=b field -o "$descriptor"
                setup signengine encrypt -d "$descriptor" field -o "$descriptor-2"
                for value in "$descriptor" "$descriptor-2"; do
                    echo "decrypt rsa.key $value $value.read" >>todo
                    echo "$value.read" >>made
                done
                case $hash in
                1) alg=RSA-OAEP ;;
                256) alg=RSA-OAEP-256 ;;
                *) continue ;;
                esac
                case $cipher in
                GCM) enc=A${size}GCM ;;
                *) enc=A${size}CBC-HS$((2 * size)) ;;
                esac
                echo "encrypt rsa.key field $descriptor.theirs $alg $enc" >>todo
                echo "$descriptor" >>theirs
            done
        done
    done
    jwcrypto() { $python "$top_srcdir/tests/interop/jwe.py" <todo; }
    accepts jwcrypto
    while read -r value; do
        accepts cat "$value"
        same "$out" field
    done <made
    while read -r descriptor; do
        accepts signengine decrypt -d "$descriptor" "$descriptor.theirs"
        same "$out" field
        refuses 1 signengine decrypt -d "$descriptor" --context a=b "$descriptor.theirs"
    done <theirs
    [ "$(wc -l <made) $(wc -l <theirs)" = '36 12' ] || fail "$(wc -l <made) values of ours, $(wc -l <theirs) of theirs"
else
    echo "python3-jwcrypto is not installed: JWE was read by nobody else"
fi
