#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# evidence make, renew and verify: records are renewed over decades, by a clock that is moved, while authorities end and digests change;
# and what is not about these files, was changed, or was not good in time, is refused.
. "${top_srcdir:?}/tests/lib/harness.sh"
needs openssl python3 faketime
instrumented && skip "the clock is moved by a library that has to be loaded before that of a sanitizer"

make_ca ca
make_ca other
make_tsa
stamps='keyUsage=critical,digitalSignature extendedKeyUsage=critical,timeStamping'
# shellcheck disable=SC2086 # two extensions
for row in first:2031 second:2036 third:2044 fourth:2120; do
    make_cert ${row%:*} ec:P-256 $stamps from=20200101000000Z until=${row#*:}0101000000Z
done
# shellcheck disable=SC2086
make_cert stranger ec:P-256 issuer=other $stamps
serve authority
printf one >one
printf two >two
printf three >three

# at DATE WHAT...: `signengine evidence WHAT` on that day
at() {
    day=$1
    shift
    moved "@$day 12:00:00" "$top_builddir/signengine" evidence "$@"
}
# by AUTHORITY [DATE]: the URL of an authority, whose clock is moved like ours
by() {
    ahead=0
    [ $# = 1 ] || ahead=$(($(date -d "$2 12:00:00" +%s) - $(date +%s)))
    echo "$tsa_url/made?by=$1&ahead=$ahead"
}
verify() { signengine evidence verify --trust-tsa ca.pem "$@"; }
change() { PYTHONDONTWRITEBYTECODE=1 python3 "$top_srcdir/tests/cli/evidence.py" "$@"; }

# ---- made ----
accepts signengine evidence make --tsa "$tsa_url/" one
[ -e one.ers ] || fail 'no one.ers'
accepts verify one
says 'one.ers: good record of 1 file'
says 'there at   20'
says ' by CN=tsa, SHA-256'
says 'renew      before 2120-01-01 00:00:00 UTC'
accepts signengine --json evidence verify --trust-tsa ca.pem one
says '{"record":"one.ers","verdict":"good","files":1,"since":"20'
says '"renewBefore":"2120-01-01T00:00:00Z","timeStamps":[{"tree":1,"digest":"SHA-256","time":"20'
refuses 73 signengine evidence make --tsa "$tsa_url/" one
says "'one.ers' is there already"
accepts signengine evidence make --tsa "$(by first)" -o group.ers one two three
accepts verify -r group.ers three one two
says 'good record of 3 files'
accepts verify -r group.ers one two two three
for digest in SHA-384 SHA-512; do
    accepts signengine --json evidence make --tsa "$(by first)" --digest $digest -o $digest.ers one two
    says "{\"record\":\"$digest.ers\",\"files\":2}"
    accepts verify -r $digest.ers one two
    says ", $digest"
done
setup cp one copy
accepts signengine evidence make --tsa "$(by first)" -o copies.ers one copy
accepts verify -r copies.ers one copy

# ---- many under one stamp ----
mkdir many
for n in 1 2 3 4 5 6 7; do echo $n >many/$n; done
rm authority.asked
accepts signengine evidence make --each --tsa "$(by first)" many/1 many/2 many/3 many/4 many/5 many/6 many/7
[ "$(wc -l <authority.asked)" = 1 ] || fail 'asked more than once'
accepts verify --each many/[1-7]
[ "$(grep -c 'good record of 1 file' "$out")" = 7 ] || fail 'not seven'
refuses 1 verify -r many/1.ers many/2
says "'many/2' is not what was stamped"
echo changed >many/3
refuses 1 verify --each many/[1-7]
says "'many/3.ers': 'many/3' is not what was stamped"
[ "$(grep -c 'good record of 1 file' "$out")" = 6 ] || fail 'not six'
echo 3 >many/3
# a list with the hash beside it, as others write it
change many/1.ers many/beside.ers beside
refuses 1 verify -r many/beside.ers many/1
says 'it is about 1 more file, which is not named'
accepts verify --partial -r many/beside.ers many/1

# ---- renewed: the same digest, then two others; each authority ends before the next but one is asked ----
cp group.ers renewed.ers
renew() { # DATE AUTHORITY OPTION...
    day=$1 who=$2
    shift 2
    at "$day" renew --trust-tsa ca.pem --tsa "$(by "$who" "$day")" -r renewed.ers "$@"
}
cp renewed.ers step0.ers
refuses 1 at 2031-06-01 verify --trust-tsa ca.pem -r renewed.ers one two three
says 'its authority is not trusted: CN=first: certificate has expired'
accepts renew 2030-06-01 second one two three
cp renewed.ers step1.ers
accepts at 2031-06-01 verify --trust-tsa ca.pem -r renewed.ers one two three
says 'stamped    2030-06-01 '
says ' by CN=second, SHA-256'
says 'renew      before 2036-01-01 00:00:00 UTC'
accepts renew 2035-06-01 third --digest SHA-384 one two three
cp renewed.ers step2.ers
accepts renew 2036-06-01 third --digest sha384 one two three
cp renewed.ers step3.ers
accepts renew 2043-06-01 fourth --digest SHA-512 one two three
cp renewed.ers step4.ers
accepts at 2050-01-01 verify --trust-tsa ca.pem -r renewed.ers one two three
says "there at   $(date -u +%Y)-"
says ' by CN=fourth, SHA-512, new hash tree'
[ "$(grep -c stamped "$out")" = 5 ] || fail 'not five stamps'
accepts signengine --json evidence verify --time 2050-01-01 --trust-tsa ca.pem -r renewed.ers one two three
says '"tree":3,"digest":"SHA-512","time":"2043-06-01T'

# ---- what is not renewed ----
refuses 64 renew 2044-01-01 fourth --digest SHA-256 one two three
says 'SHA-256 is weaker than SHA-512, the digest that it has'
cp step0.ers renewed.ers
refuses 1 renew 2031-06-01 second one two three
says "the record of 'one' is not renewed: its authority is not trusted: CN=first: certificate has expired"
refuses 1 renew 2030-06-01 second one two
says 'it is about 1 more file, which is not named'
refuses 1 renew 2030-06-01 stranger one two three
says "the record of 'one' would not be good with the new time stamp: time stamp 2 of 2: its authority is not trusted"
refuses 1 at 2030-06-01 renew --trust-tsa ca.pem --tsa "$(by second 2020-06-01)" -r renewed.ers one two three
says 'at the time of the next (2020-06-01): it is from later than the time at which certificates have to be valid'
setup signengine evidence make --tsa "$tsa_url/made?by=first&ahead=200" -o fresh.ers one
refuses 1 signengine evidence renew --trust-tsa ca.pem --tsa "$(by second)" -r fresh.ers one
says ', is after that of the next, '
refuses 69 at 2030-06-01 renew --trust-tsa ca.pem --tsa "$tsa_away" -r renewed.ers one two three
same renewed.ers step0.ers

# ---- several with one new stamp ----
rm authority.asked
accepts at 2030-06-01 renew --each --trust-tsa ca.pem --tsa "$(by second 2030-06-01)" --digest SHA-512 many/[1-7]
accepts at 2035-06-01 renew --each --trust-tsa ca.pem --tsa "$(by third 2035-06-01)" many/[1-7]
[ "$(wc -l <authority.asked)" = 2 ] || fail 'asked more than once each'
accepts at 2036-06-01 verify --each --trust-tsa ca.pem many/[1-7]
[ "$(grep -c 'good record of 1 file' "$out")" = 7 ] || fail 'not seven'
[ "$(grep -c 'SHA-512, new hash tree' "$out")" = 7 ] || fail 'not seven'

# ---- other files ----
looks() { at 2050-01-01 verify --trust-tsa ca.pem -r "$@"; }
refuses 1 looks step4.ers one two
says "time stamp 1 of 5: it is about 1 more file, which is not named"
accepts looks step4.ers --partial one two
printf four >four
refuses 1 looks step4.ers one two three four
says "'four' is not what was stamped"
refuses 1 looks step4.ers one.ers two three
says "'one.ers' is not what was stamped"
refuses 1 verify -r SHA-384.ers one three
says "'three' is not what was stamped"
refuses 66 looks step4.ers one two missing
refuses 66 looks missing.ers one
refuses 65 looks one one

# ---- changed records ----
rows=0
while IFS='|' read -r status record files what text; do
    # shellcheck disable=SC2086 # words
    setup change $record.ers changed.ers $what
    # shellcheck disable=SC2086
    refuses "$status" looks changed.ers $files
    says "$text"
    rows=$((rows + 1))
done <<'TABLE'
65|step4|one two three|version 2|an evidence record of another version than 1
65|step4|one two three|trailing|there is something behind the evidence record
65|step4|one two three|cut|not an evidence record (RFC 4998)
65|step4|one two three|long_length|an evidence record that is not in DER
65|step4|one two three|member a0|an evidence record with cryptoInfos, which are not read here
65|step4|one two three|member a1|an evidence record of encrypted files (encryptionInfo), which is not read here
65|step4|one two three|attributes|time stamp 1: it has attributes, which are not read here
1|step4|one two three|weak|its digest algorithm sha1 is not accepted: SHA-256 or better is needed
1|step4|one two three|weak_tree|time stamp 1: its digest algorithm sha1 is not accepted
65|step4|one two three|unlisted|an evidence record that does not list SHA-512, its digest
65|step4|one two three|empty_tree|time stamp 1: its hash tree is empty
65|step4|one two three|empty_list|time stamp 1: its hash tree has an empty list
65|step4|one two three|short_hash|time stamp 1: its hash tree has a hash that is not of its digest algorithm
1|step4|one two three|without_tree|time stamp 1 of 5: 'one' is not what was stamped
65|step4|one two three|no_chain|an evidence record without time stamps
65|step4|one two three|empty_chain|an evidence record with an empty chain
1|step4|one two three|one_chain|time stamp 3: its digest is SHA-384, and the time stamps before it in its chain have SHA-256
1|step4|one two three|no_token|time stamp 1: it is not a CMS signature
1|step4|one two three|flip 0 0 1 20|time stamp 1 of 5: it is not the time stamp of its hash tree
1|step4|one two three|flip 0 0 2 -1|time stamp 2 of 5: it does not cover the time stamp before it
1|step4|one two three|flip 1 0 1 20|time stamp 3 of 5: it is not the time stamp of its hash tree
1|step4|one two three|flip 2 0 2 -1|time stamp 5 of 5: the signature does not verify
1|step4|one two three|swap_stamps 0|time stamp 1 of 5: 'one' is not what was stamped
1|step4|one two three|swap_stamps 1|time stamp 3 of 5: 'one' is not what was stamped
1|step4|one two three|swap_chains|time stamp 1 of 5: 'one' is not what was stamped
1|step4|one two three|drop 0 0|time stamp 1 of 4: 'one' is not what was stamped
1|step4|one two three|drop 0 1|time stamp 2 of 4: 'one' is not what was stamped, or the time stamps before it are not
1|step4|one two three|drop 1 0|time stamp 3 of 4: 'one' is not what was stamped, or the time stamps before it are not
1|step4|one two three|drop 1 1|time stamp 4 of 4: 'one' is not what was stamped, or the time stamps before it are not
1|step4|one two three|drop 2 0|time stamp 4 of 4: its authority is not trusted: CN=third: certificate has expired
1|step0|one two three|take_token SHA-384.ers 0 0|time stamp 1: its hash tree and its token have two digests
1|step0|one two three|take_token one.ers 0 0|it is not the time stamp of its hash tree
TABLE
[ $rows = 32 ] || fail "$rows rows"
setup change step0.ers changed.ers turned_list
accepts verify -r changed.ers one two three
setup change step4.ers changed.ers turned_list
refuses 1 looks changed.ers one two three
setup change step0.ers changed.ers parameters
refuses 1 verify -r changed.ers one two three
says 'its digest algorithm sha256 is not accepted: SHA-256 or better is needed, without parameters'

# every byte that a later stamp covers, and the trees
setup change bytes step2.ers 41
bytes=0
for changed in step2.ers.changed.*; do
    try at 2035-12-01 verify --trust-tsa ca.pem -r "$changed" one two three
    case $status in 1 | 65) ;; *) fail "$changed: status $status" ;; esac
    bytes=$((bytes + 1))
