#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A PostgreSQL server that stops and starts, orderly or not, under 12 threads, and processes that are killed: $CRASHES times.
. "${top_srcdir:?}/tests/lib/harness.sh"
needs psql
. "$top_srcdir/tests/history/server.sh"

. "$top_srcdir/tests/history/crashes.sh"

server_make
setup signengine history create --store "$store"

"$append" one.xml "$store" default 12 >seen 2>errors &
child=$!
for how in fast immediate fast immediate; do
    sleep 1
    server_stop $how
    sleep 0.5
    server_start
    before=$(wc -l <seen)
    tries=0
    until [ "$(wc -l <seen)" -gt "$((before + 20))" ] || [ "$tries" -gt 300 ]; do
        sleep 0.1
        tries=$((tries + 1))
    done
    cases=$((cases + 1)) bad=''
    [ "$tries" -le 300 ] || fail "it did not go on after $how: $(tail -n 2 errors)"
done
kill -9 "$child"
wait "$child" 2>/dev/null || true
kill_often "$store" seen
acknowledged "$store" seen
repeat_often "$store"
