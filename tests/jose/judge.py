# SPDX-License-Identifier: Apache-2.0
"""judge.py verify|sign: jwcrypto and PyJWT, which make and verify what tests/jose/interop.sh has listed.

verify: reads lines "ALGORITHM FORM FILE" and writes "JUDGE FILE" for each that it finds good; ALGORITHM is a key of keys.json
sign: writes JWS to theirs/JUDGE-ALGORITHM-FORM for the keys ALGORITHM.key
"""

import json
import sys

import jwt
from jwcrypto import jwk, jws

PAYLOAD = open("payload", "rb").read()


def keys():
    found = {}
    for key in json.load(open("keys.json"))["keys"]:
        assert key["kid"] == jwk.JWK(**key).thumbprint(), "kid is not the thumbprint"
        found[key["alg"]] = key
    return found


def with_jwcrypto(algorithm, form, text, key):
    token = jws.JWS()
    token.allowed_algs = [algorithm]
    if form.startswith("detached"):
        token.deserialize(text)
        token.verify(jwk.JWK(**key), alg=algorithm, detached_payload=PAYLOAD)
        return
    token.deserialize(text, jwk.JWK(**key), alg=algorithm)
    assert token.payload == PAYLOAD


def with_pyjwt(algorithm, form, text, key):
    got = jwt.api_jws.PyJWS().decode(text, jwt.PyJWK(key).key, algorithms=[algorithm])
    assert got == PAYLOAD


def verify():
    found = keys()
    for line in sys.stdin:
        algorithm, form, file = line.split()
        text = open(file).read()
        if form not in ("detached", "unencoded"):  # jwcrypto 1.1 has no parameter for a payload that is elsewhere
            with_jwcrypto(algorithm, form, text, found[algorithm])
            print("jwcrypto", file)
        if form == "compact":
            with_pyjwt(algorithm, form, text, found[algorithm])
            print("pyjwt", file)


def sign():
    for algorithm in sys.argv[2:]:
        pem = open(algorithm + ".key", "rb").read()
        key = jwk.JWK.from_pem(pem)
        for form in ("compact", "flattened", "general"):
            token = jws.JWS(PAYLOAD)
            header = json.dumps({"alg": algorithm, "kid": key.thumbprint()})
            token.add_signature(key, None, header)
            text = token.serialize(form == "compact")
            if form == "general":
                parts = json.loads(text)
                text = json.dumps({"payload": parts["payload"], "signatures": [{"protected": parts["protected"], "signature": parts["signature"]}]})
            open(f"theirs/jwcrypto-{algorithm}-{form}", "w").write(text)
        open(f"theirs/pyjwt-{algorithm}-compact", "w").write(jwt.api_jws.PyJWS().encode(PAYLOAD, pem, algorithm=algorithm, headers={"typ": None}))


verify() if sys.argv[1] == "verify" else sign()
