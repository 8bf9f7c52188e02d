# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2154
# What can be done to a chain in any store, and what verification says about it.  The script that reads this has set
#
#   store                 its address
#   sql TEXT              runs SQL in it
#   entry N [CHAIN], seal N [CHAIN]   conditions that choose a row
#   renumber FROM TO WHERE            moves entries
#   copy_entry N CHAIN N CHAIN, copy_seal N CHAIN N CHAIN   over what may be there
#   blob_of HEX           as SQL has it
#   keep NAME, put_back NAME          the whole store
#   other_chain           the number of the second chain

# a configuration of version 1, of versions 1 and 2, and of version 2 alone
configuration() { # FILE VERSION...
    file=$1
    shift
    {
        echo '<engineSignEncrypt><descriptors>'
        for v; do
            echo "<descriptor name=\"ObjectHistorySigner\" version=\"$v\"><type algorithm=\"SHA-256\" key=\"history$v\"/></descriptor>"
        done
        echo '</descriptors><keys>'
        for v; do
            echo "<key name=\"history$v\"><type name=\"pem\" locationValue=\"classpath:history$v.pem\"/></key>"
        done
        echo '</keys></engineSignEncrypt>'
    } >"$file"
}

for n in 1 2 3; do
    make_cert "signer$n" ec:P-256 issuer=self keyUsage=critical,digitalSignature
    cat "signer$n.key" "signer$n.pem" >"history$n.pem"
done
configuration one.xml 1
configuration both.xml 1 2
configuration two.xml 2
cp history3.pem other.pem
export SIGNENGINE_CONFIG=one.xml

history() {
    command=$1
    shift
    signengine history "$command" --store "$store" "$@"
}

# as SQL has it
blob() {
    blob_of "$(printf %s "$1" | od -An -v -tx1 | tr -d ' \n')"
}

hex() {
    od -An -v -tx1 "$@" | tr -d ' \n'
}

# what somebody makes of the seal before it who has a key and no signengine: a good signature, and what SED says
forge_seal() { # SEAL-BEFORE NUMBER SIGNER SED
    origin=$(head -n 1 "$1")
    previous=$(openssl dgst -sha256 -binary "$1" | openssl base64 -A)
    sed -e '/^$/,$d' -e "s|^seal .*|seal $2 $previous|" "$1" | sed -e "$4" >.text
    {
        {
            printf '%s\n\377signengine SHA256withECDSA\n' "$origin"
            openssl pkey -in "$3.key" -pubout -outform DER
        } | openssl dgst -sha256 -binary | head -c 4
        openssl dgst -sha256 -sign "$3.key" .text
    } >.signature
    {
        cat .text
        printf '\n\342\200\224 %s %s\n' "$origin" "$(openssl base64 -A <.signature)"
    } >forged
    copy_seal $(($2 - 1)) 1 "$2" 1
    sql "UPDATE seal SET note = $(blob_of "$(hex forged)") WHERE $(seal "$2")"
    sql "UPDATE chain SET seals = $2, last = $(blob_of "$(openssl dgst -sha256 -binary forged | hex)") WHERE name = 'default'"
}

# finds TEXT...: verification refuses the chain, and says that
finds() {
    refuses 1 history verify
    for text; do
        says "$text"
    done
    put_back good
}

# ---- a chain ----

accepts history create
accepts history head
says 'event opens'
refuses 64 history create
says 'already'
refuses 1 history append --chain missing /dev/null
says "there is no chain 'missing'"
seq 1 100 | sed 's/.*/person\/&	{"state":"changed","by":"somebody","n":&}/' >lines
for part in 1,30 31,60 61,90 91,100; do
    sed -n "${part}p" lines >some
    accepts history append --lines some
    [ "$part" != 1,30 ] || sql 'CREATE TABLE edge_of_30 AS SELECT edge FROM chain'
done
echo alone >payload
accepts history append --object person/101 payload
says 101
accepts history verify
says "chain 'default': 101 entries and 6 seals are good"
accepts history verify --json
says '"verdict":"good"'
accepts history create --chain other
accepts history append --chain other --lines some
accepts history verify --chain other
keep good

# ---- entries ----

for change in "payload = $(blob changed)" 'time = time + 1' "object = $(blob person/43)" "salt = $(blob 0123456789abcdef)" \
    "leaf = $(blob 0123456789abcdef0123456789abcdef)"; do
    sql "UPDATE entry SET $change WHERE $(entry 42)"
    finds 'changed: entry 42: it is not what was stored'
    says_not findings
