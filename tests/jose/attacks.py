# SPDX-License-Identifier: Apache-2.0
"""attacks.py: tokens that others accept, some of them, and that have to be refused.

usage: attacks.py FOLDER    reads rsa.key and ec.key (P-256) there; each token goes to FOLDER/tokens/NUMBER, and on standard output is a line
                            NUMBER STATUS COMMAND DESCRIPTOR NAME for each; STATUS is what signengine has to end with
"""

import base64
import datetime
import hashlib
import hmac
import json
import os
import sys
import time

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils
from cryptography.x509.oid import NameOID

GOOD, REFUSED, FORMAT = 0, 1, 65
folder = sys.argv[1]
now = int(time.time())
tokens = 0


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def load(name):
    with open(os.path.join(folder, name), "rb") as file:
        return serialization.load_pem_private_key(file.read(), None)


def spki(key, encoding):
    return key.public_key().public_bytes(encoding, serialization.PublicFormat.SubjectPublicKeyInfo)


RSA, EC = load("rsa.key"), load("ec.key")
OTHER = rsa.generate_private_key(65537, 2048)
PAYLOAD = json.dumps({"sub": "4711", "exp": now + 3600}).encode()
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def rs(data, digest=hashes.SHA256(), key=RSA):
    return key.sign(data, padding.PKCS1v15(), digest)


def ps(salt, mgf=hashes.SHA256()):
    return lambda data: RSA.sign(data, padding.PSS(padding.MGF1(mgf), salt), hashes.SHA256())


def der(data, digest=hashes.SHA256()):
    return EC.sign(data, ec.ECDSA(digest))


def pair(r, s, width=32):
    return r.to_bytes(width, "big") + s.to_bytes(width, "big")


def es(data):
    return pair(*utils.decode_dss_signature(der(data)))


def keyed(secret):
    return lambda data: hmac.new(secret, data, hashlib.sha256).digest()


def make(header, payload=PAYLOAD, sign=rs):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    data = f"{b64(text)}.{b64(payload)}"
    return f"{data}.{b64(sign(data.encode()))}"


def add(name, status, token, descriptor="RS256", command="jws"):
    global tokens
    tokens += 1
    with open(os.path.join(folder, "tokens", str(tokens)), "wb") as file:
        file.write(token if isinstance(token, bytes) else token.encode())
    print(tokens, status, command, descriptor, name)


def certificate(key):
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "rsa")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
    builder = builder.not_valid_before(datetime.datetime(2020, 1, 1)).not_valid_after(datetime.datetime(2100, 1, 1))
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def numbers(key):
    n = key.public_key().public_numbers()
    return {"kty": "RSA", "n": b64(n.n.to_bytes(256, "big")), "e": b64(n.e.to_bytes(3, "big"))}


os.makedirs(os.path.join(folder, "tokens"), exist_ok=True)
good = make({"alg": "RS256"})
h, p, s = good.split(".")
raw = base64.urlsafe_b64decode(s + "==")

add("good RS256", GOOD, good)
add("good ES256", GOOD, make({"alg": "ES256"}, sign=es), "ES256")
add("good PS256", GOOD, make({"alg": "PS256"}, sign=ps(32)), "PS256")

# ---- the algorithm ----
add("alg none, no signature", FORMAT, make({"alg": "none"}, sign=lambda data: b""))
for name in ("None", "NONE", "nOnE"):
    add(f"alg {name}, no signature", FORMAT, make({"alg": name}, sign=lambda data: b""))
