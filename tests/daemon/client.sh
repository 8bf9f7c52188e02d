#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The command with --socket: it does the same as with the configuration, by way of a signengined, and has neither configuration nor PIN.
. "${top_srcdir:?}/tests/lib/harness.sh"
. "$top_srcdir/tests/daemon/daemon-lib.sh"
needs zip
[ -e "${top_builddir:?}/signengine-mail" ] || skip "signengine-mail was not built"

# ---- a daemon with everything, and a copy of its configuration for the same jobs here ----
make_ca ca
make_cert one ec:P-256 subjectAltName=email:alice@example.org keyUsage=critical,digitalSignature extendedKeyUsage=emailProtection
make_cert sign rsa:2048 keyUsage=critical,digitalSignature
make_cert fields rsa:2048 keyUsage=critical,keyEncipherment
for name in one sign fields; do cat $name.key $name.pem ca.pem >$name.bundle; done
mkdir -p run
cat >engine.xml <<XML
<engineSignEncrypt>
  <descriptors>
    <descriptor name='FileSigner'><type algorithm='SHA-256' key='sign'/></descriptor>
    <descriptor name='LongSigner'><type algorithm='SHA384withRSA' key='sign'/></descriptor>
    <descriptor name='ConfigZipSigner'><type algorithm='SHA-256' key='sign'/></descriptor>
    <descriptor name='ConfigZipEncrypter'><type algorithm='AES/GCM/NoPadding' asymCipher='RSA/ECB/OAEPWithSHA-384AndMGF1Padding' key='fields'/></descriptor>
    <descriptor name='EncryptedFields'><type algorithm='AES/GCM/NoPadding' asymCipher='RSA/ECB/OAEPWithSHA-384AndMGF1Padding' key='fields'/></descriptor>
    <descriptor name='SignEmailDescriptor'><type algorithm='SHA256withECDSA' key='one'/></descriptor>
    <descriptor name='ObjectHistorySigner'><type algorithm='SHA-256' key='one'/></descriptor>
    <descriptor name='Api' version='1'><type algorithm='RS256' key='sign'/></descriptor>
    <descriptor name='Api' version='2'><type algorithm='ES256' key='one'/></descriptor>
    <descriptor name='Secret'><type algorithm='SHA-256' key='sign'/></descriptor>
  </descriptors>
  <keys>
    <key name='one'><type name='pem' locationValue='one.bundle'/></key>
    <key name='sign'><type name='pem' locationValue='sign.bundle'/></key>
    <key name='fields'><type name='pem' locationValue='fields.bundle'/></key>
  </keys>
  <access>
    <allow name='all' operations='sign verify encrypt decrypt rekey zip-sign zip-verify zip-encrypt zip-decrypt mail-sign mail-verify certificates'>
      <user name='root'/> <certificate subject='CN=portal'/>
      <descriptor name='FileSigner'/> <descriptor name='LongSigner'/> <descriptor name='ConfigZipSigner'/> <descriptor name='Api'/>
      <descriptor name='ConfigZipEncrypter'/> <descriptor name='EncryptedFields'/> <descriptor name='SignEmailDescriptor'/>
    </allow>
    <allow name='cards' operations='history-append history-read'> <user name='root'/> <history name='cards'/> </allow>
    <allow name='keys' operations='check'> <user name='root'/> </allow>
    <allow name='few' operations='sign' perMinute='1'> <user name='daemon'/> <descriptor name='FileSigner'/> </allow>
  </access>