done
sql "UPDATE entry SET payload = $(blob changed) WHERE $(entry 42) OR $(entry 77)"
finds 'changed: entry 42:' 'changed: entry 77:' '2 findings'
sql "DELETE FROM entry WHERE $(entry 42)"
finds 'removed: entry 42: missing'
says_not findings
sql "DELETE FROM entry WHERE $(entry 1)"
finds 'removed: entry 1: missing'
sql "DELETE FROM entry WHERE $(entry 42)"
renumber 43 42 "$(entry 43) OR $(entry 44) OR $(entry 45)"
finds 'reordered: entry 42: it is what was entry 43' 'reordered: entry 44: it is what was entry 45' 'removed: entry 45: missing'
renumber 42 1042 "$(entry 42)"
renumber 43 42 "$(entry 43)"
renumber 1042 43 "$(entry 1042)"
finds 'reordered: entry 42: it is what was entry 43' 'reordered: entry 43: it is what was entry 42' '2 findings'
sql "DELETE FROM entry WHERE $(entry 101)"
finds 'truncated: entry 101: missing at the end: seal 6 covers'
sql "DELETE FROM entry WHERE $(entry 99) OR $(entry 100) OR $(entry 101)"
finds 'entries 99 to'
copy_entry 42 1 102 1
finds 'unsealed: entry 102: no seal covers it'
copy_entry 5 "$other_chain" 42 1
finds 'foreign: entry 42: it is entry 5 of the chain' 'other'
sql "DELETE FROM entry"
finds 'truncated: entries 1 to 30: missing'

# ---- seals ----

sql "UPDATE seal SET note = $(blob 'not a seal') WHERE $(seal 4)"
finds "changed: seal 4: it can't be read any more"
sql "DELETE FROM seal WHERE $(seal 4)"
finds 'removed: seal 4: missing'
sql "DELETE FROM seal WHERE $(seal 6)"
finds 'unsealed: entry 101: no seal covers it' 'truncated: the store says that the last seal is number 6'
sql "UPDATE seal SET size = 91 WHERE $(seal 4)"
finds 'changed: seal 4: the store says that it covers 91 entries, it covers 90'
sql "DELETE FROM seal WHERE $(seal 4)"
copy_seal 3 1 4 1
finds 'reordered: seal 4: it is what was seal 3'
sql "DELETE FROM seal WHERE $(seal 2)"
copy_seal 2 "$other_chain" 2 1
finds "foreign: seal 2: it is a seal of another chain, 'other'"
sql 'DELETE FROM seal'
finds "unsealed: chain 'default' is not sealed at all"
sql "DELETE FROM chain WHERE name = 'default'"
finds "there is no chain 'default'"

# ---- what the store says about the chain, and hashes that it keeps ----

sql "UPDATE chain SET size = 100 WHERE name = 'default'"
finds 'changed: what the store says about the chain was changed'
# nobody builds on what is not sealed: 101 entries have an edge of four hashes
sql "UPDATE chain SET edge = $(blob "$(printf '%0128d' 0)") WHERE name = 'default'"
refuses 1 history append payload
says 'its last seal does not cover what the store says that there is'
finds 'changed: the right edge of the tree, as the store has it, is not that of the entries'
sql "UPDATE chain SET base_edge = $(blob x) WHERE name = 'default'"
refuses 1 history append payload
says 'what the store says about the chain is damaged'
finds 'changed: what the store says about the chain was changed'
sql "UPDATE chain SET seals = 5 WHERE name = 'default'"
finds 'the store says that the last seal is number 5, and the last that is there is number 6'
sql "UPDATE chain SET name = 'renamed' WHERE name = 'default'"
finds "there is no chain 'default'"
seq 1 300 >lines
accepts history append --lines lines
keep more
sql "UPDATE node SET hash = $(blob 0123456789abcdef0123456789abcdef)"
refuses 1 history verify
says 'changed: the stored hash of entries 1 to 256 is another one'
put_back more
sql 'DELETE FROM node'
refuses 1 history verify
says 'changed: the stored hash of entries 1 to 256 is missing'
put_back more

# an entry that is missing does not hide what comes after it
sql "DELETE FROM entry WHERE $(entry 10)"
sql "UPDATE entry SET time = time + 1 WHERE $(entry 300)"
refuses 1 history verify
says 'removed: entry 10: missing'
says 'changed: entry 300:'
says '2 findings'

# ---- keys: re-sealing, later keys, versions ----

