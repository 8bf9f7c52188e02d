# SPDX-License-Identifier: Apache-2.0
# TLS: who gets in, who does not get as far as a request, and what each may do there and on the socket.
. "${top_srcdir:?}/tests/lib/harness.sh"
. "${top_srcdir:?}/tests/daemon/daemon-lib.sh"
signature=keyUsage=critical,digitalSignature
client=extendedKeyUsage=clientAuth
authority='basicConstraints=critical,CA:TRUE keyUsage=critical,keyCertSign,cRLSign'
names() { # BYTES: a subjectAltName with one DNS name, written in Python
    python3 -c 'import sys; n = eval(sys.argv[1]); n = bytes([0x82, len(n)]) + n; print("DER:" + (bytes([0x30, len(n)]) + n).hex(":"))' "$1"
}
fingerprint() { openssl x509 -in "$1.pem" -noout -fingerprint -sha256 | sed 's/.*=//; s/://g' | tr A-F a-f; }

# ---- certificates ----
daemon_configuration
make_ca clients
make_ca others
host=127.0.0.1
server_cert() { make_cert server ec:P-256 issuer=ca $signature extendedKeyUsage=serverAuth subjectAltName=IP:127.0.0.1,IP:::1; }
server_cert
# shellcheck disable=SC2086 # words
make_cert inner ec:P-256 issuer=clients $authority
made() { # NAME KIND WORD...: by the CA of clients
    made=$1 made_kind=$2
    shift 2
    make_cert "$made" "$made_kind" issuer=clients "$@"
}
made dns ec:P-256 $signature $client subjectAltName=DNS:app1.example.test
made subject rsa:2048 $signature subject=/O=Example/CN=two
made print ec:P-384 $signature
made uri ec:P-256 $signature $client subjectAltName=URI:spiffe://example.test/cards
made mail ec:P-256 $signature subjectAltName=email:ops@example.test
made ip ec:P-256 $signature subjectAltName=IP:192.0.2.7
made unknown ec:P-256 $signature
# names that are almost those of a row
made common ec:P-256 $signature subject=/CN=app1.example.test
made nul ec:P-256 $signature "subjectAltName=$(names 'b"app1.example.test\0.other.test"')"
made dots ec:P-256 $signature "subjectAltName=$(names 'b"../app1.example.test"')"
made wild ec:P-256 $signature 'subjectAltName=DNS:*.example.test'
made longer ec:P-256 $signature subjectAltName=DNS:app1.example.test.other.test
made scheme ec:P-256 $signature subjectAltName=DNS:spiffe://example.test/cards
make_cert inside ec:P-256 issuer=inner $signature subject=/CN=inside
cat inside.pem inner.pem >inside.chain
# strangers
make_cert foreign ec:P-256 issuer=others $signature subjectAltName=DNS:app1.example.test
made expired ec:P-256 $signature until=20210101000000Z
made early ec:P-256 $signature from=21000101000000Z
made serving ec:P-256 $signature extendedKeyUsage=serverAuth
made wrapping rsa:2048 keyUsage=critical,keyEncipherment
made agreeing ec:P-256 keyUsage=critical,keyAgreement
make_cert alone ec:P-256 issuer=self $signature subjectAltName=DNS:app1.example.test
made revoked ec:P-256 $signature subjectAltName=DNS:app1.example.test
made signing ec:P-256 basicConstraints=critical,CA:TRUE keyUsage=critical,digitalSignature,keyCertSign
made small rsa:1024 $signature
make_cert signed ec:P-256 issuer=dns $signature
cat signed.pem dns.pem >signed.chain
setup openssl req -x509 -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout rogue.key -subj '/CN=Test CA clients' -days 9 \
    -out rogue.pem -config /dev/null -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign
