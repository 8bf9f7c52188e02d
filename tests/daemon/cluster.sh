# SPDX-License-Identifier: Apache-2.0
# Two machines with a daemon each, and one with applications, HAProxy and PostgreSQL: network namespaces, set up as samples/cluster and
# doc/cluster.md have it. A daemon is killed $KILLS times under load, is started anew in an orderly way, and gets new keys: no call fails,
# and each entry of the history is there once.
. "${top_srcdir:?}/tests/lib/harness.sh"
. "${top_srcdir:?}/tests/daemon/daemon-lib.sh"
needs haproxy ip psql softhsm2-util
. "$top_srcdir/tests/history/server.sh"
kills=${KILLS-3}

# ---- the network: the machine `front` between `a` and `b` ----
proxy=''
space() { echo "signengine-$$-$1"; }
ip netns add "$(space front)" 2>"$err" || skip "no network namespaces here: $(tail -n 1 "$err")"
ip netns exec "$(space front)" true 2>"$err" || {
    ip netns delete "$(space front)" 2>/dev/null
    skip "no network namespaces here: $(head -n 1 "$err")"
}
end_cluster() {
    ended=$?
    set +e
    [ -z "$proxy" ] || kill -0 "$proxy" || { wait "$proxy"; echo "HAProxy has ended with status $?"; }
    [ "$failed:$ended" = 0:0 ] || [ "$skipped" ] || tail -n 20 ./*.log
    server_stop immediate
    for host in front a b; do ip netns delete "$(space $host)" 2>/dev/null; done
    (exit "$ended")
    stop_all
}
trap end_cluster EXIT
setup ip -n "$(space front)" link set lo up
connect_host() { # HOST NUMBER
    setup ip netns add "$(space "$1")"
    setup ip -n "$(space "$1")" link set lo up
    ip -n "$(space front)" link add "to-$1" type veth peer name eth0 netns "$(space "$1")" 2>"$err" ||
        skip "no veth devices here: $(tail -n 1 "$err")"
    setup ip -n "$(space front)" address add "10.77.$2.1/30" dev "to-$1"
    setup ip -n "$(space front)" link set "to-$1" up
    setup ip -n "$(space "$1")" address add "10.77.$2.2/30" dev eth0
    setup ip -n "$(space "$1")" link set eth0 up
    setup ip -n "$(space "$1")" route add default via "10.77.$2.1"
}
connect_host a 1
connect_host b 2

# ---- one database ----
server_run() { ip netns exec "$(space front)" setpriv --reuid=65534 --regid=65534 --clear-groups "$@"; }
server_addresses=10.77.1.1
server_make
trap end_cluster EXIT
echo 'host all all 10.77.0.0/16 trust' >>server/data/pg_hba.conf
setup server_run "$postgresql/pg_ctl" -D "$tmp/server/data" reload
store=postgresql://tester@10.77.1.1/postgres

# ---- one configuration, and tokens of equal keys ----
sed "s|/usr/lib/softhsm/libsofthsm2|$softhsm_module|" "$top_srcdir/samples/cluster/engineSignEncrypt.xml" >first.xml
cp first.xml engine.xml
export SIGNENGINE_CONFIG="$tmp/engine.xml"
printf 123456 >pin
for key in signerV1 fieldsV1 historyV1 signerV2 fieldsV2 historyV2; do
    usage=sign
    case $key in fields*) usage=encrypt ;; esac
    setup signengine key generate --file $key.p12 --pin-source file:pin --alias $key --type rsa:2048 --key-usage $usage --subject "/CN=$key"
done
for host in a b; do
    mkdir $host $host/tokens $host/run
    printf 'directories.tokendir = %s/%s/tokens\nobjectstore.backend = file\nlog.level = ERROR\n' "$tmp" $host >$host/softhsm.conf
    export SOFTHSM2_CONF="$tmp/$host/softhsm.conf"
    setup softhsm2-util --init-token --free --label cluster --so-pin 12345678 --pin 123456
    for key in signerV1 fieldsV1 historyV1 signerV2 fieldsV2 historyV2; do
        setup signengine key import --module "$softhsm_module" --token-label cluster --alias $key --pin-source file:pin \
            --password-source file:pin $key.p12
    done
    chown -R nobody $host
done
setup signengine history create --store "postgresql:///postgres?host=$tmp/server&user=tester" -d ObjectHistorySigner

# ---- certificates: of each daemon, and of each application ----
make_ca servers
make_ca clients
for host in a b; do
    make_cert keys-$host ec:P-256 issuer=servers keyUsage=critical,digitalSignature extendedKeyUsage=serverAuth \
        subjectAltName=DNS:keys-$host.example.org
    chown nobody keys-$host.key
done
mkdir haproxy
for name in portal cards; do
    make_cert $name ec:P-256 issuer=clients keyUsage=critical,digitalSignature extendedKeyUsage=clientAuth subject=/O=Example/CN=$name
    cat $name.pem $name.key >haproxy/$name.pem
done
cp servers.pem haproxy/server-ca.pem

# ---- daemons ----
address() { case $1 in a) echo 10.77.1.2 ;; *) echo 10.77.2.2 ;; esac }
for host in a b; do
    sed -e "s|/etc/signengine/engineSignEncrypt.xml|$tmp/engine.xml|; s|/run/signengine/|$tmp/$host/run/|; s|^user .*|user = nobody|" \
        -e "s|/var/log/signengine/|$tmp/$host/run/|; s|postgresql://[^ ]*|$store|; s|192.0.2.1:|$(address $host):|" \
        -e "s|/etc/signengine/keys-a|$tmp/keys-$host|; s|/etc/signengine/client-ca|$tmp/clients|" \
        "$top_srcdir/samples/cluster/signengined.conf" >$host.conf
    printf 'head-timeout = 60\nbody-timeout = 120\n' >>$host.conf
done
start_host() { # HOST: its process is in HOST.pid; ready when this returns
    ip netns exec "$(space "$1")" env SOFTHSM2_CONF="$tmp/$1/softhsm.conf" ${MEMCHECK:+$MEMCHECK --log-file="$tmp/.valgrind.%p"} \
        "$top_builddir/signengined" --settings "$tmp/$1.conf" >>"$1.log" 2>&1 &
    echo $! >"$1.pid"
    others="$others $!"
    until_true curl -sf --unix-socket "$1/run/socket" http://x/health/ready
}
end_host() { # HOST SIGNAL STATUS
    kill "-$2" "$(cat "$1.pid")"
    status=0
    wait "$(cat "$1.pid")" 2>/dev/null || status=$?
    cases=$((cases + 1)) bad=''
    [ "$status" = "$3" ] || fail "the daemon of $1 ended with status $status"
}
start_host a
start_host b

# ---- HAProxy ----
# a machine that is busy with other tests takes its time
sed "s|timeout connect .*|timeout connect 60s|; s|timeout server .*|timeout server 120s|; s|timeout client .*|timeout client 180s|; s|timeout check .*|timeout check 60s|" \
    "$top_srcdir/samples/cluster/haproxy.cfg" |
    sed "s|/run/haproxy/|$tmp/haproxy/|; s|/etc/haproxy/signengine/|$tmp/haproxy/|; s|group [a-z]*|user root|; s|192.0.2.1|10.77.1.2|; s|192.0.2.2|10.77.2.2|" \
        >haproxy.cfg
accepts haproxy -c -f haproxy.cfg
ip netns exec "$(space front)" haproxy -db -f haproxy.cfg >>haproxy.log 2>&1 &
proxy=$!
others="$others $proxy"
is_up() { python3 cluster.py up haproxy/signengine-admin "$1"; }
until_true is_up a
until_true is_up b

# ---- who may do what: an application is the certificate of its socket ----
through() { # SOCKET CODE TARGET [CURL-OPTION...]
    cases=$((cases + 1)) bad='' code='' socket=$1 wanted=$2 target=$3
    shift 3
    code=$(curl -s --unix-socket "haproxy/signengine-$socket" -o "$out" -w '%{http_code}' -H 'Content-Type: application/octet-stream' \
        "$@" "http://signengine$target" 2>"$err") || true
    [ "$code" = "$wanted" ] || fail "$code, not $wanted: $socket $target"
}
through portal 200 /v1/descriptors/FileSigner/sign -d content
through cards 403 /v1/descriptors/FileSigner/sign -d content
through portal 403 /v1/histories/cards/entries/1
accepts grep -q '"subject":"CN=portal,O=Example"' a/run/audit.log b/run/audit.log

# ---- load ----
python3 cluster.py load haproxy/signengine-portal haproxy/signengine-cards 8 >load.got 2>&1 &
load=$!
others="$others $load"
acknowledged() { grep -c '^appended' load.got; }
more_than() { [ "$(acknowledged)" -gt "$1" ]; }
goes_on() { until_true more_than "$(($(acknowledged) + 10))"; }
goes_on
for n in $(seq "$kills"); do
    host=$([ $((n % 2)) = 0 ] && echo a || echo b)
    end_host "$host" KILL 137
    goes_on
    start_host "$host"
    until_true is_up "$host"
    goes_on
done

# ---- a new daemon, one machine after the other ----
for host in a b; do
    end_host $host TERM 0
    goes_on
    start_host $host
    until_true is_up $host
    goes_on
done

# ---- new keys, in two steps: first each daemon knows them, and then they are used ----
loaded() { grep -c 'the configuration was loaded again' "$1.log"; }
loaded_more_than() { [ "$(loaded "$1")" -gt "$2" ]; }
use_configuration() { # FILE HOST...: on one machine after the other
    accepts signengine -c "$1" check
    cp "$1" engine.new
    mv engine.new engine.xml
    shift
    for host; do
        before=$(loaded "$host") || :
        kill -HUP "$(cat "$host.pid")"
        until_true loaded_more_than "$host" "$before"
        goes_on
    done
}
with_second() { # FILE NAME OLD NEW: what FILE has, and version 2 of a descriptor with the new key
    sed '/<descriptors>/q' "$1"
    sed -n "/<descriptor name=\"$2\" version=\"1\">/,/<\/descriptor>/{ s/version=\"1\"/version=\"2\"/; s/$3/$4/; p }" first.xml
    sed '1,/<descriptors>/d; /<keys>/q' "$1"
    sed -n "/<key name=\"$3\">/,/<\/key>/{ s/$3/$4/g; p }" first.xml
    sed '1,/<keys>/d' "$1"
}
with_second first.xml FileSigner signerV1 signerV2 >signer.xml
with_second signer.xml EncryptedFields fieldsV1 fieldsV2 >used.xml
with_second used.xml ObjectHistorySigner historyV1 historyV2 >history.xml
sed '/name="portal"/,/<\/allow>/d; /<access>/r /dev/stdin' used.xml >known.xml <<-'XML'
	    <allow name="portal makes" operations="sign encrypt">
	      <certificate subject="CN=portal,O=Example"/>
	      <descriptor name="FileSigner" version="1"/> <descriptor name="EncryptedFields" version="1"/>
	    </allow>
	    <allow name="portal reads" operations="verify certificates decrypt">
	      <certificate subject="CN=portal,O=Example"/>
	      <descriptor name="FileSigner"/> <descriptor name="EncryptedFields"/>
	    </allow>
XML
signs_now() { # SUBJECT: whose key signs for the portal
    through portal 200 /v1/descriptors/FileSigner/sign -d content
    openssl cms -verify -binary -inform DER -in "$out" -content content -noverify -signer "$tmp/now.pem" -out /dev/null 2>"$err" || fail 'no signature'
    openssl x509 -in now.pem -noout -subject | grep -q "$1" || fail "not $1 signs, but $(openssl x509 -in now.pem -noout -subject)"
}
printf content >content
use_configuration known.xml a b
signs_now signerV1
use_configuration used.xml a b
signs_now signerV2
# nobody can go on with a history whose last seal is by a key that he does not know
end_host b TERM 0
use_configuration history.xml a
start_host b
until_true is_up b
goes_on

# ---- no call has failed, and each entry is there once, where its client was told ----
: >ended
wait "$load" || :
cases=$((cases + 1)) bad=''
grep -v '^appended' load.got >"$out" || :
says ', 0 failed,'
says_not FAILED
echo "# $kills times killed: $(sed -n 's/^counted //p' load.got), $(acknowledged) entries"
store="postgresql:///postgres?host=$tmp/server&user=tester"
accepts signengine history verify --store "$store"
setup signengine history show --store "$store" --json
cp "$out" entries.json
accepts python3 - <<-'PYTHON'
	import json
	told = sorted(line.split()[1:] for line in open("load.got") if line.startswith("appended"))
	kept = sorted([e["object"], str(e["seq"])] for e in map(json.loads, open("entries.json")))
	assert told and told == kept, (told[:5], kept[:5], len(told), len(kept))
	PYTHON
end_host a TERM 0
end_host b TERM 0