# a new version: old seals stay those of the old one
put_back good
SIGNENGINE_CONFIG=both.xml accepts history append --object person/5 payload
SIGNENGINE_CONFIG=both.xml accepts history verify
says '102 entries and 7 seals are good'
keep newer
refuses 78 history append payload
says "its last seal was made with version 2 of 'ObjectHistorySigner', which is not configured here"
SIGNENGINE_CONFIG=two.xml refuses 78 history verify
says "key: seal 1: it was made with version 1 of 'ObjectHistorySigner', which is not configured here"
SIGNENGINE_CONFIG=two.xml accepts history append payload
put_back newer

# an attacker with another key under the same version makes a seal
accepts cp history1.pem kept.pem
cp other.pem history1.pem
put_back good
refuses 1 history append payload
says 'another key than that of version 1 has signed it'
accepts history create --chain forged
accepts history append --chain forged --lines lines
cp kept.pem history1.pem
refuses 1 history verify --chain forged
says "key: seal 1: it was made with another key than that of version 1 of 'ObjectHistorySigner'"

# an attacker with the key of a version, as one that was replaced because it was stolen
put_back newer
SIGNENGINE_CONFIG=both.xml accepts history head
cp "$out" head.newer
forge_seal head.newer 8 signer1 's/^signer 2/signer 1/'
SIGNENGINE_CONFIG=both.xml finds 'version: seal 8: it was made by version 1, the seal before it by version 2'
says_not findings
accepts history head
cp "$out" head.6
forge_seal head.6 7 signer1 ''
accepts history verify # one that is well made
put_back good
forge_seal head.6 7 signer1 's/^seal 7 .*/seal 7 AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=/'
finds 'changed: seal 7: it does not follow seal 6'
forge_seal head.6 7 signer1 's/^time 20../time 2000/'
finds 'reordered: seal 7: it covers less than the seal before it, or is older'
forge_seal head.6 7 signer1 's/^101$/100/'
finds 'reordered: seal 7: it covers less than the seal before it, or is older'
forge_seal head.6 7 signer1 '$a event opens'
finds 'inserted: seal 7: it opens the chain, which was open'
forge_seal head.6 7 signer1 '$a event closes'
mv forged closed
forge_seal closed 8 signer1 /^event/d
finds 'inserted: seal 8: seal 7 had closed the chain'
says_not findings

# sealed anew with a later key: history is written again from an older state on, with the newest key
put_back good
accepts history head
cp "$out" head.6
SIGNENGINE_CONFIG=both.xml accepts history append --object person/5 payload
SIGNENGINE_CONFIG=both.xml accepts history head
cp "$out" head.7
put_back good
SIGNENGINE_CONFIG=both.xml accepts history append --object person/6 payload
SIGNENGINE_CONFIG=both.xml accepts history verify --head head.6
SIGNENGINE_CONFIG=both.xml refuses 1 history verify --head head.7
says 'rolled back: seal 7 is not the head that was kept elsewhere: an older state was put back, and went on'
# and an old one below a newer one
sql "DELETE FROM seal WHERE $(seal 7)"
copy_seal 6 1 7 1
SIGNENGINE_CONFIG=both.xml refuses 1 history verify
says 'reordered: seal 7: it is what was seal 6'

# an older state is put back, or cut off, and goes on
put_back good
refuses 1 history verify --head head.7
says 'rolled back: the chain ends at seal 6, and the head that was kept elsewhere is seal 7: an older state was put back'
refuses 64 history verify --head payload
refuses 1 history verify --chain other --head head.6
says 'rolled back: the head that was kept elsewhere is that of another chain'
sql "DELETE FROM entry WHERE $(entry 101)"
sql "DELETE FROM seal WHERE $(seal 6)"
sql "UPDATE chain SET seals = 5, size = 100 WHERE name = 'default'"
refuses 1 history append payload
refuses 1 history verify --head head.6
says 'rolled back'
says 'changed: what the store says about the chain was changed'

# ---- notices ----

put_back good
sql "DELETE FROM entry WHERE $(entry 7)"
cat >notify <<'NOTIFY'
#!/bin/sh
cat >notified
NOTIFY
chmod +x notify
refuses 1 history verify --notify ./notify
accepts cat notified
says 'removed: entry 7: missing'
refuses 1 history verify --json
says '"finding":"removed"'
says '"first":7'
refuses 1 history verify --months 3
says "--months 3: less than a year is not verified; it is 12 now"
put_back good

# ---- proofs ----

for n in 1 42 101; do
    accepts history prove "$n" -o proof
    SIGNENGINE_CONFIG=/nowhere accepts signengine history verify-proof proof
    says "is in the chain 'default', as sealed by CN=signer1"
    SIGNENGINE_CONFIG=/nowhere accepts signengine history verify-proof --certificate signer1.pem proof
    SIGNENGINE_CONFIG=/nowhere refuses 1 signengine history verify-proof --certificate signer3.pem proof
    sed 's/^payload .*/payload AAAAAAAAAAAAAAAAAAAAAA== eA==/' proof >bad
    refuses 1 signengine history verify-proof bad
    says 'the payload is not that of the entry'
    sed 's/^hash \(.*\)/hash AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=/' proof >bad
    refuses 1 signengine history verify-proof bad
    sed 's/^101$/100/' proof >bad
    refuses 1 signengine history verify-proof bad
