#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# samples/clients: each is asked what clients.table has, and answers that; openssl and the command judge what it makes, and the next client
# verifies and decrypts it. Kept connections outlive a daemon, Retry-After is obeyed, and a service that is away is a failure of its own.
. "${top_srcdir:?}/tests/lib/harness.sh"
. "$top_srcdir/tests/daemon/daemon-lib.sh"
table=$top_srcdir/tests/daemon/clients.table
name='Ä/ö %41+&?#'
octets='Content-Type: application/octet-stream'

# ---- a daemon ----
make_ca ca
make_key one ec:P-256
setup openssl req -x509 -new -utf8 -key one.key -CA ca.pem -CAkey ca.key -subj '/O=A&B (x)/CN=Größe "4"' -days 36500 -out one.pem -config /dev/null \
    -addext basicConstraints=critical,CA:FALSE -addext keyUsage=critical,digitalSignature
make_cert fields rsa:2048 keyUsage=critical,keyEncipherment
make_cert sealer ec:P-256 keyUsage=critical,digitalSignature
for key in one fields sealer; do cat $key.key $key.pem ca.pem >$key.bundle; done
mkdir -p run made
cat >engine.xml <<XML
<engineSignEncrypt>
  <descriptors>
    <descriptor name='FileSigner'><type algorithm='SHA-256' key='one'/></descriptor>
    <descriptor name='$(echo "$name" | sed 's/&/\&amp;/')'><type algorithm='SHA-256' key='one'/></descriptor>
    <descriptor name='Other'><type algorithm='SHA-256' key='one'/></descriptor>
    <descriptor name='Sealer'><type algorithm='SHA-256' key='sealer'/></descriptor>
    <descriptor name='Fields'><type algorithm='AES/GCM/NoPadding' size='256' key='fields' asymCipher='RSA/ECB/OAEPWithSHA-256AndMGF1Padding'/></descriptor>
    <descriptor name='Few'><type algorithm='AES/GCM/NoPadding' size='256' key='fields' asymCipher='RSA/ECB/OAEPWithSHA-256AndMGF1Padding'/></descriptor>
  </descriptors>
  <keys>
    <key name='one'><type name='pem' locationValue='one.bundle'/></key>
    <key name='fields'><type name='pem' locationValue='fields.bundle'/></key>
    <key name='sealer'><type name='pem' locationValue='sealer.bundle'/></key>
  </keys>
  <access>
    <allow name='portal' operations='sign verify encrypt decrypt'>
      <user name='daemon'/>
      <descriptor name='FileSigner'/> <descriptor name='$(echo "$name" | sed 's/&/\&amp;/')'/> <descriptor name='Fields'/>
    </allow>
    <allow name='few' operations='encrypt' perMinute='1'><user name='daemon'/> <descriptor name='Few'/></allow>
    <allow name='cards' operations='history-append'><user name='daemon'/> <history name='cards'/></allow>
    <allow name='monitoring' operations='monitor'><user name='sys'/></allow>
  </access>
