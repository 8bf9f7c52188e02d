# SPDX-License-Identifier: Apache-2.0
# Heads of requests: those that servers read in different ways are refused, whatever follows them; what passes is what was sent.
. "${top_srcdir:?}/tests/lib/harness.sh"
. "${top_srcdir:?}/tests/daemon/daemon-lib.sh"
daemon_configuration
daemon_settings
start_daemon "$top_builddir/tests/daemon/trial"

# as a user who may do what is asked for: nothing but the head is left to refuse
accepts as daemon python3 "$tmp/heads.py" "$tmp/run/socket"
says ', 0 failed'
accepts is_live

# ---- failures that the head tells, one after the other ----
ask daemon GET /v1/nothing
answers 404 '"status":"not found"'
ask daemon GET /v1/descriptors/FileSigner/sleep
answers 405 'GET is not for this path; it takes POST'
grep -q '^Allow: POST' answer.head || fail 'no Allow'
ask daemon DELETE /v1/histories/default/trial
answers 405
grep -q '^Allow: POST, GET' answer.head || fail 'not both methods'
ask daemon HEAD /health/live --head
answers 405
ask daemon POST /v1/descriptors/FileSigner/sleep -d x
answers 415 'this takes no body of that Content-Type'
ask daemon POST /v1/descriptors/FileSigner/sleep -H 'Content-Type:' -d x
answers 415 'Content-Type is missing'
ask daemon POST /v1/descriptors/FileSigner/sleep -H 'Content-Type: application/json' -d x
answers 415
ask daemon GET /v1/descriptors/FileSigner/who -H 'Content-Type: application/octet-stream' -d x
answers 415 'this takes no body'
ask daemon POST '/v1/descriptors/FileSigner/sleep?mss=3' -H 'Content-Type: application/octet-stream' -d x
answers 400 "there is no parameter 'mss'"
ask daemon GET '/v1/descriptors/FileSigner/who?version=0'
answers 400 'version is a number'
ask nobody POST /v1/histories/default/trial -H 'Content-Type: application/octet-stream' -d x
answers 400 'Idempotency-Key is missing'
ask nobody POST /v1/histories/default/trial -H 'Content-Type: application/octet-stream' -H "Idempotency-Key: $(printf '%065d' 0)" -d x
answers 400 'Idempotency-Key has 1 to 64'
ask nobody POST /v1/histories/default/trial -H 'Content-Type: application/octet-stream' -H 'Idempotency-Key: a b' -d x
answers 400
ask nobody POST /v1/histories/default/trial -H 'Content-Type: application/octet-stream; charset=binary' -H 'Idempotency-Key: "8e03"' -d x
answers 200 'key "8e03"'

# ---- what is wanted ----
ask daemon GET /v1/descriptors/FileSigner/who -H 'Accept: text/html, application/jwk-set+json;q=0.5 ,application/pem-certificate-chain'
answers 200 'accept 48'
ask daemon GET /v1/descriptors/FileSigner/who -H 'Accept: application/jwk-set+json, */*'
answers 200 'accept 0'

# ---- request ids ----
ask daemon GET /v1/nothing -H 'X-Request-Id: a.B_c-9'
answers 404 '"requestId":"a.B_c-9"'
grep -q '^X-Request-Id: a.B_c-9' answer.head || fail 'not in the head'
ask daemon GET /v1/nothing -H 'X-Request-Id: a b'
answers 404
says_not 'a b'
grep -qE '^X-Request-Id: [0-9a-f]{16}' answer.head || fail 'none was made'

# ---- names are names ----
ask daemon GET /v1/descriptors/File%53igner/who
answers 200
for name in .. %2e%2e . FileSigner%2f.. filesigner 'FileSigner%20' FileSigner%2500; do
    ask daemon GET "/v1/descriptors/$name/who"
    answers 403 '"message":"not allowed"'
done

# ---- bodies ----
head -c 300000 /dev/urandom >body
ask daemon POST /v1/descriptors/FileSigner/echo -H 'Content-Type: application/octet-stream' --data-binary @body
answers 200
same "$out" body
ask daemon POST /v1/descriptors/FileSigner/echo -H 'Content-Type: application/octet-stream' -H 'Transfer-Encoding: chunked' --data-binary @body
answers 200
same "$out" body
ask daemon POST /v1/descriptors/FileSigner/echo -H 'Content-Type: application/octet-stream' -H 'Expect: 100-continue' --data-binary @body
answers 200
same "$out" body

# ---- what a stranger is not told ----
# usage, config, no descriptor, policy, key, store, access, unavailable, format, rejected, io, cancelled, crypto, memory
set -- 2 400 3 500 4 404 5 409 6 500 7 500 8 500 9 503 10 400 11 422 12 500 13 503 14 500 1 503
while [ $# -gt 0 ]; do
    ask daemon POST "/v1/descriptors/FileSigner/fail?status=$1" -H 'Content-Type: application/octet-stream' -d x
    answers "$2"
    case $2 in
    500 | 503) [ "$1" = 13 ] || [ "$1" = 1 ] || says_not secret-module ;;
    esac
    [ "$2" != 503 ] || grep -q '^Retry-After: ' answer.head || fail 'no Retry-After'
    shift 2
done
ask daemon POST '/v1/descriptors/FileSigner/fail?status=2&http=409' -H 'Content-Type: application/octet-stream' -d x
answers 409 '"status":"usage"'
accepts grep -q 'secret-module' run/audit.log

stop_daemon