</engineSignEncrypt>
XML
chown nobody run ./*.bundle
chmod 600 ./*.bundle
with_configuration() { signengine -c "$tmp/engine.xml" "$@"; }
with_configuration history create --store sqlite:run/cards.db
chown nobody run/*
daemon_settings "history cards = sqlite:$tmp/run/cards.db default ObjectHistorySigner" "spool = $tmp/run" "spool-body = 16M"
start_daemon "$top_builddir/signengined"
socket=$tmp/run/socket
export SIGNENGINE_CONFIG="$tmp/there-is-none.xml"

over_socket() { signengine --socket "$socket" "$@"; }
# both STATUS ARGUMENT...: the same command line ends with the same status with the configuration and over the socket
both() {
    wanted=$1
    shift
    for how in with_configuration over_socket; do
        if [ "$wanted" = 0 ]; then accepts $how "$@"; else refuses "$wanted" $how "$@"; fi
    done
}

# ---- signatures ----
echo content >file
head -c 3000000 /dev/urandom >large
try_form() { # DESCRIPTOR FILE [OPTION]
    descriptor=$1 name=$2
    shift 2
    accepts over_socket sign -d "$descriptor" "$@" "$name" -o signature
    case ${1-} in
    --attached) both 0 verify -d "$descriptor" signature -o covered && same covered "$name" ;;
    --raw) both 0 verify -d "$descriptor" --raw "$name" --signature signature ;;
    *) both 0 verify -d "$descriptor" "$name" --signature signature && says 'good signature' ;;
    esac
}
try_form FileSigner file
try_form LongSigner large
try_form FileSigner large --attached
try_form LongSigner file --attached
try_form FileSigner file --pem
try_form FileSigner large --raw
try_form LongSigner large --raw
try_form LongSigner file --raw
both 1 verify -d FileSigner --raw file --signature signature
accepts over_socket sign -d FileSigner large
both 0 verify -d FileSigner large # large.p7s beside it, though it is too large to be asked whether it is a signature
both 1 verify -d FileSigner file --signature large.p7s
both 1 verify -d LongSigner large --signature large.p7s
both 65 verify -d FileSigner file --signature file
both 78 sign -d FileSigner:7 file -o never
# RSA signatures of one content are equal
both 0 sign -d FileSigner --raw file -o raw.sig
with_configuration sign -d FileSigner --raw large -o here.sig
accepts over_socket sign -d FileSigner --raw large -o there.sig
same here.sig there.sig
digest=$(sha256sum <large | cut -c1-64)
accepts over_socket sign -d FileSigner --raw --digest "$digest" -o there.sig
same here.sig there.sig
both 0 verify -d FileSigner --raw --digest "$digest" --signature there.sig
both 64 sign -d FileSigner --raw --digest 00 -o never
pipe_through() { over_socket "$@" <large; }
accepts pipe_through sign -d FileSigner --raw
same "$out" here.sig
# JWS and JWT
printf '\000\377 any bytes' >bytes
for options in '' --flattened --general --certificates '--type order --key-id k'; do
    case $options in --type*) asked=$options ;; *) asked='' ;; esac
    # shellcheck disable=SC2086 # several options, or none
    {
        accepts over_socket jws sign -d Api $options bytes -o made.jws
        both 0 jws verify -d Api $asked made.jws -o covered
    }
    same covered bytes
done
both 1 jws verify -d Api made.jws # its kid is none of ours
both 1 jws verify -d Api --type invoice --key-id k made.jws
for options in --detached '--detached --unencoded --general'; do
    # shellcheck disable=SC2086 # several options
    accepts over_socket jws sign -d Api:1 $options bytes -o beside.jws
    both 0 jws verify -d Api --payload bytes beside.jws
    says 'version    1'
    both 1 jws verify -d Api --payload file beside.jws
done
both 0 jws sign -d Api:1 bytes -o rsa.jws # of RSA, both make the same
with_configuration jws sign -d Api:1 bytes -o here.jws
same rsa.jws here.jws
both 65 jws verify -d Api bytes
both 78 jws sign -d Api:7 bytes -o never
accepts over_socket --json jws verify -d Api rsa.jws
says '"verdict":"good","version":1,"algorithm":"RS256","signer":"CN=sign"'
says '"revocation":{"status":"unchecked"}'
printf '{ "amount": 1.10, "list": [1e3] }' >claims
both 0 jwt sign -d Api --expires 10m --issuer me --subject 4711 --audience api --not-before @1000 --id claims -o token
both 0 jwt verify -d Api --issuer me --subject 4711 --audience api token
says '{ "amount": 1.10, "list": [1e3] ,"iss":"me","sub":"4711","aud":"api","exp":'
says '"nbf":1000'
both 1 jwt verify -d Api --issuer you --audience api token
both 1 jwt verify -d Api token
both 0 jwt sign -d Api --no-expiry --type at+jwt -o endless
both 0 jwt verify -d Api --no-expiry --type at+jwt --leeway 5 endless
both 1 jwt verify -d Api --no-expiry endless
both 64 jwt sign -d Api claims
printf '{"exp":1}' >exp
both 0 jwt sign -d Api exp -o ended
both 1 jwt verify -d Api ended
now=$(date +%s)
printf '{"exp":%s}' $((now - 3)) >exp
both 0 jwt sign -d Api exp -o late
both 0 jwt verify -d Api --leeway 3600 late
says 'of the leeway of 3600 s'
accepts over_socket --json jwt verify -d Api --leeway 3600 late
says '"claims":{"exp":'
# what is not served says so, and what to do
for options in '--time @1' '--crl ca.pem' --require-revocation-check; do
    # shellcheck disable=SC2086 # several words
    refuses 64 over_socket jws verify -d Api $options rsa.jws
    says "option '${options%% *}' is not served over a socket; run it where the configuration is"
done
refuses 64 over_socket jws sign -d Api --header a=b bytes
says "option '--header' is not served over a socket"
refuses 64 over_socket jwt verify -d Api --time @1 token
refuses 64 over_socket jwt verify -d Api --audience a --audience api token
says 'several audiences: not served over a socket; run it where the configuration is'
refuses 64 over_socket jwt sign -d Api --no-expiry --audience a --audience b -o never
says 'several audiences: not served'
refuses 64 over_socket key jwks -d Api
says 'it is not served over a socket'
echo '<a><b Id="x">1</b></a>' >a.xml
both 0 sign --xml -d FileSigner a.xml -o signed.xml
both 0 verify --xml -d FileSigner signed.xml -o covered
both 0 sign --xml --id x -d FileSigner a.xml -o signed.xml
both 0 verify --xml --id x -d FileSigner signed.xml
both 0 sign --xml --detached -d FileSigner large -o large.sig.xml
both 0 verify --xml -d FileSigner large --signature large.sig.xml
both 1 verify --xml -d FileSigner file --signature large.sig.xml
accepts over_socket --json verify -d FileSigner large
says '"verdict":"good"'
says '"signer":"CN=sign"'
accepts openssl cms -verify -binary -inform DER -in large.p7s -content large -CAfile ca.pem -purpose any -out /dev/null

for how in with_configuration over_socket; do
    accepts $how certificates -d FileSigner -o certificates.$how
done
same certificates.with_configuration certificates.over_socket
accepts openssl verify -CAfile ca.pem certificates.over_socket
both 78 certificates -d EncryptedFields

# ---- encrypted values ----
printf '055433' >pin
for one in with_configuration over_socket; do
    for other in with_configuration over_socket; do
        accepts $one encrypt --context table=person --context row=7 pin -o value
        accepts $other decrypt --context table=person --context row=7 value -o plain
        same plain pin
        refuses 1 $other decrypt --context table=person --context row=8 value
    done
done
accepts over_socket encrypt --binary pin -o value
accepts with_configuration decrypt value -o plain
same plain pin
both 65 decrypt pin
seq 1 2500 | sed 's/.*/row&\tvalue & of "many"/' >lines
accepts over_socket encrypt --lines --key-column row lines -o values
accepts with_configuration decrypt --lines --key-column row values -o plain
same plain lines
accepts over_socket decrypt --lines --key-column row values -o plain
same plain lines
sed '1700s/.\{20\}$/AAAAAAAAAAAAAAAAAAA=/; 12s/.*/no tab/' values >bad
both 65 decrypt --lines --key-column row bad -o never
says 'line 12: there is no TAB'
for how in with_configuration over_socket; do
    refuses 1 $how decrypt --lines --key-column row --rejects rejects.$how bad -o plain.$how
    refuses 1 $how rekey --lines --key-column row --rejects rekey.$how bad -o rekeyed.$how