add("alg none, signature kept", REFUSED, b64(b'{"alg":"none"}') + "." + p + "." + s)
add("empty signature", FORMAT, f"{h}.{p}.")
add("two parts", FORMAT, f"{h}.{p}")
add("four parts", FORMAT, good + "." + s)
add("five parts: a JWE", FORMAT, good + "." + s + "." + s)
add("alg missing", FORMAT, make({"typ": "JWT"}))
add("alg null", FORMAT, make({"alg": None}))
add("alg array", FORMAT, make({"alg": ["RS256"]}))
add("alg lower case", FORMAT, make({"alg": "rs256"}))
add("alg unknown", REFUSED, make({"alg": "ES256K"}))
add("HS256 with the public key in PEM", REFUSED, make({"alg": "HS256"}, sign=keyed(spki(RSA, serialization.Encoding.PEM))))
add("HS256 with the public key in DER", REFUSED, make({"alg": "HS256"}, sign=keyed(spki(RSA, serialization.Encoding.DER))))
add("HS256 with an empty key", REFUSED, make({"alg": "HS256"}, sign=keyed(b"")))
add("RS512 by the same key", REFUSED, make({"alg": "RS512"}, sign=lambda data: rs(data, hashes.SHA512())))
add("PS256 by the same key", REFUSED, make({"alg": "PS256"}, sign=ps(32)))
add("RS256 before a descriptor of PS256", REFUSED, good, "PS256")
add("alg twice, RS256 last", FORMAT, make(b'{"alg":"none","alg":"RS256"}'))
add("alg twice, RS256 first", FORMAT, make(b'{"alg":"RS256","alg":"none"}'))
add("alg twice by escape", FORMAT, make(b'{"alg":"RS256","al\\u0067":"none"}'))
for salt in (0, 20, 222):
    add(f"PSS with a salt of {salt}", REFUSED, make({"alg": "PS256"}, sign=ps(salt)), "PS256")
add("PSS with MGF1 of SHA-1", REFUSED, make({"alg": "PS256"}, sign=ps(32, hashes.SHA1())), "PS256")

# ---- the key ----
other = base64.b64encode(certificate(OTHER)).decode()
own = base64.b64encode(certificate(RSA)).decode()
by_other = lambda data: rs(data, key=OTHER)  # noqa: E731
add("jwk of the attacker", REFUSED, make({"alg": "RS256", "jwk": numbers(OTHER)}, sign=by_other))
add("jku of the attacker", REFUSED, make({"alg": "RS256", "jku": "http://127.0.0.1:1/jwks"}, sign=by_other))
add("jku beside a good signature", REFUSED, make({"alg": "RS256", "jku": "http://127.0.0.1:1/jwks"}))
add("x5u of the attacker", REFUSED, make({"alg": "RS256", "x5u": "http://127.0.0.1:1/x"}, sign=by_other))
add("x5u beside a good signature", REFUSED, make({"alg": "RS256", "x5u": "http://127.0.0.1:1/x"}))
add("x5c of the attacker", REFUSED, make({"alg": "RS256", "x5c": [other]}, sign=by_other))
add("x5c of another, signature by the right key", REFUSED, make({"alg": "RS256", "x5c": [other]}))
add("x5c of the right key", GOOD, make({"alg": "RS256", "x5c": [own]}))
add("x5c no certificate", REFUSED, make({"alg": "RS256", "x5c": ["AAAA"]}))
add("x5c a text", FORMAT, make({"alg": "RS256", "x5c": own}))
add("x5c empty", FORMAT, make({"alg": "RS256", "x5c": []}))
add("x5t#S256 of another", REFUSED, make({"alg": "RS256", "x5t#S256": b64(bytes(32))}))
add("x5t of another", REFUSED, make({"alg": "RS256", "x5t": b64(bytes(20))}))
add("jwk of another, signature by the right key", REFUSED, make({"alg": "RS256", "jwk": numbers(OTHER)}))
add("jwk of the right key", GOOD, make({"alg": "RS256", "jwk": numbers(RSA)}))
add("kid twice", FORMAT, make(b'{"alg":"RS256","kid":"a","kid":"b"}'))
add("kid of another key", REFUSED, make({"alg": "RS256", "kid": "nobody"}))
add("kid with a path", REFUSED, make({"alg": "RS256", "kid": "../../../../dev/null"}))
add("kid empty", REFUSED, make({"alg": "RS256", "kid": ""}))
add("kid a number", FORMAT, make({"alg": "RS256", "kid": 7}))

