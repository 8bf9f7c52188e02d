#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Tokens that this or that library accepts and that have to be refused, each with its status: 1 for what is one and is not accepted, 65 for
# what is none.
. "${top_srcdir:?}/tests/lib/harness.sh"
needs python3
python3 -c 'import cryptography' 2>/dev/null || skip 'Python has no cryptography'

make_key rsa rsa:2048
make_key ec ec:P-256
for name in rsa ec; do
    make_cert "$name" - issuer=self
    cat "$name.key" "$name.pem" >"$name.both"
done
cat >engine.xml <<XML
<engineSignEncrypt>
  <descriptors>
    <descriptor name='RS256'><type algorithm='RSA' key='rsa'/></descriptor>
    <descriptor name='PS256'><type algorithm='PS256' key='rsa'/></descriptor>
    <descriptor name='ES256'><type algorithm='ES256' key='ec'/></descriptor>
  </descriptors>
  <keys>
    <key name='rsa'><type name='pem' locationValue='rsa.both'/></key>
    <key name='ec'><type name='pem' locationValue='ec.both'/></key>
  </keys>
</engineSignEncrypt>
XML
export SIGNENGINE_CONFIG="$tmp/engine.xml"
setup python3 "$top_srcdir/tests/jose/attacks.py" "$tmp"
cp "$out" table

while read -r number wanted command descriptor name; do
    set -- "$command" verify -d "$descriptor"
    [ "$command" = jws ] || set -- "$@" --issuer me --audience you
    if [ "$wanted" = 0 ]; then accepts signengine "$@" "tokens/$number"; else refuses "$wanted" signengine "$@" "tokens/$number"; fi
    [ ! "$bad" ] || echo "    $number: $name"
done <table
[ "$cases" -gt 130 ] || fail "only $cases tokens"
number=$(sed -n 's/ .* JSON: a good and a bad signature$//p' table)
accepts signengine jws verify --any -d RS256 "tokens/$number"
number=$(sed -n 's/ .* JSON: the bad signature first$//p' table)
accepts signengine jws verify --any -d RS256 "tokens/$number"
