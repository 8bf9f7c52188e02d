# SPDX-License-Identifier: Apache-2.0
"""Time stamps (RFC 3161) of any time and by anybody, put into CMS signatures.

    stamps.py SIGNATURE TIME AUTHORITY      time stamps the CMS signature in that file, as "20200601000000Z", by AUTHORITY.pem and .key
    stamps.py take SIGNATURE                its stamp to SIGNATURE.token, and what that has to be of to SIGNATURE.value

TSTInfo and the attribute are written here; the token's signature is made by `openssl cms`.
"""
import hashlib, subprocess, sys

SHA1, SHA256 = bytes.fromhex("2b0e03021a"), bytes.fromhex("608648016503040201")
STAMP = bytes.fromhex("2a864886f70d010910020e")  # id-aa-timeStampToken
SEQUENCE, SET, INTEGER, OCTETS, OID, GENERALIZED = 0x30, 0x31, 2, 4, 6, 0x18


def der(tag, *parts):
    body = b"".join(parts)
    size = bytes([len(body)]) if len(body) < 128 else None
    if size is None:
        raw = len(body).to_bytes((len(body).bit_length() + 7) // 8, "big")
        size = bytes([0x80 | len(raw)]) + raw
    return bytes([tag]) + size + body


def inside(data):
    """the elements in one of definite length"""
    def head(at):
        size, at = data[at + 1], at + 2
        if size & 0x80:
            size, at = int.from_bytes(data[at:at + (size & 0x7f)], "big"), at + (size & 0x7f)
        return at, at + size

    at, end = head(0)
    parts = []
    while at < end:
        after = head(at)[1]
        parts.append(data[at:after])
        at = after
    return parts


def info(signature, time, digest=("sha256", SHA256), version=1, more=b"", keep=None):
    """a TSTInfo for the bytes of a signature; `keep`: how many bytes of their digest"""
    imprint = hashlib.new(digest[0], signature).digest()[:keep]
    return der(SEQUENCE, der(INTEGER, bytes([version])), der(OID, b"\x2a\x03\x04"),
               der(SEQUENCE, der(SEQUENCE, der(OID, digest[1]), b"\5\0"), der(OCTETS, imprint)), der(INTEGER, b"\1"),
               der(GENERALIZED, time.encode()), more)


def token(content, authority, *options, certificates="ca", md="sha256"):
    return subprocess.run(["openssl", "cms", "-sign", "-binary", "-nodetach", "-outform", "DER", "-md", md, "-econtent_type",
                           "id-smime-ct-TSTInfo", "-signer", authority + ".pem", "-inkey", authority + ".key", "-certfile",
                           certificates + ".pem", *(options or ("-cades",))], input=content, capture_output=True, check=True).stdout


def pieces(cms):
    """the parts around and of its only SignerInfo: ContentInfo, SignedData, SignerInfo"""
    kind, explicit = inside(cms)
    signed = inside(inside(explicit)[0])
    return kind, signed, inside(inside(signed[-1])[0])


def signature_of(cms):
    return [part for part in pieces(cms)[2] if part[0] == OCTETS][0]


def signature_bytes(cms):
    whole = signature_of(cms)
    return whole[2:] if whole[1] < 0x80 else whole[2 + (whole[1] & 0x7f):]


def stamped(cms, *tokens):
    """the CMS with these as its unsigned attributes"""
    kind, signed, signer = pieces(cms)
    attributes = [der(SEQUENCE, der(OID, STAMP), der(SET, t)) for t in tokens]
    signed[-1] = der(SET, der(SEQUENCE, *signer, der(0xa1, *attributes)))
    return der(SEQUENCE, kind, der(0xa0, der(SEQUENCE, *signed)))


def stamp_of(cms):
    """the value of its only unsigned attribute"""
    (attribute,) = inside(pieces(cms)[2][-1])
    kind, values = inside(attribute)
    assert kind == der(OID, STAMP)
    return inside(values)[0]


def take(path):
    cms = open(path, "rb").read()
    open(path + ".token", "wb").write(stamp_of(cms))
    open(path + ".value", "wb").write(signature_bytes(cms))


def put(path, time, authority):
    plain = open(path, "rb").read()
    open(path, "wb").write(stamped(plain, token(info(signature_bytes(plain), time), authority)))


if __name__ == "__main__":
    if sys.argv[1] == "take":
        take(sys.argv[2])
    else:
        put(*sys.argv[1:])
