#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What there may be under our names in PostgreSQL: the tables that we make and nothing else, wherever the search path leads.
. "${top_srcdir:?}/tests/lib/harness.sh"
needs psql
. "$top_srcdir/tests/history/server.sh"

server_make
make_signer ObjectHistorySigner ec:P-256
echo payload >payload

# a schema with a chain of two entries; `within` is the store
schema() { # NAME
    setup server_sql -c "CREATE SCHEMA $1"
    within="$store&options=-csearch_path%3D$1"
    setup signengine history create --store "$within"
    setup signengine history append --store "$within" --object one payload
}
number=0
# tricked TEXT SQL: in a schema of its own, which is the path; whoever reads or writes refuses, and says that
tricked() {
    number=$((number + 1))
    schema "s$number"
    setup server_sql -c "SET search_path = s$number; $2"
    refuses 1 signengine history verify --store "$within"
    says 'unsealed: '
    says "$1"
    for command in export 'append --object o payload' 'prune --yes --before 2001-01-01'; do
        # shellcheck disable=SC2086 # words
        refuses 65 signengine history $command --store "$within"
        says "$1"
        [ ! -s "$out" ] || fail "$command: something was printed"
    done
    setup server_sql -c "DROP SCHEMA s$number CASCADE"
}
away='ALTER TABLE signengine_entry RENAME TO old'
# shellcheck disable=SC2016 # dollars of SQL
function='CREATE FUNCTION f() RETURNS trigger AS $$ BEGIN RETURN NULL; END $$ LANGUAGE plpgsql'
tricked 'signengine_entry is a view' "$away; CREATE VIEW signengine_entry AS SELECT * FROM old"
tricked 'signengine_entry' "$away; CREATE MATERIALIZED VIEW signengine_entry AS SELECT * FROM old"
tricked 'is a partitioned table' \
    "$away; CREATE TABLE signengine_entry (LIKE old) PARTITION BY RANGE (seq); CREATE TABLE p PARTITION OF signengine_entry DEFAULT"
tricked 'signengine_entry has the trigger t' \
    "$function; CREATE TRIGGER t BEFORE DELETE ON signengine_entry FOR EACH ROW EXECUTE FUNCTION f()"
tricked 'signengine_seal has the rule r' 'CREATE RULE r AS ON DELETE TO signengine_seal DO INSTEAD NOTHING'
tricked 'row-level security' 'ALTER TABLE signengine_entry ENABLE ROW LEVEL SECURITY'
tricked 'signengine_seal has the policy p' 'CREATE POLICY p ON signengine_seal USING (number < 2)'
tricked 'signengine_entry has children' 'CREATE TABLE child () INHERITS (signengine_entry)'
tricked 'signengine_entry inherits' 'CREATE TABLE parent (LIKE signengine_entry); ALTER TABLE signengine_entry INHERIT parent'
tricked 'signengine_entry.more is' 'ALTER TABLE signengine_entry ADD COLUMN more bytea GENERATED ALWAYS AS (payload) STORED'
tricked 'signengine_entry.payload is bytea not null with a default' "ALTER TABLE signengine_entry ALTER payload SET DEFAULT ''"
tricked 'signengine_seal.size is numeric' 'ALTER TABLE signengine_seal ALTER size TYPE numeric'
tricked 'signengine_chain.name is text not null with a collation' 'ALTER TABLE signengine_chain ALTER name TYPE text COLLATE "C"'
tricked 'signengine_entry has CHECK' 'ALTER TABLE signengine_entry ADD CHECK (time > 0)'
tricked 'signengine_entry has the index' 'CREATE INDEX ON signengine_entry (time)'
tricked 'signengine_entry has FOREIGN KEY' \
    'ALTER TABLE signengine_entry ADD FOREIGN KEY (chain) REFERENCES signengine_chain (number) ON DELETE CASCADE'
tricked 'signengine_idempotency is a view' 'ALTER TABLE signengine_idempotency RENAME TO old;
    CREATE VIEW signengine_idempotency AS SELECT * FROM old'
tricked 'signengine_idempotency has the trigger t' \
    "$function; CREATE TRIGGER t BEFORE INSERT ON signengine_idempotency FOR EACH ROW EXECUTE FUNCTION f()"
tricked 'signengine_idempotency has UNIQUE' 'ALTER TABLE signengine_idempotency DROP CONSTRAINT signengine_idempotency_chain_caller_key_key'
tricked 'unlogged' 'ALTER TABLE signengine_entry SET UNLOGGED'
tricked 'signengine_node' 'DROP TABLE signengine_node'

# ---- other schemas of the path ----

