#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# doc/monitoring.md: a Prometheus that looks as it says, with the rules that it names, and each alert for a real cause; the dashboard asks for
# what there is; rsyslog writes what the page promises.
. "${top_srcdir:?}/tests/lib/harness.sh"
. "$top_srcdir/tests/daemon/daemon-lib.sh"
needs jq pkcs11-tool prometheus promtool
page=$top_srcdir/doc/monitoring.md rules=$top_srcdir/conf/signengine.rules.yml dashboard=$top_srcdir/conf/signengine.dashboard.json

# ---- the rules by themselves ----
cp "$rules" "$top_srcdir/tests/daemon/rules_test.yml" .
accepts promtool check rules signengine.rules.yml
accepts promtool test rules rules_test.yml
accepts python3 monitoring.py dashboard "$dashboard"
tested=$(sed -n 's/.*alertname: *\([A-Za-z]*\).*/\1/p' rules_test.yml "$top_srcdir/tests/cli/rules_test.yml" | sort -u | tr '\n' ' ')
shipped=$(sed -n 's/.*- alert: //p' signengine.rules.yml | sort -u | tr '\n' ' ')
described=$(sed -n 's/^| `\(Signengine[A-Za-z]*\)`.*/\1/p' "$page" | sort -u | tr '\n' ' ')
cases=$((cases + 1)) bad=''
[ "$tested" = "$shipped" ] || fail "tested: $tested; shipped: $shipped"
[ "$described" = "$shipped" ] || fail "described: $described; shipped: $shipped"

# ---- a daemon: keys in a file, in a token, in both; one certificate that ends soon ----
daemon_configuration
signature=keyUsage=critical,digitalSignature
make_ca clients
make_cert server ec:P-256 $signature extendedKeyUsage=serverAuth subjectAltName=IP:127.0.0.1
make_cert prometheus ec:P-256 issuer=clients $signature subjectAltName=DNS:prometheus.example.org
make_cert soon ec:P-256 $signature "until=$(date -u -d '+20 days' +%Y%m%d%H%M%SZ)"
cat soon.key soon.pem ca.pem >soon.bundle
make_token lab
cp "${top_builddir:?}/tests/lib/.libs/shim.so" . # other users may not see the build folder
make_cert k rsa:2048 $signature
setup openssl pkcs8 -topk8 -nocrypt -in k.key -outform DER -out k.der
setup pkcs11-tool --module "$softhsm_module" --token-label lab --login --pin 1234 --write-object k.der --type privkey --label k --id 01
setup openssl x509 -in k.pem -outform DER -out k.der
setup pkcs11-tool --module "$softhsm_module" --token-label lab --login --pin 1234 --write-object k.der --type cert --label k --id 01
cat k.key k.pem ca.pem >k.bundle
faults() { # LINE...: what is wrong with the token from now on
    printf '%s\n' "module $softhsm_module" "$@" >.faults
    mv .faults faults
}
faults '# nothing'
export SHIM_FILE="$tmp/faults"
token="<type name='HSM' locationValue='$tmp/shim.so' tokenLabel='lab' alias='k' pin='1234' deadline='100'/>"
descriptor() { echo "<descriptor name='$1'><type algorithm='SHA-256' key='$2'/></descriptor>"; }
allow="<allow name='monitoring' operations='monitor'><certificate san='DNS:prometheus.example.org'/></allow>"
grep -qF '<certificate san="DNS:prometheus.example.org"/>' "$page" || fail 'the page has another certificate'
allow="$allow<allow name='tokens' operations='sign'><user name='daemon'/><descriptor name='Token'/><descriptor name='Twice'/><descriptor name='FileSigner'/></allow>"
sed -i -e "s|</descriptors>|$(descriptor Token token)$(descriptor Twice twice)$(descriptor Soon soon)</descriptors>|" \
    -e "s|</keys>|<key name='token'>$token</key><key name='twice'>$token<type name='pem' locationValue='k.bundle'/></key><key name='soon'><type name='pem' locationValue='soon.bundle'/></key></keys>|" \
    -e "s|<access>|<access>$allow|" engine.xml
chmod 600 engine.xml
cp server.pem server.key run
chown -R nobody .tokens .softhsm2.conf k.bundle soon.bundle engine.xml run

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
port=$(free_port)
daemon_settings 'threads = 1' 'queue = 2' "tls = 127.0.0.1:$port" "certificate = $tmp/run/server.pem" "key = $tmp/run/server.key" \
    "client-ca = $tmp/clients.pem" "audit = syslog:$tmp/run/log"
chmod 600 run/server.key

# ---- rsyslog, with the page's rules ----
if command -v rsyslogd >/dev/null; then
    {
        printf 'module(load="imuxsock" SysSock.Use="off")\ninput(type="imuxsock" Socket="%s/run/log")\n' "$tmp"
        sed -n '/^```rsyslog/,/^```$/{/^```/!p}' "$page" | sed "s|/var/log/signengine/syslog.log|$tmp/syslog.log|"
    } >rsyslog.conf
    accepts rsyslogd -N1 -f "$tmp/rsyslog.conf"
    rsyslogd -n -f "$tmp/rsyslog.conf" -i "$tmp/rsyslog.pid" >rsyslog.log 2>&1 &
    rsyslog=$! others="$others $!"
    until_true test -S run/log
else
    rsyslog=''
    echo 'not tried: rsyslog is not installed'
fi

