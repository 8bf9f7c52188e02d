#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What values of one descriptor can be asked about through another one with the same key: nothing.
. "${top_srcdir:?}/tests/lib/harness.sh"
needs openssl python3

make_cert k rsa:2048 issuer=self
make_cert other rsa:2048 issuer=self
# the same key, with another certificate and under another name
cp k.key twin.key
make_cert twin rsa:2048 issuer=self
for name in k other twin; do cat $name.key $name.pem >$name.both; done

# row NAME VERSION CIPHER RESULT KEY: a descriptor; CIPHER "none": bare RSA-OAEP
row() {
    printf "<descriptor name='%s' version='%s'><type key='%s' asymCipher='RSA/ECB/OAEPWithSHA-256AndMGF1Padding'" "$1" "$2" "$5"
    [ "$3" = none ] || printf " algorithm='AES/%s' result='%s'" "$3" "$4"
    echo '/></descriptor>'
}
# configure DESCRIPTORS: engine.xml, in use
configure() {
    {
        echo "<engineSignEncrypt><descriptors>$1</descriptors><keys>"
        for name in k other twin; do echo "<key name='$name'><type name='pem' locationValue='$name.both'/></key>"; done
        echo '</keys></engineSignEncrypt>'
    } >engine.xml
    chmod 600 engine.xml
    export SIGNENGINE_CONFIG="$tmp/engine.xml"
}
gcm=GCM/NoPadding cbc=CBC/PKCS7Padding

# downgrade.py VALUE: the first block of a value with GCM, asked about as CMS with CBC, with padding that is right if the text is "PIN=4711;name=CE"
cat >downgrade.py <<'PY'
import base64, subprocess, sys
value = open(sys.argv[1], 'rb').read().strip()
def unpad(part):
    return base64.urlsafe_b64decode(part + b'=' * (-len(part) % 4))