done
cases=$((cases + 1)) bad=''
same plain.with_configuration plain.over_socket
same rejects.with_configuration rejects.over_socket
same rekey.with_configuration rekey.over_socket
same rekeyed.with_configuration rekeyed.over_socket

# ---- zips and mail ----
zip -qX a.zip file pin
both 65 zip sign file -o never.zip
accepts over_socket zip sign a.zip -o signed.zip
both 0 zip verify signed.zip
says 'good, 2 entries signed'
accepts over_socket --json zip verify --list signed.zip
says '{"entry":"file","size":8,"state":"signed","good":true}'
both 1 zip verify a.zip
make_tsa
serve authority
accepts with_configuration zip sign --tsa "$tsa_url/made?accuracy=020101" a.zip -o stamped.zip
both 0 zip verify stamped.zip
says ' UTC ±1 s by CN=tsa'
both 0 --json zip verify stamped.zip
says '"accuracyMicroseconds":1000000,"authority":"CN=tsa"}'
stop_servers
accepts over_socket zip sign --encrypt --context card=1 a.zip -o signed.nx02
both 0 zip verify --context card=1 signed.nx02 -o out.zip
both 1 zip decrypt --context card=2 signed.nx02 -o never.zip
for one in with_configuration over_socket; do
    accepts $one zip encrypt large -o large.nx02
    accepts over_socket zip decrypt large.nx02 -o plain
    same plain large
