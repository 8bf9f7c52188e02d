#!/bin/sh
# Object history with a token that takes 24 ms for a signature, in SQLite and in a PostgreSQL server of its own.
. "${here:?}/setup.sh"

softhsm_token
real=$module module=$top/tests/lib/.libs/shim.so
export SHIM_FILE="$PWD/shim"
printf 'module %s\nC_Sign latency 24\n' "$real" >shim
configure "$module" softhsm
"$top/tests/bench/history" engine.xml sqlite:history.db '24 ms for a signature, SQLite' "${HISTORY_ENTRIES-10000000}" 200000
rm -f history.db*

tmp=$PWD
skip() {
    echo "bench: history: $*" >&2
    exit 0
}
finish() {
    rm -rf "$tmp/server"
}
. "$here/../history/server.sh"
chmod 711 .. .
server_make
"$top/tests/bench/history" engine.xml "$store" '24 ms for a signature, PostgreSQL' 0 50000
