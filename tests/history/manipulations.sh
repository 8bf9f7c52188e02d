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
seq 1 100 | sed 's/^/person\/&	{"state":"changed","by":"somebody","n":&}/' >lines
for part in 1,30 31,60 61,90 91,100; do
    sed -n "${part}p" lines >some
    accepts history append --lines some
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
