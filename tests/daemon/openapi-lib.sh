# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2154 # of harness.sh
# openapi-lib.sh, after harness.sh: doc/openapi.yaml as the judge of what the daemon answers. Skips the test without npm.
#
#   use_openapi                        before the others
#   record NAME METHOD TARGET ARG...   asks by curl, with more of its arguments, and keeps the answer in answers/
#   answers_fit DOCUMENT [FOLDER]      a case: the schemas compile, and the answers of FOLDER are as described

. "$top_srcdir/tests/lib/npm.sh"

use_openapi() {
    npm_packages daemon
    # modules are looked for from the script's folder
    cp "$top_srcdir/tests/daemon/answers.mjs" "$tmp/answers.mjs"
    ln -sfn "$npm_modules" "$tmp/node_modules"
    mkdir -p answers
}

record() {
    name=$1 method=$2 target=$3
    shift 3
    echo "$method $target" >"answers/$name.request"
    curl -sS -X "$method" -D "answers/$name.head" -o "answers/$name.body" "$@" "http://signengine$target"
}

answers_fit() {
    accepts node "$tmp/answers.mjs" "$@"
}
