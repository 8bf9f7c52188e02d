#!/bin/sh
# A PostgreSQL server that stops and starts, orderly or not, under 12 threads, and processes that are killed.
. "${top_srcdir:?}/tests/lib/harness.sh"
needs psql
. "$top_srcdir/tests/history/server.sh"

make_cert signer ec:P-256 issuer=self keyUsage=critical,digitalSignature
cat signer.key signer.pem >history.pem
cat >one.xml <<XML
<engineSignEncrypt>
  <descriptors><descriptor name="ObjectHistorySigner"><type algorithm="SHA-256" key="history"/></descriptor></descriptors>
  <keys><key name="history"><type name="pem" locationValue="classpath:history.pem"/></key></keys>
</engineSignEncrypt>
XML
export SIGNENGINE_CONFIG=one.xml
append="$top_builddir/tests/history/append"
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
for turn in $(seq "${CRASHES-5}"); do
    "$append" one.xml "$store" default 12 >>seen 2>>errors &
    child=$!
    sleep "0.$(awk -v seed="$turn$$" 'BEGIN { srand(seed); printf "%03d", 50 + rand() * 500 }')"
    kill -9 "$child"
    wait "$child" 2>/dev/null || true
done
accepts signengine history verify --store "$store"
accepts signengine history export --store "$store"
sed -n 's/.*"seq":\([0-9]*\).*"payload":"\([^"]*\)".*/\1 \2/p' "$out" | sort >there
grep -E '^[0-9]+ [0-9]+-[0-9]+-[0-9]+$' seen | sort >wanted
comm -13 there wanted >lost
[ ! -s lost ] || fail "acknowledged and not there: $(head -n 5 lost)"
[ -s wanted ] || fail "nothing was acknowledged"
