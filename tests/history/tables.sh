#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What an SQLite file may have under our names: the tables that we make and nothing else, whoever reads or writes; and who may read it.
. "${top_srcdir:?}/tests/lib/harness.sh"
needs sqlite3

make_signer ObjectHistorySigner ec:P-256
history() {
    command=$1
    shift
    signengine history "$command" --store sqlite:history.db "$@"
}

# ---- only the owner reads a new one, as far as the umask lets him ----
mode() { # FILE WANTED
    cases=$((cases + 1)) bad=''
    [ "$(stat -c %a "$1")" = "$2" ] || fail "$1 has the mode $(stat -c %a "$1"), not $2"
}
(umask 000 && setup history create)
mode history.db 600
(umask 077 && setup signengine history create --store sqlite:hidden.db)
mode hidden.db 600
(umask 000 && seq 5 | signengine history append --store sqlite:history.db --lines >/dev/null)
mkfifo hold
sqlite3 history.db <hold >held &
holder=$!
exec 9>hold
echo 'SELECT count(*) FROM entry;' >&9
until [ -s held ]; do sleep 0.1; done
mode history.db-wal 600
mode history.db-shm 600
exec 9>&-
wait "$holder"
chmod 640 history.db # who wants others to read it says so
setup history create --chain other
mode history.db 640
ln -s nowhere.db link.db
refuses 73 signengine history create --store sqlite:link.db
[ ! -e nowhere.db ] || fail 'what the link points at was made'
refuses 73 signengine history create --store sqlite:no/such/folder.db

# ---- the tables ----
setup sqlite3 history.db 'PRAGMA wal_checkpoint(TRUNCATE)'
cp history.db good.db
setup sqlite3 history.db 'CREATE TABLE others (a); CREATE VIEW v AS SELECT * FROM entry; CREATE INDEX i ON others (a);
    CREATE TRIGGER t AFTER INSERT ON others BEGIN SELECT 1; END'
accepts history verify
accepts history export
put_back() {
    rm -f history.db-wal history.db-shm
    cp good.db history.db
}
# tricked TEXT SQL: whoever reads or writes refuses, and says that
tricked() {
    put_back
    setup sqlite3 history.db "$2"
    rm -f history.db-wal history.db-shm
    before=$(sha256sum <history.db)
    refuses 1 history verify
    says "unsealed: 'history.db': "
    says "$1"
    for command in show export head 'end --yes' resign 'erase --yes 2' 'prune --yes --before 2001-01-01' 'prove 2' 'append --object o lines' \
        'show --unverified' 'create --chain new' 'export --xml'; do
        # shellcheck disable=SC2086 # words
        refuses 65 history $command
        says "$1"
        [ "$(grep -c . "$out")" = 0 ] || fail "$command: something was printed"
    done
    [ "$before" = "$(sha256sum <history.db)" ] || fail 'the file was changed'
}
echo payload >lines
table() { # NAME: as it is made
    sqlite3 good.db "SELECT sql FROM sqlite_master WHERE name = '$1'"
}
# remade NAME SED: another table in its place, with the same rows
remade() {
    echo "ALTER TABLE $1 RENAME TO old; $(table "$1" | sed "$2"); INSERT INTO $1 SELECT * FROM old; DROP TABLE old"
}
tricked "'entry' is a view" 'ALTER TABLE entry RENAME TO old; CREATE VIEW entry AS SELECT * FROM old'
tricked "'seal' is a view" 'ALTER TABLE seal RENAME TO old; CREATE VIEW seal AS SELECT * FROM old'
tricked "'node' is a view" 'ALTER TABLE node RENAME TO old; CREATE VIEW node AS SELECT * FROM old'
tricked "'chain' is a view" 'ALTER TABLE chain RENAME TO old; CREATE VIEW chain AS SELECT * FROM old'
tricked "'ENTRY' is a view" 'ALTER TABLE entry RENAME TO old; CREATE VIEW ENTRY AS SELECT * FROM old'
tricked "table 'entry' is not as" "$(remade entry 's/payload BLOB/payload TEXT/')"
tricked "table 'entry' is not as" "$(remade entry "s/payload BLOB NOT NULL/payload BLOB NOT NULL DEFAULT x'00'/")"
tricked "table 'entry' is not as" "$(remade entry 's/NOT NULL/NOT NULL ON CONFLICT IGNORE/')"
tricked "table 'entry' is not as" "$(remade entry 's/)$/, CHECK (time > 0))/')"
tricked "table 'chain' is not as" "$(remade chain 's/name TEXT/name TEXT COLLATE NOCASE/')"
tricked "table 'seal' is not as" "$(remade seal 's/size INTEGER NOT NULL/size INTEGER NOT NULL REFERENCES entry (key)/')"
tricked "table 'node' is not as" "$(remade node 's/ WITHOUT ROWID//')"
tricked "table 'entry' is not as" 'ALTER TABLE entry ADD COLUMN more AS (payload) VIRTUAL'
tricked "table 'entry' has the index 'i'" 'CREATE INDEX i ON entry (time)'
tricked "table 'seal' has the index 'i'" 'CREATE INDEX i ON seal (size) WHERE size > 3'
tricked "has the trigger 't'" "CREATE TRIGGER t AFTER INSERT ON seal BEGIN UPDATE entry SET payload = x'00'; END"
tricked "has the trigger 't'" 'CREATE TRIGGER t BEFORE DELETE ON Entry BEGIN SELECT RAISE(IGNORE); END'
tricked "table 'entry' is not as" 'ALTER TABLE entry RENAME TO old; CREATE VIRTUAL TABLE entry USING fts5(key, time, object, salt, payload, leaf)'

tricked "'idempotency' is a view" 'ALTER TABLE idempotency RENAME TO old; CREATE VIEW idempotency AS SELECT * FROM old'
tricked "table 'idempotency' is not as" "$(remade idempotency 's/digest BLOB/digest TEXT/')"
tricked "table 'idempotency' has the index 'i'" 'CREATE INDEX i ON idempotency (time)'
tricked "has the trigger 't'" "CREATE TRIGGER t AFTER INSERT ON idempotency BEGIN UPDATE entry SET payload = x'00'; END"

# the table's text is ours again, but its number was not changed: who had read it before would still see the view
put_back
setup sqlite3 history.db 'DROP TABLE seal'
refuses 1 history verify
says 'no such table: seal'
put_back
accepts history verify

# ---- a value that is bigger than ours is not read into memory ----
setup sqlite3 history.db 'UPDATE entry SET payload = zeroblob(100000000) WHERE (key & 0xffffff) = 3'
refuses 1 history verify
says 'too big'
