#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Object history with a token that takes 24 ms for a signature, in SQLite and in a PostgreSQL server of its own.
. "${here:?}/setup.sh"

softhsm_token
real=$module module=$top/tests/lib/.libs/shim.so
export SHIM_FILE="$PWD/shim"
printf 'module %s\nC_Sign latency 24\n' "$real" >shim
configure "$module" softhsm
"$top/tests/bench/history" engine.xml sqlite:history.db '24 ms for a signature, SQLite' 200000
rm -f history.db*

# no token here: its time would hide what the store takes
setup openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=bench -addext keyUsage=critical,digitalSignature \
    -keyout bench.key -out bench.crt
cat bench.key bench.crt >bench.pem
cat >growth.xml <<'XML'
<engineSignEncrypt>
  <descriptors><descriptor name="Bench"><type algorithm="SHA-256" key="bench"/></descriptor></descriptors>
  <keys><key name="bench"><type name="pem" locationValue="classpath:bench.pem"/></key></keys>
</engineSignEncrypt>
XML
sizes=${HISTORY_SIZES-100000 1000000 10000000}
# growth SETTING ENTRIES ADDRESS-FORMAT: eight rounds of two kinds, each with a small chain of its own
growth() {
    setting=$1 entries=$2
    # shellcheck disable=SC2059,SC2046 # a format, and many
    set -- $(printf "$3\n" big $(seq 16))
    "$top/tests/bench/history_growth" growth.xml "$setting, $entries entries" "$entries" "$@"
}
for size in $sizes; do
    growth SQLite "$size" 'sqlite:%s.db'
    rm -f ./*.db*
done

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
"$top/tests/bench/history" engine.xml "$store" '24 ms for a signature, PostgreSQL' 50000

for size in $sizes; do
    for name in big $(seq 16); do
        setup server_sql -c "DROP DATABASE IF EXISTS \"$name\""
        setup server_sql -c "CREATE DATABASE \"$name\""
    done
    growth PostgreSQL "$size" "postgresql:///%s?host=$tmp/server&user=tester"
done
