# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2154 # of harness.sh
# openapi-lib.sh, after harness.sh: doc/openapi.yaml as the judge of what the daemon answers.
#
#   record_answers                          from now on, what curl and asking.py are answered is kept in $ANSWERS_FOLDER
#   answers_fit DOCUMENT [FOLDER [MORE]]    a case: the schemas compile, and the answers of FOLDER are as described, there or in MORE
#   answers_are_described                   a case, where npm can be had: what was recorded is as doc/openapi.yaml and trial.yaml say
#   use_openapi                             before answers_fit; skips the test without npm

. "${top_srcdir:?}/tests/lib/npm.sh"

record_answers() {
    CURL=$(command -v curl)
    ANSWERS_FOLDER=$tmp/.answers PATH=$tmp/bin:$PATH
    export ANSWERS_FOLDER CURL PATH
    mkdir bin
    mkdir -m 1777 "$ANSWERS_FOLDER"
    install -m 755 "$top_srcdir/tests/daemon/curl.sh" bin/curl
}

# modules are looked for from the script's folder
link_checker() {
    cp "$top_srcdir/tests/daemon/answers.mjs" "$tmp/answers.mjs"
    ln -sfn "$npm_modules" "$tmp/node_modules"
}

use_openapi() {
    npm_packages daemon
    link_checker
}

answers_fit() {
    accepts node "$tmp/answers.mjs" "$@"
}

answers_are_described() {
    if npm_install daemon; then
        link_checker
        answers_fit "$top_srcdir/doc/openapi.yaml" "$ANSWERS_FOLDER" "$top_srcdir/tests/daemon/trial.yaml"
        grep '^# .* answers' "$out" || :
    else
        echo "not tried: whether the answers are as doc/openapi.yaml says; $npm_missing"
    fi
}
