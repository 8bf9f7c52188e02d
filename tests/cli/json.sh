#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# --json: a row for everything, whatever it is called, and an object for every failure.
. "${top_srcdir:?}/tests/lib/harness.sh"
needs openssl python3 pkcs11-tool iconv

# objects COUNT [EXPRESSION]: so many lines on standard output, each an object o of which the Python expression is true.
objects() {
    iconv -f UTF-8 -t UTF-16 "$out" >/dev/null 2>&1 || fail "the output is no UTF-8"
    python3 -c '
import json, sys
rows = [json.loads(line) for line in open(sys.argv[1], encoding="utf-8")]
assert len(rows) == int(sys.argv[2]), "%d objects" % len(rows)
for o in rows:
    assert isinstance(o, dict) and eval(sys.argv[3]), o' "$out" "$1" "${2-True}" 2>"$tmp/.python" || fail "$(tail -n 1 "$tmp/.python")"
}

# ---- names longer than what is told of them: cut between two characters, whichever byte the cut would be at ----
make_ca ca
make_key one rsa:2048
long='/O=ОБЩЕСТВО С ОГРАНИЧЕННОЙ ОТВЕТСТВЕННОСТЬЮ НАУЧНЫЙ ЦЕНТР/OU=Отдел информационной безопасности и криптографии'
cat >engine.xml <<'XML'
<engineSignEncrypt>
  <descriptors><descriptor name='Files'><type algorithm='SHA256withRSA' key='one'/></descriptor></descriptors>
  <keys><key name='one'><type name='pem' locationValue='one.bundle'/></key></keys>
</engineSignEncrypt>
XML
export SIGNENGINE_CONFIG="$tmp/engine.xml"
echo content >file
for before in '' x; do
    setup openssl req -x509 -new -utf8 -key one.key -days 100 -config /dev/null -addext keyUsage=critical,digitalSignature \
        -subj "$long/CN=${before}Удостоверяющий центр примера, Иванов Иван Иванович" -out one.pem
    cat one.key one.pem >one.bundle
    accepts signengine --json check
    objects 1 'o["subject"].startswith("CN=")'
    accepts signengine check
    iconv -f UTF-8 -t UTF-16 "$out" >/dev/null 2>&1 || fail "the table is no UTF-8"
    accepts signengine --json sign -d Files -o file.p7s file
    objects 1 'o["output"] == "file.p7s"'
    accepts signengine --json verify -d Files -s file.p7s file
    objects 1 'o["verdict"] == "good" and o["issuer"] == o["signer"] and len(o["signer"]) > 100'
    accepts signengine --json key list one
    objects 1 'o["privateKey"]'
done

# ---- what is written to a token is UTF-8 (PKCS #11, CK_UTF8CHAR) ----
make_token lab 12345678
make_key issuer rsa:2048
setup openssl req -new -utf8 -key issuer.key -config /dev/null -subj "$long/CN=Удостоверяющий центр примера" -out issuer.csr
printf 'basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\n' >issuer.ext
setup openssl x509 -req -in issuer.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 100 -extfile issuer.ext -out issuer.pem
make_cert leaf rsa:2048 issuer=issuer keyUsage=critical,digitalSignature
cat leaf.key leaf.pem issuer.pem >leaf.bundle
printf 12345678 >pin
chmod 600 pin
on_token() { signengine "$1" key "$2" --module "$softhsm_module" --token-label lab --pin-source file:pin --alias "$3" ${4+"$4"}; }
accepts on_token --json import leaf leaf.bundle
objects 1 'o["label"] == "leaf"'
accepts on_token --json list leaf
objects 4 '"slot" in o or "label" in o'
setup pkcs11-tool --module "$softhsm_module" --token-label lab --list-objects --type cert
accepts iconv -f UTF-8 -t UTF-16 "$out"
latin=$(printf 'cl\351')
refuses 64 on_token --quiet import "$latin" leaf.bundle
says 'not UTF-8'
refuses 64 signengine key import --file new.pem --alias "$latin" leaf.bundle
[ ! -e new.pem ] || fail "a file was made"
printf 1234567890 >so.pin
chmod 600 so.pin
refuses 64 signengine key init --module "$softhsm_module" --so-pin-source file:so.pin --pin-source file:pin --token-label "$latin"
says 'not UTF-8'

# ---- names of files in any encoding ----
name=$(printf 'caf\351')
cp file "$name"
accepts signengine --json sign -d Files "$name"
objects 1 'o["input"] == "caf\ufffd" and o["output"] == "caf\ufffd.p7s"'
accepts signengine --json verify -d Files -s "$name.p7s" "$name"
objects 1 'o["input"] == "caf\ufffd"'

# ---- failures: one object, with the status by its name, and what is told on stderr ----
refuses 64 signengine --json sign
objects 1 'o["status"] == "usage" and "which descriptor?" in o["text"] and o["command"] == "sign"'
refuses 64 signengine --json sing
objects 1 'o["status"] == "usage"'
refuses 64 signengine --json check --dais 3
objects 1 'o["status"] == "usage"'
refuses 78 signengine --json -c missing.xml check
objects 1 'o["status"] == "configuration" and "missing.xml" in o["text"]'
refuses 78 signengine --json sign -d Fiels -o out file
objects 1 'o["status"] == "no descriptor"'
refuses 66 signengine --json sign -d Files missing
objects 1 'o["status"] == "input/output"'
echo other >other
refuses 1 signengine --json verify -d Files -s file.p7s other
objects 1 'o["status"] == "rejected" and o["verdict"] == "refused" and o["reason"] == o["text"] and o["input"] == "other"'
refuses 65 signengine --json verify -d Files -s other file
objects 1 'o["status"] == "format" and o["input"] == "file" and "verdict" not in o'
sed "s/one.bundle/none.bundle/" engine.xml >broken.xml
refuses 69 signengine --json -c broken.xml check
objects 1 'o["verdict"] == "failed" and o["status"] == "key store" and "none.bundle" in o["text"]'
refuses 69 signengine --json key list --module missing
objects 1 'o["status"] == "key store"'

# where standard output is for something else, nothing else goes there
refuses 69 signengine --json -c broken.xml sign -d Files -o - file
[ ! -s "$out" ] || fail "there is something in the place of the signature"
refuses 78 signengine --json decrypt -d Fiels file
[ ! -s "$out" ] || fail "there is something in the place of the plaintext"
refuses 64 signengine --json decrypt --contxt a=b file
[ ! -s "$out" ] || fail "there is something in the place of the plaintext"
if [ -c /dev/full ]; then
    full() { signengine "$@" >/dev/full; }
    refuses 73 full --json check
    says 'No space left'
fi
