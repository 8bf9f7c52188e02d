# SPDX-License-Identifier: Apache-2.0
# /metrics: Prometheus' own tool accepts it, its numbers are what was done, its names nobody's but the configuration's; and it answers
# when nothing else does. /health/ready and what is told of keys, with a token that goes away and comes back.
. "${top_srcdir:?}/tests/lib/harness.sh"
. "${top_srcdir:?}/tests/daemon/daemon-lib.sh"
needs pkcs11-tool promtool
daemon_configuration
make_token lab
cp "${top_builddir:?}/tests/lib/.libs/shim.so" . # other users may not see the build folder
put_object() {
    setup pkcs11-tool --module "$softhsm_module" --token-label lab --login --pin 1234 --write-object "$1" --type "$2" --label k --id 01
}
make_cert k rsa:2048 keyUsage=critical,digitalSignature
setup openssl pkcs8 -topk8 -nocrypt -in k.key -outform DER -out k.der
put_object k.der privkey
setup openssl x509 -in k.pem -outform DER -out k.der
put_object k.der cert
cat k.key k.pem ca.pem >k.bundle
chown -R nobody .tokens .softhsm2.conf k.bundle
faults() { # LINE...: what is wrong with the token from now on
    printf '%s\n' "module $softhsm_module" "$@" >.faults
    mv .faults faults
}
faults '# nothing'
export SHIM_FILE="$tmp/faults"
token="<type name='HSM' locationValue='$tmp/shim.so' tokenLabel='lab' alias='k' pin='1234' deadline='100'/>"
sed -i -e "s|</descriptors>|<descriptor name='Token'><type algorithm='SHA-256' key='token'/></descriptor><descriptor name='Twice'><type algorithm='SHA-256' key='twice'/></descriptor></descriptors>|" \
    -e "s|</keys>|<key name='token'>$token</key><key name='twice'>$token<type name='pem' locationValue='k.bundle'/></key></keys>|" \
    -e "s|<access>|<access><allow name='monitoring' operations='monitor'><user name='sys'/></allow><allow name='tokens' operations='sign'><user name='www-data'/><descriptor name='Token'/><descriptor name='Twice'/></allow>|" engine.xml
chmod 600 engine.xml
chown nobody engine.xml
daemon_settings 'threads = 1' 'queue = 1'
start_daemon "$top_builddir/signengined"
octets='Content-Type: application/octet-stream'

metrics() { # a case: they are in the file metrics
    ask sys GET /metrics
    answers 200
    cp "$out" metrics
}
tells() { # LINE...: of the case before
    cp metrics "$out"
    for line; do grep -qxF "$line" metrics || fail "not told: $line; but: $(grep -F "${line%% *}" metrics)"; done
}
sign() { # USER DESCRIPTOR CODE
    ask "$1" POST "/v1/descriptors/$2/sign?form=raw" -H "$octets" -d hello
    answers "$3"
}
comes() { # LINE: sooner or later
    as sys curl -sf --unix-socket run/socket http://x/metrics | grep -qxF "$1"
}
ready() { [ "$(curl -s -o /dev/null -w '%{http_code}' --unix-socket run/socket http://x/health/ready)" = "$1" ]; }

# ---- who may ask, and what is said ----
ask daemon GET /metrics
answers 403
ask sys POST /metrics -H "$octets" -d x
answers 405
grep -q '^Allow: GET' answer.head || fail 'no Allow'
ask sys GET '/metrics?name=x'
answers 400
metrics
grep -q '^Content-Type: text/plain; version=0.0.4' answer.head || fail "$(grep -i content-type answer.head)"
accepts sh -c 'promtool check metrics <metrics'
config=$(signengine -c engine.xml config fingerprint | cut -c1-12)
tells "signengine_build_info{version=\"$("$top_builddir/signengined" --version | cut -d' ' -f2)\",config=\"$config\"} 1" \
    'signengine_ready 1' 'signengine_workers 1' 'signengine_queue_limit 1' 'signengine_workers_busy 0' 'signengine_connections{listener="unix"} 1' \
    'signengine_refusals_total 1' 'signengine_operations_total{operation="monitor",result="forbidden"} 1' 'signengine_config_reloads_total{result="done"} 0'
until_true comes "signengine_certificate_expiry_timestamp_seconds{descriptor=\"Token\",version=\"1\"} $(date -u -d "$(openssl x509 -in k.pem -noout -enddate | cut -d= -f2)" +%s)"
accepts until_true comes 'signengine_certificate_expiry_timestamp_seconds{descriptor="FileSigner",version="2"} 4733510400'
# an allowed look at numbers is no use of a key, and is not recorded; a refused one is
accepts grep -q '"operation":"monitor".*"result":"forbidden"' run/audit.log
[ "$(grep -c '"operation":"monitor"' run/audit.log)" = 1 ] || fail 'scrapes are recorded'

