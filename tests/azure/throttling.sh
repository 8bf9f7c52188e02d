#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Vaults that refuse to work faster (429): all callers are paced, none beyond its deadline, and a replica takes over.
. "${top_srcdir:?}/tests/lib/harness.sh"
. "$top_srcdir/tests/azure/azure.sh"
. "$top_srcdir/tests/azure/load.sh"
needs openssl

make_cert one rsa:2048 issuer=self keyUsage=critical,digitalSignature
make_p12 one 1234
export P12=1234
start_emulator vault
descriptors=$(signs RSA one SHA256withRSA)
login=$(by_secret)
config() { # FILE [TYPE...]
    file=$1
    shift
    keys="<key name='one'>$(vault_type one certificate="'file:$tmp/one.pem'" deadline="'$deadline'") $*</key>"
    write_config "$file"
}
rm one.pem
deadline=20 config alone.xml
setup signengine -c alone.xml key import one one.p12 --password-source env:P12
deadline=2 config hasty.xml
deadline=20 config replicas.xml "<type name='pkcs12' locationValue='$tmp/one.p12' pin='1234'/>"

start_load
tell open "$tmp/alone.xml"
tell run sign RSA "$THREADS" 1
saw_only ok

# once, with and without the time that the vault asks for
setup emulator fault 429-retry-after 1 2
tell run sign RSA "$THREADS" 1
saw_only ok
saw event_slowed 1
saw event_lost 0
saw_least longest 2000
saw_most longest $((6000 * slow))
sleep 1
setup emulator fault 429 2
tell run sign RSA "$THREADS" 1
saw_only ok
saw_least event_slowed 1
saw_most longest $((12000 * slow))

# a real limit: 100 in a second
tell open "$tmp/alone.xml"
tell run sign RSA "$THREADS" 1
setup emulator capacity on 1000 1000
setup emulator stats reset
tell for sign RSA "$THREADS" 12000
saw_only ok
saw_least ok 700
saw_least event_slowed 1
saw_most longest 20000
accepts emulator stats
[ "$(jq .throttled <"$out")" -le 100 ] || fail "often refused: $(cat "$out")"
setup emulator capacity off

# for ever: nobody waits beyond the deadline, or at all when it is known to be too long
tell open "$tmp/hasty.xml"
tell run sign RSA 1 1
setup emulator fault 429 99999
tell run sign RSA "$THREADS" 1
saw_only unavailable
saw_most longest $((2000 + 500 * slow))
saw event_slowed 1
saw event_lost 0
grep -q 'throttled' "$out" || fail 'does not say why'
setup emulator clear
tell open "$tmp/hasty.xml"
tell run sign RSA 1 1
setup emulator fault 429-retry-after 99999 30
tell run sign RSA "$THREADS" 1
saw_only unavailable
tell run sign RSA "$THREADS" 1
saw_only unavailable
saw late 0
setup emulator clear

# a replica takes over what would have to wait for longer than a second
tell open "$tmp/replicas.xml"
tell run sign RSA "$THREADS" 1
saw_only ok
setup emulator fault 429-retry-after 99999 30
tell for sign RSA "$THREADS" 2000
saw_only ok
saw_most longest $((2000 * slow))
saw event_slowed 1
setup emulator clear
stop_load
