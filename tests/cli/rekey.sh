#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A long re-keying: killed again and again it loses and doubles nothing, and its memory does not grow with its lines.
. "${top_srcdir:?}/tests/lib/harness.sh"

for name in old new; do
    make_cert $name rsa:2048 issuer=self
    cat "$name.key" "$name.pem" >"$name-both.pem"
done
oaep=asymCipher='"RSA/ECB/OAEPWithSHA-256AndMGF1Padding"'
cat >engine.xml <<XML
<engineSignEncrypt><descriptors>
  <descriptor name="EncryptedFields" version="1"><type algorithm="AES/CBC/PKCS7Padding" key="old" $oaep/></descriptor>
  <descriptor name="EncryptedFields" version="2"><type algorithm="AES/GCM/NoPadding" key="new" $oaep/></descriptor>
</descriptors><keys>
  <key name="old"><type name="pem" locationValue="old-both.pem"/></key>
  <key name="new"><type name="pem" locationValue="new-both.pem"/></key>
</keys></engineSignEncrypt>
XML
export SIGNENGINE_CONFIG=engine.xml

# values_of LINES: as many values, and some lines among them that are none
values_of() {
    lines=$1
    seq "$lines" | sed 's/^/a field with the number /' >plain
    setup signengine encrypt -d EncryptedFields:1 --lines plain -o good
    awk 'NR % 1000 == 7 { print "nonsense " NR } { print }' good >values
    wrong=$(grep -c nonsense values)
}

check() { # NAME: what came out is what it should be
    accepts signengine decrypt -d EncryptedFields:2 --lines "$1"
    same "$out" plain
    [ "$(grep -c 'no encrypted value.nonsense' bad)" = "$wrong" ] || fail "$(wc -l <bad) rejects, not $wrong"
    [ "$(wc -l <bad)" = "$wrong" ] || fail "$(wc -l <bad) rejects, not $wrong"
}

# ---- in one go, and in how much memory ----

top=${top_builddir:?}
limit=98304
if instrumented; then limit=4000000; fi
in_one_go() {
    began=$(date +%s%N)
    try "$top/tests/lib/maxrss" $limit "$top/signengine" rekey --lines --rejects bad values -o renewed
    took=$((($(date +%s%N) - began) / 1000000))
    [ "$status" = 1 ] || fail "status $status"
    says "$((lines + wrong)) lines: $lines re-keyed, 0 were under the current key already, $wrong rejected"
    says_not "kB were needed"
    check renewed
}
values_of 40000
in_one_go
# where that is done in no time, it takes more for killing it on the way
until [ "$took" -gt 1000 ] || [ "$lines" -gt 2000000 ]; do
    rm renewed bad
    values_of $((lines * 3))
    in_one_go
done

# ---- killed ----

rekey_meanwhile() {
    "$top/signengine" rekey --lines --rejects bad values -o renewed >log 2>&1 &
    pid=$!
}
end_it() {
    kill -9 $pid 2>/dev/null || true
    wait $pid || true
    ! grep -q 'going on after line' log || resumed=$((resumed + 1))
    kills=$((kills + 1))
}

rm -f renewed bad
kills=0 resumed=0
# as soon as there is something to go on from
rekey_meanwhile
until [ -e renewed.checkpoint ] || [ -e renewed ] || ! kill -0 $pid 2>/dev/null; do
    sleep 0.01
done
end_it
# at any moment, later each time, so that it gets on
while [ $kills -lt 40 ] && [ ! -e renewed ]; do
    rekey_meanwhile
    sleep "$((kills / 9)).$((kills % 9 + 1))"
    end_it
done
[ -e renewed ] || setup sh -c "'$top/signengine' rekey --lines --rejects bad values -o renewed || [ \$? = 1 ]"
check renewed
echo "killed $kills times, went on $resumed times in $lines lines, which take $took ms"
[ $resumed -gt 0 ] || fail "killed $kills times, went on $resumed times"

# ---- a checkpoint in hand, and everything that does not fit to it ----

state() { # CONSUMED SIZE BAD LINES KEPT REJECTED
    info=$(stat -c '%d %i %s %Y' values).$(stat -c %y values | sed 's/.*\.\([0-9]*\) .*/\1/')
    printf 'signengine 1\nrekey EncryptedFields %s\n%s\n' "$info" "$*" >renewed.checkpoint
}
rm -f renewed bad
head -n 3 good >three
setup signengine rekey --lines --rejects bad three -o renewed.partial
first=$(head -n 3 values | wc -c)
done_size=$(wc -c <renewed.partial)
echo "what a dying process left" >>renewed.partial
: >bad
state "$first" "$done_size" 0 3 0 0
refuses 1 signengine rekey --lines --rejects bad values -o renewed
says "going on after line 3"
check renewed
if [ -e renewed.partial ] || [ -e renewed.checkpoint ]; then fail "it leaves files behind"; fi

state "$first" "$done_size" 0 3 0 0
refuses 64 signengine rekey --lines --rejects bad values -o renewed
says "the checkpoint says"
cp renewed renewed.partial
state "$first" "$done_size" 0 3 0 0
refuses 64 signengine rekey --lines --rejects bad good -o renewed
says "is of another input or another job"
refuses 64 signengine rekey -d EncryptedFields:1 --lines --rejects bad values -o renewed
says "is of another input or another job"
echo nonsense >renewed.checkpoint
refuses 64 signengine rekey --lines --rejects bad values -o renewed
says "remove it to begin anew"
