#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# XML that must not be signed: what other readers would read differently, and what would break a signature that is there already.
. "${top_srcdir:?}/tests/lib/harness.sh"
needs openssl xmlsec1

make_signer Files rsa:2048

# unsigned WAY-WORDS... TEXT-OF-REFUSAL: in.xml is not signed
unsigned() {
    text=$1
    shift
    rm -f never
    refuses 65 signengine sign --xml -d Files "$@" in.xml -o never
    says "$text"
    [ ! -e never ] || fail "something was written"
}
# odd TEXT-OF-REFUSAL PRINTF-TEXT: neither signed nor, with a signature of a good document in it, verified
odd() {
    # shellcheck disable=SC2059 # it has escapes
    printf "$2" >in.xml
    for way in '' --inclusive --enveloping; do
        # shellcheck disable=SC2086 # none or one word
        unsigned "$1" $way
    done
    refuses 65 signengine verify --xml -d Files in.xml
    says "$1"
}

# ---- what readers differ about ----
odd "XML of the version '1.1' is not accepted" '<?xml version="1.1"?><r>a\302\205b\342\200\250c</r>'
odd "XML of the version '1.5' is not accepted" "<?xml version='1.5' encoding='UTF-8'?><r/>"
odd 'malformed XML declaration' '<?xml encoding="UTF-8" version="1.0"?><r/>'
odd 'malformed XML declaration' '<?xml encoding="UTF-8"?><r/>'
odd 'malformed XML declaration' '<?xml version="1.0" encoding="UTF-8" encoding="UTF-16"?><r/>'
odd 'not the ASCII that the file is declared to be' '<?xml version="1.0" encoding="US-ASCII"?><r>\303\251</r>'
odd "the encoding 'ISO-8859-1' is not supported" '<?xml version="1.0" encoding="ISO-8859-1"?><r>\351</r>'
odd "the encoding 'UTF-7' is not supported" '<?xml version="1.0" encoding="UTF-7"?><r/>'
odd "the namespace of 'xmlns:p' has a '&' in its name" '<r xmlns:p="http://example.org/?a=1&amp;b=2"/>'
odd "the namespace of 'xmlns' has a '&' in its name" '<r xmlns="urn:a&#38;b"/>'
printf '<r xmlns="relative"/>' >in.xml
unsigned 'has no canonical form'
unsigned 'has no canonical form' --inclusive
# xmlsec1 refuses one beside what is signed, too
odd "the namespace './x' has a relative name" '<r><e Id="one"/><f xmlns:p="./x"/></r>'
unsigned "the namespace './x' has a relative name" --id one
odd 'malformed XML' '<r><\360\220\200\200/></r>' # a name since the fifth edition of XML 1.0 only
odd 'has 1001 bytes: 1000 at the most' "<r><$(printf %01001d 0 | tr 0 n)/></r>"
odd 'has a name of 1005 bytes: 1000 at the most' "<r xmlns:p='urn:$(printf %01001d 0 | tr 0 u)'/>"
for id in 1 'a b' 'x%20' "a'b" 'xpointer(x)'; do
    printf '<r><e Id="%s"/></r>' "$id" >in.xml
    unsigned 'is no name' --id "$id"
done

# the declaration is not signed: what is 1.0 is not made 1.1 afterwards
printf '<?xml version="1.0"?><a>1\302\205000\342\200\250</a>' >in.xml
accepts signengine sign --xml -d Files in.xml -o signed.xml
accepts signengine verify --xml -d Files signed.xml
accepts xmlsec1 --verify --trusted-pem ca.pem signed.xml
sed 's/version="1.0"/version="1.1"/' signed.xml >changed.xml
refuses 65 signengine verify --xml -d Files changed.xml
says "XML of the version '1.1' is not accepted"

# ---- what is signed already ----
# good FILE [ID]
good() {
    accepts signengine verify --xml -d Files ${2:+--id "$2"} "$1"
    accepts xmlsec1 --verify --trusted-pem ca.pem --id-attr:Id item --id-attr:Id part --id-attr:Id r "$1"
}
echo '<r Id="r"><item Id="i"><part Id="p">5</part></item><item Id="j"/></r>' >document.xml
for way in '' --inclusive; do
    # shellcheck disable=SC2086
    accepts signengine sign --xml -d Files $way document.xml -o in.xml
    good in.xml
    unsigned 'line 1: <r> has a signature already'
    unsigned 'line 1: <r> has a signature already' --inclusive
    unsigned 'line 1: <r> has a signature already' --id r
    unsigned 'line 1: a signature already covers <part>' --id p
    unsigned 'line 1: there is a signature already' --enveloping
    accepts signengine sign --xml --detached -d Files in.xml -o beside.xml
    accepts signengine verify --xml -d Files in.xml -s beside.xml
done

# a signature within an element is covered by the one around it, and both are good
accepts signengine sign --xml --id p -d Files document.xml -o in.xml
unsigned 'line 1: <part> has a signature already' --id p
accepts signengine sign --xml --id i -d Files in.xml -o both.xml
good both.xml p
good both.xml i
accepts signengine sign --xml -d Files both.xml -o all.xml
good all.xml
good all.xml p
good all.xml i
cp all.xml in.xml
unsigned 'a signature already covers <item>' --id j
sed 's/>5</>6</' all.xml >changed.xml
refuses 1 signengine verify --xml -d Files changed.xml
refuses 1 signengine verify --xml -d Files --id p changed.xml
refuses 1 signengine verify --xml -d Files --id i changed.xml

# beside what it signs, by any of its names
sed -n 's:.*\(<ds.Signature xmlns.*</ds.Signature>\)</item>.*:\1:p' both.xml >signature
{ printf '<r Id="r"><item Id="i"><part xml:id="p">5</part></item><w>' && cat signature && printf '</w></r>\n'; } >in.xml
unsigned 'a signature already covers <item>' --id i
unsigned 'a signature already covers <part>' --id p

# the signature itself
accepts signengine sign --xml --enveloping -d Files document.xml -o in.xml
unsigned 'line 2: <Signature> is a part of a signature'
unsigned 'line 2: <item> is a part of a signature' --id i
