# SPDX-License-Identifier: Apache-2.0
# Slow and idle clients, too many, too much: each has its answer, and holds up nobody else.
. "${top_srcdir:?}/tests/lib/harness.sh"
. "${top_srcdir:?}/tests/daemon/daemon-lib.sh"
daemon_configuration
trial=$top_builddir/tests/daemon/trial
slow() { as daemon python3 "$tmp/slow.py" "$tmp/run/socket" "$@"; }
is_refused() { ! is_live; }

# ---- time; all at once, for each takes some ----
daemon_settings 'head-timeout = 1' 'body-timeout = 2' 'idle-timeout = 3'
start_daemon "$trial"
patient='slow-head silent slow-body slow-chunks kept slow-second-head long-job unread-answers large-endless'
for one in $patient; do
    slow "$one" >"$one.got" 2>&1 &
    others="$others $!"
done
accepts is_live
for process in $others; do wait "$process" || :; done
others=''
got() { # CASE EXPRESSION
    cases=$((cases + 1)) bad='' status=0
    cp "$1.got" "$out"
    grep -qxE "$2" "$1.got" || fail "$1: $(cat "$1.got")"
}
got slow-head '408 closed'
got silent closed
got slow-body '408 closed'
got slow-chunks '408 closed'
got kept '200 closed'
got slow-second-head '200 (408 )?closed'
got long-job 200
got unread-answers 'cut off'
got large-endless '413 cut off in time'
stop_daemon

# ---- how many ----
daemon_settings 'per-user = 4' 'connections = 6'
start_daemon "$trial"
slow too-many 4 "$tmp/go" >crowd.got 2>&1 &
others=$!
until_true grep -q 503 crowd.got
cp crowd.got "$out"
cases=$((cases + 1)) bad=''
says '200 200 200 200'
says '503 Retry-After: 1 {"error":{"status":"unavailable","message":"you have 4 connections'
# another user is served, until there are too many in all
accepts as bin python3 "$tmp/slow.py" "$tmp/run/socket" late-sender 2
says '503 closed 2'
ask games GET /health/live
answers 200
: >go
wait "$others"
others=''
until_true as daemon curl -sf --unix-socket run/socket http://x/health/live
accepts slow late-sender 4
says 'closed 4'
stop_daemon

# ---- idle ones: they cost little, and leave descriptors to others ----
allowed=$(awk '/^Max open files/ { print $5 }' /proc/self/limits)
if [ "$allowed" = unlimited ] || [ "$allowed" -ge 8192 ]; then
    daemon_settings 'per-user = 5000' 'connections = 5000'
    start_daemon "$trial"
    rss() { awk '/^VmRSS:/ { print $2 }' "/proc/$daemon/status"; }
    before=$(rss)
    slow idle 3000 "$tmp/gone" >idle.got 2>&1 &
    others=$!
    until_true grep -q . idle.got
    cp idle.got "$out"
    cases=$((cases + 1)) bad=''
    says open
    # the HTTP library has those that have asked, and keeps 16 kB for each
    [ $(($(rss) - before)) -le 35000 ] || instrumented || fail "3,000 idle connections take $(($(rss) - before)) kB"
    ask bin POST /v1/descriptors/FileSigner/sleep -H 'Content-Type: application/octet-stream' -d x
    answers 200
    : >gone
    wait "$others"
    others=''
    stop_daemon
fi
# the limit of descriptors is less than what the settings say; under valgrind nobody can set it
if ! [ "${MEMCHECK-}" ]; then
    daemon_settings 'connections = 5000' 'per-user = 5000'
    start_daemon sh -c 'ulimit -n 2100; exec "$0" "$@"' "$trial"
    accepts grep -q '2100 open files are allowed, so there are 1076 connections at most' daemon.log
    stop_daemon
fi

# ---- how much work ----
daemon_settings 'threads = 2' 'queue = 2'
start_daemon "$trial"
accepts slow busy-queue
says '503 Retry-After: '
says 'live 200'
says '200 200 200'
until_true grep -q '"requestId":"held-2"' run/audit.log
# the last one went while it waited, so nothing was done for it
if grep -q '"requestId":"held-3"' run/audit.log; then fail 'work for a client that has gone'; fi
stop_daemon

# ---- how large ----
daemon_settings 'body = 64k' 'bodies = 160k'
start_daemon "$trial"
accepts slow large 65536
says '200 closed'
accepts slow large 65537
says '413 closed'
accepts slow large 131000
says '413 closed'
accepts slow large 50000000
says '413 closed'
# the answer comes before the body, and is there for who reads it after
accepts slow large-whole 50000000
says '413 closed'
accepts slow large-expected 65537
says '413 closed'
accepts slow endless-chunks
says 'closed, not too late'
accepts slow many-bodies
says '503 200'
accepts is_live
stop_daemon
