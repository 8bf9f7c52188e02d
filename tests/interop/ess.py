# SPDX-License-Identifier: Apache-2.0
"""usage: ess.py CONTENT SIGNER OUT NAMED...   signs by SIGNER.pem and .key, with SIGNER.chain beside; the signingCertificate attribute has NAMED.pem"""
import hashlib, subprocess, sys

from stamps import OCTETS, OID, SEQUENCE, SET, der, inside, pieces

SIGNING_CERTIFICATE_V2 = der(OID, bytes.fromhex("2a864886f70d010910022f"))


def certificate(name):
    return subprocess.run(["openssl", "x509", "-in", name + ".pem", "-outform", "DER"], capture_output=True, check=True).stdout


content, signer, out, *named = sys.argv[1:]
cms = subprocess.run(["openssl", "cms", "-sign", "-binary", "-outform", "DER", "-md", "sha256", "-cades", "-in", content, "-signer", signer + ".pem",
                      "-inkey", signer + ".key", "-certfile", signer + ".chain"], capture_output=True, check=True).stdout
kind, signed, info = pieces(cms)
attributes = [a for a in inside(info[3]) if inside(a)[0] != SIGNING_CERTIFICATE_V2]
hashes = [der(SEQUENCE, der(OCTETS, hashlib.sha256(certificate(name)).digest())) for name in named]
attributes = sorted(attributes + [der(SEQUENCE, SIGNING_CERTIFICATE_V2, der(SET, der(SEQUENCE, der(SEQUENCE, *hashes))))])
signature = subprocess.run(["openssl", "dgst", "-sha256", "-sign", signer + ".key"], input=der(SET, *attributes), capture_output=True, check=True).stdout
signed[-1] = der(SET, der(SEQUENCE, *info[:3], der(0xa0, *attributes), info[4], der(OCTETS, signature)))
with open(out, "wb") as file:
    file.write(der(SEQUENCE, kind, der(0xa0, der(SEQUENCE, *signed))))
