#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Archives of many makers and kinds: signed, they are what they were, and Java sees every entry as signed, as a file and as a stream.
. "${top_srcdir:?}/tests/lib/harness.sh"
. "${top_srcdir:?}/tests/zip/jarsigner-lib.sh"
needs openssl python3 unzip zip bsdtar javac java jar jarsigner keytool

make_ca ca
make_cert rsa rsa:2048 keyUsage=critical,digitalSignature
make_cert ec ec:P-256 keyUsage=critical,digitalSignature
setup keytool -importcert -noprompt -alias ca -file ca.pem -keystore trust.p12 -storepass changeit
for name in rsa ec; do
    cat $name.key $name.pem ca.pem >$name.bundle
    cat >$name.xml <<-XML
	<engineSignEncrypt>
	  <descriptors><descriptor name='ConfigZipSigner'><type algorithm='SHA-256' key='$name'/></descriptor></descriptors>
	  <keys><key name='$name'><type name='pem' locationValue='$name.bundle'/></key></keys>
	</engineSignEncrypt>
	XML
done
setup javac -d . "$top_srcdir/tests/zip/Readers.java"
archives="$top_srcdir/tests/zip/archives.py"
setup python3 "$archives"
cp "$out" list

signed=''
for name in rsa ec; do
    seen=''
    while read -r file entries; do
        accepts signengine -c $name.xml zip sign "$file" -o "$name-$file" </dev/null
        accepts signengine -c $name.xml zip verify "$name-$file" --trust ca.pem </dev/null
        says "good, $entries entries signed"
        accepts python3 "$archives" same "$file" "$name-$file" </dev/null
        accepts unzip -tq "$name-$file" </dev/null
        signed="$signed $name-$file"
        seen="$seen $name-$file $entries"
    done <list
    # shellcheck disable=SC2086 # pairs of words
    accepts java -cp . Readers $name.pem $seen
done
[ "$(wc -l <list)" = 12 ] || fail "$(wc -l <list) archives"
# shellcheck disable=SC2086 # words
accepts jarsigner_verdicts $signed
[ "$(grep -c '	accepts$' "$out")" = 24 ] || fail "jarsigner refuses some"

# what a manifest said before stays
accepts unzip -p rsa-made.jar META-INF/MANIFEST.MF
says 'Main-Class: a.Main'
says 'X-Of-It: yes'

# the judge is no friend: what is not signed, or not by that certificate, it does not take
others_refuse java -cp . Readers rsa.pem python.zip 5
others_refuse java -cp . Readers ec.pem rsa-python.zip 5
says 'is not signed by that certificate'