def tlv(tag, content):
    size = len(content)
    more = size.to_bytes((size.bit_length() + 7) // 8 or 1, 'big')
    return bytes([tag]) + (bytes([size]) if size < 128 else bytes([0x80 | len(more)]) + more) + content
def inside(der, at):  # of the element at that place: where its content begins and ends
    size, begin = der[at + 1], at + 2
    if size & 0x80:
        begin += size & 0x7f
        size = int.from_bytes(der[at + 2:begin], 'big')
    return begin, begin + size
if value.startswith(b'ey'):
    _, wrapped, nonce, text, _ = map(unpad, value.split(b'.'))
else:
    der = base64.b64decode(value)
    at = inside(der, inside(der, inside(der, 0)[0])[1])[0]  # [0]
    at = inside(der, at)[0]                                 # SEQUENCE
    at = inside(der, at)[1]                                 # behind the version
    begin, end = inside(der, at)                            # recipients
    first = inside(der, begin)
    wrapped = der[first[1] - 256:first[1]]
    content = inside(der, end)
    algorithm = inside(der, content[0])[1]
    parameters = inside(der, inside(der, algorithm)[0])[1]
    nonce_at = inside(der, inside(der, parameters)[0])
    nonce = der[nonce_at[0]:nonce_at[1]]
    text_at = inside(der, inside(der, algorithm)[1])
    text = der[text_at[0]:text_at[1]]
assert len(wrapped) == 256 and len(nonce) == 12
template = open('template.der', 'rb').read()  # made for the same key, with CBC: only what is wrapped, the IV and the text change
at = inside(template, inside(template, inside(template, 0)[0])[1])[0]
at = inside(template, inside(template, at)[0])[1]
begin, end = inside(template, at)
first = inside(template, begin)
recipients = template[at:first[1] - 256] + wrapped
guess = b'PIN=4711;name=CE'
counter = nonce + bytes([0, 0, 0, 2])
iv = bytes(c ^ 16 for c in counter)
block = bytes(x ^ y for x, y in zip(text[:16], guess))
algorithm = tlv(0x30, bytes.fromhex('060960864801650304012a') + tlv(4, iv))
content = tlv(0x30, bytes.fromhex('06092a864886f70d010701') + algorithm + tlv(0x80, block))
version = template[inside(template, inside(template, inside(template, inside(template, 0)[0])[1])[0])[0]:at]
sys.stdout.buffer.write(tlv(0x30, bytes.fromhex('06092a864886f70d010703') + tlv(0xa0, tlv(0x30, version + recipients + content))))
PY
printf 'PIN=4711;name=CEO of the bank' >secret

# a value of CBC by itself is made and read, and is the frame of the question
configure "$(row Cbc 1 $cbc CMS k)"
accepts signengine encrypt -d Cbc --binary secret -o template.der
accepts signengine decrypt -d Cbc template.der
same "$out" secret

# question CIPHER RESULT: a value, and what asks about it
for result in CMS JWE; do
    configure "$(row V 1 $gcm $result k)"
    accepts signengine encrypt -d V secret -o value
    setup sh -c 'python3 downgrade.py value >question'
    # the question is a good one: where nothing else has the key, it is answered
    configure "$(row Cbc 1 $cbc CMS k)"
    accepts signengine decrypt -d Cbc question
    for what in "$(row V 1 $cbc CMS k)$(row V 2 $gcm $result k)" "$(row V 1 $cbc NX02 k)$(row V 2 $gcm $result k)" \
        "$(row V 1 $cbc JWE k)$(row V 2 $gcm $result k)" "$(row V 1 $cbc CMS k)$(row W 1 $gcm $result twin)" \
        "$(row V 1 $cbc CMS k)$(row V 2 $gcm NX02 other)$(row W 1 $cbc JWE twin)" "$(row V 1 $cbc NX02 k)" "$(row V 1 $gcm $result k)"; do
        configure "$what"
        refuses 1 signengine decrypt -d V question
        says 'the value does not decrypt: it was changed, moved to another context, or made for another key'
        refuses 1 signengine decrypt -d V:1 question
    done
    accepts signengine decrypt -d V value
    same "$out" secret
done

# such values are not made either, and check tells why
configure "$(row V 1 $cbc CMS k)$(row W 1 $gcm NX02 twin)"
refuses 78 signengine encrypt -d V secret
says "the values of descriptor 'W' version 1, which has the same key: each needs a key of its own"
refuses 78 signengine check
says "the values of descriptor 'W' version 1"
accepts signengine encrypt -d W secret
configure "$(row V 1 $cbc CMS k)$(row W 1 $gcm NX02 other)$(row X 1 $cbc NX02 k)"
accepts signengine check
accepts signengine encrypt -d V secret
# whether a key that is out of reach is the same can't be told
configure "$(row V 1 $cbc CMS k)$(row W 1 $gcm NX02 gone)"
sed -i "s,<keys>,&<key name='gone'><type name='pem' locationValue='gone.both'/></key>," engine.xml
refuses 69 signengine decrypt -d V template.der
says "it can't be told whether key 'gone' is the same"

# a wrapped data key is a value of bare RSA-OAEP, which would give it out
for result in NX02 CMS JWE; do
    configure "$(row V 1 $gcm $result k)"
    accepts signengine encrypt -d V --binary secret -o value
    case $result in
    NX02) tail -c +32 value | head -c 256 >wrapped ;;
    CMS) python3 -c 'import sys; v = open("value", "rb").read(); i = v.index(b"\x04\x82\x01\x00"); open("wrapped", "wb").write(v[i + 4:i + 260])' ;;
    JWE) python3 -c 'import base64; open("wrapped", "wb").write(base64.urlsafe_b64decode(open("value").read().split(".")[1] + "=="))' ;;
    esac
    [ "$(wc -c <wrapped)" = 256 ] || fail "no wrapped key in the value"
    configure "$(row Pin 1 none - k)"
    accepts signengine decrypt -d Pin wrapped
    [ "$(wc -c <"$out")" = 32 ] || fail "what is wrapped is not a key: the test tests nothing"
    configure "$(row V 1 $gcm $result k)$(row Pin 1 none - twin)"
    refuses 1 signengine decrypt -d Pin wrapped
    refuses 78 signengine encrypt -d Pin secret
    says "bare RSA-OAEP would give out the data keys of descriptor 'V' version 1"
    configure "$(row V 1 none - k)$(row V 2 $gcm $result k)"
    refuses 1 signengine decrypt -d V:1 wrapped
    configure "$(row V 1 $gcm $result k)$(row Pin 1 none - other)"
    accepts signengine encrypt -d Pin secret -o blob
    accepts signengine decrypt -d Pin blob
    same "$out" secret
done
