#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# doc/openapi.yaml: a linter (npm: @redocly/cli) and a validator of schemas (npm: ajv) judge it, and it judges what the unit tests of the
# operations are answered.
. "${top_srcdir:?}/tests/lib/harness.sh"
. "$top_srcdir/tests/daemon/openapi-lib.sh"
use_openapi
document=$top_srcdir/doc/openapi.yaml
export REDOCLY_TELEMETRY=off

lint() {
    node "$npm_modules/@redocly/cli/bin/cli.js" lint --config redocly.yaml "$1"
}
echo 'extends: [recommended-strict]' >redocly.yaml

# ---- the document ----
accepts lint "$document"
answers_fit "$document"

# both find what is put wrong
broken() { # SED
    sed "$1" "$document" >broken.yaml
    cmp -s "$document" broken.yaml && fail "nothing was changed by $1"
    return 0
}
broken 's/operationId: verify$/operationId: sign/'
others_refuse lint broken.yaml
broken 's/required: \[signature, descriptor, version/required: [signatur, descriptor, version/'
others_refuse lint broken.yaml
broken 's/{ type: integer, minimum: 1, maximum: 4294967295 }/{ type: integer, minimun: 1 }/'
others_refuse node answers.mjs broken.yaml
broken "s/pattern: '^\[A-Za-z0-9_-\]+\\$'/pattern: '[A-'/"
others_refuse node answers.mjs broken.yaml

# ---- the checker ----
recorded() { # NAME STATUS TYPE BODY [FIELD...]
    echo "POST /v1/descriptors/F/decrypt?tag=a" >"answers/$1.request"
    printf '%s' "$4" >"answers/$1.body"
    {
        printf 'HTTP/1.1 %s X\r\nContent-Type: %s\r\n' "$2" "$3"
        shift 4
        printf '%s\r\n' "$@"
        printf '\r\n'
    } >"answers/$1.head"
}
alone() { # the same, the only one, and then refused
    rm -f answers/*
    recorded "$@"
    others_refuse node answers.mjs "$document" answers
    says "1 answers, 1 do not fit"
}
id='X-Request-Id: r' json=application/json
failure='{"error":{"status":"unavailable","message":"x"},"requestId":"r"}'
recorded one 200 "$json" '{"items":[{"status":"ok","content":""},{"status":"rejected","message":"x"}],"requestId":"r"}' "$id"
recorded two 503 "$json" "$failure" "$id" 'Retry-After: 1'
recorded three 507 "$json" "$failure" "$id"
recorded four 200 application/x-ndjson '{"n":1,"status":"ok","content":"QQ=="}
{"end":true,"count":1,"failed":0,"requestId":"r"}
' "$id"
answers_fit "$document" answers
says "# 4 answers, 0 do not fit"
alone a 200 "$json" '{"items":[{"status":"ok","content":"","more":1}],"requestId":"r"}' "$id"
alone b 200 "$json" '{"items":[{"status":"ok"}],"requestId":"r"}' "$id"
alone c 200 "$json" '{"status":"ok","content":"QQ=","requestId":"r"}' "$id"
alone d 200 "$json" '{"status":"ok","content":"QQ==","requestId":"r"}'
says 'X-Request-Id is missing'
alone e 503 "$json" "$failure" "$id"
says 'Retry-After is missing'
alone f 503 "$json" "$failure" "$id" 'Retry-After: soon'
alone g 400 text/html '<html>' "$id"
says "the type 'text/html' is not described"
alone h 206 "$json" '{}' "$id"
says "the status 206 is not described"
alone i 400 "$json" '{"error":{"status":"teapot","message":"x"},"requestId":"r"}' "$id"
alone j 200 application/x-ndjson '{"n":1,"status":"ok","content":"QQ=="}
{"end":false}' "$id"
alone k 200 "$json" '{"status":"ok"' "$id"
rm -f answers/*
others_refuse node answers.mjs "$document" answers

# ---- what the operations answer, and which there are ----
for test in test_operations test_operations_fields test_operations_files; do
    export ANSWERS_FOLDER="$tmp/answers" ANSWERS_NAME="$test"
    accepts "${top_builddir:?}/tests/unit/$test"
done
answers_fit "$document" answers
says_not '# 0 answers'
says_not '# 1 answers'
says 'operations, 0 differences'
