#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A new version takes over a chain to which several hosts append, though the clock of one is behind.
. "${top_srcdir:?}/tests/lib/harness.sh"
needs openssl faketime
instrumented && skip "the clock is moved by a library that has to be loaded before that of a sanitizer"

program=${top_builddir:?}/signengine
history() {
    command=$1
    shift
    signengine history "$command" --store sqlite:history.db "$@"
}
# sealed_by VERSION: the last seal
sealed_by() {
    accepts history head
    says "signer $1 "
}

for name in one two; do
    make_cert "$name" ec:P-256 issuer=self keyUsage=critical,digitalSignature
    cat "$name.key" "$name.pem" >"$name.bundle"
done
# configuration FROM [MORE]
configuration() {
    cat <<-XML
	<engineSignEncrypt>
	  <descriptors>
	    <descriptor name="ObjectHistorySigner"><type algorithm="SHA-256" key="one"/></descriptor>
	    <descriptor name="ObjectHistorySigner" version="2" from="$1" ${2-}><type algorithm="SHA-256" key="two"/></descriptor>
	  </descriptors>
	  <keys>
	    <key name="one"><type name="pem" locationValue="one.bundle"/></key>
	    <key name="two"><type name="pem" locationValue="two.bundle"/></key>
	  </keys>
	</engineSignEncrypt>
	XML
}
configuration 2026-12-24T00:00:00Z >engine.xml
configuration 2026-12-24T00:00:00Z 'signs="false"' >idle.xml
configuration 2026-12-24T00:00:00Z 'until="2026-12-24T00:01:00Z"' >ended.xml
sed '/version="2"/d; /name="two"/d' engine.xml >older.xml
export SIGNENGINE_CONFIG="$tmp/engine.xml"
# at TIME COMMAND [FILE]: as `history`, with the clock at that time
at() {
    moment=$1 command=$2
    shift 2
    moved "@$moment" "$program" history "$command" --store sqlite:history.db "$@"
}
append() { # TIME: one entry, at that time
    echo "{\"at\":\"$1\"}" >payload
    accepts at "$1" append payload
}

# ---- one after the other: a host, and one whose clock is five seconds behind ----

accepts at '2026-12-23 23:59:00' create
append '2026-12-23 23:59:58'
append '2026-12-23 23:59:53'
sealed_by 1
append '2026-12-24 00:00:01'
sealed_by 2
append '2026-12-23 23:59:56' # behind, and yet version 2
sealed_by 2
append '2026-12-23 23:59:59'
append '2026-12-24 00:00:05'
append '2026-12-24 00:00:00'
sealed_by 2
accepts history verify
says '7 entries'

# ---- what stops a host that is behind: that it lacks the version, or must not use it ----

echo '{}' >payload
SIGNENGINE_CONFIG=older.xml refuses 78 at '2026-12-24 00:00:02' append payload
says "its last seal was made with version 2 of 'ObjectHistorySigner', which is not configured here"
SIGNENGINE_CONFIG=idle.xml refuses 78 at '2026-12-24 00:00:02' append payload
says "version 2 only verifies: it has signs=\"false\""
SIGNENGINE_CONFIG=ended.xml accepts at '2026-12-23 23:59:59' append payload
SIGNENGINE_CONFIG=ended.xml refuses 78 at '2026-12-24 00:02:00' append payload
says "version 2 signed until 2026-12-24T00:01:00Z"
accepts history verify

# ---- both at once, across the switch, which comes in three seconds ----

rm -f history.db*
from=$(($(date +%s) + 3))
configuration "$(date -u -d "@$from" +%Y-%m-%dT%H:%M:%SZ)" >engine.xml
accepts history create
appends() { # NAME SHIFT: until the own clock is well past the switch
    n=0
    while [ $(($(date +%s) + $2)) -le $((from + 1)) ]; do
        n=$((n + 1))
        echo "{\"host\":\"$1\",\"n\":$n}" >"$1.payload"
        moved "$2s" "$program" history append --store sqlite:history.db "$1.payload" || echo "$1 $n: status $?" >>failures
    done >"$1.out" 2>&1
    echo "$n" >"$1.count"
}
appends host -0 &
first=$!
appends behind -5 &
wait "$first" "$!"
[ ! -e failures ] || fail "an append failed: $(cat failures host.out behind.out)"
accepts history verify
says "$(($(cat host.count) + $(cat behind.count))) entries"
sealed_by 2
