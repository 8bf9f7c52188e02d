# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# azure.sh: Azure on this machine, for tests that have sourced harness.sh.
#
#   start_emulator vault|hsm [FOLDER [OPTION...]]   starts one in the background; it ends with the test.  FOLDER ($tmp/azure) gets ca.pem,
#                   control and urls, and these are set: VAULT RESOURCE AUTHORITY ATTACKER IDENTITY PROXY TENANT CLIENT SECRET PRINCIPAL
#                   IDENTITY_CLIENT IDENTITY_PRINCIPAL IDENTITY_SECRET
#   use_emulator FOLDER   makes one of several the one that all of these speak to
#   emulator COMMAND...   says something to it (see below); prints what it answers; fails if it says "error"
#   new_token [CURL-OPTION...]   a new token for `ask`, by the client's secret; prints the answer
#   ask METHOD PATH [BODY [CURL-OPTION...]]   a request with that token; prints the body; the status is in $tmp/.status, the headers in
#                   $tmp/.headers; fails from 400 on
#   plain CURL-OPTION... URL   a request without a token, which leaves the same
#   status_is STATUS, header NAME TEXT, value JQ-FILTER TEXT   belong to the case before: what was answered
#   hangs_up ask|plain ...     a case: there is no whole answer
#
# What an emulator understands (a count of * is for ever):
#
#   fault NAME [COUNT|*] [ARGUMENT] [only=OPERATION] [after=N]   tests/azure/faults.c has the names
#   clear [NAME], faults      no more of them; those that are left
#   stats [reset]             counters as JSON
#   log [vault|authority|identity|reset], attacker-log, proxy-log   requests as JSON
#   latency LOW HIGH          ms, drawn for each request
#   capacity off|on [...]     a vault: HSM-OTHER SOFTWARE-OTHER HSM-CREATE SOFTWARE-CREATE in 10 s; a Managed HSM: PARTITIONS SCALE
#   tls normal|expired|wrong-host|unknown-ca|old|tls12|tls13|close [PORT]
#   pause MS [PORT], reset [PORT]   resets all connections, and listens again after MS; keys stay
#   register-certificate CLIENT FILE, federated CLIENT FILE, secret CLIENT VALUE [PRINCIPAL], revoke
#   rotate NAME, grant PRINCIPAL ROLE SCOPE, proxy-password USER PASSWORD
#   set delay|recoverable-days|purge-protection|pending-newest|token-lifetime|token-refresh|roles|role-delay|idle VALUE
#   quit

use_emulator() {
    emulated=$1
    # shellcheck source=/dev/null
    . "$emulated/urls"
    export VAULT RESOURCE AUTHORITY ATTACKER IDENTITY PROXY TENANT CLIENT SECRET PRINCIPAL IDENTITY_CLIENT IDENTITY_PRINCIPAL IDENTITY_SECRET
}

start_emulator() {
    needs curl jq
    mode=$1 folder=${2-$tmp/azure}
    shift "$(($# < 2 ? $# : 2))"
    mkdir -p "$folder"
    rm -f "$folder/urls"
    "${top_builddir:?}/tests/azure/emulator" --folder "$folder" --mode "$mode" "$@" >"$folder/output" 2>&1 &
    echo $! >"$folder/pid"
    waited=0
    while ! [ -e "$folder/urls" ]; do
        waited=$((waited + 1))
        if [ "$waited" -gt 300 ] || ! kill -0 "$(cat "$folder/pid")" 2>/dev/null; then
            echo "the emulator does not start"
            cat "$folder/output"
            exit 99
        fi
        sleep 0.1
    done
    use_emulator "$folder"
}

emulator() {
    "${top_builddir:?}/tests/azure/emulator" --control "$emulated/control" "$@"
}

new_token() {
    curl -sS --noproxy '*' --cacert "$emulated/ca.pem" "$AUTHORITY/$TENANT/oauth2/v2.0/token" -d grant_type=client_credentials -d "client_id=$CLIENT" \
        --data-urlencode "client_secret=$SECRET" --data-urlencode "scope=$RESOURCE/.default" "$@" >"$emulated/token.json" &&
        jq -er .access_token <"$emulated/token.json" >"$emulated/token" && [ -s "$emulated/token" ] && cat "$emulated/token.json"
}

ask() {
    [ -s "$emulated/token" ] || new_token >/dev/null
    verb=$1 url=$2 body=${3-}
    shift "$(($# < 3 ? $# : 3))"
    case $url in
    http*) ;;
    *) url=$VAULT$url ;;
    esac
    case $url in
    *api-version* | *skiptoken*) ;;
    *\?*) url="$url&api-version=7.4" ;;
    *) url="$url?api-version=7.4" ;;
    esac
    if [ "$body" ]; then
        set -- -H 'Content-Type: application/json' -d "$body" "$@"
    fi
    # a path may have brackets, and a nextLink a dollar
    curl -sS -g --noproxy '*' --cacert "$emulated/ca.pem" -X "$verb" -H "Authorization: Bearer $(cat "$emulated/token")" -D "$tmp/.headers" -w '%{stderr}%{http_code}' \
        -o "$tmp/.body" "$@" "$url" 2>"$tmp/.status" || {
        cat "$tmp/.status" >&2
        return 7
    }
    cat "$tmp/.body"
    [ "$(cat "$tmp/.status")" -lt 400 ]
}

status_is() {
    [ "$(cat "$tmp/.status")" = "$1" ] || fail "answered $(cat "$tmp/.status"), not $1: $(cat "$tmp/.body")"
}

# header NAME TEXT: belongs to an `ask` or `plain` before
header() {
    grep -i "^$1:" "$tmp/.headers" | grep -q -F -e "$2" || fail "no header $1 with $2: $(cat "$tmp/.headers")"
}

# value FILTER TEXT: belongs to the case before: what jq finds in its output
value() {
    [ "$(jq -r "$1" <"$out")" = "$2" ] || fail "$1 is $(jq -r "$1" <"$out"), not $2"
}

# hangs_up ask|plain ...: a case: there is no whole answer
hangs_up() {
    try "$@"
    [ "$status" = 7 ] || fail "status $status, not 7: $*"
}

# plain CURL-OPTION... URL: a request without a token; leaves what `ask` leaves
plain() {
    curl -sS --noproxy '*' --cacert "$emulated/ca.pem" -D "$tmp/.headers" -o "$tmp/.body" -w '%{http_code}' "$@" >"$tmp/.status" && cat "$tmp/.body"
}
