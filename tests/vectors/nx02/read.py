#!/usr/bin/env python3
"""Decrypts an NX02 value, field or container, as doc/formats.md says, with Python's own library and openssl(1) for RSA and AES.

usage: read.py KEY.pem [CONTEXT-FILE] <VALUE >PLAINTEXT      exit status 1: refused

It is a second implementation to test the first one with, and not meant for secrets: openssl gets keys as arguments.
"""
import base64
import hashlib
import hmac
import struct
import subprocess
import sys

HASHES = {1: "sha1", 2: "sha256", 3: "sha384", 4: "sha512"}


class Refused(Exception):
    pass


def openssl(arguments, data):
    done = subprocess.run(["openssl", *arguments], input=data, capture_output=True)
    if done.returncode:
        raise Refused("openssl " + arguments[0])
    return done.stdout


def hkdf(secret, info, size):
    """RFC 5869, without a salt, for up to 32 bytes"""
    return hmac.digest(hmac.digest(bytes(32), secret, "sha256"), info + b"\1", "sha256")[:size]


def key_id(key_file):
    return hashlib.sha256(openssl(["pkey", "-in", key_file, "-pubout", "-outform", "DER"], b"")).digest()[:16]


def unwrap(key_file, wrapped, oaep, mgf1):
    options = ["rsa_padding_mode:oaep", "rsa_oaep_md:" + HASHES[oaep], "rsa_mgf1_md:" + HASHES[mgf1]]
    arguments = ["pkeyutl", "-decrypt", "-inkey", key_file]
    for option in options:
        arguments += ["-pkeyopt", option]
    return openssl(arguments, wrapped)


def aes_cbc(key, iv, text):
    return openssl(["enc", "-d", f"-aes-{8 * len(key)}-cbc", "-K", key.hex(), "-iv", iv.hex()], text)


def aes_ecb(key, blocks):
    return openssl(["enc", "-nopad", f"-aes-{8 * len(key)}-ecb", "-K", key.hex()], blocks)


def gf_multiply(x, y):
    """NIST SP 800-38D, 6.3"""
    z = 0
    for i in range(128):
        if x >> (127 - i) & 1:
            z ^= y
        y = y >> 1 ^ (0xE1 << 120 if y & 1 else 0)
    return z


def pad16(data):
    return data + bytes(-len(data) % 16)


def aes_gcm(key, iv, aad, text, encrypt=False):
    """NIST SP 800-38D, 7.1 and 7.2: the other text, and the tag"""
    counters = b"".join(iv + struct.pack(">I", i + 1) for i in range((len(text) + 15) // 16 + 1))
    stream = aes_ecb(key, bytes(16) + counters)
    h = int.from_bytes(stream[:16], "big")
    other = bytes(a ^ b for a, b in zip(text, stream[32:]))
    hashed = pad16(aad) + pad16(other if encrypt else text) + struct.pack(">QQ", 8 * len(aad), 8 * len(text))
    s = 0
    for i in range(0, len(hashed), 16):
        s = gf_multiply(s ^ int.from_bytes(hashed[i : i + 16], "big"), h)
    return other, (s ^ int.from_bytes(stream[16:32], "big")).to_bytes(16, "big")


def size8(data):
    return struct.pack(">Q", len(data))


class Keys:
    """Those that come from a data key.  `context`: that of a container."""

    def __init__(self, secret, head, context=None):
        self.gcm = head[5] == 2
        self.binding = hashlib.sha256(head if context is None else head + size8(context) + context).digest()
        self.cipher = hkdf(secret, b"NX02 cipher" + self.binding, head[6])
        self.tag = hkdf(secret, b"NX02 tag" + self.binding, 32)
        self.commitment = hkdf(secret, b"NX02 commitment" + self.binding, 32) if self.gcm else b""

    def cbc_tag(self, context, iv, text):
        aad = self.binding + context
        return hmac.digest(self.tag, aad + iv + text + struct.pack(">Q", 8 * len(aad)), "sha256")

    def open(self, body, context):
        if self.gcm:
            iv, text, tag = body[:12], body[12:-16], body[-16:]
            plain, expected = aes_gcm(self.cipher, iv, self.binding + context, text)
        else:
            iv, text, tag = body[:16], body[16:-32], body[-32:]
            expected = self.cbc_tag(context, iv, text)
        if len(body) < (28 if self.gcm else 64) or not hmac.compare_digest(expected, tag):
            raise Refused("tag")
        return plain if self.gcm else aes_cbc(self.cipher, iv, text)


def unwrap_secret(key_file, head):
    """Of a field or a container whose head this is, with the wrapped key at its end."""
    magic, _edition, cipher, key_size, oaep, mgf1, _version, who, size = struct.unpack(">4s5BI16sH", head[:31])
    if magic != b"NX02" or cipher not in (1, 2) or key_size not in (16, 24, 32) or len(head) < 31 + size:
        raise Refused("head")
    if oaep not in HASHES or mgf1 not in HASHES or who != key_id(key_file):
        raise Refused("key")
    secret = unwrap(key_file, head[31:], oaep, mgf1)
    if len(secret) != 32:
        raise Refused("secret")
    return secret


def after_commitment(keys, rest):
    size = len(keys.commitment)
    if not hmac.compare_digest(keys.commitment, rest[:size]):
        raise Refused("commitment")
    return rest[size:]


PIECE = 65536


def read_container(keys, rest):
    size = PIECE + (28 if keys.gcm else 64)
    plain = b""
    for number in range(max(1, -(-len(rest) // size))):
        last = (number + 1) * size >= len(rest)
        opened = keys.open(rest[number * size : (number + 1) * size], struct.pack(">QB", number, last))
        if len(opened) > PIECE or (len(opened) < PIECE and not last) or (not opened and number):
            raise Refused("size of a piece")
        plain += opened
    return plain


def read(key_file, value, context):
    if value.startswith(b"NX02:"):
        value = base64.b64decode(value[5:].rstrip(b"\n"), validate=True)
    if value[4] not in (1, 2):
        raise Refused("edition")
    head = value[: 31 + struct.unpack(">H", value[29:31])[0]]
    secret = unwrap_secret(key_file, head)
    keys = Keys(secret, head, context if value[4] == 2 else None)
    rest = after_commitment(keys, value[len(head) :])
    return read_container(keys, rest) if value[4] == 2 else keys.open(rest, context)


def main():
    context = b""
    if len(sys.argv) > 2:
        with open(sys.argv[2], "rb") as file:
            context = file.read()
    try:
        sys.stdout.buffer.write(read(sys.argv[1], sys.stdin.buffer.read(), context))
    except (Refused, ValueError, IndexError, struct.error) as why:
        sys.exit(f"refused: {why}")


if __name__ == "__main__":
    main()
