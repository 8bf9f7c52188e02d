#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# One process has the keys, and everybody else asks it: signengined with a SoftHSM token, asked by curl.  It signs (openssl judges), encrypts
# and decrypts a batch, refuses what no row allows, appends to a history once although it is asked twice, and tells what it did.
#
#   ./samples/service/run.sh BUILD [FOLDER]     BUILD: where you ran `make`, or quickstart/build
#                                               FOLDER: for everything that it makes; default: a new one in /tmp
set -eu
[ $# -ge 1 ] || { sed -n 's/^#   //p' "$0" && exit 64; }
sample=$(cd "$(dirname "$0")" && pwd)
build=$(cd "$1" && pwd)
[ -x "$build/signengined" ] || { echo "'$build/signengined' is not there: run \`make\` in '$build', with libmicrohttpd-dev" && exit 69; }
folder=${2-$(mktemp -d)}
rm -rf "$folder"
mkdir -p "$folder"
chmod 755 "$folder" # started by root, the daemon becomes nobody
cd "$folder"
folder=$(pwd)
daemon=''
trap '[ -z "$daemon" ] || kill "$daemon"' EXIT

# shellcheck source=samples/show.sh
. "$sample/../show.sh"
refused() { # CODE COMMAND...: a call of curl, which has to get this answer
    wanted=$1
    shift
    show "$@" --write-out '\n%{http_code}\n' | tee answer
    [ "$(tail -n 1 answer)" = "$wanted" ] || { echo "the answer is not $wanted" && exit 1; }
}
signengine() { "$build/signengine" "$@"; }
# as much of curl as every call needs
ask() { show curl --silent --show-error --unix-socket run/socket "$@"; }

make_token() {
    step "A token with the keys, as for signengine(1)"
    mkdir -m 700 tokens
    mkdir run
    printf 'directories.tokendir = %s/tokens\nobjectstore.backend = file\nlog.level = ERROR\n' "$folder" >softhsm2.conf
    export SOFTHSM2_CONF="$folder/softhsm2.conf"
    export SIGNENGINE_CONFIG="$folder/engineSignEncrypt.xml"
    (umask 077 && od -An -N4 -tu4 /dev/urandom | tr -d ' ' >pin && od -An -N4 -tu4 /dev/urandom | tr -d ' ' >so.pin)
    sed "s|CALLER|$(id -un)|" "$sample/engineSignEncrypt.xml" >engineSignEncrypt.xml
    show signengine key init signerV1 --so-pin-source "file:$folder/so.pin"
    show signengine key generate signerV1 --type rsa:2048 --subject "/CN=Sample service"
    show signengine key generate fieldsV1 --type rsa:2048 --subject "/CN=Sample service, fields"
    show signengine key generate historyV1 --type rsa:2048 --subject "/CN=Sample service, history"
    show signengine history create --store sqlite:run/cards.db
}

start_daemon() {
    step "The daemon: who may do what is in engineSignEncrypt.xml, where it listens in signengined.conf"
    cat >signengined.conf <<-CONF
	config  = $folder/engineSignEncrypt.xml
	listen  = unix:$folder/run/socket
	mode    = 0666
	user    = nobody
	audit   = file:$folder/run/audit.log required
	history cards = sqlite:$folder/run/cards.db default ObjectHistorySigner
	CONF
    if [ "$(id -u)" = 0 ]; then
        chown -R nobody tokens run pin engineSignEncrypt.xml
    else
        sed -i '/^user /d' signengined.conf
    fi
    cat signengined.conf
    sed -n '/<access>/,/<\/access>/p' engineSignEncrypt.xml
    show "$build/signengined" --settings signengined.conf --check
    echo "\$ $build/signengined --settings signengined.conf &"
    "$build/signengined" --settings "$folder/signengined.conf" >daemon.log 2>&1 &
    daemon=$!
    until [ -S run/socket ]; do
        kill -0 "$daemon" || { cat daemon.log && exit 1; }
        sleep 0.1
    done
    ask http://signengine/health/ready
    echo
}

sign_file() {
    step "Sign: octets in, signature out; openssl verifies it with the certificate that the daemon gives"
    date >file
    ask --fail -H 'Content-Type: application/octet-stream' --data-binary @file -o file.p7s http://signengine/v1/descriptors/FileSigner/sign
    ask --fail -o signer.pem http://signengine/v1/descriptors/FileSigner/certificates
    show openssl cms -verify -binary -inform DER -in file.p7s -content file -CAfile signer.pem -purpose any -out /dev/null
}

ask_by_command() {
    step "The same by the command, which has no configuration here, and no PIN"
    show env -u SIGNENGINE_CONFIG "$build/signengine" --socket run/socket sign -d FileSigner file -o file.p7s
    show env -u SIGNENGINE_CONFIG "$build/signengine" --socket run/socket verify -d FileSigner file --signature file.p7s
}

encrypt_batch() {
    step "Encrypt and decrypt a batch: a status for each; the context has to be the same"
    printf '{"content":"%s","context":{"row":"%s"}}\n' MDU1NDMz 7 MTIzNA== 8 >plain.ndjson
    cat plain.ndjson
    ask --fail -H 'Content-Type: application/x-ndjson' --data-binary @plain.ndjson -o encrypted.ndjson http://signengine/v1/descriptors/EncryptedFields/encrypt
    cut -c1-100 encrypted.ndjson
    sed -n 's/.*"value":"\([^"]*\)".*/\1/p' encrypted.ndjson >values
    [ "$(wc -l <values)" = 2 ]
    printf '{"value":"%s","context":{"row":"%s"}}\n' "$(sed -n 1p values)" 7 "$(sed -n 2p values)" 7 >back.ndjson
    ask --fail -H 'Content-Type: application/x-ndjson' --data-binary @back.ndjson -o decrypted.ndjson http://signengine/v1/descriptors/EncryptedFields/decrypt
    cat decrypted.ndjson
    grep -q '"content":"MDU1NDMz"' decrypted.ndjson
    grep -q '"status":"rejected"' decrypted.ndjson
}

refuse() {
    step "Refused: a descriptor that no row names, one that is not there at all, and another user"
    for descriptor in ObjectHistorySigner NoSuchSigner; do
        refused 403 curl --silent --unix-socket run/socket -d x -H 'Content-Type: application/octet-stream' \
            "http://signengine/v1/descriptors/$descriptor/sign"
    done
    # only root can call as others
    [ "$(id -u)" != 0 ] ||
        refused 403 setpriv --reuid=daemon --clear-groups curl --silent --unix-socket run/socket -d x \
            -H 'Content-Type: application/octet-stream' http://signengine/v1/descriptors/FileSigner/sign
}

append_twice() {
    step "Append: who did not get the answer asks again with the same key, and nothing is there twice"
    for repeated in false true; do
        ask --fail -H 'Content-Type: application/json' -H 'Idempotency-Key: card-4711-ordered' -o appended.json \
            -d '{"entries":[{"object":"card/4711","payload":"b3JkZXJlZA=="}]}' http://signengine/v1/histories/cards/entries
        cat appended.json
        grep -q "\"first\":1,\"count\":1,\"repeated\":$repeated" appended.json
    done
    ask --fail http://signengine/v1/histories/cards/entries/1
}

tell() {
    step "The audit: who did what; the refused ones, too"
    show cat run/audit.log
    step "The metrics, for Prometheus"
    ask --fail -o metrics http://signengine/metrics
    show grep -e ^signengine_operations_total -e ^signengine_refusals_total -e ^signengine_key_up metrics
}

stop_daemon() {
    step "The end: what is under way is finished"
    show kill "$daemon"
    wait "$daemon"
    daemon=''
    cat daemon.log
}

make_token
start_daemon
sign_file
ask_by_command
encrypt_batch
refuse
append_twice
tell
stop_daemon
step "Done"
echo "Everything is in $folder. Delete it when you have seen enough."
