#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# signengined(8) from the shell, with curl, jq and base64.
#
#   signengine_sign DESCRIPTOR FILE [NAME=VALUE...]   the signature to standard output: CMS in DER, unless form=... says otherwise
#   signengine_verify DESCRIPTOR FILE SIGNATURE-FILE  who signed, in JSON
#   signengine_encrypt DESCRIPTOR CONTEXT             standard input to standard output; CONTEXT: an object of strings, in JSON
#   signengine_decrypt DESCRIPTOR CONTEXT
#   signengine_encrypt_many DESCRIPTOR                JSON, one a line: {"content": base64, "context": {...}} gives {"status": "ok", "value": ...},
#   signengine_decrypt_many DESCRIPTOR                or another status and a message; the other way round
#   signengine_append HISTORY KEY                     entries, as {"object": ..., "payload": base64}, one a line, all of them or none. KEY is
#                                                     of your choice for them, up to 64 visible ASCII characters: asked again with it, after
#                                                     whatever failure, the service appends nothing twice. {"first", "count", "repeated"}
#
# Secrets go through pipes, for arguments are seen by everybody. A function that fails says why on standard error, and its status says what to do:
# 1 it is not good, 64 the call makes no sense, 69 ask again later, 77 not allowed, 78 there is no such descriptor, or it may not be used so,
# 70 the service has failed. With $failed the words go there, parted by tabs: status, code of HTTP, request id, message.
#
#   signengine.sh SOCKET [PATIENCE]                   reads calls, one a line, as README.md has them
set -eu
socket=${1:-/run/signengine/socket}
patience=${2:-30} # seconds that a call may wait where the service says Retry-After
work=$(mktemp -d)
failed=''
trap 'rm -rf "$work"' EXIT

# ---- how it is asked: a new connection for each call ----

ask() { # TARGET MEDIA [CURL-OPTION...]: standard input is the body; the answer goes to $work/answer
    target=$1 media=$2 waited=0
    shift 2
    cat >"$work/body"
    while :; do
        : >"$work/answer"
        told=$(curl --silent --show-error --path-as-is --max-time 60 --unix-socket "$socket" --header "Content-Type: $media" --data-binary "@$work/body" \
            --output "$work/answer" --write-out '%{http_code} %header{retry-after}' "$@" "http://signengine$target" 2>"$work/curl") || {
            tell_failure unavailable 0 - "no answer: $(sed 's/^curl: //' "$work/curl")"
            return 69
        }
        code=${told%% *} wait=${told#* }
        [ "$code" -ge 400 ] || break
        [ $((waited + ${wait:-1000000})) -le "$patience" ] || break
        sleep "$wait"
        waited=$((waited + wait))
    done
    rm "$work/body"
    [ "$code" -lt 400 ] || fail_as "$code"
}

fail_as() { # CODE
    # what is wrong with HTTP itself may be answered in HTML
    jq -r '[.error.status, .requestId, .error.message] | @tsv' "$work/answer" >"$work/why" 2>/dev/null || printf 'internal\t-\t%s\n' "$(tr '\n\t' '  ' <"$work/answer")" >"$work/why"
    tell_failure "$(cut -f1 "$work/why")" "$1" "$(cut -f2 "$work/why")" "$(cut -f3- "$work/why")"
    case $1 in
    422) return 1 ;;
    403) return 77 ;;
    404 | 409) return 78 ;;
    429 | 503) return 69 ;;
    4*) return 64 ;;
    *) return 70 ;;
    esac
}

tell_failure() { # STATUS CODE REQUEST-ID MESSAGE
    if [ "$failed" ]; then
        printf '%s\t%s\t%s\t%s\n' "$@" >"$failed"
    else
        printf 'signengine.sh: %s: %s (%s, request %s)\n' "$1" "$4" "$2" "$3" >&2
    fi
}

quote() { printf %s "$1" | jq -sRr @uri; }

