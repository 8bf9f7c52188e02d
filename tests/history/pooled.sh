#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A history in PostgreSQL behind pgbouncer, whose connections to the server other applications have before and after it.
. "${top_srcdir:?}/tests/lib/harness.sh"
needs psql pgbouncer
. "$top_srcdir/tests/history/server.sh"

server_make
make_signer ObjectHistorySigner ec:P-256
echo payload >payload

# pooler SIZE: in transaction mode, with that many connections to the server, which take turns
pooler() {
    pooler_stop
    printf '"tester" ""\n' >server/users
    cat >server/pgbouncer.ini <<-INI
	[databases]
	postgres = host=$tmp/server dbname=postgres
	[pgbouncer]
	listen_addr =
	unix_socket_dir = $tmp/server
	listen_port = 6432
	auth_type = trust
	auth_file = $tmp/server/users
	pool_mode = transaction
	default_pool_size = $1
	server_round_robin = 1
	logfile = $tmp/server/pgbouncer.log
	pidfile = $tmp/server/pgbouncer.pid
	INI
    setup server_run pgbouncer -q -d server/pgbouncer.ini
    until [ -S server/.s.PGSQL.6432 ]; do sleep 0.1; done
}
pooler_stop() {
    [ -e server/pgbouncer.pid ] || return 0
    kill "$(cat server/pgbouncer.pid)"
    while [ -e server/pgbouncer.pid ]; do sleep 0.1; done
}
trap 'pooler_stop; server_stop immediate; finish' EXIT
pooled="$store&port=6432"
other() { # another application
    psql -q -v ON_ERROR_STOP=1 -X -A -t -h "$tmp/server" -p 6432 -U tester -d postgres "$@"
}
settings() {
    setup other -c "SELECT name, setting FROM pg_settings WHERE name <> 'application_name' ORDER BY name"
    cp "$out" "$1"
}

# ---- nothing of the session changes, whatever is done, and whatever becomes of it ----

pooler 1
settings before
untouched() {
    settings after
    same before after
}
accepts signengine history create --store "$pooled"
untouched
for n in 1 2 3; do
    accepts signengine history append --store "$pooled" --object "$n" payload
done
untouched
accepts signengine history verify --store "$pooled"
accepts signengine history export --store "$pooled"
accepts signengine history erase --yes --store "$pooled" 2
untouched
refuses 64 signengine history create --store "$pooled"
refuses 64 signengine history erase --yes --store "$pooled" 2
refuses 1 signengine history append --store "$pooled" --chain none payload
setup server_sql -c 'ALTER TABLE signengine_seal ADD COLUMN more int'
refuses 65 signengine history append --store "$pooled" payload
setup server_sql -c 'ALTER TABLE signengine_seal DROP COLUMN more'
untouched

# ---- nor does what others have left there decide ----

setup other -c "CREATE SCHEMA elsewhere"
setup other -c "SET search_path = elsewhere; SET statement_timeout = 1000; SET lock_timeout = 1; SET enable_indexscan = off; SET synchronous_commit = off;
    SET default_transaction_isolation = serializable"
accepts other -c 'SHOW lock_timeout'
says '1ms'
# the row is held for a moment, in which the other's 1 ms ends
mkfifo hold
server_sql -t -A <hold >held &
holder=$!
exec 9>hold
echo "BEGIN; SELECT 'held' FROM signengine_chain FOR UPDATE;" >&9
until [ -s held ]; do sleep 0.1; done
(
    sleep 1
    echo 'COMMIT;' >&9
) &
accepts signengine history append --store "$pooled" payload
exec 9>&-
wait "$holder"

# ---- what was acknowledged is on the disk, on whatever connection, though the server's commits wait for nothing ----

setup server_sql -c "ALTER SYSTEM SET synchronous_commit = off" -c "ALTER SYSTEM SET wal_writer_delay = '10s'"
server_stop fast
server_start
pooler 2
both_connections() { # to the server are there: one is held until the other is made
    rm -f both began
    mkfifo both
    other <both >began &
    opener=$!
    exec 8>both
    echo "BEGIN; SELECT 'began';" >&8
    until [ -s began ]; do sleep 0.1; done
    setup other -c 'SELECT 1'
    exec 8>&-
    wait "$opener"
}
for n in 1 2 3; do
    both_connections
    accepts signengine history append --store "$pooled" --object "kept-$n" payload
    server_stop immediate
    server_start
    accepts signengine history export --store "$store"
    says "kept-$n"
done
accepts signengine history verify --store "$pooled"
