#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What goes for good is asked about, and told before; which chains there are; a database that can't be made leaves nothing.
. "${top_srcdir:?}/tests/lib/harness.sh"
needs sqlite3
make_signer ObjectHistorySigner ec:P-256
echo payload >payload
history() {
    command=$1
    shift
    signengine history "$command" --store sqlite:h.db "$@" </dev/null
}

# ---- which chains there are ----

setup history create
setup history create --chain empty
accepts signengine history list --store sqlite:h.db
says 'default              0 entries, 1 seal'
says 'empty                0 entries, 1 seal'
for n in 1 2 3 4; do setup history append --object "card/$n" payload; done
accepts history list
says 'default              4 entries, 1 to 4, 5 seals'
accepts history list --json
says '{"chain":"default","first":1,"last":4,"seals":5,"damaged":false}'
SIGNENGINE_CONFIG=/nonexistent accepts history list # no key is needed
refuses 64 history list payload
refuses 64 signengine history list
refuses 66 signengine history list --store sqlite:none.db
setup sqlite3 other.db 'CREATE TABLE other (n)'
refuses 65 signengine history list --store sqlite:other.db

# ---- without a terminal nothing goes, and a dry run says what would ----

sleep 1.1
now=$(date +@%s)
setup history append --object new payload
state() {
    setup history export
    cp "$out" "$1"
}
state before
unchanged() {
    state after
    same before after
}
for command in 'erase 2' "prune --before $now" end; do
    # shellcheck disable=SC2086 # words
    refuses 64 history $command
    says 'without a terminal to ask on, --yes says that it is meant'
    unchanged
done
accepts history erase --dry-run 2
says "the payload of entry 2 of chain 'default', about 'card/2': 8 bytes"
accepts history prune --dry-run --before "$now"
says "4 entries of chain 'default', 1 to 4"
accepts history prune --dry-run --yes --json --before "$now"
says '{"command":"prune","first":1,"last":4,"entries":4,"dryRun":true}'
accepts history prune --dry-run --before 2001-01-01
says nothing
accepts history end --dry-run
says "5 entries of chain 'default', and none can be added any more"
unchanged
# it refuses what would be refused
refuses 64 history erase --dry-run 9
says 'has no entry 9'
refuses 64 history end --dry-run payload
cp h.db good.db
setup sqlite3 h.db "UPDATE entry SET payload = x'00' WHERE (key & 0xffffff) = 3"
for command in 'erase 2' "prune --before $now" end; do
    # shellcheck disable=SC2086 # words
    refuses 1 history $command --dry-run
done
rm -f h.db-*
cp good.db h.db
accepts history prune --before 2001-01-01 # nothing goes: there is nothing to ask
says 'dropped up to entry 0'
for when in "@$(($(date +%s) + 3600))" 2099-01-01 @9223372036854775807; do
    refuses 64 history prune --yes --before "$when"
    says 'yet to come'
done
unchanged

# ---- on a terminal it is asked ----

on_terminal() { # ANSWER COMMAND...
    answer=$1
    shift
    { sleep 2 && echo "$answer"; } |
        script -qec "\"\$top_builddir/signengine\" history $* --store sqlite:h.db" -E never /dev/null >asked 2>&1 || true
    accepts cat asked
}
if command -v script >/dev/null; then
    on_terminal no prune --before "$now"
    says "4 entries of chain 'default', 1 to 4"
    says 'Drop them? Type yes: '
    says 'nothing is dropped'
    unchanged
    on_terminal y end
    says 'End the chain? Type yes: '
    unchanged
    on_terminal yes erase 2
    says 'Erase it? Type yes: '
    accepts history show
    says '(erased)'
fi

# ---- and done ----

accepts history prune --yes --before "$now"
says 'dropped up to entry 4'
accepts history list
says 'default              1 entry, 5 to 5, '
accepts history prune --dry-run --before "$now"
says nothing
refuses 64 history close
says "it is 'history end'"
accepts history end --yes
refuses 64 history end --dry-run
says 'was closed'

# ---- a chain that can't be made leaves no database ----

no_file() { # NAME
    for file in "$1" "$1"-*; do
        if [ -e "$file" ]; then fail "$file is there"; fi
    done
}
sed 's/one.bundle/lost.bundle/' engine.xml >lost.xml
SIGNENGINE_CONFIG=lost.xml refuses 69 signengine history create --store sqlite:new.db
no_file new.db
full() { # no file may be bigger than that many blocks: to SQLite, a disk that is full
    limit=$1
    shift
    (ulimit -f "$limit" && exec "$top_builddir/signengine" "$@")
}
instrumented || {
    refuses 73 full 16 history create --store sqlite:new.db
    no_file new.db
}
# what was there stays
: >there.db
SIGNENGINE_CONFIG=lost.xml refuses 69 signengine history create --store sqlite:there.db
[ -e there.db ] || fail 'there.db is gone'
SIGNENGINE_CONFIG=lost.xml refuses 69 history create --chain more
accepts history list

# ---- an output that can't be written says why ----

if [ -c /dev/full ]; then
    on_full() { signengine history "$@" --store sqlite:h.db >/dev/full; }
    refuses 73 on_full list
    says 'cannot write standard output: No space left on device'
    refuses 73 on_full show
    says 'No space left on device'
    refuses 73 on_full export
    says 'No space left on device'
fi
on_closed() { signengine history "$@" --store sqlite:h.db >&-; }
refuses 73 on_closed list
says 'cannot write standard output: '
