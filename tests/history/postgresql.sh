#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Chains in PostgreSQL: what is done to them behind the engine's back, several processes at once, and a server that stops.
. "${top_srcdir:?}/tests/lib/harness.sh"
needs psql
. "$top_srcdir/tests/history/server.sh"

server_make
schema() { # NAME
    setup server_sql -c "CREATE SCHEMA $1"
    within="$store&options=-csearch_path%3D$1"
}
sql() {
    setup server_sql -c "$(echo "$1" | sed -E 's/\b(FROM|UPDATE|INTO) (entry|seal|node|chain)\b/\1 signengine_\2/g')"
}
entry() { # NUMBER [CHAIN]: the row
    echo "chain = ${2-1} AND seq = $1"
}
seal() {
    echo "chain = ${2-1} AND number = $1"
}
renumber() { # FROM TO WHERE: of entries; in two steps, for no two may have a number
    sql "UPDATE entry SET seq = -(seq + $2 - $1) WHERE $3; UPDATE entry SET seq = -seq WHERE seq < 0"
}
copy_entry() {
    sql "DELETE FROM entry WHERE $(entry "$3" "$4")"
    sql "INSERT INTO entry SELECT $4, $3, time, object, salt, payload, leaf FROM entry WHERE $(entry "$1" "$2")"
}
copy_seal() {
    sql "DELETE FROM seal WHERE $(seal "$3" "$4")"
    sql "INSERT INTO seal SELECT $4, $3, size, note FROM seal WHERE $(seal "$1" "$2")"
}
blob_of() {
    echo "'\\x$1'::bytea"
}
tables='signengine_chain signengine_entry signengine_node signengine_seal signengine_idempotency'
keep() {
    setup pg_dump -h "$tmp/server" -U tester -d postgres --data-only --inserts --rows-per-insert=500 -f "$1" -t 'signengine_*'
}
put_back() {
    # shellcheck disable=SC2086 # words
    {
        for table in $tables; do echo "DELETE FROM $table;"; done
        cat "$1"
    } >.all
    setup server_sql -1 -f .all
}
other_chain=2
. "$top_srcdir/tests/history/manipulations.sh"

# ---- several create at once what is not there ----

schema fresh
for n in 1 2 3 4 5 6; do
    (signengine history create --store "$within" 2>"made.$n" || echo $? >>"made.$n") &
done
wait
accepts cat made.*
[ "$(grep -c "there is a chain 'default'" "$out")" = 5 ] || fail "not one has made it"
[ "$(grep -c '^64$' "$out")" = 5 ] || fail "there was something else"
accepts signengine history verify --store "$within"

# ---- somebody holds a chain and does not go on: others do not wait for ever ----

schema held
setup signengine history create --store "$within"
accepts signengine history append --store "$within%20-clog_statement%3Dall" payload
accepts cat "$tmp/server/log"
says "SET LOCAL lock_timeout = '30s'"
mkfifo hold
server_sql -t -A <hold >held &
holder=$!
exec 9>hold
echo "BEGIN; SELECT 'held' FROM held.signengine_chain FOR UPDATE;" >&9
until [ -s held ]; do sleep 0.1; done
refuses 69 signengine history append --store "$within%20-clock_timeout%3D300" payload
says 'lock timeout'
exec 9>&-
wait "$holder"
accepts signengine history append --store "$within" payload
refuses 77 signengine history append --store "$within%20-cdefault_transaction_read_only%3Don" payload
says 'read-only'
setup server_sql -c 'DROP SCHEMA held CASCADE; DROP SCHEMA fresh CASCADE'

# ---- addresses: what is wrong is told, a password never ----

try_address() { # STATUS ADDRESS TEXT
    refuses "$1" signengine history verify --store "$2"
    says "$3"
    says_not s3cret
}
try_address 64 'postgres://u:s3cret@localhost/x' "'postgres' is no store: "
try_address 64 'host=localhost password=s3cret' "'host' is no store: "
try_address 64 'postgresql://u:a@s3cret@localhost/x' "'postgresql://...': it is not clear"
try_address 64 'postgresql://u:s3cret/a@localhost/x' "'postgresql://...': it is not clear"
try_address 64 'postgresql://u:s3cret%@localhost/x' "'postgresql://u@localhost/x': it is not clear"
try_address 64 'postgresql://u@localhost/x?pasword=s3cret' "'postgresql://u@localhost/x': it is not clear"
try_address 64 'postgresql://[::1/x' 'looking for matching "]"'
try_address 69 "postgresql://u:s3cret@/x?host=$tmp/nowhere&sslpassword=s3cret&port=1" "'postgresql://u@/x?host=$tmp/nowhere&port=1': "
refuses 1 signengine history verify --store "$store&password=s3cret" --chain missing
says_not s3cret
says 'there is no chain'
accepts signengine history verify --store "$store&password=s3cret"

# ---- four processes ----

accepts history create --chain shared
append_some() {
    for turn in 1 2 3 4 5 6 7 8; do
        printf 'process %s, turn %s\n' "$1" $turn | signengine history append --store "$store" --chain shared --object "$1" || return 1
    done
    seq 1 500 | signengine history append --store "$store" --chain shared --object "$1" --lines
}
for n in 1 2 3 4; do
    append_some "$n" >"seen.$n" 2>"failed.$n" &
done
wait
accepts cat failed.1 failed.2 failed.3 failed.4
[ ! -s "$out" ] || fail "$(cat "$out")"
accepts history verify --chain shared
says '2032 entries and 37 seals are good'
accepts history export --chain shared --object 3
[ "$(wc -l <"$out")" = 508 ] || fail "not 508 entries"

# ---- many entries that the server has not counted yet: each is read once ----

# with this it does with thousands what it would do with millions: read all that follow, and sort them
setup server_sql -c "ALTER DATABASE postgres SET enable_indexscan = off"

# rows of entries that the server has read so far
rows_read() {
    server_sql -t -A -c "SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_user_tables WHERE relname = 'signengine_entry'"
}
accepts history create --chain many
seq 60000 >lines
accepts history append --chain many --lines lines
setup server_sql -c "SELECT pg_stat_reset()"
accepts history verify --chain many
says '60000 entries'
read=$(rows_read)
if [ "$read" -lt 60000 ] || [ "$read" -gt 130000 ]; then fail "$read rows were read"; fi
setup server_sql -c "ALTER DATABASE postgres RESET enable_indexscan"

# ---- a server that stops ----

accepts history append --chain shared payload
server_stop fast
refuses 69 history append --chain shared payload
server_start
accepts history append --chain shared payload
accepts history verify --chain shared
says '2034 entries'
