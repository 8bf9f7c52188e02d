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


def hkdf_expand(key, info, size):
    return hmac.digest(key, info + b"\1", "sha256")[:size]


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


def aes_gcm(key, iv, aad, text, tag):
    """NIST SP 800-38D, 7.2"""
    counters = b"".join(iv + struct.pack(">I", i + 1) for i in range((len(text) + 15) // 16 + 1))
    stream = aes_ecb(key, bytes(16) + counters)
    h = int.from_bytes(stream[:16], "big")
    hashed = pad16(aad) + pad16(text) + struct.pack(">QQ", 8 * len(aad), 8 * len(text))
    s = 0
    for i in range(0, len(hashed), 16):
        s = gf_multiply(s ^ int.from_bytes(hashed[i : i + 16], "big"), h)
    expected = (s ^ int.from_bytes(stream[16:32], "big")).to_bytes(16, "big")
    if not hmac.compare_digest(expected, tag):
        raise Refused("tag")
    return bytes(a ^ b for a, b in zip(text, stream[32:]))


def data_key(key_file, head):
    """That of a field or a container whose head this is, with the wrapped key at its end."""
    magic, _edition, cipher, key_size, oaep, mgf1, _version, who, size = struct.unpack(">4s5BI16sH", head[:31])
    if magic != b"NX02" or cipher not in (1, 2) or key_size not in (16, 24, 32) or len(head) < 31 + size:
        raise Refused("head")
    if oaep not in HASHES or mgf1 not in HASHES or who != key_id(key_file):
        raise Refused("key")
    secret = unwrap(key_file, head[31:], oaep, mgf1)
    if len(secret) != 32:
        raise Refused("secret")
    return hkdf_expand(hmac.digest(bytes(32), secret, "sha256"), b"NX02 data key" + head, 32)


def head_of(value):
    return value[: 31 + struct.unpack(">H", value[29:31])[0]]


def read_field(key_file, value, context):
    head = head_of(value)
    rest = value[len(head) :]
    key = data_key(key_file, head)
    salt = rest[:16]
    cipher_key = hkdf_expand(key, b"NX02 cipher" + salt, head[6])
    bound = struct.pack(">Q", len(context)) + context
    if head[5] == 1:
        iv, text, tag = rest[16:32], rest[32:-32], rest[-32:]
        tag_key = hkdf_expand(key, b"NX02 tag" + salt, 32)
        if len(rest) < 80 or not hmac.compare_digest(hmac.digest(tag_key, bound + value[:-32], "sha256"), tag):
            raise Refused("tag")
        return aes_cbc(cipher_key, iv, text)
    iv, commitment, text, tag = rest[16:28], rest[28:60], rest[60:-16], rest[-16:]
    if len(rest) < 76 or not hmac.compare_digest(hkdf_expand(key, b"NX02 commitment" + salt, 32), commitment):
        raise Refused("commitment")
    return aes_gcm(cipher_key, iv, bound + value[: len(head) + 60], text, tag)


PIECE = 65536


class Container:
    def __init__(self, key_file, value, context):
        head = head_of(value)
        salt, self.rest = value[len(head) : len(head) + 16], value[len(head) + 16 :]
        self.gcm = head[5] == 2
        bound = salt + struct.pack(">Q", len(context)) + context
        self.key = hkdf_expand(data_key(key_file, head), b"NX02 container" + bound, 32)
        self.cipher_key = hkdf_expand(self.key, b"NX02 cipher", head[6])
        self.tag_key = hkdf_expand(self.key, b"NX02 tag", 32)
        if self.gcm:
            commitment, self.rest = self.rest[:32], self.rest[32:]
            if not hmac.compare_digest(hkdf_expand(self.key, b"NX02 commitment", 32), commitment):
                raise Refused("commitment")

    def open_piece(self, piece, number, last):
        place = struct.pack(">QB", number, last)
        if self.gcm:
            return aes_gcm(self.cipher_key, bytes(3) + place, b"", piece[:-16], piece[-16:])
        if not hmac.compare_digest(hmac.digest(self.tag_key, place + piece[:-32], "sha256"), piece[-32:]):
            raise Refused("tag")
        return aes_cbc(self.cipher_key, hkdf_expand(self.key, b"NX02 IV" + place, 16), piece[:-32])

    def read(self):
        size = PIECE + (16 if self.gcm else 48)
        plain = b""
        for number in range(max(1, -(-len(self.rest) // size))):
            piece = self.rest[number * size : (number + 1) * size]
            last = (number + 1) * size >= len(self.rest)
            opened = self.open_piece(piece, number, last)
            if len(opened) > PIECE or (len(opened) < PIECE and not last) or (not opened and number):
                raise Refused("size of a piece")
            plain += opened
        return plain


def read(key_file, value, context):
    if value.startswith(b"NX02:"):
        value = base64.b64decode(value[5:].rstrip(b"\n"), validate=True)
    if value[4] == 1:
        return read_field(key_file, value, context)
    if value[4] == 2:
        return Container(key_file, value, context).read()
    raise Refused("edition")


def main():
    context = b""
    if len(sys.argv) > 2:
        with open(sys.argv[2], "rb") as file:
            context = file.read()
    try:
        sys.stdout.buffer.write(read(sys.argv[1], sys.stdin.buffer.read(), context))
    except (Refused, ValueError, IndexError, struct.error) as why:
        sys.exit(f"refused: {why}")


main()
