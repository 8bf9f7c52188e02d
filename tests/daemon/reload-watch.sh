# SPDX-License-Identifier: Apache-2.0
# A configuration, or a key's file, that is another one than before is used without a signal; one with a mistake is not.
. "${top_srcdir:?}/tests/lib/harness.sh"
. "${top_srcdir:?}/tests/daemon/daemon-lib.sh"
daemon_configuration
daemon_settings
start_daemon "$top_builddir/signengined"
again='the configuration was loaded again'
same_as_before='the configuration stays as it was'
was_said() { [ "$(grep -c "$1" daemon.log)" -ge "$2" ]; }
sign() {
    ask daemon POST '/v1/descriptors/FileSigner/sign?form=raw' -H 'Content-Type: application/octet-stream' -d hello
    answers 200
    cp "$out" signature
}
printf hello >content
openssl x509 -in one.pem -noout -pubkey >one.pub
cp engine.xml first.xml
put() { # FILE: as editors and installers do it
    cp "$1" engine.new
    chmod 644 engine.new
    mv engine.new engine.xml
}

sed "s|^  *<descriptor name='Other'>|<descriptor name='FileSigner' version='3'><type algorithm='SHA-512' key='one'/></descriptor>&|" first.xml >third.xml
sign
accepts openssl dgst -sha384 -verify one.pub -signature signature content
put third.xml
until_true was_said "$again" 1
sign
accepts openssl dgst -sha512 -verify one.pub -signature signature content

# a mistake
echo '<engineSignEncrypt><x/></engineSignEncrypt>' >broken.xml
put broken.xml
until_true was_said "$same_as_before: .*engine.xml:1: " 1
sign
accepts openssl dgst -sha512 -verify one.pub -signature signature content

# and back
put first.xml
until_true was_said "$again" 2
sign
accepts openssl dgst -sha384 -verify one.pub -signature signature content

# the key's certificate alone
make_cert one ec:P-256 keyUsage=critical,digitalSignature
cat one.key one.pem ca.pem >bundle.new
chown nobody bundle.new
mv bundle.new one.bundle
until_true was_said "$again" 3
ask daemon GET /v1/descriptors/FileSigner/certificates
answers 200
cp "$out" served.pem
[ "$(openssl x509 -in served.pem -noout -serial)" = "$(openssl x509 -in one.pem -noout -serial)" ] || fail 'the old certificate'
# each told once
accepts grep -c "$again" daemon.log
[ "$(cat "$out")" = 3 ] || fail "loaded $(cat "$out") times"
stop_daemon
