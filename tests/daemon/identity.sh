# SPDX-License-Identifier: Apache-2.0
# Who asks, and what he may: the kernel's word, rows of <access>, records of all uses and refusals.
. "${top_srcdir:?}/tests/lib/harness.sh"
. "${top_srcdir:?}/tests/daemon/daemon-lib.sh"
daemon_configuration
daemon_settings
start_daemon "$top_builddir/tests/daemon/trial"

# ---- tricks ----
accepts python3 "$tmp/identity.py" "$tmp/run/socket"
says 'as daemon: uid:1'
says 'as bin: uid:2'
says 'as root: uid:0'
# the credentials are those of connect(2), and a descriptor is a capability (unix(7)): it can't be otherwise
says 'connected as root, then bin: uid:0'
says 'a descriptor of root, passed to bin: uid:0'
says 'credentials of root, forged by bin: refused by the kernel, then uid:2'
says 'credentials of daemon, forged by bin: refused by the kernel, then uid:2'
says 'a kept connection: uid:1 uid:1'
for trick in X-Remote-User Remote-User Authorization X-Forwarded-For Forwarded X-Client-Uid Cookie From; do
    cases=$((cases + 1)) bad=''
    grep -qE "^bin says $trick: .*: uid:2\$" "$out" || fail "$trick: $(grep "says $trick:" "$out")"
done
says 'root signs: 403'
says 'bin with the group games, among a thousand, signs: 200'
says 'bin without it signs: 200' # by the row that names him
says 'games signs: 200'
says 'a user without a name: uid:54321'
says 'a user without a name signs: 403'
says 'the user -2 signs: 403'

# ---- four users, each what his row allows ----
octets='Content-Type: application/octet-stream'
may() { # USER METHOD TARGET CODE
    ask "$1" "$2" "$3" -H "$octets" -H 'Idempotency-Key: k'
    answers "$4"
}
for user in root daemon bin games nobody; do
    # in the order of the operations' rows below
    case $user in
    daemon) expected='200 200 200 200 403 403 403' ;;
    bin) expected='200 403 403 200 403 403 403' ;;
    games) expected='200 403 200 403 403 403 403' ;;
    nobody) expected='403 403 403 403 200 200 403' ;;
    root) expected='403 403 403 403 403 403 403' ;;
    esac
    # shellcheck disable=SC2086 # words
    set -- $expected
    may "$user" POST /v1/descriptors/FileSigner/sleep "$1"
    may "$user" POST /v1/descriptors/FileSigner/echo "$2"
    may "$user" POST '/v1/descriptors/FileSigner/batch?items=1' "$3"
    may "$user" GET /v1/descriptors/FileSigner/who "$4"
    may "$user" POST /v1/histories/default/trial "$5"
    may "$user" GET /v1/histories/default/trial "$6"
    may "$user" POST /v1/descriptors/Other/sleep "$7"
    # what is not there is not told from what is not allowed
    ask "$user" POST /v1/descriptors/None/sleep -H "$octets" -H 'X-Request-Id: r'
    answers 403
    cp "$out" none
    ask "$user" POST /v1/descriptors/Other/sleep -H "$octets" -H 'X-Request-Id: r'
    answers 403
    same "$out" none
    may "$user" GET /v1/anybody 200
done

# ---- a row for one version ----
ask bin GET /v1/descriptors/FileSigner/who
answers 200 'uid:2 version 1'
ask bin GET '/v1/descriptors/FileSigner/who?version=1'
answers 200 'version 1'
ask bin GET '/v1/descriptors/FileSigner/who?version=2'
answers 403
ask bin GET /v1/descriptors/FileSigner/unversioned
answers 403
ask daemon GET /v1/descriptors/FileSigner/unversioned
answers 200
ask daemon GET '/v1/descriptors/FileSigner/who?version=2'
answers 200 'version 2'

# ---- limits of a row: for each caller, and a batch counts its items ----
stop_daemon
start_daemon "$top_builddir/tests/daemon/trial"
items() { ask games POST "/v1/descriptors/FileSigner/batch?items=$1" -H "$octets"; }
items 6
answers 429 'too many'
grep -qE '^Retry-After: [1-9]' answer.head || fail 'no Retry-After'
items 4
answers 200 # nothing of what was refused counts
items 2
answers 429 '4 were done'
items 1
answers 200
accepts grep -qE '"row":"few","operation":"encrypt",.*"result":"throttled"' run/audit.log
ask games POST /v1/descriptors/FileSigner/sleep -H "$octets"
answers 429
ask daemon POST /v1/descriptors/FileSigner/sleep -H "$octets"
answers 200

# ---- records ----
: >run/audit.log
ask daemon POST /v1/descriptors/FileSigner/sleep -H "$octets" -H 'X-Request-Id: r-1' \
    -H 'traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' -d hello
answers 200
ask bin POST /v1/descriptors/FileSigner/echo -H "$octets" -H 'X-Request-Id: r-2' -d hello
answers 403
ask nobody POST /v1/histories/default/trial -H "$octets" -H 'X-Request-Id: r-3' -H 'Idempotency-Key: k-3' -d hello
answers 200
ask daemon GET /v1/nothing -H 'X-Request-Id: r-4'
answers 404
recorded() { # NUMBER EXPRESSION
    python3 - "$1" "$2" <<-'PYTHON'
	import json, sys
	lines = [json.loads(line) for line in open("run/audit.log")]
	lines = [r for r in lines if r["requestId"] == sys.argv[1]]
	assert eval(sys.argv[2]), lines
	PYTHON
}
accepts recorded r-1 'len(lines) == 1 and (lambda r: r["caller"]["uid"] == 1 and r["caller"]["user"] == "daemon" and r["caller"]["pid"] > 0
 and r["listener"] == "unix" and r["row"] == "portal" and r["operation"] == "sign" and r["descriptor"] == "FileSigner" and r["bytes"] == 5
 and r["result"] == "ok" and r["tag"].startswith("00-0af7") and len(r["config"]) == 12)(lines[0])'
accepts recorded r-2 'len(lines) == 1 and lines[0]["result"] == "forbidden" and lines[0]["caller"]["user"] == "bin"'
accepts recorded r-3 '[r["result"] for r in lines] == ["asked", "ok"] and lines[1]["idempotencyKey"] == "k-3" and lines[1]["history"] == "default"'
accepts recorded r-4 'lines == []'

stop_daemon
