# SPDX-License-Identifier: Apache-2.0
# Start and end: the socket, what is checked, drain, a daemon that is killed, and one that a service manager starts.
. "${top_srcdir:?}/tests/lib/harness.sh"
. "${top_srcdir:?}/tests/daemon/daemon-lib.sh"
daemon_configuration
daemon_settings
trial=$top_builddir/tests/daemon/trial
signengined() { "$top_builddir/signengined" --settings "$tmp/signengined.conf" "$@"; }
octets='Content-Type: application/octet-stream'
says_no() { # STATUS TEXT CMD...
    wanted=$1 text=$2
    shift 2
    try "$@"
    [ "$status" = "$wanted" ] || fail "status $status, not $wanted: $*"
    says "$text"
}

# ---- the command line, and --check ----
accepts "$top_builddir/signengined" --help
says 'usage: signengined'
accepts "$top_builddir/signengined" --version
says_no 64 'usage: signengined' "$top_builddir/signengined" --nonsense
accepts signengined --check
cp engine.xml good.xml
echo '<engineSignEncrypt><x/></engineSignEncrypt>' >engine.xml
says_no 78 'signengined: ' signengined --check
says 'engine.xml:1: '
accepts signengined --check -c "$tmp/good.xml"
cp good.xml engine.xml
daemon_settings 'threds = 3'
says_no 78 "signengined.conf:6: no setting 'threds'; did you mean 'threads'?" signengined --check
daemon_settings 'user = root'
says_no 77 "the user of the configuration, 'root', is root" signengined
daemon_settings 'user = no-such-user'
says_no 77 "the user of the configuration, 'no-such-user', is not there" signengined
says_no 77 'signengined.conf must say' sh -c 'sed -i "/^user/d" signengined.conf; exec "$0" --settings signengined.conf' "$top_builddir/signengined"
daemon_settings 'group = no-such-group'
says_no 78 "the group of the socket, 'no-such-group', is not there" signengined
daemon_settings 'audit = file:/nowhere/audit.log required'
says_no 78 '/nowhere' signengined
daemon_settings
says_no 78 'open files are allowed, and 2048 are needed' sh -c 'ulimit -n 1500; exec "$0" --settings signengined.conf' "$top_builddir/signengined"
[ ! -e run/socket ] || fail 'a socket was left behind'

# ---- the socket ----
rm -rf run/socket
echo text >run/socket
says_no 78 'is there and is no socket' signengined
rm run/socket
daemon_settings 'mode = 0620' 'group = games'
start_daemon "$trial"
cases=$((cases + 1)) bad=''
[ "$(stat -c '%a %U %G' run/socket)" = '620 nobody games' ] || fail "the socket is $(stat -c '%a %U %G' run/socket)"
ask daemon GET /health/live
answers 000
ask games GET /health/live
answers 200
says_no 78 'another signengined listens on' signengined
accepts is_live
grep -q '^CapEff:[[:space:]]*0*$' "/proc/$daemon/status" || fail 'it has capabilities'
[ "$(awk '/^Uid:/ { print $2, $3, $4 }' "/proc/$daemon/status")" = "$(id -u nobody) $(id -u nobody) $(id -u nobody)" ] || fail 'it is not nobody'
# one that was killed leaves a socket, and the next takes its place
stop_daemon KILL 137
[ -S run/socket ] || fail 'the socket has gone by itself'
daemon_settings
start_daemon "$trial"
accepts is_live
stop_daemon
[ ! -e run/socket ] || fail 'the socket was left behind'
# a folder that is not there is made
daemon_settings "listen = unix:$tmp/run/new/socket"
"$trial" --settings signengined.conf >>daemon.log 2>&1 &
daemon=$!
until_true curl -sf --unix-socket run/new/socket http://x/health/live
[ "$(stat -c '%a %U' run/new)" = '755 nobody' ] || fail "the folder is $(stat -c '%a %U' run/new)"
stop_daemon

# ---- drain: what is under way ends, nothing else begins ----
daemon_settings
start_daemon "$trial"
cat >drain.py <<'PYTHON'
import asking, time
s = [asking.connect("run/socket") for _ in range(3)]
def ask(one, target, method=b"GET"):
    one.sendall(method + b" " + target + b" HTTP/1.1\r\nHost: x\r\nContent-Type: application/octet-stream\r\nContent-Length: 0\r\n\r\n")
def hear(one):
    return one.recv(9999).decode()
ask(s[1], b"/health/ready")
print("ready", hear(s[1]).split()[1])
ask(s[2], b"/health/live")
print("live", hear(s[2]).split()[1])
ask(s[0], b"/v1/descriptors/FileSigner/sleep?ms=3000", b"POST")
print("asked", flush=True)
import os
while not os.path.exists("draining"):
    time.sleep(0.02)