make_cert forged ec:P-256 issuer=rogue $signature subjectAltName=DNS:app1.example.test
cat forged.pem rogue.pem >forged.chain
setup openssl req -new -key dns.key -subj /CN=old -config /dev/null -out old.csr
setup openssl x509 -req -sha1 -in old.csr -CA clients.pem -CAkey clients.key -CAcreateserial -days 99 -out old.pem
cp dns.key old.key

issue_crl inner.crl inner number=
issue_crl clients.crl clients number= revoked=20200101000000Z
cat clients.crl inner.crl >all.crl
certificate_files() {
    cp server.pem run/server.pem
    cp server.key run/server.key
    chmod 600 run/server.key
    chown nobody run/server.key
}
certificate_files

cat >engine.xml <<-XML
	<engineSignEncrypt>
	  <descriptors>
	    <descriptor name='FileSigner' version='1'><type algorithm='SHA-256' key='one'/></descriptor>
	    <descriptor name='FileSigner' version='2'><type algorithm='SHA-384' key='one'/></descriptor>
	    <descriptor name='Other'><type algorithm='SHA-256' key='one'/></descriptor>
	  </descriptors>
	  <keys><key name='one'><type name='pem' locationValue='one.bundle'/></key></keys>
	  <access>
	    <allow name='portal' operations='sign verify encrypt certificates'>
	      <user name='daemon'/> <certificate san='DNS:APP1.example.test' issuer='CN=Test CA clients'/>
	      <descriptor name='FileSigner'/>
	    </allow>
	    <allow name='old' operations='sign certificates'>
	      <user name='bin'/> <certificate subject='CN=two,O=Example'/>
	      <descriptor name='FileSigner' version='1'/>
	    </allow>
	    <allow name='few' operations='sign encrypt'>
	      <group name='games'/> <certificate sha256='$(fingerprint print)'/>
	      <descriptor name='FileSigner'/>
	    </allow>
	    <allow name='cards' operations='history-append history-read'>
	      <user name='nobody'/> <certificate san='URI:spiffe://example.test/cards'/>
	      <history name='default'/>
	    </allow>
	    <allow name='mail' operations='certificates'> <certificate san='email:ops@example.test'/> <descriptor name='Other'/> </allow>
	    <allow name='ip' operations='verify'> <certificate san='IP:192.0.2.7'/> <descriptor name='Other'/> </allow>
	    <allow name='inner' operations='sign'> <certificate issuer='CN=inner'/> <descriptor name='Other'/> </allow>
	  </access>
	</engineSignEncrypt>
XML
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
tls_settings() {
    daemon_settings "tls = 127.0.0.1:$port" "certificate = $tmp/run/server.pem" "key = $tmp/run/server.key" "client-ca = $tmp/clients.pem" "$@"
}

# ---- what is checked before it starts ----
says_no() { # STATUS TEXT LINE...
    wanted=$1 text=$2
    shift 2
    tls_settings "$@"
    try "$top_builddir/tests/daemon/trial" --settings signengined.conf --check
    [ "$status" = "$wanted" ] || fail "status $status, not $wanted: $*"
    says "$text"
}
says_no 0 ''
says_no 78 'tls is ADDRESS:PORT in digits' "tls = localhost:$port"
says_no 78 "client-ca: '$tmp/engine.xml' has no certificate in PEM" "client-ca = $tmp/engine.xml"
says_no 78 "crl: '$tmp/ca.pem' has no CRL in PEM" "crl = $tmp/ca.pem"
says_no 78 'crl: ' "crl = $tmp/nothing"
says_no 78 "certificate '$tmp/ca.pem' with key" "certificate = $tmp/ca.pem"
sed 3d clients.crl | cat inner.crl - >broken.crl
says_no 78 'CRL 2 in PEM' "crl = $tmp/broken.crl"
chmod 640 run/server.key
says_no 77 'has the mode 0640'
chmod 600 run/server.key
chown daemon run/server.key
says_no 77 'cannot open'
certificate_files
daemon_settings "tls = 127.0.0.1:$port" "certificate = $tmp/run/server.pem" "key = $tmp/run/server.key"
try "$top_builddir/tests/daemon/trial" --settings signengined.conf --check
[ "$status" = 78 ] || fail "status $status without client-ca"
says "'tls' needs 'certificate' and 'key' for the daemon, and 'client-ca'"