# ---- numbers ----
sign daemon FileSigner 200
sign daemon FileSigner 200
sign daemon FileSigner 200
sign daemon MadeUpByACaller 403
sign root FileSigner 403
sign bin FileSigner 200
ask daemon POST '/v1/descriptors/FileSigner/sign?form=nonsense' -H "$octets" -d hello
answers 400
for _ in 1 2 3 4 5; do sign games FileSigner 200; done
sign games FileSigner 429
kill -HUP "$daemon"
until_true comes 'signengine_config_reloads_total{result="done"} 1'
metrics
accepts sh -c 'promtool check metrics <metrics'
tells 'signengine_operations_total{descriptor="FileSigner",operation="sign",result="ok"} 9' \
    'signengine_operations_total{descriptor="FileSigner",operation="sign",result="usage"} 1' \
    'signengine_operations_total{descriptor="FileSigner",operation="sign",result="too many"} 1' \
    'signengine_operations_total{operation="sign",result="forbidden"} 2' \
    'signengine_operation_bytes_total{descriptor="FileSigner",operation="sign"} 50' \
    'signengine_items_total{descriptor="FileSigner",operation="sign",result="ok"} 9' \
    'signengine_items_total{descriptor="FileSigner",operation="sign",result="failed"} 2' \
    'signengine_operation_duration_seconds_bucket{descriptor="FileSigner",operation="sign",le="+Inf"} 11' \
    'signengine_operation_duration_seconds_count{descriptor="FileSigner",operation="sign"} 11' \
    'signengine_refusals_total 3' 'signengine_throttled_total 1' 'signengine_key_up{key="one",replica="1"} 1'
if grep -q MadeUp metrics; then fail "a caller's word is a label"; fi
tells 'signengine_requests_total{code="429"} 1' 'signengine_requests_total{code="405"} 1' \
    'signengine_audit_failures_total{sink="file",number="1"} 0' 'signengine_audit_sink_up{sink="file",number="1"} 1' 'signengine_strangers_total 0'
accepts until_true comes 'signengine_audit_queue_records{sink="file",number="1"} 0'
# nobody waits for the records of refusals and reloads
records_are_counted() { comes "signengine_audit_records_total{sink=\"file\",number=\"1\"} $(wc -l <run/audit.log)"; }
accepts until_true records_are_counted

# ---- a token that goes away and comes back; a replica in a file serves meanwhile ----
sign www-data Token 200
sign www-data Twice 200
metrics
tells 'signengine_key_sessions{key="token",replica="1"} 1' 'signengine_key_sessions{key="twice",replica="2"} 0' \
    'signengine_key_up{key="token",replica="1"} 1' 'signengine_key_up{key="twice",replica="1"} 1' 'signengine_key_up{key="twice",replica="2"} 1'
away='answer CKR_DEVICE_REMOVED'
faults "C_SignInit $away" "C_OpenSession $away" "C_GetTokenInfo $away"
sign www-data Twice 200
until_true comes 'signengine_key_up{key="twice",replica="1"} 0'
accepts ready 200
accepts comes 'signengine_key_up{key="twice",replica="2"} 1'
sign www-data Token 503
says '"message":"the key store is out of reach"'
accepts ready 503
ask sys GET /health/ready
answers 503 'a key is out of reach'
metrics
tells 'signengine_ready 0' 'signengine_key_sessions{key="token",replica="1"} 0' 'signengine_key_up{key="token",replica="1"} 0' 'signengine_key_up{key="one",replica="1"} 1' \
    'signengine_operations_total{descriptor="Token",operation="sign",result="unavailable"} 1' 'signengine_key_up{key="twice",replica="2"} 1'
# what needs no key works, and does not tell that the token is back
sleep 3 # the daemon has looked
accepts ready 503
faults '# mended'
until_true ready 200
until_true comes 'signengine_key_up{key="token",replica="1"} 1'
sign www-data Token 200
accepts grep -q "key 'token' is back" daemon.log

# ---- loaded again while it is away: the key that is open is not given up for one that is not there ----
faults "C_SignInit $away" "C_OpenSession $away" 'C_GetTokenInfo answer CKR_TOKEN_NOT_PRESENT'
kill -HUP "$daemon"
stays() { grep -q "the configuration stays as it was: key 'token' is in use" daemon.log; }
until_true stays
sign www-data Token 503
sign daemon FileSigner 200
faults '# mended'
until_true ready 200
sign www-data Token 200

# ---- when all workers hang and the queue is full ----
# one after the other: a job that no worker has taken yet would fill the queue
faults 'C_Sign hang'
for hangs in 'signengine_workers_busy 1' 'signengine_queue_jobs 1'; do
    as www-data curl -s --unix-socket run/socket -H "$octets" -d x "http://x/v1/descriptors/Token/sign?form=raw" >/dev/null 2>&1 &
    others="$others $!"
    until_true comes "$hangs"
done
metrics
tells 'signengine_workers_busy 1' 'signengine_queue_jobs 1' 'signengine_connections_busy 3'
sign daemon FileSigner 503
ask sys GET /health/live
answers 200
faults '# mended'
for process in $others; do wait "$process" || :; done
others=''
until_true comes 'signengine_workers_busy 0'
metrics
tells 'signengine_queue_jobs 0' 'signengine_body_bytes 0'

stop_daemon
