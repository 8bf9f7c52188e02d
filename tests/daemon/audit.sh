# SPDX-License-Identifier: Apache-2.0
# Records of what the daemon does, while 16 clients ask: each use has one, refused ones too; files are rotated; a required sink whose
# disk is full, that hangs, or whose own token is away, stops all use of keys, and nothing is answered that was not recorded.
. "${top_srcdir:?}/tests/lib/harness.sh"
. "${top_srcdir:?}/tests/daemon/daemon-lib.sh"
needs nsenter pkcs11-tool sqlite3 unshare
daemon_configuration
sed -i "s|<access>|<access><allow name='monitoring' operations='monitor'><user name='sys'/></allow>|" engine.xml
octets='Content-Type: application/octet-stream'
sink() { # VALUE: instead of the file of daemon_settings
    daemon_settings
    sed -i "s|^audit = .*|audit = $1|" signengined.conf
}

# ---- 16 clients ----
load() {
    rm -f stop
    as daemon python3 audited.py ask "$tmp/run/socket" 16 "$tmp/stop" >>answers 2>&1 &
    loading=$!
    others="$others $loading"
    until_more 200 40
}
# until_more STATUS COUNT: until so many more answers have that status
until_more() {
    wanted=$(($(grep -c " $1\$" answers || :) + $2)) status_wanted=$1
    until_true have_come
}
have_come() { [ "$(grep -c " $status_wanted\$" answers)" -ge "$wanted" ]; }
stop_load() {
    : >stop
    wait "$loading"
}
metrics_say() { as sys curl -sf --unix-socket run/socket http://x/metrics | grep -qF "$1"; }
compare() { # HOW FILE...: a case
    accepts python3 audited.py compare answers "$@"
}
fails_and_comes_back() { # NAME: while the sink is away, nothing is done; break_sink and mend_sink say how
    : >answers
    load
    break_sink
    until_more 503 60
    cases=$((cases + 1)) bad=''
    grep -c ' 200$' answers >before || :
    until_more 503 60
    [ "$(grep -c ' 200$' answers)" = "$(cat before)" ] || fail "$1: keys are used without a record"
    # who watches sees it
    ask sys GET /metrics
    answers 200 "signengine_audit_sink_up{sink=\"$1\",number=\"1\"} 0"
    ask daemon POST '/v1/descriptors/FileSigner/sign?form=raw' -H "$octets" -d x
    answers 503 "the audit can't record this now"
    grep -q '^Retry-After: ' answer.head || fail 'no Retry-After'
    accepts is_live
    ask daemon GET /health/ready
    answers 503 "the audit can't record"
    # that it is back is found although nobody asks for what is to be recorded
    stop_load
    mend_sink
    accepts until_true sh -c 'curl -sf --unix-socket run/socket http://x/health/ready'
    load
    until_more 200 60
    until_true metrics_say "signengine_audit_sink_up{sink=\"$1\",number=\"1\"} 1"
    stop_load
    cases=$((cases + 1)) bad=''
    grep -q "audit to $1 fails: " daemon.log || fail "$1: the log does not tell"
    grep -q "audit to $1 works again" daemon.log || fail "$1: the log does not tell the end"
}

# ---- each use has its record, while files are renamed and the configuration is loaded again ----
daemon_settings
start_daemon "$top_builddir/signengined"
: >answers
load
for number in 1 2 3 4 5 6 7 8 9 10; do
    mv run/audit.log "run/audit.log.$number"
    [ "$number" != 5 ] || kill -HUP "$daemon"
    until_more 200 20
done
stop_load
stop_daemon
compare strict run/audit.log run/audit.log.*
says "'403': "
cases=$((cases + 1)) bad=''
cat run/audit.log.* run/audit.log | grep -c '"operation":"reload".*"result":"ok"' | grep -qx 1 || fail 'the reload is not recorded'
grep -q '"operation":"start"' run/audit.log.1 || fail 'the start is not recorded'
tail -n 1 run/audit.log | grep -q '"operation":"stop"' || fail 'the end is not recorded'
[ "$(find run -name 'audit.log.*' | wc -l)" = 10 ] || fail 'files are missing'

# ---- a disk that is full ----
if unshare -m mount -t tmpfs none "$tmp/run" 2>/dev/null; then
    mkdir run/disk
    chown nobody run/disk
    cat >with-disk.sh <<-SH
	mount -t tmpfs -o size=32m,mode=755,uid=$(id -u nobody) none $tmp/run/disk && exec "\$@"
	SH
    inside() { nsenter -m -t "$daemon" "$@"; }
    break_sink() { inside sh -c "cat /dev/zero >$tmp/run/disk/filler 2>/dev/null || :"; }
    mend_sink() { inside rm "$tmp/run/disk/filler"; }
    sink "file:$tmp/run/disk/audit.log required"
    start_daemon unshare -m sh "$tmp/with-disk.sh" "$top_builddir/signengined"
    fails_and_comes_back file
    inside cat "$tmp/run/disk/audit.log" >full.log
    stop_daemon
    compare faulty full.log
else
    echo 'not tried, for want of rights: a full disk'
fi

# ---- a journal that hangs ----
python3 journal.py run/journal journal.log &
journal=$!
others="$others $journal"
until_true test -S run/journal
break_sink() { kill -STOP "$journal"; }
mend_sink() { kill -CONT "$journal"; }
sink "journal:$tmp/run/journal required"
start_daemon "$top_builddir/signengined"
fails_and_comes_back journal
stop_daemon
until_true grep -q '"operation":"stop"' journal.log
compare faulty journal.log
kill "$journal"
wait "$journal" || :

# ---- a sealed history, whose token is away ----
make_token lab
cp "${top_builddir:?}/tests/lib/.libs/shim.so" . # other users may not see the build folder
make_cert auditor rsa:2048 keyUsage=critical,digitalSignature
put_object() {
    setup pkcs11-tool --module "$softhsm_module" --token-label lab --login --pin 1234 --write-object "$1" --type "$2" --label auditor --id 01
}
setup openssl pkcs8 -topk8 -nocrypt -in auditor.key -outform DER -out auditor.der
put_object auditor.der privkey
setup openssl x509 -in auditor.pem -outform DER -out auditor.der
put_object auditor.der cert
cat >audit.xml <<-XML
	<engineSignEncrypt>
	  <descriptors><descriptor name='AuditSigner'><type algorithm='SHA-256' key='auditor'/></descriptor></descriptors>
	  <keys><key name='auditor'>
	    <type name='HSM' locationValue='$tmp/shim.so' tokenLabel='lab' alias='auditor' pin='1234' deadline='1'/>
	  </key></keys>
	</engineSignEncrypt>
	XML
chmod 600 audit.xml
faults() { # LINE...: what is wrong with the token from now on
    printf '%s\n' "module $softhsm_module" "$@" >.faults
    mv .faults faults
}
break_sink() { faults 'C_SignInit answer CKR_DEVICE_REMOVED' 'C_OpenSession answer CKR_DEVICE_REMOVED'; }
mend_sink() { faults '# mended'; }
mend_sink
export SHIM_FILE="$tmp/faults"
store=sqlite:$tmp/run/audit.db
audit_history() { signengine -c audit.xml history "$@" --store "$store" --chain audit -d AuditSigner; }
setup audit_history create
chown -R nobody .tokens .softhsm2.conf audit.xml run
sink "history:$store config=$tmp/audit.xml required"
start_daemon "$top_builddir/signengined"
fails_and_comes_back history
stop_daemon
accepts audit_history verify
sqlite3 run/audit.db .dump >/dev/null || fail 'the store is broken'
setup audit_history show --json
python3 -c 'import json, sys
for line in sys.stdin:
    print(json.loads(line)["payload"])' <"$out" >sealed.log
compare faulty sealed.log