done
printf 'From: alice@example.org\nSubject: x\n\nHello\n' >plain.eml
accepts over_socket mail sign plain.eml -o signed.eml
both 0 mail verify signed.eml
says 'alice@example.org'
accepts over_socket --json mail sign signed.eml -o again.eml
says '"result":"passed"'
sed 's/Hello/Hallo/' signed.eml >changed.eml
both 1 mail verify changed.eml
printf 'From: bob@example.org\n\nHello\n' >bob.eml
both 78 mail sign bob.eml -o never.eml

# ---- the history ----
append() { echo "$1" | over_socket history append --chain cards --object card/1 "--idempotency-key=$2"; }
accepts append ordered key-1
says 1
says_not repeated
accepts append ordered key-1
says '1 (repeated)'
refuses 64 append other key-1
seq 1 9000 | sed 's/.*/card\/&\tmade/' >cards
accepts over_socket history append --chain cards --lines --idempotency-key lines-1 cards
says '2-9001'
accepts over_socket history append --chain cards --lines --idempotency-key lines-1 cards
says '2-9001 (repeated)'
accepts over_socket --verbose history append --chain cards --object o file
says 'the idempotency key is '
accepts over_socket history head --chain cards
cp "$out" head.there
accepts over_socket history show --chain cards --first 1 --last 3
cp "$out" shown.there
accepts over_socket --json history show --chain cards --first 2 --last 2
says '"object":"card/1","payload":"made"'
refuses 64 over_socket history show --chain cards
says '--first and --last are needed'
refuses 64 over_socket history show --chain cards --object card/1 --first 1 --last 1
accepts over_socket history prove --chain cards 3 -o proof
accepts signengine history verify-proof proof
says 'card/2'
refuses 64 over_socket history prove --chain cards 99999
stop_daemon
accepts with_configuration history head --store sqlite:run/cards.db
same "$out" head.there
accepts with_configuration history show --store sqlite:run/cards.db --first 1 --last 3
same "$out" shown.there
accepts with_configuration history verify --store sqlite:run/cards.db
says '9002 entries'
refuses 69 append later key-2
says "there is no socket '$socket': is signengined running"

# ---- who may not, and what is not served ----
start_daemon "$top_builddir/signengined"
# the build folder may be in a home, which is for nobody else
setup cp "${top_builddir:?}/signengine" program
as_daemon() { as daemon env LC_ALL=C "$tmp/program" --socket "$socket" --timeout 3 "$@"; }
refuses 77 over_socket sign -d Secret file -o never
says 'the service does not allow it: no row of its <access> does'
refuses 77 over_socket sign -d NoSuchSigner file -o never
says '(request '
cases=$((cases + 1)) bad=''
[ ! -e never ] || fail 'a refused command has made a file'
accepts as_daemon sign -d FileSigner --raw - <file
refuses 69 as_daemon sign -d FileSigner --raw - <file
says '--timeout, 3 s, does not wait'
chmod 600 "$socket"
refuses 77 as_daemon sign -d FileSigner --raw - <file
says 'no permission to connect'
chmod 666 "$socket"
accepts over_socket check
says 'FileSigner:1'
says_not ACCESS
accepts over_socket --json check --probe
says '"verdict":"ok"'
says '"findings":[{"level":"date","kind":"certificate","subject":"descriptor FileSigner:1","date":"2120-01-01T00:00:00Z","text":"the certificate expires in '
accepts over_socket check --metrics check.prom
grep -q '^signengine_check_end_timestamp_seconds{kind="certificate",subject="descriptor FileSigner:1"} 4733510400$' check.prom || fail "$(cat check.prom)"
accepts over_socket --tag batch-7 encrypt pin
cases=$((cases + 1)) bad=''
grep -q '"tag":"batch-7"' run/audit.log || fail 'the audit lacks the tag'
head -c 20000000 /dev/zero >huge
refuses 64 over_socket zip encrypt huge -o never
says 'the body has 20000000 bytes; up to 16777216 are taken'
accepts over_socket sign -d FileSigner huge
accepts over_socket verify -d FileSigner huge
refuses 64 over_socket sign -d FileSigner --time 2026-01-01 file
says "option '--time' is not served over a socket; run it where the configuration is"
refuses 64 over_socket verify -d FileSigner file --trust ca.pem
refuses 64 over_socket zip sign --tsa http://x a.zip
refuses 64 over_socket sign -d FileSigner --tsa http://x file
says "option '--tsa' is not served over a socket"
refuses 64 over_socket mail sign --tsa http://x plain.eml -o never.eml
refuses 64 over_socket --audit journal sign -d FileSigner file
refuses 64 over_socket key list
says 'key list: it is not served over a socket; run it where the configuration is'
refuses 64 over_socket history append --chain cards --store sqlite:x file
says "option '--store' is not served"
refuses 64 over_socket -c engine.xml sign -d FileSigner file
says '--config and --socket together'
refuses 64 signengine -c engine.xml --tag x sign -d FileSigner file
says "option '--tag' needs --socket"
refuses 64 over_socket --ca ca.pem sign -d FileSigner file
refuses 64 signengine --socket http://x:1 sign -d FileSigner file
says "'http://x:1' is neither the path of a socket nor https://HOST:PORT"
refuses 64 signengine --socket "$(printf '%0120d' 1)" sign -d FileSigner file
# the environment names it too, and both environments say which
by_environment() { SIGNENGINE_SOCKET=unix:$socket SIGNENGINE_CONFIG=$environment signengine "$@"; }
environment=''
accepts by_environment sign -d FileSigner --raw - <file
accepts by_environment -c engine.xml sign -d Secret --raw - <file
refuses 64 by_environment --audit journal sign -d FileSigner file
accepts by_environment history verify-proof proof
environment=$tmp/engine.xml
refuses 64 by_environment sign -d FileSigner file
says 'SIGNENGINE_SOCKET and SIGNENGINE_CONFIG are both set'

