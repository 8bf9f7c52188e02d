#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Bodies that are larger than what is kept in memory: others read what came of them; what lies in the spool, how much of it there may be,
# and what is left of it. tests/daemon/streams-campaign.sh does the same with hundreds of megabytes.
. "${top_srcdir:?}/tests/lib/harness.sh"
. "$top_srcdir/tests/daemon/daemon-lib.sh"
. "$top_srcdir/tests/daemon/streams-lib.sh"
needs pkcs11-tool unzip
streams_configuration

# a token that has a key for values, and that can be taken away
make_token lab
cp "${top_builddir:?}/tests/lib/.libs/shim.so" . # other users may not see the build folder
make_cert k rsa:2048
setup openssl pkcs8 -topk8 -nocrypt -in k.key -outform DER -out k.privkey
setup openssl x509 -in k.pem -outform DER -out k.cert
for type in privkey cert; do
    setup pkcs11-tool --module "$softhsm_module" --token-label lab --login --pin 1234 --write-object k.$type --type $type --label k --id 01
done
chown -R nobody .tokens .softhsm2.conf
faults() { # LINE...: what is wrong with the token from now on
    printf '%s\n' "module $softhsm_module" "$@" >.faults
    mv .faults faults
}
faults '# nothing'
export SHIM_FILE="$tmp/faults"
cp engine.xml command.xml # which has no PIN: it may belong to anybody
export SIGNENGINE_CONFIG="$tmp/command.xml"
sed -i -e "s|</descriptors>|<descriptor name='Token'><type $gcm dataKeyUses='1000' key='token'/></descriptor></descriptors>|" \
    -e "s|</keys>|<key name='token'><type name='HSM' locationValue='$tmp/shim.so' tokenLabel='lab' alias='k' pin='1234' deadline='5'/></key></keys>|" \
    -e "s|<descriptor name='Fields'/> <descriptor name='Mail'/>|<descriptor name='Token'/> &|" engine.xml
chmod 600 engine.xml
chown nobody engine.xml

streams_settings 'body-timeout = 600' 'body = 64k' 'bodies = 256k' 'spool-body = 8M' 'spool-size = 12M'
start_daemon "$top_builddir/signengined"
octets_are_served 3000000
zips_are_served 3000000
mail_is_served 1000000
lines_are_served 3000
[ "$(peak_kb)" -lt 40000 ] || instrumented || fail "$(peak_kb) kB of memory"
cases=$((cases + 1)) bad=''
until_true spool_is_empty

# ---- a key store that is lost on the way: what is done stands, and the rest says so ----
for number in $(seq 3000); do echo '{"content":"QUJD"}'; done >lines
post Token/encrypt "$ndjson" lines
answers 200
sed -n 's/.*"value":\("[^"]*"\).*/{"value":\1}/p' answer.body >lines
faults 'C_Decrypt after 2 answer CKR_DEVICE_REMOVED'
post Token/decrypt "$ndjson" lines
answers 200
cases=$((cases + 1)) bad=''
good=$(grep -c '"status":"ok","content":"QUJD"' answer.body || :)
lost=$(grep -c '"status":"unavailable","message":"the key store is out of reach: try again later"' answer.body || :)
case $good in 1000 | 2000) ;; *) fail "$good are good" ;; esac
[ "$((good + lost))" = 3000 ] || fail "$lost are lost"
sed -n -e "$((good + 1))p" -e '$p' answer.body >"$out"
says "{\"n\":$((good + 1)),\"status\":\"unavailable\""
says "{\"end\":true,\"count\":3000,\"failed\":$lost,"
# from the first line on: then it is the call
faults 'C_Decrypt answer CKR_DEVICE_REMOVED' 'C_OpenSession answer CKR_DEVICE_REMOVED'
tail -n 1000 lines >last
post Token/decrypt "$ndjson" last
answers 503 '"status":"unavailable"'
faults '# nothing'

