# SPDX-License-Identifier: Apache-2.0
# An engine of before a SIGHUP is closed when its last call has ended, and with it the connections of its histories.
. "${top_srcdir:?}/tests/lib/harness.sh"
. "${top_srcdir:?}/tests/daemon/daemon-lib.sh"
needs psql
. "$top_srcdir/tests/history/server.sh"
server_make
end_all() {
    ended=$?
    set +e
    server_stop immediate
    (exit "$ended")
    stop_all
}
trap end_all EXIT
daemon_configuration
daemon_settings "history default = $store default FileSigner"
setup signengine -c engine.xml history create --store "$store" --descriptor FileSigner
start_daemon "$top_builddir/signengined"

count_connections() { server_sql -A -t -c "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"; }
again='the configuration was loaded again'
was_loaded() { [ "$(grep -c "$again" daemon.log)" -ge "$1" ]; }
append() { # KEY
    ask nobody POST /v1/histories/default/entries -H 'Content-Type: application/json' -H "Idempotency-Key: $1" \
        -d '{"entries":[{"object":"card/1","payload":"aGVsbG8="}]}'
    answers 201
}
for n in $(seq 1 10); do
    append "$n"
    kill -HUP "$daemon"
    until_true was_loaded "$n"
done
append 11
one_left() { [ "$(count_connections)" = 1 ]; }
until_true one_left
stop_daemon
