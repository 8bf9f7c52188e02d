#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The version of a key is that of its certificate, whatever the vault makes of the name.
. "${top_srcdir:?}/tests/lib/harness.sh"
. "$top_srcdir/tests/azure/azure.sh"
. "$top_srcdir/tests/azure/load.sh"
needs openssl jq

start_emulator vault
login=$(by_secret)
export SIGNENGINE_CONFIG="$tmp/engine.xml"
# configure ALGORITHM [ATTRIBUTE...]
configure() {
    descriptors=$(signs RSA k "$1")$(fields Fields k)
    shift
    keys=$(vault_key k "$@")
    write_config engine.xml
}
one_file="certificate='file:$tmp/k.pem'"
configure SHA256withRSA "$one_file"
setup signengine key generate k --type rsa:2048
newest() { ask GET /keys/k | jq -r .key.kid | sed 's#.*/##'; }
first=$(newest)
used() { # the version that the last signature was made with
    emulator log vault | sed 's/^ok //' | jq -r '[.[] | select(.path | test("/sign"))] | last | .path' | sed 's#.*/keys/k/\([^/]*\)/sign.*#\1#'
}
echo data >data
signs_with() { # VERSION: a new process
    accepts signengine sign -d RSA -o data.p7s data
    [ "$(used)" = "$1" ] || fail "signed with $(used), not $1"
    setup openssl cms -verify -binary -inform DER -in data.p7s -content data -noverify -out verified
}

# ---- rotated behind our back ----
signs_with "$first"
start_load
tell open "$tmp/engine.xml"
tell run sign RSA 8 2
saw_only ok
tell_begin for sign RSA 32 1500
sleep 0.5
setup emulator rotate k
tell_end
saw_only ok
[ "$(newest)" != "$first" ] || fail 'was not rotated'
[ "$(used)" = "$first" ] || fail "signed with $(used), not $first"
tell run decrypt Fields 8 2
saw_only ok
signs_with "$first"
setup emulator rotate k
signs_with "$first"

# keyVersion says it without a search
configure SHA256withRSA "$one_file" keyVersion="'$first'"
setup emulator log reset
signs_with "$first"
accepts emulator log vault
value '[.[] | select(.path | test("/versions"))] | length' 0
second=$(newest)
configure SHA256withRSA "$one_file" keyVersion="'$second'"
refuses 78 signengine sign -d RSA -o data.p7s data
says 'does not belong to version'
configure SHA256withRSA "$one_file" keyVersion="'00000000000000000000000000000000'"
refuses 78 signengine sign -d RSA -o data.p7s data
says 'no such'

# the certificate of a newer version
configure SHA256withRSA "$one_file"
accepts signengine key rotate k -o next.pem --key-version "$(newest)"
configure SHA256withRSA "certificate='file:$tmp/next.pem'"
signs_with "$second"
# one of no version
make_cert stranger rsa:2048 issuer=self keyUsage=critical,digitalSignature
configure SHA256withRSA "certificate='file:$tmp/stranger.pem'"
refuses 78 signengine sign -d RSA -o data.p7s data
says 'none of the 3 versions'
configure SHA256withRSA "$one_file"
signs_with "$first"

# ---- disabled, expired, deleted and recovered, while it is in use ----
tell open "$tmp/engine.xml"
tell run sign RSA 4 1
saw_only ok
setup ask PATCH "/keys/k/$first" '{"attributes":{"enabled":false}}'
tell run sign RSA 16 1
saw_only policy
refuses 78 signengine sign -d RSA -o data.p7s data
setup ask PATCH "/keys/k/$first" "{\"attributes\":{\"enabled\":true,\"exp\":$(($(date +%s) - 100))}}"
tell run sign RSA 16 1
saw_only policy
refuses 78 signengine sign -d RSA -o data.p7s data
setup ask PATCH "/keys/k/$first" "{\"attributes\":{\"exp\":$(($(date +%s) + 100000))}}"
tell run sign RSA 16 1
saw_only ok
setup ask DELETE /keys/k
sleep 0.5
tell run sign RSA 16 1
saw_only key
refuses 78 signengine sign -d RSA -o data.p7s data
says 'recovered'
setup ask POST /deletedkeys/k/recover '{}'
sleep 0.5
tell run sign RSA 16 2
saw_only ok
signs_with "$first"
stop_load

# ---- what a vault can't do is known without asking it ----
start_load
operations() { emulator stats | sed 's/^ok //' | jq '[.operations.sign, .operations.decrypt, .operations.unwrapkey] | add // 0'; }
setup emulator stats reset
descriptors='<descriptor name="Fields"><type algorithm="AES/GCM/NoPadding" size="256" asymCipher="RSA/ECB/OAEPWithSHA-384AndMGF1Padding" key="k"/></descriptor>'
write_config engine.xml
refuses 78 signengine check
says 'RSA-OAEP with SHA-1 or SHA-256 only'
tell open "$tmp/engine.xml"
tell run decrypt Fields 4 1
saw_only key
keys=$(vault_key ec certificate="'file:$tmp/ec.pem'")
descriptors=$(signs EC ec SHA256withECDSA)
write_config engine.xml
setup signengine key generate ec --type ec:P-256
setup emulator stats reset
descriptors=$(signs EC ec SHA512withECDSA)
write_config engine.xml
refuses 78 signengine check
says 'each curve has one digest'
tell open "$tmp/engine.xml"
tell run sign EC 4 1
saw_only key
[ "$(operations)" = 0 ] || fail "the vault was asked to: $(emulator stats)"
stop_load