</engineSignEncrypt>
XML
export SIGNENGINE_CONFIG="$tmp/engine.xml"
setup signengine history create --store "sqlite:$tmp/run/cards.db" -d Sealer
chown nobody run run/* ./*.bundle
daemon_settings 'body = 64k' 'spool-body = 64k' "audit = journal:$tmp/run/journal required" "history cards = sqlite:$tmp/run/cards.db default Sealer"
start_journal() {
    rm -f run/journal
    python3 journal.py run/journal journal.log &
    journal=$!
    others="$others $journal"
    until_true test -S run/journal
}
start_journal
start_daemon "${top_builddir:?}/signengined"

# ---- what the table asks for ----
printf 'Grüße\n' >content
printf 'Gruesse\n' >changed
: >empty
head -c 20000 /dev/urandom >binary
head -c 100000 /dev/zero >large
head -c 3000000 /dev/zero >huge
for file in content empty binary; do setup signengine sign -d FileSigner -o $file.p7s $file; done
encrypt() { printf %s "$2" | signengine encrypt -d Fields --context table=person --context "row=$1"; }
value=$(encrypt 7 055433)
odd_value=$(encrypt 'a"b\c🔑' 'Größe "\" 🔑')

# ---- the clients ----
cp "$top_srcdir"/samples/clients/* .
clients='' asked=0 ending=''
start_client() { # NAME CMD...
    name_of_client=$1
    shift
    mkfifo "$name_of_client.in"
    as daemon "$@" "$tmp/run/socket" 50 <"$name_of_client.in" >"$name_of_client.out" 2>"$name_of_client.err" &
    others="$others $!" ending="$ending $!"
    # the way in stays open
    sleep 3600 >"$name_of_client.in" &
    others="$others $!" holders="${holders-} $!"
    clients="$clients $name_of_client"
}
leave_out() { echo "left out: $*"; }
if command -v javac >/dev/null; then
    setup javac -Xlint:all -Werror -d . Signengine.java
    start_client java java -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -cp . Signengine
else
    leave_out 'Java: default-jdk-headless is not installed'
fi
start_client python python3 signengine.py
if command -v node >/dev/null; then start_client node node signengine.mjs; else leave_out 'Node: nodejs is not installed'; fi
# shellcheck disable=SC2046,SC2086 # words
if pkg-config --exists libcurl jansson; then
    accepts ${CC:-cc} -Wall -Wextra -Werror -o signengine-client signengine-client.c $(pkg-config --cflags --libs libcurl jansson)
    start_client c ./signengine-client
else
    leave_out 'C: libcurl4-openssl-dev and libjansson-dev are not installed'
fi
if command -v jq >/dev/null; then start_client shell sh signengine.sh; else leave_out 'the shell: jq is not installed'; fi

# ask_client NAME TABLE: the calls of the table
ask_client() {
    python3 clients.py calls "$2" "CLIENT=$1" "NAME=$name" "VALUE=$value" "ODD_VALUE=$odd_value" >"$1.in"
}
# have_answered COUNT: so many more than before
have_answered() {
    asked=$((asked + $1))
    for client in $clients; do
        for _ in $(seq 1 600); do
            [ "$(wc -l <"$client.out")" -lt "$asked" ] || break
            sleep 0.1
        done
        [ ! -s "$client.err" ] || { fail "$client: $(head -n 20 "$client.err")" && exit 1; }
    done
}
calls_of() { grep -c '^= ' "$1"; }
as_the_table() { # TABLE: a case for each client
    for client in $clients; do accepts python3 clients.py compare "${1:-$client.table}" "$client.out"; done
}

# ---- the table ----
for client in $clients; do ask_client "$client" "$table"; done
have_answered "$(calls_of "$table")"
as_the_table "$table"

# ---- what they made ----
for client in $clients; do
    python3 clients.py made "$table" "$client.out" "made/$client" "NAME=$name" "VALUE=$value" "ODD_VALUE=$odd_value" >"made/$client.table"
done
openssl x509 -in one.pem -noout -pubkey >one.pub
for made in made/*.p7s; do
    accepts openssl cms -verify -binary -inform DER -in "$made" -content "$(cat "${made%.p7s}.file")" -CAfile ca.pem -purpose any -out /dev/null
done
for made in made/*.raw; do
    accepts openssl dgst -sha256 -verify one.pub -signature "$made" "$(cat "${made%.raw}.file")"
done
for made in made/*.value; do
    accepts signengine decrypt -d Fields --context table=person --context "row=$(cat "${made%.value}.row")" <"$made"
    same "$out" "${made%.value}.text"
done
# each has the next one's
previous=$(echo "$clients" | sed 's/.* //')
for client in $clients; do
    cp "made/$previous.table" "$client.table"
    ask_client "$client" "$client.table"
    previous=$client
done
have_answered "$(calls_of "$client.table")"
as_the_table ''

# ---- the daemon is started again: connections that were kept are closed ----
connections() { as sys curl -sf --unix-socket run/socket http://x/metrics | sed -n 's/^signengine_connections{listener="unix"} //p'; }
cases=$((cases + 1)) bad=''
# one of them is that of this question; curl keeps none
[ "$(connections)" -gt "$(echo "$clients" | sed 's/ shell//' | wc -w)" ] || fail "they keep no connections: there are $(connections)"
stop_daemon
start_daemon "$top_builddir/signengined"
printf 'sign\tFileSigner\tcontent\n= ok\t.+\nappend\tcards\tkey-@CLIENT@\tcard/@CLIENT@\tordered ✓\n= ok\t[0-9]+\t1\ttrue\n' >again.table
for client in $clients; do ask_client "$client" again.table; done
have_answered 2
as_the_table again.table

# ---- 503 with Retry-After: they wait so long, and no longer ----
unavailable() { as sys curl -sf --unix-socket run/socket http://x/metrics | sed -n 's/^signengine_requests_total{code="503"} //p'; }
# so that one of them was refused four times at least, which takes three seconds if it obeys
often_enough() { [ "$(unavailable)" -gt $(($(echo "$clients" | wc -w) * 3)) ]; }
kill "$journal"
wait "$journal" 2>/dev/null || :
began=$(date +%s%N)
printf 'sign\tFileSigner\tcontent\n= ok\t.+\n' >later.table
for client in $clients; do ask_client "$client" later.table; done
until_true often_enough
cases=$((cases + 1)) bad=''
[ $((($(date +%s%N) - began) / 1000000)) -ge 3000 ] || fail "they ask again too early: $(unavailable) times in $((($(date +%s%N) - began) / 1000000)) ms"
start_journal
have_answered 1
as_the_table later.table

# ---- nobody is there ----
stop_daemon
printf 'sign\tFileSigner\tcontent\n= failed\tunavailable\t0\t-\tno answer: .+\n' >away.table
for client in $clients; do ask_client "$client" away.table; done
have_answered 1
as_the_table away.table

# shellcheck disable=SC2086 # process IDs
kill $holders
for process in $ending; do accepts wait "$process"; done
