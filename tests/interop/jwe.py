#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""JWE with other people's code.

Does what the lines of standard input say:

encrypt KEY.pem PLAIN COMPACT ALG ENC     jwcrypto
decrypt KEY.pem COMPACT PLAIN             jwcrypto; RSA-OAEP-384 and -512, which it does not know, with python3-cryptography
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


def encrypt(pem, given, alg, enc):
    token = jwe.JWE(given, json.dumps({"alg": alg, "enc": enc}))
    token.add_recipient(jwk.JWK.from_pem(pem))
    return token.serialize(compact=True).encode()


def decrypt(pem, given):
    text = given.decode().strip()
    parts = text.split(".")
    header = json.loads(decode(parts[0]))
    if header["alg"] in NEWER:
        return decrypt_by_hand(pem, parts, header)
    token = jwe.JWE()
    token.allowed_algs = [header["alg"], header["enc"]]
    token.deserialize(text, key=jwk.JWK.from_pem(pem))
    return token.payload


def run(command, key, source, target, *how):
    with open(key, "rb") as file:
        pem = file.read()
    with open(source, "rb") as file:
        made = {"encrypt": encrypt, "decrypt": decrypt}[command](pem, file.read(), *how)
    with open(target, "wb") as file:
        file.write(made)


failed = False
for line in sys.stdin:
    try:
        run(*line.split())
    except Exception as failure:
        print(line.strip(), repr(failure), sep=": ", file=sys.stderr)
        failed = True
sys.exit(failed)