encode() { base64 -w0 | jq -Rs .; }

# ---- signatures ----

signengine_sign() {
    target=/v1/descriptors/$(quote "$1")/sign file=$2 mark='?'
    shift 2
    for word; do
        target=$target$mark${word%%=*}=$(quote "${word#*=}") mark='&'
    done
    ask "$target" application/octet-stream <"$file" && cat "$work/answer"
}

signengine_verify() {
    encode <"$2" >"$work/content"
    encode <"$3" >"$work/signature"
    jq -nc --slurpfile c "$work/content" --slurpfile s "$work/signature" '{content: $c[0], signature: $s[0]}' |
        ask "/v1/descriptors/$(quote "$1")/verify" application/json && cat "$work/answer"
}

# ---- values ----

signengine_encrypt() {
    encode | jq -c --argjson context "$2" '{content: ., context: $context}' | ask "/v1/descriptors/$(quote "$1")/encrypt" application/json &&
        jq -r .value "$work/answer"
}

signengine_decrypt() {
    jq -Rc --argjson context "$2" '{value: ., context: $context}' | ask "/v1/descriptors/$(quote "$1")/decrypt" application/json &&
        jq -r .content "$work/answer" | base64 -d
}

signengine_encrypt_many() {
    jq -sc '{items: .}' | ask "/v1/descriptors/$(quote "$1")/encrypt" application/json && jq -c '.items[]' "$work/answer"
}

signengine_decrypt_many() {
    jq -sc '{items: .}' | ask "/v1/descriptors/$(quote "$1")/decrypt" application/json && jq -c '.items[]' "$work/answer"
}

# ---- histories ----

signengine_append() {
    jq -sc '{entries: .}' | ask "/v1/histories/$(quote "$1")/entries" application/json --header "Idempotency-Key: $2" && cat "$work/answer"
}

# ---- calls, one a line ----

place() { jq -nc --arg row "$1" '{table: "person", row: $row}'; }

make_items() { # content|value [ROW TEXT]...
    member=$1
    shift
    while [ $# -gt 0 ]; do
        case $member in
        content) printf %s "$2" | base64 -w0 ;;
        value) printf %s "$2" ;;
        esac | jq -Rsc --arg member "$member" --argjson context "$(place "$1")" '{($member): ., context: $context}'
        shift 2
    done
}

call() { # WORD...
    name=$1
    shift
    case $name in
    sign) signengine_sign "$@" >"$work/signature" && base64 -w0 "$work/signature" ;;
    verify) signengine_verify "$@" >"$work/signer" && jq -r .subject "$work/signer" ;;
    encrypt) printf %s "$3" | signengine_encrypt "$1" "$(place "$2")" ;;
    decrypt) printf '%s\n' "$3" | signengine_decrypt "$1" "$(place "$2")" ;;
    encrypt-many | decrypt-many)
        descriptor=$1 member=$([ "$name" = encrypt-many ] && echo content || echo value)
        shift
        make_items "$member" "$@" | signengine_"$(echo "$name" | tr - _)" "$descriptor" >"$work/items" &&
            jq -r '.status + ":" + (.value // .message // (.content | @base64d))' "$work/items" | paste -sd "$(printf '\t')" -
        ;;
    append)
        jq -nc --arg object "$3" --arg payload "$4" '{object: $object, payload: ($payload | @base64)}' | signengine_append "$1" "$2" >"$work/appended" &&
            jq -r '[.first, .count, .repeated] | @tsv' "$work/appended"
        ;;
    esac
}

failed=$work/failed
while IFS= read -r line; do
    set -f
    old=$IFS IFS=$(printf '\t')
    # shellcheck disable=SC2086
    set -- $line
    IFS=$old
    set +f
    if result=$(call "$@"); then
        printf 'ok\t%s\n' "$result"
    else
        printf 'failed\t%s\n' "$(cat "$work/failed")"
    fi
done
