#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Programs that `history verify --notify` starts, and what becomes of the verdict when they fail.
. "${top_srcdir:?}/tests/lib/harness.sh"
needs sqlite3

make_signer ObjectHistorySigner ec:P-256
verify() {
    signengine history verify --store sqlite:history.db --notify "$@"
}
program() { # NAME LINE...
    name=$1
    shift
    { echo '#!/bin/sh' && printf '%s\n' "$@"; } >"$name"
    chmod +x "$name"
}
program keep 'cat >notified'

# ---- nothing to tell ----
yes 'a payload' | head -n 2000 >payloads
setup signengine history create --store sqlite:history.db
lines() { signengine history append --store sqlite:history.db --object o --lines <payloads; }
accepts lines
accepts verify ./keep
[ ! -e notified ] || fail 'a good chain was notified'
refuses 66 signengine history verify --store sqlite:nothing.db --notify ./keep
[ ! -e notified ] || fail 'a store that is not there was notified'

# ---- findings ----
setup sqlite3 history.db 'PRAGMA wal_checkpoint(TRUNCATE)'
cp history.db good.db
damage() { # WHICH
    cp good.db history.db
    setup sqlite3 history.db "UPDATE entry SET salt = zeroblob(16) WHERE $1"
}
damage 'key % 2 = 0'
refuses 1 verify ./keep
same notified "$out"
[ "$(wc -l <notified)" = 1000 ] || fail "$(wc -l <notified) findings of 1000"
[ "$(wc -c <notified)" -gt 65536 ] || fail 'a pipe would take them all, even if nobody read it'

# ---- who does not read them, or not all ----
findings=1000
without_message() { # the findings and the verdict are as they are without it
    [ "$(wc -l <"$out")" = "$findings" ] || fail 'findings are missing'
    says_not notify
}
refuses 1 verify true
without_message
damage 'key % 1000 = 7'
findings=2
refuses 1 verify ./keep --json
[ "$(wc -l <notified)" = 2 ] || fail 'JSON is notified otherwise'
says_not notify
refuses 1 verify "$(command -v true)"
without_message
program glance 'exec <&-' 'sleep 0.1'
refuses 1 verify ./glance
without_message
program first 'head -c 10 >/dev/null'
refuses 1 verify ./first
without_message

# what it says comes after what we say
program speak 'echo spoken'
refuses 1 verify ./speak
[ "$(tail -n 1 "$out")" = spoken ] || fail 'its last line is not the last one'

# ---- who can't be run, and who fails: told even if only errors are ----
wrong() { # PROGRAM TEXT
    refuses 1 verify "$1" --quiet
    says "signengine: history verify: --notify: $2"
    [ "$(wc -l <"$out")" = "$findings" ] || fail 'findings are missing'
}
cannot() { # PROGRAM WHY; valgrind makes a fork of what has to share memory to say why
    wrong "$1" "$([ "${MEMCHECK-}" ] || echo "cannot run '$1': $2")"
}
: >text
mkdir folder
printf '#!/no/such/shell\n' >unrun
printf 'echo no shell >notified\n' >bare
chmod +x unrun bare
rm notified
cannot ./no-such-program 'No such file or directory'
cannot no-such-program 'No such file or directory'
cannot keep 'No such file or directory'
cannot './keep now' 'No such file or directory'
cannot '' 'No such file or directory'
cannot ./text 'Permission denied'
cannot ./folder 'Permission denied'
cannot ./unrun 'No such file or directory'
cannot ./bare 'Exec format error'
[ ! -e notified ] || fail "it was run: $(cat notified)"
program three 'exit 3'
wrong ./three "'./three' ended with status 3"
program killed 'kill -9 $$'
wrong ./killed "'./killed' was killed by signal 9"
program none 'exit 127'
wrong ./none "'./none', or what it runs, cannot be run: it ended with status 127"

# ---- descriptors and signals of who starts us ----
closed() { verify ./keep <&-; }
refuses 1 closed
same notified "$out"
program look 'for n in 0 1 2 3 4 5 6 7 8 9; do' '[ ! -e "/proc/$$/fd/$n" ] || printf %s "$n"' 'done >descriptors'
more() { verify ./look 3<payloads 7<payloads; }
refuses 1 more
[ "$(cat descriptors)" = 012 ] || fail "it has the descriptors $(cat descriptors)"
ignored() { (trap '' CHLD PIPE && verify ./three); }
refuses 1 ignored
says "'./three' ended with status 3"
