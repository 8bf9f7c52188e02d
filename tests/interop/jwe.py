#!/usr/bin/python3
"""JWE with other people's code.

jwe.py encrypt KEY.pem ALG ENC <PLAIN >COMPACT     jwcrypto
jwe.py decrypt KEY.pem <COMPACT >PLAIN             jwcrypto; RSA-OAEP-384 and -512, which it does not know, with python3-cryptography
"""
import base64
import hmac
import json
import sys

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from jwcrypto import jwe, jwk

NEWER = {"RSA-OAEP-384": hashes.SHA384, "RSA-OAEP-512": hashes.SHA512}


def decode(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def decrypt_by_hand(pem, parts, header):
    """GCM only: what is to be seen is whether the two names mean the same to others."""
    assert header["enc"] in ("A128GCM", "A192GCM", "A256GCM")
    key = serialization.load_pem_private_key(pem, None)
    hash_ = NEWER[header["alg"]]()
    secret = key.decrypt(decode(parts[1]), padding.OAEP(padding.MGF1(hash_), hash_, None))
    assert 8 * len(secret) == int(header["enc"][1:4])
    return AESGCM(secret).decrypt(decode(parts[2]), decode(parts[3]) + decode(parts[4]), parts[0].encode())


def main():
    with open(sys.argv[2], "rb") as file:
        pem = file.read()
    key = jwk.JWK.from_pem(pem)
    given = sys.stdin.buffer.read()
    if sys.argv[1] == "encrypt":
        token = jwe.JWE(given, json.dumps({"alg": sys.argv[3], "enc": sys.argv[4]}))
        token.add_recipient(key)
        sys.stdout.write(token.serialize(compact=True))
        return
    parts = given.decode().strip().split(".")
    header = json.loads(decode(parts[0]))
    if header["alg"] in NEWER:
        sys.stdout.buffer.write(decrypt_by_hand(pem, parts, header))
        return
    token = jwe.JWE()
    token.allowed_algs = [header["alg"], header["enc"]]
    token.deserialize(given.decode().strip(), key=key)
    sys.stdout.buffer.write(token.payload)


main()
