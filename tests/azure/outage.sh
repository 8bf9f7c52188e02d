#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Vaults that are away for a while, with and without replicas, and processes that fork meanwhile.
. "${top_srcdir:?}/tests/lib/harness.sh"
. "$top_srcdir/tests/azure/azure.sh"
. "$top_srcdir/tests/azure/load.sh"
needs openssl

make_cert one rsa:2048 issuer=self keyUsage=critical,digitalSignature
make_p12 one 1234
export P12=1234
start_emulator vault "$tmp/second"
second_ca=$emulated/ca.pem
start_emulator vault "$tmp/first"
cat "$second_ca" "$emulated/ca.pem" >both.pem

# each emulator gets the same key
login=$(by_secret)
descriptors=$(signs RSA one SHA256withRSA)
for folder in second first; do
    use_emulator "$tmp/$folder"
    login=$(by_secret)
    keys="<key name='one'>$(vault_type one certificate="'file:$tmp/one-$folder.pem'")</key>"
    write_config "$folder.xml"
    setup signengine -c "$folder.xml" key import one one.p12 --password-source env:P12
done
file_type="<type name='pkcs12' locationValue='$tmp/one.p12' pin='1234'/>"

# replica FOLDER [ATTRIBUTE...]: <type> of that emulator, which logs in with the first one's service
replica() {
    folder=$1
    shift
    use_emulator "$tmp/$folder"
    printf '<type name="AzureKeyVault" locationValue="%s" resource="%s" alias="one" certificate="file:%s" tenant="%s" client="%s" authority="%s" pin.source="env:SECRET" caFile="%s" %s/>' \
        "$VAULT" "$RESOURCE" "$tmp/one.pem" "$TENANT" "$CLIENT" "$AUTHORITY" "$tmp/$folder/ca.pem" "$*"
}
config() { # FILE TYPE...
    file=$1
    shift
    printf '<engineSignEncrypt><descriptors>%s</descriptors><keys><key name="one">%s</key></keys></engineSignEncrypt>' "$descriptors" "$*" >"$file"
    chmod 600 "$file"
}
config vaults.xml "$(replica first failback="'true'")" "$(replica second)"
config file.xml "$(replica first failback="'true'")" "$file_type"
config alone.xml "$(replica first)"
use_emulator "$tmp/first"
start_load

# ---- stopped for 2 seconds ----
for row in vaults file; do
    tell open "$tmp/$row.xml"
    tell run sign RSA "$THREADS" 1
    saw_only ok
    setup emulator stats reset
    tell_begin for sign RSA "$THREADS" 4500
    sleep 0.7
    setup emulator pause 2000
    tell_end
    saw_only ok
    saw event_lost 1
    saw event_healed 1
    saw_least event_failed_over 1
    saw_least event_failed_back 1
    saw_most longest $((3000 * slow))
done

tell open "$tmp/alone.xml"
tell run sign RSA "$THREADS" 1
saw_only ok
tell_begin for sign RSA 8 4500
sleep 0.5
setup emulator pause 2000
tell_end
saw_only ok unavailable
saw_least unavailable 10
saw_most late $((seen_unavailable / 100 + 100 * slow)) # who looks whether it is back, and what a busy machine holds up
saw event_lost 1
saw event_healed 1
# begun after 0.5 s, or a bit later when the machine is busy, and known again a second after the return
saw_most last_failure $((2500 + 1000 + 500 * slow))
tell run sign RSA "$THREADS" 2
saw_only ok

# an engine that begins while it is away
setup emulator pause 1500
tell open "$tmp/alone.xml"
tell run sign RSA "$THREADS" 1
if [ "$slow" = 1 ]; then saw_only unavailable; fi
saw_most longest $((1000 * slow))
sleep 2.2
tell run sign RSA 1 1
tell run sign RSA "$THREADS" 1
saw_only ok
setup emulator pause 1500
tell open "$tmp/vaults.xml"
tell run sign RSA "$THREADS" 1
saw_only ok
saw_least event_lost 1
sleep 2.2
tell run sign RSA "$THREADS" 2
saw_only ok

# ---- all connections are reset, again and again ----
tell open "$tmp/alone.xml"
tell run sign RSA "$THREADS" 1
setup emulator stats reset
tell_begin for sign RSA "$THREADS" 1500
for i in 1 2 3 4 5 6; do
    sleep 0.2
    setup emulator reset
done
tell_end
saw_only ok
# and each is kept for long
accepts emulator stats
[ "$(jq .connections <"$out")" -le 300 ] || fail "many connections: $(cat "$out")"

# the login service is away while the token lasts
setup emulator pause 1200 authority
tell for sign RSA "$THREADS" 1000
saw_only ok
# the server closes what is idle
setup emulator set idle 100
tell run sign RSA "$THREADS" 2
sleep 0.5
tell run sign RSA "$THREADS" 2
saw_only ok
setup emulator set idle 0

# ---- the child of a fork ----
for i in 1 2 3; do
    tell fork sign RSA 16 400
    saw_only ok
    saw child 0
    tell fork sign RSA "$THREADS" 300
    saw_only ok
    saw child 0
done
tell open "$tmp/vaults.xml"
tell fork sign RSA 16 600
saw_only ok
saw child 0
# before the parent has a token
tell open "$tmp/alone.xml"
setup emulator fault token-stall 1 400
tell fork sign RSA 16 300
saw_only ok
saw child 0
stop_load

# ---- what breaks off once is asked again, and nobody notices ----
export SIGNENGINE_CONFIG="$tmp/alone.xml"
descriptor=$(printf %s "$descriptors" | sed 's/.*name=.\([A-Za-z0-9]*\).*/\1/')
echo content >file
for fault in reset reset-headers 408 500 503; do
    setup emulator fault $fault 1 only=sign
    accepts signengine sign -d "$descriptor" -o file.p7s file
    accepts openssl cms -verify -binary -inform DER -in file.p7s -content file -noverify
    accepts emulator faults
    says_not "$fault"
done
