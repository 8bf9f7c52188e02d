# SPDX-License-Identifier: Apache-2.0
# SIGHUP under load: no call fails, a wrong configuration changes nothing and says why, a new one counts at once.
. "${top_srcdir:?}/tests/lib/harness.sh"
. "${top_srcdir:?}/tests/daemon/daemon-lib.sh"
daemon_configuration
daemon_settings
sed -i 's/ required$//' signengined.conf # a busy disk would fail calls too
start_daemon "$top_builddir/signengined"
octets='Content-Type: application/octet-stream'
sign='/v1/descriptors/FileSigner/sign?form=raw'
reload() { # TEXT: of the log, once more than before
    before=$(grep -c "$1" daemon.log) || :
    kill -HUP "$daemon"
    until_true more_lines "$1" "$before"
}
more_lines() { [ "$(grep -c "$1" daemon.log)" -gt "$2" ]; }
again='the configuration was loaded again'
same_as_before='the configuration stays as it was'

ask daemon POST "$sign" -H "$octets" -d hello
answers 200
openssl x509 -in one.pem -noout -pubkey >one.pub
printf hello >content
cp "$out" signature
accepts openssl dgst -sha384 -verify one.pub -signature signature content

# ---- 100 times under 64 connections ----
count_descriptors() { find "/proc/$daemon/fd" -mindepth 1 | wc -l; }
descriptors=$(count_descriptors)
as daemon python3 "$tmp/load.py" "$tmp/run/socket" 64 "$sign" "$tmp/stop" >load.got 2>&1 &
others=$!
for _ in $(seq 1 100); do reload "$again"; done
: >stop
wait "$others"
others=''
cases=$((cases + 1)) bad=''
cp load.got "$out"
grep -qE '^\{200: [0-9]+\}$' load.got || fail "$(cat load.got)"
few_descriptors() { [ "$(count_descriptors)" -le "$descriptors" ]; }
until_true few_descriptors

# ---- a wrong configuration ----
cp engine.xml good.xml
echo '<engineSignEncrypt><x/></engineSignEncrypt>' >engine.xml
reload "$same_as_before"
accepts grep -q "$same_as_before: .*engine.xml:1: " daemon.log
ask daemon POST "$sign" -H "$octets" -d hello
answers 200
sed 's/<user name=.daemon.\/>/<user name="no-such-user"\/>/' good.xml >engine.xml
reload "$same_as_before"
accepts grep -q "$same_as_before: .*no-such-user" daemon.log
rm engine.xml
reload "$same_as_before"
echo 'threads = many' >>signengined.conf
cp good.xml engine.xml
reload "$same_as_before"
accepts grep -q "$same_as_before: .*signengined.conf:7: threads is a number" daemon.log
ask daemon POST "$sign" -H "$octets" -d hello
answers 200

# ---- a new one ----
daemon_settings 'threads = 5'
sed 's/<user name=.daemon.\/>/<user name="bin"\/>/' good.xml >engine.xml
reload "$again"
accepts grep -q "'threads' has changed" daemon.log
ask daemon POST "$sign" -H "$octets" -d hello
answers 403
ask bin POST "$sign" -H "$octets" -d hello
answers 200
sed '/<access>/,/<\/access>/d' good.xml >engine.xml
reload "$again"
accepts grep -q 'nobody may do anything' daemon.log
ask bin POST "$sign" -H "$octets" -d hello
answers 403
ask bin GET /health/ready
answers 200
cases=$((cases + 1)) bad=''
[ "$(grep -c '"operation":"reload".*"result":"ok"' run/audit.log)" -ge 102 ] || fail 'reloads are not recorded'
grep -q '"operation":"reload".*"result":"configuration"' run/audit.log || fail 'failed reloads are not recorded'

# ---- a key that is in use is not given up for one that can't be opened any more ----
cp good.xml engine.xml
reload "$again"
ask daemon POST "$sign" -H "$octets" -d hello
answers 200
mv one.bundle away.bundle
reload "$same_as_before: key 'one' is in use"
ask daemon POST "$sign" -H "$octets" -d hello
answers 200
mv away.bundle one.bundle

# ---- a request that came under the old configuration ----
cp good.xml engine.xml
reload "$again"
as daemon python3 - <<-'PYTHON' >late.got 2>&1 &
	import asking, time, os
	s = asking.connect("run/socket")
	s.sendall(b"POST /v1/descriptors/FileSigner/sign HTTP/1.1\r\nHost: x\r\nContent-Type: application/octet-stream\r\nContent-Length: 5\r\n\r\nhe")
	time.sleep(0.2)
	print("sent", flush=True)
	while not os.path.exists("reloaded"):
	    time.sleep(0.02)
	s.sendall(b"llo")
	print(s.recv(9999).split()[1].decode())
	PYTHON
others=$!
until_true grep -q sent late.got
sed '/<access>/,/<\/access>/d' good.xml >engine.xml
reload "$again"
: >reloaded
wait "$others"
others=''
accepts grep -qx 403 late.got

stop_daemon