schema good
setup server_sql -c 'CREATE SCHEMA evil; CREATE VIEW evil.signengine_entry AS SELECT * FROM good.signengine_entry'
path() { # PATH: of the store
    within="$store&options=-csearch_path%3D$1"
}
path evil,good
refuses 1 signengine history verify --store "$within" # not one of them here and the others there
path good,evil
accepts signengine history verify --store "$within"
# operators and functions of somebody else's, before those of the server
cat >evil.sql <<'SQL'
DROP VIEW evil.signengine_entry;
CREATE FUNCTION evil.never(bigint, bigint) RETURNS boolean AS 'SELECT false' LANGUAGE sql;
CREATE FUNCTION evil.nobody(text, text) RETURNS boolean AS 'SELECT false' LANGUAGE sql;
CREATE FUNCTION evil.octet_length(bytea) RETURNS integer AS 'SELECT 1000000000' LANGUAGE sql;
CREATE FUNCTION evil.current_schemas(boolean) RETURNS name[] AS 'SELECT NULL::name[]' LANGUAGE sql;
CREATE OPERATOR evil.= (LEFTARG = bigint, RIGHTARG = bigint, FUNCTION = evil.never);
CREATE OPERATOR evil.<= (LEFTARG = bigint, RIGHTARG = bigint, FUNCTION = evil.never);
CREATE OPERATOR evil.= (LEFTARG = text, RIGHTARG = text, FUNCTION = evil.nobody);
CREATE TYPE evil.bytea AS (a integer);
SQL
setup server_sql -f evil.sql
path evil,pg_catalog,good
accepts signengine history verify --store "$within"
says '1 entries and 2 seals are good'
accepts signengine history append --store "$within" --object two payload
accepts signengine history export --store "$within"
says '"object":"two"'
path pg_temp,good
accepts signengine history verify --store "$within"
refuses 65 signengine history create --store "$store&options=-csearch_path%3Dpg_temp"
path good

# ---- who may only read, reads; who may only append, appends ----

setup server_sql -c 'CREATE ROLE reader LOGIN; GRANT USAGE ON SCHEMA good TO reader;
    GRANT SELECT ON ALL TABLES IN SCHEMA good TO reader; CREATE ROLE writer LOGIN; GRANT reader TO writer;
    GRANT INSERT ON ALL TABLES IN SCHEMA good TO writer; GRANT UPDATE ON good.signengine_chain TO writer'
as() { # ROLE COMMAND OPTION...
    role=$1 command=$2
    shift 2
    signengine history "$command" --store "postgresql:///postgres?host=$tmp/server&user=$role&options=-csearch_path%3Dgood" "$@"
}
accepts as reader verify
accepts as reader export
refuses 77 as reader append --object o payload
accepts as writer append --object three payload
refuses 77 as writer erase --yes 1
accepts as writer end --yes
accepts as reader verify

# ---- idempotency keys: their rights, and a history that is older than they are ----

schema keyed
setup server_sql -c 'GRANT USAGE ON SCHEMA keyed TO reader; GRANT SELECT ON ALL TABLES IN SCHEMA keyed TO reader;
    CREATE ROLE keeper LOGIN; GRANT writer TO keeper; CREATE ROLE owner LOGIN; GRANT tester TO owner;
    GRANT CREATE ON SCHEMA keyed TO writer; GRANT USAGE, CREATE ON SCHEMA keyed TO owner;
    GRANT INSERT ON ALL TABLES IN SCHEMA keyed TO writer; GRANT UPDATE ON keyed.signengine_chain TO writer'
as_keyed() { # ROLE KEY: appends
    signengine history append --store "postgresql:///postgres?host=$tmp/server&user=$1&options=-csearch_path%3Dkeyed" \
        --idempotency-key "$2" payload
}
without_key() {
    signengine history append --store "postgresql:///postgres?host=$tmp/server&user=writer&options=-csearch_path%3Dkeyed" payload
}
refuses 77 as_keyed writer one
says 'permission denied for table signengine_idempotency'
accepts without_key
setup server_sql -c 'GRANT DELETE ON keyed.signengine_idempotency TO keeper'
accepts as_keyed keeper one
accepts as_keyed keeper one
says '(repeated)'
setup server_sql -c 'DROP TABLE keyed.signengine_idempotency'
accepts without_key
refuses 77 as_keyed keeper two
says 'this role does not own'
says 'let the owner of its tables append with a key once, and grant SELECT, INSERT, UPDATE and DELETE on the new table'
accepts without_key
accepts as_keyed owner two
says 6
refuses 77 as_keyed keeper two
says 'permission denied for table signengine_idempotency'
setup server_sql -c 'GRANT SELECT, INSERT, DELETE ON keyed.signengine_idempotency TO keeper'
accepts as_keyed keeper two
says '6 (repeated)'
accepts signengine history erase --yes --store "$within" 6
accepts signengine history verify --store "$within"
says '6 entries'

# ---- payloads that are bigger than there is room for at once, and bigger than there may be ----

schema large
head -c 16000000 /dev/zero >large
for _ in 1 2 3; do
    setup signengine history append --store "$within" --object large large
    seq 300 | sed 's/^/small\t/' >some
    setup signengine history append --store "$within" --lines some
done
accepts signengine history verify --store "$within"
says '904 entries'
accepts signengine history export --store "$within" --object small
[ "$(wc -l <"$out")" = 900 ] || fail "$(wc -l <"$out") lines"
setup server_sql -c "ALTER TABLE large.signengine_entry ALTER payload SET STORAGE EXTERNAL; UPDATE large.signengine_entry
    SET payload = decode(repeat('00', 50000000), 'hex') WHERE seq = 5"
refuses 1 signengine history verify --store "$within"
says 'changed: entry 5: it is bigger than an entry can be'