done
[ $bytes -gt 50 ] || fail "only $bytes changed records"

# ---- by whom, and when ----
accepts signengine evidence make --tsa "$(by stranger)" -o stranger.ers one
refuses 1 verify -r stranger.ers one
says 'its authority is not trusted: CN=stranger'
cat ca.pem other.pem >both.pem
accepts signengine evidence verify --trust-tsa both.pem -r stranger.ers one
# a renewal that came too late, which we do not make
setup change step0.ers late.ers renewed 20320601120000Z second
refuses 1 at 2035-06-01 verify --trust-tsa ca.pem -r late.ers one two three
says 'time stamp 1 of 2: at the time of the next (2032-06-01): its authority is not trusted: CN=first: certificate has expired'
setup change step0.ers good.ers renewed 20300601120000Z second
accepts at 2035-06-01 verify --trust-tsa ca.pem -r good.ers one two three

# ---- an authority that was revoked ----
crl() { # FILE WHEN: `second` is revoked from then on
    issue_crl "$1" ca number= from=20341201000000Z until=21000101000000Z "second=$2"
}
crl before.crl 20300501000000Z
crl after.crl 20330501000000Z
refuses 1 at 2035-06-01 verify --trust-tsa ca.pem --crl before.crl -r step1.ers one two three
says 'time stamp 2 of 2: '
says 'revoked'
accepts at 2035-06-01 verify --trust-tsa ca.pem --crl after.crl -r step1.ers one two three
accepts at 2035-06-01 verify --trust-tsa ca.pem -r step1.ers one two three