# ---- TLS ----
make_cert server ec:P-256 keyUsage=critical,digitalSignature extendedKeyUsage=serverAuth subjectAltName=IP:127.0.0.1
make_ca clients
make_cert portal rsa:2048 issuer=clients keyUsage=critical,digitalSignature extendedKeyUsage=clientAuth
make_cert stranger ec:P-256 issuer=ca keyUsage=critical,digitalSignature extendedKeyUsage=clientAuth
setup openssl pkcs8 -topk8 -in portal.key -passout pass:secret -out locked.key
stop_daemon
cp server.pem server.key clients.pem run/
chmod 600 run/server.key
chown nobody run/server.key
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
daemon_settings "tls = 127.0.0.1:$port" "certificate = $tmp/run/server.pem" "key = $tmp/run/server.key" "client-ca = $tmp/run/clients.pem"
start_daemon "$top_builddir/signengined"
over_tls() { signengine --socket "https://127.0.0.1:$port" "$@"; }
accepts over_tls --ca ca.pem --client-certificate portal.pem --client-key portal.key sign -d FileSigner large -o large.tls
accepts with_configuration verify -d FileSigner large --signature large.tls
export PORTAL_PIN=secret
accepts over_tls --ca ca.pem --client-certificate portal.pem --client-key locked.key --client-key-pin env:PORTAL_PIN sign -d FileSigner --raw - <file
refuses 78 over_tls --ca ca.pem --client-certificate portal.pem --client-key locked.key sign -d FileSigner file -o never
says "the client's certificate or key can't be used"
refuses 77 over_tls --ca ca.pem sign -d FileSigner file -o never
says 'does not accept who has no --client-certificate'
refuses 77 over_tls --ca ca.pem --client-certificate stranger.pem --client-key stranger.key sign -d FileSigner file -o never
refuses 69 over_tls --client-certificate portal.pem --client-key portal.key sign -d FileSigner file -o never
says '--ca names the certificates that are trusted'
refuses 77 over_tls --ca ca.pem --client-certificate portal.pem --client-key portal.key sign -d Secret file -o never

# ---- killed, and asked again ----
stop_daemon KILL 137
refuses 69 over_socket sign -d FileSigner file -o never
says "nobody listens on '$socket': signengined is not running"

# ---- a service that puts off, closes, or is none ----
fake() { # ACT...
    python3 client.py "$tmp/fake" "$@" >asked.log &
    others=$!
    until_true test -S fake
}
asked() { # TIMES
    wait "$others"
    rm -f fake
    [ "$(grep -c '^POST' asked.log)" = "$1" ] || fail "asked $(grep -c '^POST' asked.log) times, not $1"
}
sign_raw() { signengine --socket "$tmp/fake" "$@" sign -d F --raw - <file; }
fake later:1 later:1 ok
accepts sign_raw --verbose
says 'signature'
says 'the queue is full (request abc); asking again in 1.0 s'
asked 3
fake close head ok
accepts sign_raw
asked 3
fake later:60
refuses 69 sign_raw
says 'it may be asked again in 60 s, which --timeout, 30 s, does not wait for'
asked 1
fake foreign
refuses 69 sign_raw
says 'status 502 of HTTP, and nothing that signengined says'
asked 1
