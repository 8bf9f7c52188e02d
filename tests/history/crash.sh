#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Appending is killed at random moments under 12 threads, the disk is full, the HSM goes away.  What was acknowledged is there, sealed, and
# the chain verifies.  CRASHES in the environment: how often it is killed.
. "${top_srcdir:?}/tests/lib/harness.sh"
needs sqlite3
. "$top_srcdir/tests/history/crashes.sh"

# ---- kill -9 ----

setup signengine history create --store sqlite:killed.db
kill_often sqlite:killed.db seen
acknowledged sqlite:killed.db seen

setup signengine history create --store sqlite:repeated.db
repeat_often sqlite:repeated.db

# ---- no room ----

# a limit of the size of files is what a full disk is to SQLite
setup signengine history create --store sqlite:full.db
(
    trap '' XFSZ
    ulimit -f 1000
    timeout 10 "$append" one.xml sqlite:full.db default 12 >full 2>full.errors
) || true
cases=$((cases + 1)) bad=''
grep -q '^input/output: ' full.errors || fail "no failure of writing: $(head -n 2 full.errors)"
acknowledged sqlite:full.db full
"$append" one.xml sqlite:full.db default 12 5 >>full
acknowledged sqlite:full.db full

# ---- the HSM goes away and comes back ----

if command -v p11-kit >/dev/null && command -v softhsm2-util >/dev/null && [ "$softhsm_module" ]; then
    make_token history
    client=$(find_library p11-kit-client.so)
    cat >token.xml <<XML
<engineSignEncrypt>
  <descriptors><descriptor name="ObjectHistorySigner"><type algorithm="SHA-256" key="history"/></descriptor></descriptors>
  <keys><key name="history">
    <type name="HSM" locationValue="$client" tokenLabel="history" alias="history" pin="1234" certificate="file:$tmp/signer.pem"/>
  </key></keys>
</engineSignEncrypt>
XML
    setup openssl pkcs8 -topk8 -nocrypt -in signer.key -out signer.p8
    setup softhsm2-util --import signer.p8 --token history --label history --id 01 --pin 1234
    export P11_KIT_SERVER_ADDRESS="unix:path=$tmp/socket"
    serve() {
        rm -f "$tmp/socket"
        setsid p11-kit server --provider "$softhsm_module" -f -n "$tmp/socket" 'pkcs11:token=history' >server.log 2>&1 &
        server=$!
        tries=0
        until [ -S "$tmp/socket" ] || [ "$tries" -gt 100 ]; do
            sleep 0.1
            tries=$((tries + 1))
        done
    }
    serve
    setup signengine history create --store sqlite:hsm.db
    SIGNENGINE_CONFIG=token.xml
    "$append" token.xml sqlite:hsm.db default 12 >hsm 2>hsm.errors &
    child=$!
    for turn in 1 2 3; do
        sleep 1
        before=$(wc -l <hsm)
        kill -9 "-$server" 2>/dev/null || kill -9 "$server"
        sleep 0.5
        serve
        tries=0
        until [ "$(wc -l <hsm)" -gt "$((before + 20))" ] || [ "$tries" -gt 300 ]; do
            sleep 0.1
            tries=$((tries + 1))
        done
    done
    cases=$((cases + 1)) bad=''
    [ "$tries" -le 300 ] || fail "it did not go on after the HSM came back: $(tail -n 2 hsm.errors)"
    kill -9 "$child"
    wait "$child" 2>/dev/null || true

    # many at once, which are stored before it turns out that nobody seals them
    seq 1 8000 >lines
    accepts signengine history append --store sqlite:hsm.db --lines lines
    kill -9 "-$server" 2>/dev/null || kill -9 "$server" 2>/dev/null || true
    wait "$server" 2>/dev/null || true
    entries=$(sqlite3 hsm.db 'SELECT count(*) FROM entry')
    refuses 69 signengine history append --store sqlite:hsm.db --lines lines
    [ "$(sqlite3 hsm.db 'SELECT count(*) FROM entry')" = "$entries" ] || fail "entries without a seal"
    SIGNENGINE_CONFIG=one.xml
    acknowledged sqlite:hsm.db hsm
fi