# ---- sizes: of one, of all ----
head -c 9000000 /dev/zero >large
post Signer/sign "$octets" large
answers 413 'up to 8388608 are taken'
post Signer/sign "$octets" large -H 'Transfer-Encoding: chunked'
answers 413 'more than 8388608 bytes'
head -c 70000 large >whole
post 'Fields/encrypt' "$octets" whole
answers 413 'up to 65536 are taken'
post 'Signer/sign?form=xml' "$octets" whole
answers 413 'XML of 70000 bytes'
user_of_post=games
python3 streams.py contents 101 >lines
post Fields/encrypt "$ndjson" lines
answers 429
unset user_of_post

# ---- in the spool: no name, nothing to read, and room for no more than that ----
hold() { # TARGET BYTES
    rm -f go held.got
    as daemon python3 "$tmp/streams.py" hold "$tmp/run/socket" "/v1/descriptors/$1" "$octets" "$2" ThisIsThePlaintext "$tmp/go" >held.got &
    others=$!
    until_true grep -q sent held.got
}
let_go() {
    : >go
    wait "$others"
    others=''
    until_true spool_is_empty
}
spooled() { # PATTERN: how many files of the daemon, without names, hold it
    found=0
    for file in /proc/"$daemon"/fd/*; do
        case $(readlink "$file") in
        "$tmp"/spool/*' (deleted)') if grep -q -a -e "$1" "$file"; then found=$((found + 1)); fi ;;
        esac
    done
    echo $found
}
is_spooled() { [ "$(spooled .)" = 1 ]; }
head -c 5000000 large >half
hold Fields/zip/encrypt 8000000
until_true is_spooled
cases=$((cases + 1)) bad=''
[ "$(spooled ThisIsThePlaintext)" = 0 ] || fail 'plaintext is in the spool'
[ -z "$(ls -A spool)" ] || fail 'something in the spool has a name'
[ "$(metric signengine_spool_bytes)" = 8000000 ] || fail "$(metric signengine_spool_bytes) bytes"
[ "$(metric signengine_spool_limit_bytes)" = 12582912 ] || fail 'another limit'
post Signer/sign "$octets" half
answers 507 '"status":"no space","message":"there is no room for so much now"'
grep -qi '^retry-after: ' answer.head || fail 'no Retry-After'
post Signer/sign "$octets" half -H 'Transfer-Encoding: chunked'
answers 507 '"status":"no space"'
post Signer/sign "$octets" half -H 'Expect: 100-continue'
answers 507 '"status":"no space"'
let_go
post Signer/sign "$octets" half
answers 200

# ---- nothing is left of those that go, and of a daemon that is killed ----
python3 streams.py contents 40000 >lines
accepts sh -c "setpriv --reuid=daemon --regid=$(id -g daemon) --init-groups curl -s -m 1 --unix-socket $tmp/run/socket --limit-rate 2M -H 'Content-Type: $ndjson' \
    --data-binary @$tmp/lines -o /dev/null http://x/v1/descriptors/Fields/encrypt; [ \$? = 28 ] || [ \$? = 0 ]"
until_true spool_is_empty
hold Zip/zip/sign 8000000
cases=$((cases + 1)) bad=''
stop_daemon KILL 137
[ -z "$(ls -A spool)" ] || fail 'a killed daemon leaves something'
: >go
wait "$others" || :
others=''
rm -rf run/socket

# ---- what no spool can be ----
daemon_settings "spool = /proc"
try "$top_builddir/signengined" --settings "$tmp/signengined.conf"
[ "$status" = 78 ] || fail "status $status"
says "the spool '/proc' takes no file without a name (O_TMPFILE)"
daemon_settings 'spool-body = 2G' 'spool-size = 1G'
try "$top_builddir/signengined" --settings "$tmp/signengined.conf" --check
[ "$status" = 78 ] || fail "status $status"
says "'spool-size', of all together, is less than 'spool-body'"
