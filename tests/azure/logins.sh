#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A login service that does all that it should not, under threads.
. "${top_srcdir:?}/tests/lib/harness.sh"
. "$top_srcdir/tests/azure/azure.sh"
. "$top_srcdir/tests/azure/load.sh"
. "$top_srcdir/tests/azure/login.sh"

start_load
while read -r row status; do
    at_login "$row 99999" "$status"
done <<ROWS
token-invalid-client access
token-expired-secret access
token-unauthorized-client access
token-unavailable unavailable
token-500 unavailable
token-429 unavailable
token-502-html unavailable
token-html key_store
token-not-json key_store
token-empty key_store
token-missing key_store
token-huge-lifetime key_store
token-reset unavailable
token-endless key_store
ROWS

# the flight goes on without those who wait for it
at_login 'token-stall 99999 5000' unavailable 8000

# ---- a refused secret is presented once, by all threads together, and again when somebody says so ----
export SECRET_WRONG=wrong
login="tenant='$TENANT' client='$CLIENT' authority='$AUTHORITY' pin.source='env:SECRET_WRONG'"
configure wrong.xml
stop_load
start_load
setup emulator stats reset
tell open "$tmp/wrong.xml"
tell run sign RSA "$LOGIN_THREADS" 3
saw_only access
accepts emulator stats
value .operations.token 1
tell retry
tell run sign RSA 4 1
saw_only access
accepts emulator stats
value .operations.token 2

# ---- tokens that last 3 seconds, and a login service that is away meanwhile ----
login=$(by_secret)
configure engine.xml
setup emulator set token-lifetime 3
tell open "$tmp/engine.xml"
tell run sign RSA 1 1
saw ok 1
setup emulator stats reset
tell for sign RSA "$THREADS" 7000
saw_only ok
accepts emulator stats
value .unauthorized 0
[ "$(jq .operations.token <"$out")" -ge 3 ] || fail "few tokens: $(cat "$out")"
[ "$(jq .operations.token <"$out")" -le 10 ] || fail "many tokens: $(cat "$out")"
setup emulator set token-lifetime 60
setup emulator set token-refresh 1
tell open "$tmp/engine.xml"
tell run sign RSA 1 1
sleep 1
setup emulator fault token-500 99999
tell for sign RSA "$THREADS" 1000
saw_only ok
setup emulator clear
setup emulator fault token-stall 1
tell for sign RSA "$THREADS" 1000
saw_only ok
setup emulator clear
setup emulator pause 1500 authority
tell for sign RSA "$THREADS" 1000
saw_only ok
setup emulator set token-refresh 0
setup emulator set token-lifetime 3599
sleep 1

# all tokens become worthless in mid-run: one new one for all
tell open "$tmp/engine.xml"
tell run sign RSA "$THREADS" 1
saw_only ok
setup emulator stats reset
tell_begin for sign RSA "$THREADS" 1500
sleep 0.5
setup emulator revoke
tell_end
saw_only ok
accepts emulator stats
value .operations.token 1
stop_load

accepts emulator attacker-log
value length 0