# ---- crit, b64, zip ----
add("crit unknown", REFUSED, make({"alg": "RS256", "crit": ["exp"], "exp": 1}))
add("crit empty", FORMAT, make({"alg": "RS256", "crit": []}))
add("crit names what is not there", FORMAT, make({"alg": "RS256", "crit": ["b64"]}))
add("crit names alg", FORMAT, make({"alg": "RS256", "crit": ["alg"]}))
add("crit a text", FORMAT, make({"alg": "RS256", "crit": "b64", "b64": True}))
add("crit twice the same", FORMAT, make({"alg": "RS256", "b64": True, "crit": ["b64", "b64"]}))
add("crit with a number", FORMAT, make({"alg": "RS256", "b64": True, "crit": ["b64", 1]}))
add("b64 false without crit", FORMAT, make({"alg": "RS256", "b64": False}))
add("b64 a text", FORMAT, make({"alg": "RS256", "b64": "false", "crit": ["b64"]}))
add("b64 true", GOOD, make({"alg": "RS256", "b64": True, "crit": ["b64"]}))
add("zip", REFUSED, make({"alg": "RS256", "zip": "DEF"}))

# ---- the header's text ----
add("header twice: trailing data", FORMAT, make(b'{"alg":"RS256"} {"alg":"none"}'))
add("header with a comment", FORMAT, make(b'{"alg":"RS256"/*x*/}'))
add("header with NaN", FORMAT, make(b'{"alg":"RS256","x":NaN}'))
add("header an array", FORMAT, make(b'[{"alg":"RS256"}]'))
add("header with a BOM", FORMAT, make(b'\xef\xbb\xbf{"alg":"RS256"}'))
add("header not UTF-8", FORMAT, make(b'{"alg":"RS256","x":"\xff"}'))
add("lone surrogate in the header", FORMAT, make(b'{"alg":"RS256","x":"\\ud800"}'))
add("NUL in the header", FORMAT, make(b'{"alg":"RS256","x":"\\u0000"}'))
add("NUL after the header", FORMAT, make(b'{"alg":"RS256"}\x00'))
add("header 20,000 deep", FORMAT, make(b'{"alg":"RS256","x":' + b"[" * 20000 + b"]" * 20000 + b"}"))
add("header 20 deep", FORMAT, make(b'{"alg":"RS256","x":' + b"[" * 20 + b"]" * 20 + b"}"))
add("header of 100 kB", FORMAT, make({"alg": "RS256", "x": "x" * 100000}))
add("header with 100,000 members", FORMAT, make({"alg": "RS256", **{str(i): 0 for i in range(100000)}}))

# ---- base64url ----
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
add("signature: bits behind the end", FORMAT, f"{h}.{p}.{s[:-1]}{LETTERS[LETTERS.index(s[-1]) ^ 1]}")
add("signature: padding", FORMAT, good + "==")
while not set(s) & set("-_"):
    good = make({"alg": "RS256", "x": len(good)})
    h, p, s = good.split(".")
add("signature: + and / for - and _", FORMAT, f"{h}.{p}." + s.replace("-", "+").replace("_", "/"))
add("signature: line break inside", FORMAT, f"{h}.{p}.{s[:20]}\n{s[20:]}")
add("payload: padding", FORMAT, f"{h}.{p}=.{s}")
add("blank before the token", FORMAT, " " + good)
add("line end behind the token", FORMAT, good + "\n")
add("NUL behind the token", FORMAT, good + "\0")
add("nothing", FORMAT, b"")
add("one dot", FORMAT, b".")

