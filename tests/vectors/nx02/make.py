#!/usr/bin/env python3
"""Makes the test vectors of NX02 anew, as doc/formats.md says, and the corpora of the fuzzers.

usage: make.py              all vectors in the folder of this program, but refused-salted-*
       make.py --corpus DIR the corpora DIR/nx02 and DIR/container: their secret is 32 bytes 0

It shares code with read.py, and none with signengine.  refused-salted-* are values of an earlier form, with a salt for each.
"""
import base64
import os
import secrets
import struct
import sys

sys.dont_write_bytecode = True
from read import HASHES, PIECE, Keys, aes_gcm, key_id, openssl  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
KEY = os.path.join(HERE, "key.pem")
FIELD, CONTAINER = 1, 2
CIPHERS = {"cbc": 1, "gcm": 2}
NUMBERS = {name: number for number, name in HASHES.items()}


def wrap(secret, oaep, mgf1):
    arguments = ["pkeyutl", "-encrypt", "-inkey", KEY]
    for option in ["rsa_padding_mode:oaep", "rsa_oaep_md:" + oaep, "rsa_mgf1_md:" + mgf1]:
        arguments += ["-pkeyopt", option]
    return openssl(arguments, secret)


def head_of(edition, cipher, bits, oaep, mgf1, version, wrapped):
    numbers = [edition, CIPHERS[cipher], bits // 8, NUMBERS[oaep], NUMBERS[mgf1], version]
    return b"NX02" + struct.pack(">5BI16sH", *numbers, key_id(KEY), len(wrapped)) + wrapped


def body(keys, context, plain, iv=None):
    iv = iv or secrets.token_bytes(12 if keys.gcm else 16)
    if keys.gcm:
        text, tag = aes_gcm(keys.cipher, iv, keys.binding + context, plain, encrypt=True)
    else:
        bits = 8 * len(keys.cipher)
        text = openssl(["enc", "-e", f"-aes-{bits}-cbc", "-K", keys.cipher.hex(), "-iv", iv.hex()], plain)
        tag = keys.cbc_tag(context, iv, text)
    return iv + text + tag


class Made:
    """A value in parts: what is in front of the bodies, and these."""

    def __init__(self, edition, cipher, bits, oaep, mgf1=None, version=1, context=b"", plain=b"", **more):
        secret = more.get("secret") or secrets.token_bytes(32)
        wrapped = more.get("wrapped") or wrap(secret, oaep, mgf1 or oaep)
        self.head = head_of(edition, cipher, bits, oaep, mgf1 or oaep, version, wrapped)
        self.context, self.plain = context, plain
        self.keys = Keys(secret, self.head, context if edition == CONTAINER else None)
        if edition == FIELD:
            self.bodies = [body(self.keys, context, plain, more.get("iv"))]
        else:
            pieces = more.get("pieces") or [plain[i : i + PIECE] for i in range(0, len(plain), PIECE)] or [b""]
            places = [struct.pack(">QB", i, i == len(pieces) - 1) for i in range(len(pieces))]
            self.bodies = [body(self.keys, place, piece) for place, piece in zip(places, pieces)]

    def value(self):
        return self.head + self.keys.commitment + b"".join(self.bodies)


def as_text(value):
    return b"NX02:" + base64.b64encode(value)


def write(path, content):
    with open(path, "wb") as file:
        file.write(content)


def save(name, value, context, plain=None):
    folder = os.path.join(HERE, name)
    os.makedirs(folder, exist_ok=True)
    write(os.path.join(folder, "value"), value)
    write(os.path.join(folder, "context"), context)
    if plain is not None:
        write(os.path.join(folder, "plain"), plain)


def good(name, *algorithm, text=True, **more):
    made = Made(FIELD, *algorithm, **more)
    save(name, as_text(made.value()) if text else made.value(), made.context, made.plain)
    return made


def good_container(name, *algorithm, **more):
    made = Made(CONTAINER, *algorithm, **more)
    save(name, made.value(), made.context, made.plain)
    return made


def changed(value, at):
    copy = bytearray(value)
    copy[at] ^= 1
    return bytes(copy)


def fields():
    row, plain = b"row 7", b"a field"
    iv = bytes(range(16))
    good("cbc-128-sha1", "cbc", 128, "sha1", plain=plain)
    good("cbc-192-sha256", "cbc", 192, "sha256", plain=b"sixteen letters!")
    good("cbc-256-empty", "cbc", 256, "sha384")
    good("cbc-256-fixed-iv", "cbc", 256, "sha384", plain=plain, iv=iv, text=False)
    good("cbc-256-mgf1-sha1", "cbc", 256, "sha256", "sha1", plain=plain)
    good("cbc-256-sha512", "cbc", 256, "sha512", plain=bytes(1000), text=False)
    good("gcm-128-sha1", "gcm", 128, "sha1", plain=plain, text=False)
    good("gcm-192-sha256", "gcm", 192, "sha256", context=row, plain=b"sixteen letters!")
    good("gcm-256-empty", "gcm", 256, "sha512", text=False)
    good("gcm-256-mgf1-sha256", "gcm", 256, "sha384", "sha256", context=row, plain=bytes(1000))
    good("gcm-256-version-7", "gcm", 256, "sha384", version=7, plain=plain)
    cbc = good("cbc-256-sha384", "cbc", 256, "sha384", context=row, plain=plain).value()
    gcm = good("gcm-256-sha384", "gcm", 256, "sha384", context=row, plain=plain).value()
    commitment = len(gcm) - 16 - 7 - 12 - 32
    for name, value in {
        "edition": changed(cbc, 4),
        "cipher": cbc[:5] + b"\2" + cbc[6:],
        "key-size": cbc[:6] + b"\x10" + cbc[7:],
        "version": changed(cbc, 12),
        "key-id": changed(gcm, 13),
        "wrapped-key": changed(gcm, 31 + 100),
        "commitment": changed(gcm, commitment),
        "iv": changed(gcm, commitment + 32),
        "text": changed(gcm, -17),
        "tag": changed(cbc, -1),
        "end": cbc[:-1],
    }.items():
        save("refused-" + name, as_text(value), row)
    save("refused-context", as_text(cbc), b"row 8")
    save("refused-field-as-container", cbc[:4] + b"\2" + cbc[5:], row)


def containers():
    tenant, plain = b"tenant 7", b"a file of nineteen."
    long = bytes(i % 251 for i in range(PIECE + 1))
    good_container("container-cbc-128-sha1", "cbc", 128, "sha1", context=tenant, plain=plain)
    two = good_container("container-cbc-192-two-pieces", "cbc", 192, "sha256", plain=long)
    good_container("container-cbc-256-empty", "cbc", 256, "sha384")
    cbc = good_container("container-cbc-256-version-7", "cbc", 256, "sha384", version=7, context=tenant, plain=plain).value()
    small = good_container("container-gcm-128-sha1", "gcm", 128, "sha1", context=tenant, plain=plain).value()
    good_container("container-gcm-192-two-pieces", "gcm", 192, "sha512", context=tenant, plain=long)
    good_container("container-gcm-256-empty", "gcm", 256, "sha384", "sha1", context=tenant)
    made = good_container("container-gcm-256-mgf1-sha1", "gcm", 256, "sha384", "sha1", plain=plain)
    gcm = made.value()
    for name, value, context in [
        ("commitment", changed(gcm, len(made.head)), b""),
        ("context", small, b"tenant 8"),
        ("cut", two.head + two.bodies[0], b""),
        ("edition", gcm[:4] + b"\1" + gcm[5:], b""),
        ("longer", small + b"\0", tenant),
        ("tag", changed(cbc, -1), tenant),
        ("text", changed(cbc, -33), tenant),
        ("version", changed(cbc, 12), tenant),
        ("wrapped-key", changed(gcm, 31 + 100), b""),
    ]:
        save("refused-container-" + name, value, context)
    for name, pieces in [("empty-piece", [long[:PIECE], b""]), ("long-piece", [long])]:
        made = Made(CONTAINER, "cbc", 192, "sha256", pieces=pieces)
        save("refused-container-" + name, made.value(), b"")


def corpora(folder):
    for cipher in CIPHERS:
        for bits in 128, 192, 256:
            more = {"context": b"row 7", "plain": b"a field", "secret": bytes(32), "wrapped": bytes(range(64))}
            field = Made(FIELD, cipher, bits, "sha384", **more).value()
            write(f"{folder}/nx02/{cipher}-{bits}-binary", field)
            write(f"{folder}/nx02/{cipher}-{bits}-text", as_text(field))
            write(f"{folder}/container/{cipher}-{bits}", Made(CONTAINER, cipher, bits, "sha384", **more).value())


if sys.argv[1:2] == ["--corpus"]:
    corpora(sys.argv[2])
else:
    fields()
    containers()
