#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A daemon whose configuration has to be signed: by whom, and that he was not revoked since, at the start and at each loading.
. "${top_srcdir:?}/tests/lib/harness.sh"
. "${top_srcdir:?}/tests/daemon/daemon-lib.sh"
daemon_configuration
make_cert admin ec:P-256 keyUsage=critical,digitalSignature
cat admin.key admin.pem ca.pem >admin.bundle
chmod 600 admin.bundle
cat >admin.xml <<XML
<engineSignEncrypt>
  <descriptors><descriptor name='Admin'><type algorithm='SHA-256' key='admin'/></descriptor></descriptors>
  <keys><key name='admin'><type name='pem' locationValue='$tmp/admin.bundle'/></key></keys>
</engineSignEncrypt>
XML
cp engine.xml plain.xml
setup signengine -c admin.xml config sign -d Admin plain.xml -o signed.xml
put() { # FILE
    cp "$1" engine.new
    chmod 644 engine.new
    mv engine.new engine.xml
}
sign() {
    ask daemon POST '/v1/descriptors/FileSigner/sign?form=raw' -H 'Content-Type: application/octet-stream' -d hello
    answers 200
}
started() { timeout 60 ${MEMCHECK:+$MEMCHECK --log-file="$tmp/.valgrind.%p"} "$top_builddir/signengined" --settings "$tmp/signengined.conf"; }
was_said() { [ "$(grep -c "$1" daemon.log)" -ge "$2" ]; }
issue_crl good.crl ca
issue_crl revoked.crl ca admin=20250601000000Z
chmod 644 ./*.crl ca.pem

# ---- at the start ----
daemon_settings "trust-config = $tmp/ca.pem" "config-crl = $tmp/now.crl" 'config-revocation = required'
cp good.crl now.crl
refuses 78 started
says 'there is no XML signature'
put signed.xml
cp revoked.crl now.crl
refuses 78 started
says "engine.xml': CN=admin was revoked at 2025-06-01T00:00:00Z (unspecified), says the CRL of "
daemon_settings "trust-config = $tmp/ca.pem" 'config-revocation = required'
refuses 78 started
says "whether it was revoked can't be found out"
daemon_settings "config-crl = $tmp/now.crl"
refuses 78 started
says 'by whom?'
daemon_settings "trust-config = $tmp/ca.pem" 'config-revocation = hard'
refuses 78 started
says 'optional'

# ---- later ----
daemon_settings "trust-config = $tmp/ca.pem" "config-crl = $tmp/now.crl" 'config-revocation = required'
cp good.crl now.crl
start_daemon "$top_builddir/signengined"
sign
cp revoked.crl now.crl
kill -HUP "$daemon"
until_true was_said 'was revoked at 2025-06-01T00:00:00Z' 1
sign
cp good.crl now.crl
kill -HUP "$daemon"
until_true was_said 'was loaded again' 1
sign
# settings that are taken back count at the next loading
daemon_settings "trust-config = $tmp/ca.pem"
cp revoked.crl now.crl
kill -HUP "$daemon"
until_true was_said 'was loaded again' 2
sign
stop_daemon
