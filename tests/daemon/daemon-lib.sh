# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# daemon-lib.sh: a daemon for the tests, behind harness.sh.
#
#   daemon_configuration       engine.xml with the descriptor FileSigner and rows for the users daemon, bin, games and nobody; the
#                              daemon of root's tests runs as nobody
#   daemon_settings LINE...    signengined.conf: socket $tmp/run/socket, audit to $tmp/run/audit.log, and these lines
#   start_daemon PROGRAM...    in the background; it is ready when this returns. Its log is daemon.log, its process $daemon
#   stop_daemon [SIGNAL [STATUS]]   and waits; it has to end with this status (0)
#   as USER CMD...             as that user and with his groups, where the test is root's
#   ask USER METHOD TARGET [CURL-OPTION...]   a case: the status goes to $code, the body to $out, the head to answer.head
#   answers CODE [TEXT]        belongs to the case before
#   until_true CMD...          waits for what happens
#
# What runs in the background ends with the test. All that was answered is compared with doc/openapi.yaml then (openapi-lib.sh).
. "${top_srcdir:?}/tests/daemon/openapi-lib.sh"
needs curl openssl python3 setpriv
[ -x "${top_builddir:?}/signengined" ] || skip "signengined was not built: libmicrohttpd-dev is missing"
[ "$(id -u)" = 0 ] || skip "only root can call as other users"
daemon='' others=''
stop_all() {
    ended=$?
    set +e
    # a holder's daemon does not end with it
    held=$(sed -n 's/^started //p' hold.got 2>/dev/null | tail -n 1)
    stop_servers
    for process in $daemon $others $held; do kill -KILL "$process"; done 2>/dev/null
    wait 2>/dev/null
    [ "$ended" != 0 ] || answers_are_described
    (exit "$ended")
    finish
}
trap stop_all EXIT
chmod 755 "$tmp"
cp "$top_srcdir"/tests/daemon/*.py . # other users may not see the sources
mkdir -m 777 asked # what curl writes as another user
record_answers

daemon_configuration() {
    make_ca ca
    make_cert one ec:P-256 keyUsage=critical,digitalSignature
    cat one.key one.pem ca.pem >one.bundle
    mkdir -p run
    chown nobody run one.bundle
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
	      <user name='daemon'/> <descriptor name='FileSigner'/>
	    </allow>
	    <allow name='old' operations='sign certificates'>
	      <user name='bin'/> <descriptor name='FileSigner' version='1'/>
	    </allow>
	    <allow name='few' operations='sign encrypt' perMinute='5'>
	      <group name='games'/> <descriptor name='FileSigner'/>
	    </allow>
	    <allow name='cards' operations='history-append history-read'>
	      <user name='nobody'/> <history name='default'/>
	    </allow>
	  </access>
	</engineSignEncrypt>
	XML
}

daemon_settings() {
    {
        printf 'config = %s/engine.xml\nlisten = unix:%s/run/socket\nmode = 0666\nuser = nobody\naudit = file:%s/run/audit.log required\n' \
            "$tmp" "$tmp" "$tmp"
        printf '%s\n' "$@"
    } >signengined.conf
}

until_true() {
    for _ in $(seq 1 3000); do
        "$@" >/dev/null 2>&1 && return 0
        sleep 0.02
    done
    fail "never: $*"
    exit 1
}

is_live() { curl -sf --unix-socket run/socket http://x/health/live; }

start_daemon() {
    # a sanitizer's or valgrind's options come from the environment of the test
    ${MEMCHECK:+$MEMCHECK --log-file="$tmp/.valgrind.%p"} "$@" --settings "$tmp/signengined.conf" >>daemon.log 2>&1 &
    daemon=$!
    for _ in $(seq 1 3000); do
        is_live >/dev/null && return 0
        kill -0 "$daemon" 2>/dev/null || break
        sleep 0.02
    done
    cat daemon.log
    echo 'the daemon did not start'
    exit 99
}

stop_daemon() {
    kill "-${1-TERM}" "$daemon"
    status=0
    wait "$daemon" || status=$?
    daemon=''
    if [ "$status" != "${2-0}" ]; then
        fail "the daemon ended with status $status"
        tail -n 30 daemon.log
    fi
}

as() {
    user=$1
    shift
    setpriv --reuid="$user" --regid="$(id -g "$user")" --init-groups "$@"
}

ask() {
    user=$1 method=$2 target=$3
    shift 3
    cases=$((cases + 1)) bad='' code=''
    rm -f asked/*
    code=$(as "$user" curl -s --path-as-is --unix-socket "$tmp/run/socket" -X "$method" -D asked/head -o asked/body -w '%{http_code}' "$@" \
        "http://x$target" 2>"$err") || true
    : >"$out"
    [ ! -e asked/body ] || cp asked/body "$out"
    : >answer.head
    [ ! -e asked/head ] || cp asked/head answer.head
}

answers() {
    [ "$code" = "$1" ] || fail "$code, not $1: $user $method $target"
    [ -z "${2-}" ] || says "$2"
}