tls_settings "crl = $tmp/all.crl" 'head-timeout = 2'
start_daemon "$top_builddir/tests/daemon/trial"

# ---- who gets in, and what he may ----
octets='Content-Type: application/octet-stream'
ask_tls() { # NAME METHOD TARGET [CURL-OPTION...]
    user=$1 method=$2 target=$3
    shift 3
    cases=$((cases + 1)) bad='' chain=$user.pem
    [ ! -e "$user.chain" ] || chain=$user.chain
    code=$(curl -s --path-as-is --cacert ca.pem --cert "$chain" --key "$user.key" -X "$method" -D head -o .body -w '%{http_code}' "$@" \
        "https://$host:$port$target" 2>"$err") || true
    mv .body "$out" 2>/dev/null || : >"$out"
}
each_target() { # ASK NAME EXPECTED
    ask=$1 who=$2
    # shellcheck disable=SC2086 # words
    set -- $3
    for target in POST:/v1/descriptors/FileSigner/sleep POST:/v1/descriptors/FileSigner/echo \
        'POST:/v1/descriptors/FileSigner/batch?items=1' GET:/v1/descriptors/FileSigner/who POST:/v1/histories/default/trial \
        POST:/v1/descriptors/Other/sleep POST:/v1/descriptors/Other/echo GET:/v1/descriptors/Other/who POST:/v1/descriptors/None/sleep; do
        "$ask" "$who" "${target%%:*}" "${target#*:}" -H "$octets" -H 'Idempotency-Key: k'
        answers "$1"
        shift
    done
}
each_target ask daemon '200 200 200 200 403 403 403 403 403'
each_target ask_tls dns '200 200 200 200 403 403 403 403 403'
each_target ask bin '200 403 403 200 403 403 403 403 403'
each_target ask_tls subject '200 403 403 200 403 403 403 403 403'
each_target ask games '200 403 200 403 403 403 403 403 403'
each_target ask_tls print '200 403 200 403 403 403 403 403 403'
each_target ask nobody '403 403 403 403 200 403 403 403 403'
each_target ask_tls uri '403 403 403 403 200 403 403 403 403'
each_target ask_tls mail '403 403 403 403 403 403 403 200 403'
each_target ask_tls ip '403 403 403 403 403 403 200 403 403'
each_target ask_tls inside '403 403 403 403 403 200 403 403 403'
each_target ask root '403 403 403 403 403 403 403 403 403'
for name in unknown common nul dots wild longer scheme; do
    ask_tls $name POST /v1/descriptors/FileSigner/sleep -H "$octets"
    answers 403
    ask_tls $name GET /v1/histories/default/trial
    answers 403
done

