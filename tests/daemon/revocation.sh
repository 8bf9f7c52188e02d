#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Signers whom callers verify: what the settings say about revocation counts for each kind of signature, and answers tell what was looked at.
. "${top_srcdir:?}/tests/lib/harness.sh"
. "${top_srcdir:?}/tests/daemon/daemon-lib.sh"
serve responder
daemon_configuration
make_cert two rsa:2048 keyUsage=critical,digitalSignature subjectAltName=email:alice@example.org authorityInfoAccess="OCSP;URI:$responder/two" \
    crlDistributionPoints="URI:$responder/two.der"
make_cert ocsp rsa:2048 keyUsage=critical,digitalSignature extendedKeyUsage=OCSPSigning noCheck=ignored
cat two.key two.pem ca.pem >two.bundle
chown nobody two.bundle
chmod 600 two.bundle
rm -f engine.xml
cat >engine.xml <<XML
<engineSignEncrypt>
  <descriptors>
    <descriptor name='Files'><type algorithm='SHA-256' key='two'/></descriptor>
    <descriptor name='Api'><type algorithm='RS256' key='two'/></descriptor>
    <descriptor name='ConfigZipSigner'><type algorithm='SHA-256' key='two'/></descriptor>
    <descriptor name='SignEmailDescriptor'><type algorithm='SHA256withRSA' key='two'/></descriptor>
  </descriptors>
  <keys><key name='two'><type name='pem' locationValue='$tmp/two.bundle'/></key></keys>
  <access>
    <allow name='all' operations='sign verify zip-sign zip-verify mail-sign mail-verify'>
      <user name='daemon'/> <descriptor name='Files'/> <descriptor name='Api'/> <descriptor name='ConfigZipSigner'/>
      <descriptor name='SignEmailDescriptor'/>
    </allow>
  </access>
</engineSignEncrypt>
XML
chmod 644 engine.xml ca.pem

# ---- what is verified ----
echo content >file
printf 'From: alice@example.org\nTo: bob@example.org\nSubject: x\n\nHello\n' >plain.eml
python3 -c "import zipfile; zipfile.ZipFile('plain.zip', 'w').writestr('a', 'content')"
setup signengine -c engine.xml sign -d Files --attached file -o file.p7m
setup signengine -c engine.xml jws sign -d Api file
setup signengine -c engine.xml jwt sign -d Api --no-expiry --subject 4711 -o token
setup signengine -c engine.xml zip sign plain.zip -o signed.zip
setup signengine -c engine.xml mail sign plain.eml -o signed.eml
chmod 644 file.p7m file.jws token signed.zip signed.eml
octets='Content-Type: application/octet-stream'
# every CODE TEXT: each kind of signature is answered so
every() {
    ask daemon POST /v1/descriptors/Files/verify -H "$octets" -H 'Accept: application/json' --data-binary @file.p7m
    answers "$@"
    ask daemon POST /v1/descriptors/Api/jws/verify -H "$octets" -H 'Accept: application/json' --data-binary @file.jws
    answers "$@"
    ask daemon POST '/v1/descriptors/Api/jwt/verify?noExpiry=true' -H "$octets" --data-binary @token
    answers "$@"
    ask daemon POST /v1/descriptors/ConfigZipSigner/zip/verify -H "$octets" --data-binary @signed.zip
    answers "$@"
    ask daemon POST /v1/descriptors/SignEmailDescriptor/mail/verify -H 'Content-Type: message/rfc822' --data-binary @signed.eml
    answers "$@"
}
was_said() { [ "$(grep -c "$1" daemon.log)" -ge "$2" ]; }
loaded=0
with() { # SETTING...: loaded by a daemon that is running
    loaded=$((loaded + 1))
    daemon_settings "$@"
    kill -HUP "$daemon"
    until_true was_said 'was loaded again' $loaded
}
issue_crl good.crl ca
issue_crl revoked.crl ca two=20250601000000Z,superseded
chmod 644 ./*.crl
cp good.crl now.crl

# ---- lists ----
daemon_settings
start_daemon "$top_builddir/signengined"
every 200 '"revocation":{"status":"unchecked"}'
with "verify-crl = $tmp/now.crl" 'verify-revocation = required'
every 200 '"revocation":{"status":"good","by":"crl","issuer":"CN=Test CA ca","thisUpdate":"20'
cp revoked.crl now.crl # it is read each time
every 422 'CN=two was revoked at 2025-06-01T00:00:00Z (superseded), says the CRL of CN=Test CA ca'
says '"status":"rejected"'
with 'verify-revocation = required'
every 422 "whether it was revoked can't be found out: CN=two: there is no CRL of its issuer"
issue_crl old.crl ca from=20250101000000Z until=20250201000000Z
chmod 644 old.crl
with "verify-crl = $tmp/old.crl"
every 200 '"revocation":{"status":"unknown","by":"crl","issuer":"CN=Test CA ca","thisUpdate":"2025-01-01T00:00:00Z","note":"CN=two: the newest CRL'

# what the settings name is no fault of the caller's, who learns no paths
echo nonsense >broken.crl
chmod 644 broken.crl
with "verify-crl = $tmp/broken.crl"
every 500 '"status":"configuration"'
says_not broken.crl
with "verify-crl = $tmp/absent.crl"
every 500 '"status":"configuration"'
says_not absent.crl
grep -q "'$tmp/absent.crl'" run/audit.log || fail 'the audit does not say which'

# ---- others, who are asked ----
list_certificates index two=good
echo 'openssl ocsp -index index -CA ca.pem -rsigner ocsp.pem -rkey ocsp.key -reqin ocsp.query -respout ocsp.answer -nmin 60 >ocsp.log 2>&1' >answer.sh
with 'verify-ocsp = on' 'verify-revocation = required'
every 200 '"revocation":{"status":"good","by":"ocsp","responder":"CN=ocsp","thisUpdate":"20'
list_certificates index two=20250601000000Z,superseded
every 422 'CN=two was revoked at 2025-06-01T00:00:00Z (superseded), says the OCSP responder CN=ocsp'
setup openssl crl -in good.crl -outform DER -out two.der
with 'verify-ocsp = off' 'verify-fetch-crls = on'
every 200 '"revocation":{"status":"good","by":"crl"'
issue_crl aged.crl ca from=20250101000000Z until=20990101000000Z
chmod 644 aged.crl
with "verify-crl = $tmp/aged.crl" 'verify-crl-max-age = 3'
every 200 'which is too old'

# ---- the command hears of it ----
asked() { as daemon "$top_builddir/signengine" --socket "$tmp/run/socket" "$@"; }
with "verify-crl = $tmp/good.crl"
accepts asked verify -d Files file.p7m
says 'revocation none, by the CRL of CN=Test CA ca of 20'
accepts asked --json zip verify signed.zip
says '"revocation":{"status":"good","by":"crl","issuer":"CN=Test CA ca","thisUpdate":"20'
with "verify-crl = $tmp/revoked.crl"
refuses 1 asked verify -d Files file.p7m
says 'CN=two was revoked at 2025-06-01T00:00:00Z'
refuses 64 asked verify -d Files --crl good.crl file.p7m
says "option '--crl' is not served over a socket"
stop_daemon
