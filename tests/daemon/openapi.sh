#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# doc/openapi.yaml: a linter (npm: @redocly/cli) and a validator of schemas (npm: ajv) judge it, and it judges what the unit tests of the
# operations are answered.
. "${top_srcdir:?}/tests/lib/harness.sh"
. "$top_srcdir/tests/daemon/openapi-lib.sh"
use_openapi
mkdir answers
document=$top_srcdir/doc/openapi.yaml
export REDOCLY_TELEMETRY=off

lint() {
    node "$npm_modules/@redocly/cli/bin/cli.js" lint --config redocly.yaml "$1"
}
echo 'extends: [recommended-strict]' >redocly.yaml

# ---- the document ----
accepts lint "$document"

# what is put wrong is found
sed -e 's/operationId: verify$/operationId: sign/' -e 's/required: \[signature, descriptor, version/required: [signatur, descriptor, version/' \
    -e 's/{ type: integer, minimum: 1, maximum: 4294967295 }/{ type: integer, minimun: 1 }/' "$document" >broken.yaml
others_refuse lint broken.yaml
says 'operation-operationId-unique'
says 'signatur'
says 'minimun'
sed "s/pattern: '^\[A-Za-z0-9_-\]+\\$'/pattern: '[A-'/" "$document" >broken.yaml
others_refuse node answers.mjs broken.yaml
says 'Invalid regular expression'

# ---- the checker ----
recorded() { # NAME STATUS TYPE BODY [FIELD...]; to $request, and behind others of that name
    name=$1 status=$2 type=$3 body=$4
    shift 4
    {
        printf 'HTTP/1.1 %s X\r\n' "$status"
        [ ! "$type" ] || printf 'Content-Type: %s\r\n' "$type"
        printf '%s\r\n' "$@"
        printf '\r\n%s' "$body"
    } >answer
    echo "$request $(stat -c %s answer)" | cat - answer >>"answers/$name.answers"
}
request='POST /v1/descriptors/F/decrypt?tag=a'
id='X-Request-Id: r' json=application/json
failure='{"error":{"status":"unavailable","message":"x"},"requestId":"r"}'
recorded one 200 "$json" '{"items":[{"status":"ok","content":""},{"status":"rejected","message":"x"}],"requestId":"r"}' "$id"
recorded two 503 "$json" "$failure" "$id" 'Retry-After: 1'
recorded three 500 "$json" "$failure" "$id"
recorded four 200 application/x-ndjson '{"n":1,"status":"ok","content":"QQ=="}
{"end":true,"count":1,"failed":0,"requestId":"r"}
' "$id"
recorded four 503 "$json" "$failure" "$id" 'Retry-After: 1'
request='? ?'
recorded five 400 '' '<html></html>' 'Connection: close'
recorded six 400 "$json" "$failure" "$id"
request='GET /v1/anybody'
recorded seven 200 text/plain 'uid:1' "$id"
answers_fit "$document" answers "$top_srcdir/tests/daemon/trial.yaml"
says "# 8 answers, 0 do not fit"
others_refuse node answers.mjs "$document" answers
says 'GET /v1/anybody: 200: there is no such operation'
says "# 8 answers, 1 do not fit"
request='POST /v1/descriptors/F/decrypt?tag=a'

rm -f answers/*
recorded a 200 "$json" '{"items":[{"status":"ok","content":"","more":1}],"requestId":"r"}' "$id"
recorded b 200 "$json" '{"items":[{"status":"ok"}],"requestId":"r"}' "$id"
recorded c 200 "$json" '{"status":"ok","content":"QQ=","requestId":"r"}' "$id"
recorded d 200 "$json" '{"status":"ok","content":"QQ==","requestId":"r"}'
recorded e 503 "$json" "$failure" "$id"
recorded f 503 "$json" "$failure" "$id" 'Retry-After: soon'
recorded g 400 text/html '<html>' "$id"
recorded h 206 "$json" '{}' "$id"
recorded i 400 "$json" '{"error":{"status":"teapot","message":"x"},"requestId":"r"}' "$id"
recorded j 200 application/x-ndjson '{"n":1,"status":"ok","content":"QQ=="}
{"end":false}' "$id"
recorded k 200 "$json" '{"status":"ok"' "$id"
request='? ?'
recorded l 200 '' '<html>' "$id"
recorded m 400 "$json" "$failure"
others_refuse node answers.mjs "$document" answers
says "# 13 answers, 13 do not fit"
says 'X-Request-Id is missing'
says 'Retry-After is missing'
says "the type 'text/html' is not described"
says "the status 206 is not described"
rm -f answers/*
others_refuse node answers.mjs "$document" answers

# ---- what the operations answer, and which there are ----
for test in test_operations test_operations_fields test_operations_files; do
    export ANSWERS_FOLDER="$tmp/answers" ANSWERS_NAME="$test"
    accepts "${top_builddir:?}/tests/unit/$test"
done
sed -n 's/^ *\[FAILURE_[A-Z_]*\] = { [45][0-9]*, "\([^"]*\)".*/\1/p' "$top_srcdir/src/daemon/failure.c" >answers/failures
answers_fit "$document" answers
says_not '# 0 answers'
says_not '# 1 answers'
says 'operations, 0 differences'
says '# the failures are described'

# a parameter, a status or a name that only one of them has is found
sed -e '/^        - name: issuers$/,/schema:/d' -e 's/^                - too many$/                - too much/' \
    -e "s|'413': .*TooLarge' }|'414': { \$ref: '#/components/responses/TooLarge' }|" "$document" >broken.yaml
others_refuse node answers.mjs broken.yaml answers
says 'only in the table: {"name":"zipVerify"'
says 'only in the document: {"name":"zipVerify"'
says 'sign: the status 413 is not described'
says 'too much'