# ---- who it is, to operations and in records ----
ask_tls dns GET /v1/anybody
answers 200 'cert:'
cut -d ' ' -f 1 "$out" >before
made dns ec:P-256 $signature $client subjectAltName=DNS:app1.example.test until=20900101000000Z
ask_tls dns GET /v1/anybody
answers 200
cut -d ' ' -f 1 "$out" >after
same before after # renewed, and still the same
ask_tls unknown GET /v1/anybody
answers 200
cut -d ' ' -f 1 "$out" >after
others_refuse cmp before after
ask_tls dns POST /v1/descriptors/FileSigner/sleep -H "$octets" -H 'X-Request-Id: t-1'
answers 200
ask_tls unknown POST /v1/descriptors/FileSigner/sleep -H "$octets" -H 'X-Request-Id: t-2'
answers 403
recorded_from=127.0.0.1
recorded() { # NUMBER NAME RESULT
    python3 - "$recorded_from" "$1" "$(fingerprint "$2")" "$(openssl x509 -in "$2.pem" -noout -serial | sed 's/.*=//')" "$3" <<-'PYTHON'
	import json, sys
	address, number, sha256, serial, result = sys.argv[1:]
	lines = [r for r in map(json.loads, open("run/audit.log")) if r["requestId"] == number]
	assert len(lines) == 1, lines
	r, who = lines[0], lines[0]["caller"]
	assert sorted(who) == ["issuer", "serial", "sha256", "subject"], who
	assert who["issuer"] == "CN=Test CA clients" and who["sha256"] == sha256 and who["serial"].lstrip("0") == serial.lstrip("0"), who
	assert who["subject"].startswith("CN=") and r["listener"] == "tls" and r["client"] == address and r["result"] == result, r
	PYTHON
}
accepts recorded t-1 dns ok
accepts recorded t-2 unknown forbidden

# ---- who does not get in ----
printf 'GET /v1/anybody HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n' >request
shake() { # OPTION...: a handshake and a request, by OpenSSL
    { cat request && sleep 0.1; } | timeout 20 openssl s_client -connect "127.0.0.1:$port" -CAfile ca.pem -cipher DEFAULT@SECLEVEL=0 -ign_eof "$@"
}
stranger() { # NAME [REASON]: that the log says; without one GnuTLS refuses by itself, and says nothing
    name=$1 chain=$1.pem
    [ ! -e "$name.chain" ] || chain=$name.chain
    for version in tls1_2 tls1_3; do
        before=$(wc -l <daemon.log)
        try shake "-$version" -cert "$chain" -key "$name.key" -cert_chain "$chain"
        says_not 'HTTP/'
        says '-----END CERTIFICATE-----'
        [ "${2-}" ] || continue
        # what was sent behind the handshake may reset the connection, and take the alert away
        grep -q 'errno=' "$err" || says 'alert bad certificate'
        tail -n "+$((before + 1))" daemon.log >.said
        grep -q "turned away: .*$2" .said || fail "$name: the log does not say '$2', but $(cat .said)"
    done
}
try shake -cert dns.pem -key dns.key
says 'HTTP/1.1 200'
stranger foreign 'unable to get local issuer'
stranger forged 'certificate 1 of its chain: '
stranger expired 'has expired'
stranger early 'not yet valid'
stranger serving 'certificate purpose'
stranger wrapping
stranger agreeing
stranger alone 'self.signed certificate'
stranger revoked 'certificate revoked'
stranger small 'EE certificate key too weak'
stranger old 'digest algorithm too weak'
stranger signed 'invalid CA certificate'
mv inside.chain inside.both
stranger inside 'unable to get local issuer'
mv inside.both inside.chain
stranger clients
stranger signing "the certificate is a CA's"
for version in tls1_2 tls1_3; do
    try shake -$version
    says_not 'HTTP/'
    says 'alert'
done
accepts grep -q 'turned away: no certificate came' daemon.log
for options in '-tls1' '-tls1_1' '-tls1_2 -cipher AES128-SHA@SECLEVEL=0' '-tls1_2 -cipher ECDHE-ECDSA-AES128-SHA@SECLEVEL=0' '-tls1_2 -cipher AES128-GCM-SHA256'; do
    # shellcheck disable=SC2086 # words
    try shake -cert dns.pem -key dns.key $options
    says 'no peer certificate available'
done
try curl -s "http://127.0.0.1:$port/health/live"
says_not 'status'
[ "$status" != 0 ] || fail 'HTTP without TLS is answered'
# the identity is that of this handshake: no session is taken up again, and there is no second handshake
for version in tls1_2 tls1_3; do
    rm -f session
    try shake -$version -cert dns.pem -key dns.key -sess_out session
    says 'HTTP/1.1 200'
    [ ! -e session ] || {
        try shake -$version -cert unknown.pem -key unknown.key -sess_in session
        says_not 'Reused'
    }