ask(s[1], b"/health/ready")
text = hear(s[1])
print("ready", text.split()[1], "close" if "Connection: close" in text else "kept", "the service ends" in text)
ask(s[2], b"/v1/descriptors/FileSigner/sleep?ms=1", b"POST")
text = hear(s[2])
print("job", text.split()[1], "close" if "Connection: close" in text else "kept")
text = hear(s[0])
print("slept", text.split()[1], "close" if "Connection: close" in text else "kept")
PYTHON
as daemon python3 drain.py >drain.got 2>&1 &
others=$!
until_true grep -q asked drain.got
kill -TERM "$daemon"
until_true test ! -e run/socket
: >draining
wait "$others"
others='' status=0
wait "$daemon" || status=$?
daemon=''
cases=$((cases + 1)) bad=''
cp drain.got "$out"
[ "$status" = 0 ] || fail "status $status"
says 'ready 200'
says 'ready 503 close True'
says 'job 200 close'
says 'slept 200 close'
accepts grep -q '"operation":"stop"' run/audit.log
# who asks twice is in a hurry
start_daemon "$trial"
as daemon curl -s --unix-socket run/socket -H "$octets" -H 'X-Request-Id: long' -d x 'http://x/v1/descriptors/FileSigner/sleep?ms=50000' >/dev/null 2>&1 &
others=$!
until_true grep -q 'sleeps long' daemon.log
kill -TERM "$daemon"
until_true test ! -e run/socket
stop_daemon TERM 70 # for a job is left behind
wait "$others" || :
others=''

# ---- a PIN that the service manager gives (systemd.exec(5), LoadCredential=) ----
make_p12 one 4711
chown nobody one.p12
mkdir -m 500 credentials
printf 4711 >credentials/hsm-pin
chmod 400 credentials/hsm-pin
chown -R nobody credentials
cp engine.xml good.xml
sed -i "s|<type name='pem'.*/></key>|<type name='pkcs12' locationValue='one.p12' pin.source='credential:hsm-pin'/></key>|" engine.xml
for folder in "$tmp/credentials" ''; do
    export CREDENTIALS_DIRECTORY="$folder"
    start_daemon "$top_builddir/signengined"
    ask daemon POST /v1/descriptors/FileSigner/sign -H "$octets" -d x
    answers "$([ "$folder" ] && echo 200 || echo 500)"
    says_not hsm-pin
    stop_daemon
done
unset CREDENTIALS_DIRECTORY
accepts grep -q "no credential 'hsm-pin'" daemon.log
cp good.xml engine.xml

# ---- started by a service manager, which has the socket ----
rm -f run/socket
cat >>signengined.conf <<-CONF
	history default = sqlite:$tmp/run/history.db objects ObjectHistorySigner
	threads = 8
CONF
sed -i -e "s|</descriptors>|<descriptor name='ObjectHistorySigner'><type algorithm='SHA-256' key='one'/></descriptor></descriptors>|" engine.xml
export SIGNENGINE_CONFIG="$tmp/engine.xml"
store=sqlite:$tmp/run/history.db
setup signengine history create --store "$store" --chain objects
chown nobody run/*
python3 "$tmp/hold.py" "$tmp/run/socket" unix "$top_builddir/signengined" --settings "$tmp/signengined.conf" >hold.got 2>&1 &
holder=$!
others=$holder
until_true test -S run/socket
until_true is_live
until_true grep -q 'notified READY=1' hold.got
accepts is_live
: >append.got
as nobody python3 "$tmp/append.py" "$tmp/run/socket" 8 50 >append.got 2>&1 &
appending=$!
others="$others $appending"
killed=0
while kill -0 "$appending" 2>/dev/null && [ "$killed" -lt 6 ]; do
    # killed in the middle: after some entries more than before
    lines=$(wc -l <append.got)
    until_true sh -c '[ "$(wc -l <append.got)" -gt "$1" ] || ! kill -0 "$2" 2>/dev/null' sh "$((lines + 10))" "$appending"
    kill -KILL "$(sed -n 's/^started //p' hold.got | tail -n 1)" 2>/dev/null || :
    killed=$((killed + 1))
done
status=0
wait "$appending" || status=$?
others=$holder
cases=$((cases + 1)) bad=''
cp append.got "$out"
[ "$status" = 0 ] || fail "the clients ended with status $status"
[ "$(wc -l <append.got)" = 400 ] || fail "$(wc -l <append.got) entries were acknowledged"
[ "$(grep -c '^started' hold.got)" -ge 3 ] || fail 'it was not killed'
until_true is_live # the last one may have been killed behind the last entry
kill -TERM "$holder"
wait "$holder" || :
others=''
grep -q 'notified STOPPING=1' hold.got || fail 'the end was not notified'
# each once, where its client was told
accepts signengine history verify --store "$store" --chain objects
setup signengine history show --store "$store" --chain objects --json
cp "$out" entries.json
accepts python3 - <<-'PYTHON'
	import json
	told = sorted(line.split() for line in open("append.got"))
	kept = sorted([e["object"], str(e["seq"])] for e in map(json.loads, open("entries.json")))
	assert told == kept, (told[:5], kept[:5], len(told), len(kept))
	PYTHON

# a socket of a network, which nobody has made safe
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
python3 "$tmp/hold.py" "$port" tcp "$top_builddir/signengined" --settings "$tmp/signengined.conf" >hold.got 2>&1 &
others=$!
connects() { python3 -c 'import socket, sys; socket.create_connection(("127.0.0.1", int(sys.argv[1])))' "$port"; }
until_true connects
wait "$others" || :
others=''
cases=$((cases + 1)) bad=''
cp hold.got "$out"
says 'ended 78'
says "for callers on a network there is the setting 'tls'"