# ---- the disk of its audit is small ----
disk=''
if unshare -m mount -t tmpfs none "$tmp/run" 2>/dev/null; then
    disk=yes
    mkdir run/disk
    sed -i "s|^audit = file:.*|audit = file:$tmp/run/disk/audit.log required|" signengined.conf
    cat >with-disk.sh <<-SH
	mount -t tmpfs -o size=1m,mode=755,uid=$(id -u nobody) none $tmp/run/disk && exec "\$@"
	SH
    start_daemon unshare -m sh "$tmp/with-disk.sh" "$top_builddir/signengined"
    audit_log() { nsenter -m -t "$daemon" cat "$tmp/run/disk/audit.log"; }
else
    echo 'not tried, for want of rights: a full disk'
    start_daemon "$top_builddir/signengined"
    audit_log() { cat run/audit.log; }
fi

# ---- a Prometheus as on the page, only quicker ----
web=127.0.0.1:$(free_port)
{
    printf 'global: { scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 500ms }\n'
    sed -n '/^```yaml/,/^```$/{/^```/!p}' "$page" | sed -e "s|'keys1.*'|'127.0.0.1:$port'|" -e "s|/etc/prometheus/signengine-ca.pem|$tmp/ca.pem|" \
        -e "s|/etc/prometheus/signengine|$tmp/prometheus|"
} >prometheus.yml
sed -i 's/for: .*/for: 1s/' signengine.rules.yml
accepts promtool check config prometheus.yml
prometheus --config.file=prometheus.yml --storage.tsdb.path=data --web.listen-address="$web" --log.level=warn >prometheus.log 2>&1 &
others="$others $!"

# Prometheus is asked past what keeps the answers of the daemon
fires() { # ALERT [LABEL=VALUE]
    "$CURL" -sf "http://$web/api/v1/alerts" | jq -e --arg name "$1" --arg word "${2-}" \
        '[.data.alerts[] | select(.state == "firing" and .labels.alertname == $name and ($word == "" or (.labels | to_entries | map(.key + "=" + .value) | index($word))))] != []'
}
is_over() { "$CURL" -sf "http://$web/api/v1/alerts" | jq -e --arg name "$1" '[.data.alerts[].labels.alertname] | index($name) == null'; }
quiet() { # a case: of these none is there yet
    for alert; do accepts is_over "$alert"; done
}
comes() { accepts until_true fires "$@"; }
octets='Content-Type: application/octet-stream'
sign() { # DESCRIPTOR CODE
    ask daemon POST "/v1/descriptors/$1/sign?form=raw" -H "$octets" -d hello
    answers "$2"
}
ask_metrics() { curl -sf --cacert ca.pem --cert prometheus.pem --key prometheus.key "https://127.0.0.1:$port/metrics"; }
sign Token 200
sign Twice 200

# ---- a certificate ----
comes SignengineCertificateExpires descriptor=Soon
quiet SignengineAbsent SignengineKeyDown SignengineReplicaDown SignengineRefusals SignengineAuditFails SignengineQueueFull SignengineReloadRefused

# ---- refusals, and a configuration that is refused ----
for _ in 1 2 3 4 5 6 7 8; do sign Other 403; done
cp engine.xml good.xml
echo '<engineSignEncrypt><x/></engineSignEncrypt>' >engine.xml
kill -HUP "$daemon"
comes SignengineRefusals
comes SignengineReloadRefused
loaded() { grep -c 'the configuration was loaded again' daemon.log; }
before=$(loaded) || :
cp good.xml engine.xml
is_loaded() { [ "$(loaded)" -gt "$before" ]; }
until_true is_loaded
sign Token 200

# ---- a token that is removed ----
away='answer CKR_DEVICE_REMOVED'
faults "C_SignInit $away" "C_OpenSession $away" "C_GetTokenInfo $away"
sign Twice 200
sign Token 503
comes SignengineKeyDown key=token
comes SignengineReplicaDown key=twice
ask_metrics >metrics
try "$top_builddir/signengine" -q -c engine.xml check --metrics check.prom
accepts python3 monitoring.py names metrics check.prom signengine.rules.yml "$dashboard"
accepts python3 monitoring.py ask "$dashboard" "http://$web"
faults '# mended'
accepts until_true is_over SignengineKeyDown

# ---- a queue that is full ----
faults 'C_Sign hang'
waiting=''
for _ in 1 2 3; do
    as daemon curl -s --unix-socket run/socket -H "$octets" -d x "http://x/v1/descriptors/Token/sign?form=raw" >/dev/null 2>&1 &
    waiting="$waiting $!" others="$others $!"
done
comes SignengineQueueFull
sign FileSigner 503
faults '# mended'
for process in $waiting; do wait "$process" || :; done

# ---- what rsyslog has, is what the file has ----
audit_log >records
if [ "$rsyslog" ]; then
    all_there() { [ "$(wc -l <syslog.log)" -ge "$(wc -l <records)" ]; }
    accepts until_true all_there
    head -n "$(wc -l <records)" syslog.log >syslog.head
    same records syslog.head
fi
accepts python3 monitoring.py fields "$page" records

# ---- a full disk ----
if [ "$disk" ]; then
    nsenter -m -t "$daemon" sh -c "cat /dev/zero >$tmp/run/disk/filler 2>/dev/null || :"
    as daemon python3 audited.py ask "$tmp/run/socket" 4 "$tmp/stop" >answers 2>&1 &
    loading=$! others="$others $!"
    comes SignengineAuditFails sink=file
    : >stop
    wait "$loading"
fi

# ---- nobody is there ----
stop_daemon KILL 137
comes SignengineAbsent
