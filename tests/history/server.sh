# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2154
# A PostgreSQL server of the test's own, on a socket in its folder, and at $server_addresses; it goes when the test ends.

postgresql=$(find /usr/lib/postgresql /usr/local/pgsql -name initdb -type f 2>/dev/null | sort -V | tail -n 1)
[ "$postgresql" ] || skip 'no PostgreSQL server is installed'
postgresql=$(dirname "$postgresql")

# the server does not run as root
server_run() {
    if [ "$(id -u)" = 0 ]; then
        setpriv --reuid=65534 --regid=65534 --clear-groups "$@"
    else
        "$@"
    fi
}

server_make() {
    mkdir "$tmp/server"
    if [ "$(id -u)" = 0 ]; then
        chmod 711 "$tmp"
        chown 65534:65534 "$tmp/server"
    fi
    setup server_run "$postgresql/initdb" -D "$tmp/server/data" -A trust -U tester --no-sync -E UTF8 --locale=C
    trap 'server_stop immediate; finish' EXIT
    server_start
    # shellcheck disable=SC2034 # for the tests
    store="postgresql:///postgres?host=$tmp/server&user=tester"
}

server_start() {
    setup server_run "$postgresql/pg_ctl" -D "$tmp/server/data" -l "$tmp/server/log" -w -t 60 \
        -o "-c listen_addresses=${server_addresses-} -k $tmp/server -c max_connections=50" start
}

server_stop() { # fast, immediate
    server_run "$postgresql/pg_ctl" -D "$tmp/server/data" -m "$1" -w -t 60 stop >/dev/null 2>&1 || true
}

server_sql() {
    psql -q -v ON_ERROR_STOP=1 -X -h "$tmp/server" -U tester -d postgres "$@"
}