done
refuses 65 signengine history verify-proof --certificate /dev/null proof
says 'not a certificate'
refuses 64 history prove 102
refuses 65 signengine history verify-proof payload
accepts python3 "$top_srcdir/tests/history/read.py" proof proof

# ---- care ----

sql "CREATE TABLE kept AS SELECT salt, payload FROM entry WHERE $(entry 42)"
accepts history erase --yes 42
accepts history verify
says '101 entries and 7 seals are good'
accepts history show --first 42 --last 42
says '(erased)'
says_not somebody
refuses 64 history erase --yes 42
accepts history prove 42 -o proof
accepts signengine history verify-proof proof
keep erased
sql "UPDATE entry SET salt = (SELECT salt FROM kept), payload = (SELECT payload FROM kept) WHERE $(entry 42)"
refuses 1 history verify
says 'changed: entry 42: its payload is there, and a seal says that it was erased'
put_back erased
sql "UPDATE entry SET salt = $(blob ''), payload = $(blob 0123456789abcdef0123456789abcdef) WHERE $(entry 43)"
refuses 1 history verify
says 'changed: entry 43:'
says 'its payload is gone, and no seal says that it was erased'
put_back erased
accepts history export --object person/43
says '"object":"person/43"'
accepts history export
cp "$out" all.jsonl
accepts history head
cp "$out" head
accepts python3 "$top_srcdir/tests/history/read.py" chain all.jsonl head signer1.pem

# a signed document, of what is good only
accepts history export --xml -o export.xml
accepts signengine verify --xml -d ObjectHistorySigner export.xml
accepts python3 "$top_srcdir/tests/history/read.py" document export.xml signer1.pem
says '101 entries'
sql "UPDATE entry SET time = time + 1 WHERE $(entry 43)"
refuses 1 history export --xml -o never.xml
says 'nothing is signed: '
says 'entry 43'
[ ! -e never.xml ] || fail "a chain that is not good was signed"
put_back erased

# signed anew when the old key is gone
SIGNENGINE_CONFIG=two.xml refuses 78 history append payload
says 'version 1'
SIGNENGINE_CONFIG=two.xml accepts history resign
SIGNENGINE_CONFIG=two.xml accepts history append payload
SIGNENGINE_CONFIG=two.xml accepts history verify
says '102 entries'
SIGNENGINE_CONFIG=two.xml accepts history head
cp "$out" head.9
forge_seal head.9 10 signer3 's/^signer 2/signer 3/' # nobody vouches for that one
SIGNENGINE_CONFIG=two.xml refuses 78 history verify
says "key: seal 10: it was made with version 3 of 'ObjectHistorySigner', which is not configured here"
sql "UPDATE entry SET time = time + 1 WHERE $(entry 3)"
SIGNENGINE_CONFIG=two.xml refuses 1 history verify
says 'changed: entry 3:'
put_back erased

# dropped
sleep 1
now=$(date +@%s)
accepts history append --lines lines
accepts history prune --yes --before "$now"
says 'dropped up to entry 101'
accepts history verify
says '300 entries'
says 'older entries were dropped'
accepts history prove 200 -o proof
accepts signengine history verify-proof proof
accepts python3 "$top_srcdir/tests/history/read.py" proof proof
sql "UPDATE chain SET base_size = 102 WHERE name = 'default'"
refuses 1 history verify
put_back erased
sql "DELETE FROM entry WHERE $(entry 1) OR $(entry 2)"
sql "UPDATE chain SET base_size = 2 WHERE name = 'default'"
refuses 1 history verify

# by somebody who knows how, but has no key
put_back good
sql "DELETE FROM entry WHERE $(entry 30 | sed 's/= \([0-9]*\)$/<= \1/')"
sql "UPDATE chain SET base_size = 30, base_edge = (SELECT edge FROM edge_of_30), base_seal = 2 WHERE name = 'default'"
refuses 1 history verify
says 'changed: the store says that the chain begins at seal 2, and there is a seal 1'
says 'removed: entries 1 to 30: dropped, and no seal says so'
says '2 findings'

put_back good
accepts history end --yes
accepts history verify
says 'the chain is closed'
refuses 64 history append payload
says 'was closed by seal 7'
put_back good
