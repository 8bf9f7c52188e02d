#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# mail verify: signatures inside signatures, each with a time stamp of its own: all are told, the outermost one first.
. "${top_srcdir:?}/tests/lib/harness.sh"
. "${top_srcdir:?}/tests/mail/mail-lib.sh"
needs openssl python3

make_ca ca
make_ca other
mail_cert alice ec:P-256 subjectAltName=email:alice@example.org
cat >engine.xml <<XML
<engineSignEncrypt>
  <descriptors><descriptor name='SignEmailDescriptor'><type algorithm='SHA256withECDSA' key='alice'/></descriptor></descriptors>
  <keys><key name='alice'><type name='pem' locationValue='alice.bundle'/></key></keys>
</engineSignEncrypt>
XML
export SIGNENGINE_CONFIG="$tmp/engine.xml" PYTHONDONTWRITEBYTECODE=1
for name in first second; do
    make_cert "$name" ec:P-256 extendedKeyUsage=critical,timeStamping keyUsage=critical,digitalSignature
done
make_cert stranger ec:P-256 issuer=other extendedKeyUsage=critical,timeStamping keyUsage=critical,digitalSignature

sign() { # MESSAGE SIGNED [OPTION...]
    from=$1 to=$2
    shift 2
    setup signengine mail sign --again "$@" "$from" -o "$to"
}
stamp() { # MESSAGE TIME AUTHORITY
    setup python3 "$top_srcdir/tests/mail/stamp.py" value "$1"
    cp "$out" value
    setup python3 "$top_srcdir/tests/mail/stamp.py" token value "$2" "$3"
    cp "$out" token
    setup python3 "$top_srcdir/tests/mail/stamp.py" put "$1" token
    cp "$out" "$1"
}
verify() { signengine mail verify --trust-tsa ca.pem --time 2035-01-01 "$@"; }
told() { # LINE...: what is told of signatures and stamps, no more and no less
    printf '%s\n' "$@" >wanted
    grep -E 'signature|stamped' "$out" >lines || true
    same lines wanted
}
json() { # EXPRESSION: of `m`, what was printed
    python3 -c "import json, sys; m = json.load(open(sys.argv[1])); sys.exit(0 if $1 else 1)" "$out" || fail "not so: $1"
}

# ---- two signatures ----
printf 'From: alice@example.org\nTo: bob@example.org\nSubject: x\n\nHello\n' >plain.eml
sign plain.eml one.eml
sign one.eml two.eml
accepts verify two.eml
told 'two.eml: good signature' 'two.eml: good signature inside that one'
accepts verify two.eml --json
json 'm["timeStamp"] is None and [s["timeStamp"] for s in m["outer"]] == [None]'

stamp one.eml 20300601000000Z first
sign one.eml two.eml
accepts verify two.eml
told 'two.eml: good signature' \
    'two.eml: good signature inside that one' '  stamped    2030-06-01 00:00:00 UTC by CN=first'
stamp two.eml 20310702030405Z second
accepts verify two.eml -o content
told 'two.eml: good signature' '  stamped    2031-07-02 03:04:05 UTC by CN=second' \
    'two.eml: good signature inside that one' '  stamped    2030-06-01 00:00:00 UTC by CN=first'
[ "$(grep -c 'signer     CN=alice$' "$out")" = 2 ] || fail 'one signer was told'
[ "$(grep -c 'sender     alice@example.org$' "$out")" = 2 ] || fail 'one sender was told'
accepts grep -q Hello content
accepts verify two.eml --json
json 'm["timeStamp"] == {"time": "2030-06-01T00:00:00Z", "authority": "CN=first"}'
json '[s["timeStamp"] for s in m["outer"]] == [{"time": "2031-07-02T03:04:05Z", "authority": "CN=second"}]'
json 'set(m) - {"input", "verdict", "outer"} == set(m["outer"][0]) and m["outer"][0]["serial"] == m["serial"]'
to_stdout() { verify two.eml -o - >content; }
accepts to_stdout
[ "$(grep -c 'stamped' "$err")" = 2 ] || fail 'one stamp was told beside the content'
accepts verify two.eml --quiet
[ ! -s "$out" ] || fail 'it told something'
accepts verify one.eml --json
json 'm["outer"] == [] and m["timeStamp"]["authority"] == "CN=first"'

# ---- three, of both forms: one stamp that does not count, one signature without ----
sign plain.eml one.eml
stamp one.eml 20300601000000Z stranger
sign one.eml two.eml --opaque
sign two.eml three.eml
stamp three.eml 20320101000000Z second
accepts verify three.eml
sed -i 's/\(trusted: \).*/\1why/' "$out"
told 'three.eml: good signature' '  stamped    2032-01-01 00:00:00 UTC by CN=second' \
    'three.eml: good signature inside that one (opaque)' \
    'three.eml: good signature inside that one' '  stamped    but that does not count: its authority is not trusted: why'
accepts verify three.eml --json
json '[s["opaque"] for s in m["outer"]] == [False, True] and not m["opaque"]'
json '[s["timeStamp"] for s in m["outer"]] == [{"time": "2032-01-01T00:00:00Z", "authority": "CN=second"}, None]'
json 'm["timeStamp"]["ignored"].startswith("its authority is not trusted")'
# one is not good: nothing is told of the others
sed 's/^Hello/Hallo/' one.eml >changed.eml
sign changed.eml three.eml
refuses 1 verify three.eml --json
json 'm["verdict"] == "refused" and "inside the signature" in m["reason"] and set(m) == {"command", "status", "text", "input", "verdict", "reason"}'

# ---- as many as there may be ----
sign plain.eml 1.eml
for n in 2 3 4 5 6 7 8 9 10 11; do
    sign "$((n - 1)).eml" "$n.eml"
done
accepts verify 10.eml
[ "$(grep -c 'good signature' "$out")" = 10 ] || fail 'not all were told'
accepts verify 10.eml --json
json 'len(m["outer"]) == 9'
refuses 1 verify 11.eml -o never
says 'more than 10 signatures within each other'
[ ! -e never ] || fail 'it wrote what was signed'