# ---- signature values ----
h, p, s = make({"alg": "RS256"}).split(".")
modulus = RSA.public_key().public_numbers().n
add("RSA signature with a byte behind", REFUSED, f"{h}.{p}." + b64(raw + b"\0"))
add("RSA signature with a zero before", REFUSED, f"{h}.{p}." + b64(b"\0" + raw))
add("RSA signature plus modulus", REFUSED, f"{h}.{p}." + b64((int.from_bytes(raw, "big") + modulus).to_bytes(257, "big")))
add("RSA signature cut", REFUSED, f"{h}.{p}." + b64(raw[:-1]))
for name, r, t in (("r=0 s=0", 0, 0), ("r=0 s=1", 0, 1), ("r=1 s=0", 1, 0), ("r=n s=n", ORDER, ORDER), ("r=n s=1", ORDER, 1)):
    add(f"ECDSA {name}", REFUSED, make({"alg": "ES256"}, sign=lambda data: pair(r, t)), "ES256")
add("ECDSA in DER", FORMAT, make({"alg": "ES256"}, sign=der), "ES256")
add("ECDSA with a byte behind", FORMAT, make({"alg": "ES256"}, sign=lambda data: es(data) + b"\0"), "ES256")
add("ECDSA with wider halves", FORMAT, make({"alg": "ES256"}, sign=lambda data: pair(*utils.decode_dss_signature(der(data)), 33)), "ES256")
add("ES384 by a key on P-256", REFUSED, make({"alg": "ES384"}, sign=lambda data: pair(*utils.decode_dss_signature(der(data, hashes.SHA384())), 48)), "ES256")


def high(data):
    r, t = utils.decode_dss_signature(der(data))
    return pair(r, ORDER - t)


# JWS has no rule that one of the two is the right one: a token's bytes are no name for it
add("ECDSA with n-s", GOOD, make({"alg": "ES256"}, sign=high), "ES256")


# ---- JSON ----
def js(name, status, **members):
    add("JSON: " + name, status, json.dumps(members))


bad = b64(b"x" * 256)
js("flattened, good", GOOD, payload=p, protected=h, signature=s)
js("general, good", GOOD, payload=p, signatures=[{"protected": h, "signature": s}])
js("alg unprotected only", FORMAT, payload=p, header={"alg": "RS256"}, signature=b64(rs(("." + p).encode())))
js("alg in both headers", FORMAT, payload=p, protected=h, header={"alg": "RS256"}, signature=s)
js("signature and signatures", FORMAT, payload=p, protected=h, signature=s, signatures=[{"protected": h, "signature": s}])
js("no signatures", FORMAT, payload=p, signatures=[])
js("signatures no list", FORMAT, payload=p, signatures={"protected": h, "signature": s})
js("33 signatures", FORMAT, payload=p, signatures=[{"protected": h, "signature": s}] * 33)
js("a good and a bad signature", REFUSED, payload=p, signatures=[{"protected": h, "signature": s}, {"protected": h, "signature": bad}])
js("the bad signature first", REFUSED, payload=p, signatures=[{"protected": h, "signature": bad}, {"protected": h, "signature": s}])
js("a good one, and one of another key by its kid", GOOD, payload=p,
   signatures=[{"protected": h, "signature": s}, {"protected": b64(b'{"alg":"RS256","kid":"other"}'), "signature": bad}])
js("only one of another key by its kid", REFUSED, payload=p,
   signatures=[{"protected": b64(b'{"alg":"RS256","kid":"other"}'), "signature": bad}])
js("crit unprotected", FORMAT, payload=p, protected=h, header={"crit": ["b64"], "b64": True}, signature=s)
js("b64 unprotected", FORMAT, payload=p, protected=h, header={"b64": False}, signature=s)
js("kid of another key, unprotected", REFUSED, payload=p, protected=h, header={"kid": "nobody"}, signature=s)
js("jku unprotected", REFUSED, payload=p, protected=h, header={"jku": "http://127.0.0.1:1/"}, signature=s)
js("header no object", FORMAT, payload=p, protected=h, header="x", signature=s)
js("no payload", FORMAT, protected=h, signature=s)
js("payload a number", FORMAT, payload=1, protected=h, signature=s)
js("no protected", FORMAT, payload=p, signature=s)
js("nothing in it", FORMAT)
unencoded = b64(b'{"alg":"RS256","b64":false,"crit":["b64"]}')
js("signatures that differ in b64", FORMAT, payload=p,
   signatures=[{"protected": h, "signature": s}, {"protected": unencoded, "signature": b64(rs((unencoded + "." + p).encode()))}])
