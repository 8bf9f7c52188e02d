# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2154
# For tests of what survives.  Sets
#
#   append                        the program of 12 threads, with the configuration one.xml
#   acknowledged STORE FILE...    what the program said is there, sealed, and the chain verifies
#   kill_often STORE FILE         kills it at random moments, $CRASHES times; FILE gets what it said
#   repeat_often STORE            two of it append the same with the same idempotency keys to a chain of their own, and are killed; what
#                                 they said is there once, with the number that was said

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

acknowledged() {
    place=$1
    shift
    accepts signengine history verify --store "$place"
    accepts signengine history export --store "$place"
    sed -n 's/.*"seq":\([0-9]*\).*"payload":"\([^"]*\)".*/\1 \2/p' "$out" | sort >there
    cat "$@" | grep -E '^[0-9]+ [0-9]+-[0-9]+-[0-9]+$' | sort >wanted
    comm -13 there wanted >lost
    [ ! -s lost ] || fail "acknowledged and not there: $(head -n 5 lost)"
    [ -s wanted ] || fail "nothing was acknowledged"
}

# between 20 and 520 ms
while_random() {
    sleep "0.$(awk -v seed="$1$$" 'BEGIN { srand(seed); printf "%03d", 20 + rand() * 500 }')"
}

kill_often() {
    for turn in $(seq "${CRASHES-10}"); do
        "$append" one.xml "$1" default 12 >>"$2" 2>>errors &
        child=$!
        while_random "$turn"
        kill -9 "$child"
        wait "$child" 2>/dev/null || true
    done
}

repeat_often() {
    setup signengine history create --store "$1" --chain repeated
    for turn in $(seq "${CRASHES-6}"); do
        "$append" one.xml "$1" repeated 8 100 keyed >"said.$turn" 2>>errors &
        one=$!
        "$append" one.xml "$1" repeated 8 100 keyed >"said.$turn.other" 2>>errors &
        other=$!
        tries=0
        until [ -s "said.$turn" ] || [ -s "said.$turn.other" ] || [ "$tries" -gt 600 ]; do
            sleep 0.05
            tries=$((tries + 1))
        done
        while_random "$turn"
        kill -9 "$one" "$other" 2>/dev/null || true
        wait "$one" "$other" 2>/dev/null || true
    done
    setup "$append" one.xml "$1" repeated 8 100 keyed
    cp "$out" said.last
    accepts signengine history verify --store "$1" --chain repeated
    says '800 entries'
    accepts signengine history export --store "$1" --chain repeated
    sed -n 's/.*"seq":\([0-9]*\).*"payload":"\([^"]*\)".*/\1 \2/p' "$out" | sort >there
    [ "$(cut -d ' ' -f 2 there | sort -u | wc -l)" = 800 ] || fail 'an entry is there twice'
    cat said.* | grep -E '^[0-9]+ [0-9]+-[0-9]+-0$' | sort -u >wanted
    same wanted there
    [ "$(cat said.[0-9]* | wc -l)" -ge "${CRASHES-6}" ] || fail 'nothing was said before it was killed'
}
