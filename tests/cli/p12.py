# SPDX-License-Identifier: Apache-2.0
"""Writes PKCS #12 files that openssl does not make: p12.py FILE PASSWORD MAC BAG...

MAC: none, or pbmac1-sha256, pbmac1-sha512, pbmac1-sm3 (RFC 9579); sm3 is one that nobody has an HMAC of here.
BAG: key=FILE or cert=FILE (DER), each with ,name=NAME and ,id=HEX behind it; `(` and `)` put what is between into a safe of its own
inside of the safe (RFC 7292, 4.2.6).  Nothing is encrypted.
"""
import hashlib
import hmac
import sys

SHA = {"sha256": ("2.16.840.1.101.3.4.2.1", "1.2.840.113549.2.9"), "sha512": ("2.16.840.1.101.3.4.2.3", "1.2.840.113549.2.11"),
       "sm3": ("1.2.156.10197.1.401", "1.2.156.10197.1.401.2")}
PKCS = "1.2.840.113549.1."


def der(tag, *parts):
    body = b"".join(parts)
    size = len(body)
    if size < 128:
        return bytes([tag, size]) + body
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 128 | len(length)]) + length + body


def sequence(*parts):
    return der(0x30, *parts)


def octets(data):
    return der(4, data)


def number(value):
    return der(2, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def oid(text):
    first, second, *rest = (int(arc) for arc in text.split("."))
    body = b""
    for arc in [40 * first + second, *rest]:
        group = [arc & 127]
        while arc := arc >> 7:
            group.insert(0, arc & 127 | 128)
        body += bytes(group)
    return der(6, body)


def attributes(words):
    made = []
    if "name" in words:
        made.append(sequence(oid(PKCS + "9.20"), der(0x31, der(0x1E, words["name"].encode("utf-16-be")))))
    if "id" in words:
        made.append(sequence(oid(PKCS + "9.21"), der(0x31, octets(bytes.fromhex(words["id"])))))
    return der(0x31, *sorted(made)) if made else b""


def bag(kind, value, words):
    return sequence(oid(PKCS + "12.10.1." + str(kind)), der(0xA0, value), attributes(words))


def leaf(text):
    kind, *words = text.split(",")
    kind, path = kind.split("=", 1)
    words = dict(word.split("=", 1) for word in words)
    with open(path, "rb") as file:
        content = file.read()
    if kind == "key":
        return bag(1, content, words)
    return bag(3, sequence(oid(PKCS + "9.22.1"), der(0xA0, octets(content))), words)


def bags(words):
    made = b""
    while words:
        word = words.pop(0)
        if word == ")":
            break
        made += bag(6, sequence(bags(words)), {}) if word == "(" else leaf(word)
    return made


def data(content):
    return sequence(oid(PKCS + "7.1"), der(0xA0, octets(content)))


def pbmac1(digest, password, content):
    salt, rounds = b"somesalt", 2048
    name, mac = SHA[digest]
    prf = sequence(oid(mac), b"\x05\x00")
    size = 32 if digest != "sha512" else 64
    kdf = sequence(oid(PKCS + "5.12"), sequence(octets(salt), number(rounds), number(size), prf))
    known = digest if digest != "sm3" else "sha256"
    key = hashlib.pbkdf2_hmac(known, password, salt, rounds, size)
    algorithm = sequence(oid(PKCS + "5.14"), sequence(kdf, prf))
    return sequence(sequence(algorithm, octets(hmac.new(key, content, known).digest())), octets(b"unused"), number(1))


def main(path, password, mac, *words):
    content = sequence(data(sequence(bags(list(words)))))
    check = pbmac1(mac.removeprefix("pbmac1-"), password.encode(), content) if mac != "none" else b""
    with open(path, "wb") as file:
        file.write(sequence(number(3), data(content), check))


main(*sys.argv[1:])
