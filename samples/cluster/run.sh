#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Two daemons with tokens of equal keys, one history in PostgreSQL, and HAProxy before them: all on this machine, asked by curl. One daemon
# after the other is killed, and restarted, while calls go on, and none of them fails.
#
#   ./samples/cluster/run.sh BUILD [FOLDER]     BUILD: where you ran `make`, or quickstart/build
#                                               FOLDER: for everything that it makes; default: a new one in /tmp
#                                               $PORT and the next one are the daemons'; default: 18700
set -eu
[ $# -ge 1 ] || { sed -n 's/^#   //p' "$0" && exit 64; }
sample=$(cd "$(dirname "$0")" && pwd)
build=$(cd "$1" && pwd)
[ -x "$build/signengined" ] || { echo "'$build/signengined' is not there: run \`make\` in '$build', with libmicrohttpd-dev" && exit 69; }
command -v haproxy >/dev/null || { echo "HAProxy is missing: apt-get install haproxy" && exit 69; }
postgresql=$(find /usr/lib/postgresql -name initdb 2>/dev/null | sort -V | tail -n 1)
[ "$postgresql" ] || { echo "PostgreSQL is missing: apt-get install postgresql" && exit 69; }
postgresql=$(dirname "$postgresql")
folder=${2-$(mktemp -d)}
port=${PORT-18700}
rm -rf "$folder"
mkdir -p "$folder"
chmod 755 "$folder" # started by root, the daemons and PostgreSQL become nobody
cd "$folder"
folder=$(pwd)
running=''
end_all() {
    for process in $running; do kill "$process" || :; done
    as_nobody "$postgresql/pg_ctl" -D database/data -m immediate stop
}
trap 'end_all >/dev/null 2>&1' EXIT
trap 'exit 130' HUP INT TERM

# shellcheck source=samples/show.sh
. "$sample/../show.sh"
signengine() { "$build/signengine" "$@"; }
as_nobody() {
    if [ "$(id -u)" = 0 ]; then
        setpriv --reuid=nobody --regid=nogroup --clear-groups "$@"
    else
        "$@"
    fi
}
give() { [ "$(id -u)" != 0 ] || chown -R nobody "$@"; }

make_tokens() {
    step "Keys: made once, in files, and imported into the tokens of both machines"
    export SIGNENGINE_CONFIG="$folder/engineSignEncrypt.xml"
    cp "$sample/engineSignEncrypt.xml" .
    (umask 077 && od -An -N4 -tu4 /dev/urandom | tr -d ' ' >pin)
    for key in signerV1 fieldsV1 historyV1; do
        show signengine key generate --file $key.p12 --pin-source file:pin --alias $key --type rsa:2048 --key-usage both --subject "/CN=Sample $key"
    done
    for host in a b; do
        mkdir -p $host/tokens $host/run
        printf 'directories.tokendir = %s/%s/tokens\nobjectstore.backend = file\nlog.level = ERROR\n' "$folder" $host >$host/softhsm2.conf
        export SOFTHSM2_CONF="$folder/$host/softhsm2.conf"
        show signengine key init signerV1 --so-pin-source file:pin
        for key in signerV1 fieldsV1 historyV1; do
            show signengine key import $key $key.p12 --password-source file:pin
        done
    done
    show signengine check --probe
    rm ./*.p12
}

make_history() {
    step "One history, in PostgreSQL"
    mkdir database
    give database
    as_nobody "$postgresql/initdb" -D database/data -A trust -U sample --no-sync >database.log
    as_nobody "$postgresql/pg_ctl" -D database/data -l database/log -w -o "-c listen_addresses= -k $folder/database" start >>database.log
    store="postgresql://sample@/postgres?host=$folder/database"
    show signengine history create --store "$store"
}

certify() { # NAME CA SUBJECT EXTENSION...
    name=$1 ca=$2 subject=$3
    shift 3
    printf '%s\n' keyUsage=critical,digitalSignature "$@" >extensions
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$name.key" -subj "$subject" -config /dev/null -out request 2>/dev/null
    openssl x509 -req -in request -CA "$ca.pem" -CAkey "$ca.key" -CAcreateserial -days 90 -extfile extensions -out "$name.pem" 2>/dev/null
}
make_certificates() {
    step "Certificates: daemons are known by the names of their machines, applications by theirs"
    for ca in server-ca client-ca; do
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout $ca.key -out $ca.pem -subj "/CN=Sample $ca" -days 90 \
            -config /dev/null -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign 2>/dev/null
    done
    for host in a b; do
        certify keys-$host server-ca /CN=keys-$host extendedKeyUsage=serverAuth subjectAltName=DNS:keys-$host.example.org
        show openssl x509 -in keys-$host.pem -noout -issuer -ext subjectAltName
    done
    for name in portal cards; do
        certify $name client-ca /O=Example/CN=$name extendedKeyUsage=clientAuth
        (umask 077 && cat "$name.pem" "$name.key" >both && mv both "$name.pem")
        show openssl x509 -in "$name.pem" -noout -issuer -subject
    done
}

settings() { # HOST PORT
    sed -e "s|/etc/signengine/keys-a|$folder/keys-$1|; s|/etc/signengine/|$folder/|; s|/run/signengine/|$folder/$1/run/|" \
        -e "s|/var/log/signengine/|$folder/$1/run/|; s|postgresql://[^ ]*|$store|; s|192.0.2.1:8700|127.0.0.1:$2|" "$sample/signengined.conf"
}
start_daemon() { # HOST: its process is in HOST/process
    echo "\$ SOFTHSM2_CONF=$1/softhsm2.conf $build/signengined --settings $1/signengined.conf &"
    SOFTHSM2_CONF="$folder/$1/softhsm2.conf" "$build/signengined" --settings "$folder/$1/signengined.conf" >>"$1/daemon.log" 2>&1 &
    echo $! >"$1/process"
    running="$running $!"
    until curl -s -f -o ready --unix-socket "$1/run/socket" http://signengine/health/ready; do
        kill -0 "$(cat "$1/process")" || { cat "$1/daemon.log" && exit 1; }
        sleep 0.1
    done
}
start_all() {
    step "A daemon on each machine, with the same engineSignEncrypt.xml"
    settings a "$port" >a/signengined.conf
    settings b $((port + 1)) >b/signengined.conf
    if [ "$(id -u)" = 0 ]; then
        sed -i 's/^user .*/user = nobody/' a/signengined.conf b/signengined.conf
    else
        sed -i '/^user /d' a/signengined.conf b/signengined.conf
    fi
    give a b pin keys-a.key keys-b.key
    show cat a/signengined.conf
    start_daemon a
    start_daemon b
    step "HAProxy, with a socket for each application"
    sed -e "s|/run/haproxy/|$folder/|; s|/etc/haproxy/signengine/|$folder/|; s|group [a-z]*|user $(id -un)|" \
        -e "s|192.0.2.1:8700|127.0.0.1:$port|; s|192.0.2.2:8700|127.0.0.1:$((port + 1))|" "$sample/haproxy.cfg" >haproxy.cfg
    show haproxy -c -f haproxy.cfg
    haproxy -db -f haproxy.cfg >haproxy.log 2>&1 &
    running="$running $!"
    until [ -S signengine-cards ]; do sleep 0.1; done
}

# as much of curl as every call needs
call() { # APPLICATION OPTION...
    socket=signengine-$1
    shift
    ${show-} curl --silent --show-error --fail --unix-socket "$socket" "$@"
}
octets='Content-Type: application/octet-stream'
json='Content-Type: application/json'
entry() { printf '{"entries":[{"object":"card/%s","payload":"b3JkZXJlZA=="}]}' "$1"; }

ask() {
    step "An application asks its socket, and does not know which daemon it gets"
    date >file
    show=show
    call portal -H "$octets" --data-binary @file -o file.p7s http://signengine/v1/descriptors/FileSigner/sign
    call portal -o signer.pem http://signengine/v1/descriptors/FileSigner/certificates
    show openssl cms -verify -binary -inform DER -in file.p7s -content file -CAfile signer.pem -purpose any -out /dev/null
    call cards -H "$json" -H 'Idempotency-Key: first' -d "$(entry first)" http://signengine/v1/histories/cards/entries
    echo
    show=''
    step "Each may what the row of its certificate allows"
    show curl --silent --unix-socket signengine-cards -H "$octets" --data-binary @file -o refused http://signengine/v1/descriptors/FileSigner/sign
    cat refused
    grep -q '"status":"forbidden"' refused
}

work() { # calls, one after the other, each tried once
    n=0
    while [ ! -e ended ]; do
        n=$((n + 1))
        call portal -H "$octets" -d "value $n" -o value http://signengine/v1/descriptors/EncryptedFields/encrypt 2>>failed || echo "encrypt $n" >>failed
        call portal -H "$octets" --data-binary @value -o back http://signengine/v1/descriptors/EncryptedFields/decrypt 2>>failed || echo "decrypt $n" >>failed
        [ "$(cat back)" = "value $n" ] || echo "wrong $n" >>failed
        call cards -H "$json" -H "Idempotency-Key: call-$n" -d "$(entry $n)" -o appended http://signengine/v1/histories/cards/entries 2>>failed || echo "append $n" >>failed
        echo $n >>calls
    done
}
go_on() { # some more calls are done
    wanted=$(($(wc -l <calls) + 5))
    until [ "$(wc -l <calls)" -gt "$wanted" ]; do sleep 0.1; done
}
end_daemon() { # HOST SIGNAL
    show kill "-$2" "$(cat "$1/process")"
    wait "$(cat "$1/process")" || :
}
kill_daemons() {
    : >calls
    : >failed
    work &
    working=$!
    running="$running $working"
    for how in KILL TERM; do
        step "Each daemon gets SIG$how, while calls go on, and is started again"
        for host in a b; do
            end_daemon $host $how 2>/dev/null
            go_on
            start_daemon $host
            go_on
        done
    done
    : >ended
    wait "$working"
    echo "$(($(wc -l <calls) * 3)) calls, $(wc -l <failed) failed"
    cat failed
    [ ! -s failed ]
    show signengine history verify --store "$store"
    [ "$(signengine history show --store "$store" --json | wc -l)" = "$(($(wc -l <calls) + 1))" ]
    echo "each call's entry is there, once"
}

make_tokens
make_history
make_certificates
start_all
ask
kill_daemons
step "Done"
echo "Everything is in $folder. Delete it when you have seen enough."
