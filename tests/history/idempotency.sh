#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# `history append --idempotency-key`: what is said twice is appended once, and the output tells; what other commands make of keys.
. "${top_srcdir:?}/tests/lib/harness.sh"
needs sqlite3

make_signer ObjectHistorySigner ec:P-256
history() {
    command=$1
    shift
    signengine history "$command" --store sqlite:history.db "$@"
}
keys() { # WANTED
    cases=$((cases + 1)) bad=''
    got=$(sqlite3 history.db 'SELECT group_concat(CAST(key AS TEXT), " ") FROM (SELECT key FROM idempotency ORDER BY chain, first)')
    [ "$got" = "$1" ] || fail "keys: $got"
}
prints() { # TEXT: the whole of it
    [ "$(cat "$out")" = "$1" ] || fail "'$(cat "$out")', not '$1'"
}

setup history create
echo '{"state":"blocked"}' >payload
accepts history append --object card/4711 --idempotency-key first payload
prints 1
accepts history append --object card/4711 --idempotency-key first payload
prints '1 (repeated)'
accepts history append --json --object card/4711 --idempotency-key first payload
prints '{"first":1,"last":1,"repeated":true}'
accepts history append --json --object card/4711 --idempotency-key second payload
prints '{"first":2,"last":2,"repeated":false}'
accepts history append --json --object card/4711 payload
prints '{"first":3,"last":3,"repeated":false}'
accepts history append --quiet --object card/4711 --idempotency-key first payload
prints ''
accepts history append --object card/4711 --idempotency-key first --caller uid:7 payload
prints 4
refuses 64 history append --object card/4712 --idempotency-key first payload
says 'was used for other content, from entry 1 on'
keys 'first second first'

# ---- lines, in parts: what was stopped goes on ----

seq 20000 >lines
head -n 10000 lines >some # as much as two parts, of which the second one is another one then
setup history create --chain parts
accepts history append --chain parts --lines --idempotency-key file lines
prints 1-20000
accepts history append --chain parts --lines --idempotency-key file lines
prints '1-20000 (repeated)'
keys 'first second first file file#2 file#3'
setup sqlite3 history.db "DELETE FROM idempotency WHERE key = CAST('file#3' AS BLOB)"
accepts history append --chain parts --json --lines --idempotency-key file lines
prints '{"first":1,"last":23616,"repeated":false}'
refuses 64 history append --chain parts --lines --idempotency-key file some
says 'line 8193 and those after it: '
prints '1-8192 (repeated)'

# ---- what others make of it ----

accepts history verify
says "4 entries"
accepts history export
says_not second
before=$(sqlite3 history.db 'SELECT hex(digest) FROM idempotency WHERE chain = 1')
accepts history erase --dry-run 1
[ "$before" = "$(sqlite3 history.db 'SELECT hex(digest) FROM idempotency WHERE chain = 1')" ] || fail 'a dry run has changed keys'
accepts history erase --yes 1
accepts history append --object card/4711 --idempotency-key second payload
says '2 (repeated)'
refuses 64 history append --object card/4711 --idempotency-key first payload
says 'was erased or dropped since'
accepts sqlite3 history.db "SELECT count(*) FROM idempotency WHERE length(digest) = 0 AND chain = 1"
prints 1

# a copy has the keys of its time; who removes one has his entry twice, where all can see it
setup sqlite3 history.db "VACUUM INTO 'copy.db'"
accepts signengine history append --store sqlite:copy.db --object card/4711 --idempotency-key second payload
prints '2 (repeated)'
setup sqlite3 history.db "DELETE FROM idempotency WHERE chain = 1"
accepts history append --object card/4711 --idempotency-key second payload
prints 5
accepts history verify
says '5 entries'

# a history that is older than keys
setup sqlite3 history.db 'DROP TABLE idempotency'
accepts history append --object card/4711 payload
accepts history verify
accepts sqlite3 history.db .tables
says_not idempotency
accepts history append --object card/4711 --idempotency-key first payload
accepts history append --object card/4711 --idempotency-key first payload
prints '7 (repeated)'
accepts history end --yes
accepts history verify