add("JSON: payload twice", FORMAT, '{"payload":"%s","payload":"%s","protected":"%s","signature":"%s"}' % (b64(b'{"sub":"root"}'), p, h, s))
add("JSON: trailing data", FORMAT, json.dumps({"payload": p, "protected": h, "signature": s}) + "{}")


# ---- claims: properly signed, wrong to accept ----
def claims(name, status, value, header=None):
    text = value if isinstance(value, bytes) else json.dumps(value).encode()
    add("claims: " + name, status, make(header or {"alg": "RS256"}, text), command="jwt")


claims("good", GOOD, {"iss": "me", "aud": "you", "exp": now + 3600})
claims("good, a list of audiences", GOOD, {"iss": "me", "aud": ["him", "you"], "exp": now + 3600.5, "nbf": now - 1, "iat": now - 1})
who = {"iss": "me", "aud": "you"}
claims("exp in the past", REFUSED, {**who, "exp": now - 3600})
claims("exp a text in the future", FORMAT, {**who, "exp": str(now + 3600)})
claims("exp never", FORMAT, {**who, "exp": "never"})
claims("exp 1e400", FORMAT, b'{"iss":"me","aud":"you","exp":1e400}')
claims("exp 1e300", FORMAT, b'{"iss":"me","aud":"you","exp":1e300}')
claims("exp negative", FORMAT, {**who, "exp": -1})
claims("exp null", FORMAT, {**who, "exp": None})
claims("exp true", FORMAT, {**who, "exp": True})
claims("exp twice", FORMAT, b'{"iss":"me","aud":"you","exp":1,"exp":%d}' % (now + 3600))
claims("nbf in the future", REFUSED, {**who, "nbf": now + 3600, "exp": now + 7200})
claims("nbf a text", FORMAT, {**who, "nbf": "now", "exp": now + 7200})
claims("iat in the future", REFUSED, {**who, "iat": now + 3600, "exp": now + 7200})
claims("no exp", REFUSED, {**who, "sub": "x"})
claims("aud missing", REFUSED, {"exp": now + 60, "iss": "me"})
claims("aud of another", REFUSED, {"exp": now + 60, "iss": "me", "aud": ["him"]})
claims("aud empty", REFUSED, {"exp": now + 60, "iss": "me", "aud": []})
claims("aud a number", FORMAT, {"exp": now + 60, "iss": "me", "aud": 1})
claims("aud lists a number", FORMAT, {"exp": now + 60, "iss": "me", "aud": ["you", 1]})
claims("iss missing", REFUSED, {"exp": now + 60, "aud": "you"})
claims("iss a substring", REFUSED, {"iss": "m", "aud": "you", "exp": now + 60})
claims("iss a list", FORMAT, {"iss": ["me"], "aud": "you", "exp": now + 60})
claims("not an object", FORMAT, b'["exp"]')
claims("not JSON", FORMAT, b"exp")
claims("not UTF-8", FORMAT, b'{"iss":"me","aud":"you","exp":%d,"x":"\xff"}' % (now + 60))
claims("typ of another kind of token", REFUSED, {**who, "exp": now + 60}, {"alg": "RS256", "typ": "at+jwt"})
claims("nested", FORMAT, good.encode(), {"alg": "RS256", "cty": "JWT"})
add("claims: JSON, not compact", FORMAT, json.dumps({"payload": b64(json.dumps({**who, "exp": now + 60}).encode()), "protected": h, "signature": s}), command="jwt")
