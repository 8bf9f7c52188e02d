#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A chain that is not good: nothing of it is printed, exported or changed; and however much somebody has put into it, he who waits for the
# alarm gets it.
. "${top_srcdir:?}/tests/lib/harness.sh"
needs sqlite3 python3

make_signer ObjectHistorySigner ec:P-256
history() {
    command=$1
    shift
    signengine history "$command" --store sqlite:history.db "$@"
}
setup history create
for object in 1 2 3; do
    echo "x$object" >payload
    setup history append --object $object payload
    sleep 1.1
done
between=$(($(date +%s) - 2))
keep() {
    setup sqlite3 history.db 'PRAGMA wal_checkpoint(TRUNCATE)'
    cp history.db "$1"
}
put_back() {
    rm -f history.db-wal history.db-shm
    cp "$1" history.db
}
keep good.db

# ---- nothing is done to what is not good, wherever that is ----
# spoilt TEXT SQL
spoilt() {
    put_back good.db
    setup sqlite3 history.db "$2"
    keep spoilt.db
    for command in "prune --yes --before @$between" 'erase --yes 2' resign 'end --yes' show export 'export --xml'; do
        # shellcheck disable=SC2086 # words
        refuses 1 history $command
        says "$1"
        [ ! -s "$out" ] || fail "$command: something was printed"
    done
    accepts sqlite3 history.db .dump
    cp "$out" dump
    accepts sqlite3 spoilt.db .dump
    same dump "$out"
}
flip="CAST(replace(CAST(note AS TEXT), 'time 20', 'time 19') AS BLOB)"
spoilt 'seal 2:' "UPDATE seal SET note = $flip WHERE (key & 0xffffff) = 2"
spoilt 'seal 3:' "UPDATE seal SET note = $flip WHERE (key & 0xffffff) = 3"
spoilt 'entry 1:' "UPDATE entry SET payload = x'00' WHERE (key & 0xffffff) = 1"
spoilt 'entry 3:' "UPDATE entry SET payload = x'00' WHERE (key & 0xffffff) = 3"
spoilt 'entry 4:' "INSERT INTO entry SELECT key + 1, time, object, salt, payload, leaf FROM entry WHERE (key & 0xffffff) = 3"
spoilt 'there is an entry with the number 0' \
    "INSERT INTO entry SELECT key - 1, time, object, salt, payload, leaf FROM entry WHERE (key & 0xffffff) = 1"
accepts history show --unverified
says x2
refuses 64 history export --xml --unverified
put_back good.db
accepts history prune --yes --before "@$between"
accepts history show
says_not x1
sqlite3 good.db ".dump entry" | grep '^INSERT' | head -n 1 | sqlite3 history.db
refuses 1 history verify
says 'inserted: entry 1: there, though what is up to entry'
put_back good.db
accepts history erase --yes 2
accepts history end --yes
accepts history verify
says 'the chain is closed'

# ---- what is printed is what was verified, while somebody changes it back and forth ----
rm -f history.db*
setup history create
python3 -c "for i in range(20000): print('card/%d\t{\"state\":\"blocked\",\"n\":%d}' % (i, i))" >lines
setup history append --lines lines
cat >flip.py <<'PYTHON'
import sqlite3, time
c = sqlite3.connect('history.db', timeout=5, isolation_level=None)
key, payload = c.execute('SELECT key, payload FROM entry ORDER BY key LIMIT 1').fetchone()
while True:
    for value, pause in ((b'forged', .01), (payload, .04)):
        try:
            c.execute('UPDATE entry SET payload = ? WHERE key = ?', (value, key))
            time.sleep(pause)
        except sqlite3.OperationalError:
            pass
PYTHON
keep good.db
python3 flip.py &
flipping=$!
good=0
for turn in 1 2 3 4 5 6 7 8; do
    for command in 'show --last 3' 'export --last 3' 'export --xml --last 3'; do
        # shellcheck disable=SC2086 # words
        try history $command
        if [ "$status" = 0 ]; then good=$((good + 1)); else [ "$status" = 1 ] || fail "status $status: turn $turn, $command"; fi
        says_not '>forged' # the error may not say it either
        says_not '"forged'
        says_not '  forged'
    done
done
kill "$flipping"
wait "$flipping" 2>/dev/null || true
[ "$good" -gt 0 ] || fail 'never found good'

# ---- an alarm that somebody wants to keep from coming ----
cat >notify <<'NOTIFY'
#!/bin/sh
cat >>notified
echo end >>notified
NOTIFY
chmod +x notify
cat >costs.py <<'PYTHON'
import resource, subprocess, sys
status = subprocess.run(sys.argv[1:]).returncode
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(int(1000 * (used.ru_utime + used.ru_stime)), used.ru_maxrss, file=open('costs', 'w'))
sys.exit(status)
PYTHON
# verify, and how many ms of a processor and KB of memory that took
verify() {
    SIGNENGINE_CONFIG="$SIGNENGINE_CONFIG" python3 costs.py "$top_builddir/signengine" history verify --store sqlite:history.db "$@"
}
put_back good.db
accepts verify
read -r cpu memory <costs
# alarmed SQL: in not much more time than a good chain of this size takes, and a second for searches; no clock, for others may have the
# processors
alarmed() {
    put_back good.db
    setup sqlite3 history.db "$1"
    rm -f notified
    refuses 1 verify --notify ./notify
    [ "$(sed -n 1p notified)" = "$(sed -n 1p "$out")" ] || fail 'the first finding is not the first that was told'
    read -r used room <costs
    instrumented || [ "$used" -lt $((cpu * 3 + 2500)) ] || fail "it took $used ms, and $cpu ms when it was good"
    instrumented || [ "$room" -lt $((memory + 100000)) ] || fail "it took $room KB, and $memory KB when it was good"
    cp "$out" told
}
# every entry, so that each has to be looked for; and in 20,000 chains
alarmed "UPDATE entry SET salt = zeroblob(16);
    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
    INSERT INTO chain SELECT 1000 + i, 'c' || i, randomblob(16), 0, x'', 0, zeroblob(32), 0, x'', 1 FROM n"
[ "$(wc -l <told)" = 1000 ] || fail "$(wc -l <told) findings were told"
# the biggest payload that there may be: it is hashed once and not for each place that it may come from
alarmed 'UPDATE entry SET payload = zeroblob(16777216) WHERE (key & 0xffffff) IN (5, 6, 7)'
# 200,000 entries that nobody has sealed
alarmed "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200000)
    INSERT INTO entry SELECT (SELECT max(key) FROM entry) + i, 1, x'', zeroblob(16), zeroblob(100), zeroblob(32) FROM n"
accepts cat told
says 'unsealed: entries 20001 to 220000: no seal covers them'
