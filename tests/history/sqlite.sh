#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
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

# ---- what was erased is not kept in the log either, though others have the database open ----

put_back good
mkfifo hold
sqlite3 history.db <hold >held &
holder=$!
exec 9>hold
echo 'SELECT count(*) FROM chain;' >&9
until [ -s held ]; do sleep 0.1; done
printf 'what nobody may know' >payload
accepts history append payload
accepts cat history.db-wal
says 'what nobody may know'
accepts history erase --yes 102
accepts cat history.db history.db-wal
says_not 'what nobody may know'
exec 9>&-
wait "$holder"

# ---- files that are something else, or not whole ----

: >empty.db
refuses 1 signengine history verify --store sqlite:empty.db
says 'unsealed: '
[ ! -s empty.db ] || fail "who reads has written"
setup sqlite3 others.db 'CREATE TABLE chain (a)'
refuses 1 signengine history verify --store sqlite:others.db
says 'unsealed: '
refuses 65 signengine history append --store sqlite:others.db payload
accepts sqlite3 others.db 'PRAGMA journal_mode'
says delete
for table in chain entry node seal; do
    put_back good
    sql "DROP TABLE $table"
    refuses 1 history verify --notify ./notify
    says "unsealed: 'history.db': no such table: $table"
    accepts cat notified
    says "no such table: $table"
done
put_back good
truncate -s 20000 history.db
refuses 1 history verify
says 'malformed'
refuses 66 signengine history verify --store sqlite:missing.db
says 'No such file or directory'
refuses 66 signengine history verify --store "sqlite:$tmp"
says 'Is a directory'

# ---- permissions ----

# The very program: `signengine` runs it by its path, which may lead through folders that are closed to other users.
as_reader() {
    if [ "$(id -u)" = 0 ]; then
        setpriv --reuid=65534 --regid=65534 --clear-groups "$@"
    else
        "$@"
    fi
}
put_back good
mkdir reader
cp history.db one.xml history1.pem reader
chmod 711 .
chmod 777 reader
chmod 444 reader/*
export SIGNENGINE_CONFIG=reader/one.xml
accepts as_reader "$top_builddir/signengine-history" history verify --store sqlite:reader/history.db
refuses 77 as_reader "$top_builddir/signengine-history" history append --store sqlite:reader/history.db payload
says readonly
chmod 000 reader/history.db
refuses 77 as_reader "$top_builddir/signengine-history" history verify --store sqlite:reader/history.db
says 'Permission denied'