done
try sh -c "{ sleep 0.5; echo R; sleep 1; cat request; sleep 0.5; } | timeout 20 openssl s_client -tls1_2 -connect 127.0.0.1:$port -CAfile ca.pem -cert dns.pem -key dns.key"
says RENEGOTIATING
says_not 'HTTP/'

# ---- slow ones ----
tls() { python3 "$top_srcdir/tests/daemon/tls.py" "$host:$port" "$@"; }
accepts tls slow
says 'half a hello: closed'
says 'no hello: closed'
says 'beside them: 200'
accepts tls large
says 413

# ---- a reload ----
again() { [ "$(grep -c 'was loaded again' daemon.log)" -gt "$reloads" ]; }
reload() {
    reloads=$(grep -c 'was loaded again' daemon.log) || :
    kill -HUP "$daemon"
    until_true again
}
tls kept dns unknown >kept.got 2>"$err" &
others=$!
until_true grep -q ready kept.got
server_cert
certificate_files
issue_crl clients.crl clients number= revoked=20200101000000Z unknown=20200101000000Z
cp clients.crl all.crl
reload
: >reloaded
wait "$others" || :
others=''
accepts grep -qx 'dns: 200' kept.got
accepts grep -qx 'unknown: closed' kept.got
try shake -cert dns.pem -key dns.key
says 'HTTP/1.1 200'
openssl x509 -in server.pem -noout -fingerprint >shown.wanted
openssl x509 -in "$out" -noout -fingerprint >shown.got
same shown.wanted shown.got
stranger unknown 'certificate revoked'
stranger inside 'unable to get certificate CRL'
chmod 644 run/server.key
kill -HUP "$daemon"
until_true grep -q 'stays as it was: key: .* has the mode 0644' daemon.log
ask_tls dns GET /v1/anybody
answers 200
chmod 600 run/server.key
tls_settings "crl = $tmp/all.crl" 'head-timeout = 2' "client-ca = $tmp/others.pem"
reload
stranger dns 'unable to get local issuer'
stop_daemon
[ "$status" = 0 ] || fail "the daemon ended with status $status"

# ---- many at once: each has the time that all of them take ----
tls_settings 'head-timeout = 60'
start_daemon "$top_builddir/tests/daemon/trial"
accepts tls many 200
says '200 handshakes: 200'
stop_daemon
[ "$status" = 0 ] || fail "the daemon ended with status $status"

# ---- limits of an address ----
tls_settings 'per-user = 3' 'connections = 16'
start_daemon "$top_builddir/tests/daemon/trial"
accepts tls places
says 'known: 200 200 200 closed'
says 'strangers: open open open closed'
ask daemon GET /v1/anybody
answers 200
stop_daemon
[ "$status" = 0 ] || fail "the daemon ended with status $status"

# ---- IPv6, and IPv4 on the same socket: each caller has his own address, and its limit ----
if python3 -c 'import socket; socket.socket(socket.AF_INET6).bind(("::1", 0))' 2>/dev/null; then
    tls_settings "tls = [::]:$port" 'per-user = 3'
    start_daemon "$top_builddir/tests/daemon/trial"
    ask_tls dns POST /v1/descriptors/FileSigner/sleep -H "$octets" -H 'X-Request-Id: t-4'
    answers 200
    accepts recorded t-4 dns ok
    host=::1
    accepts tls places
    says 'known: 200 200 200 closed'
    host='[::1]' recorded_from=::1
    ask_tls dns POST /v1/descriptors/FileSigner/sleep -H "$octets" -H 'X-Request-Id: t-6'
    answers 200
    accepts recorded t-6 dns ok
    stop_daemon
    [ "$status" = 0 ] || fail "the daemon ended with status $status"
else
    echo 'not tried: IPv6, which the machine does not have'
fi
