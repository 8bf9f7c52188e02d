#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Secrets and tokens are not in the memory of a process once its engine is closed, and libcurl not in that of one without a vault.
. "${top_srcdir:?}/tests/lib/harness.sh"
. "$top_srcdir/tests/azure/azure.sh"
. "$top_srcdir/tests/azure/load.sh"
needs python3

start_emulator vault
printf %s "$SECRET" >secret
chmod 600 secret
login="tenant='$TENANT' client='$CLIENT' authority='$AUTHORITY' pin.source='file:$tmp/secret'"
make_cert file rsa:2048 issuer=self keyUsage=critical,digitalSignature
cat file.key file.pem >file.bundle
descriptors=$(
    signs RSA rsa SHA256withRSA
    signs File file SHA256withRSA
)
keys=$(vault_key rsa certificate="'file:$tmp/rsa.pem'")"<key name='file'><type name='pem' locationValue='$tmp/file.bundle'/></key>"
write_config engine.xml
setup signengine -c engine.xml key generate rsa --type rsa:2048

# the application has got no secret in its environment
application() { env -u SECRET -u IDENTITY_SECRET "$@"; }
searched() { python3 "$top_srcdir/tests/azure/memory.py" "$pid" secret; }
loaded() { grep -q libcurl "/proc/$pid/maps"; }

start_load application
tell open "$tmp/engine.xml"
pid=$(pgrep -P "$load_pid" || echo "$load_pid")
[ -r "/proc/$pid/mem" ] || skip 'the memory of a child cannot be read'
tell run sign File 4 4
saw_only ok
if loaded; then fail 'libcurl is loaded without need'; fi
tell run sign RSA 8 50
saw_only ok
loaded || fail 'libcurl is not loaded'
setup emulator revoke
tell run sign RSA 8 50
saw_only ok
accepts searched
[ "$(sed -n 's/^token //p' "$out")" -gt 0 ] || fail 'the search finds nothing'
tell close
# a flight's thread may still be at its end
sleep 0.2
accepts searched
says 'secret 0'
says 'form 0'
says 'header 0'
cat "$out"
stop_load
