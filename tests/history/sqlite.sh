#!/bin/sh
# Chains in SQLite, and what is done to them behind the engine's back.
. "${top_srcdir:?}/tests/lib/harness.sh"
needs sqlite3

store=sqlite:history.db
sql() {
    setup sqlite3 history.db "$1"
}
entry() { # NUMBER [CHAIN]: the row
    echo "key = $((((${2-1}) << 44) + $1))"
}
seal() {
    entry "$@"
}
renumber() { # FROM TO WHERE: of entries; in two steps, for no two may have a number
    sql "UPDATE entry SET key = -(key + $2 - $1) WHERE $3; UPDATE entry SET key = -key WHERE key < 0"
}
copy_entry() {
    sql "INSERT OR REPLACE INTO entry SELECT $((($4 << 44) + $3)), time, object, salt, payload, leaf FROM entry WHERE $(entry "$1" "$2")"
}
copy_seal() {
    sql "INSERT OR REPLACE INTO seal SELECT $((($4 << 44) + $3)), size, note FROM seal WHERE $(seal "$1" "$2")"
}
blob_of() {
    echo "x'$1'"
}
keep() {
    sql 'PRAGMA wal_checkpoint(TRUNCATE)'
    cp history.db "$1"
}
put_back() {
    rm -f history.db-wal history.db-shm
    cp "$1" history.db
}
other_chain=2
. "$top_srcdir/tests/history/manipulations.sh"
