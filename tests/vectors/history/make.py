"""Makes the vectors of object histories, from doc/formats.md alone:

    make.py FOLDER

entries   ID SEQ TIME OBJECT SALT PAYLOAD ENTRY LEAF, in hexadecimal but SEQ and TIME; "-" is nothing, no SALT: the payload was erased
trees     SIZE ROOT of the leaves of `entries`, as many as SIZE
*.pem     certificates, the rest of whose name is the algorithm
seals/    ALGORITHM.WHAT; those that are no seals begin with "refused-65", those that nobody has signed with "refused-1"
proofs/   the same, and good ones begin with "good"
"""
import base64
import hashlib
import os
import subprocess
import sys
import tempfile

CHAIN = bytes(range(0xA0, 0xB0))
NAME = "default"
ORIGIN = "signengine/history/%s/%s" % (NAME, CHAIN.hex())
KEYS = {
    "SHA256withECDSA": ["ec", "ec_paramgen_curve:P-256"],
    "SHA384withECDSA": ["ec", "ec_paramgen_curve:P-384"],
    "SHA256withRSA": ["rsa", "rsa_keygen_bits:2048"],
    "SHA512withRSAandMGF1": ["rsa", "rsa_keygen_bits:2048"],
}


def sha(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def text64(data):
    return base64.b64encode(data).decode()


def entry_of(chain, seq, time, thing, commitment):
    return (b"\1" + chain + seq.to_bytes(8, "big") + time.to_bytes(8, "big") + len(thing).to_bytes(2, "big") + thing + commitment)


def make_entries():
    salts = [sha(b"salt", bytes([n]))[:16] for n in range(41)]
    rows = [(b"person/1", b'{"state":"changed"}'), (b"", b""), (b"x" * 1000, b"y"), (bytes(range(256)), bytes(range(255, -1, -1)))]
    rows += [(b"card/%d" % n, b"payload of %d" % n) for n in range(5, 42)]
    entries = []
    for index, (thing, payload) in enumerate(rows):
        salt = salts[index]
        commitment = sha(b"\2", salt, payload)
        if index % 10 == 4:
            salt, payload = b"", commitment
        time = 1767225600000000 + index * 999983 if index else 0
        entry = entry_of(CHAIN, index + 1, time, thing, commitment)
        entries.append({"seq": index + 1, "time": time, "object": thing, "salt": salt, "payload": payload, "entry": entry,
                        "leaf": sha(b"\0", entry)})
    return entries


def split(count):
    left = 1
    while left * 2 < count:
        left *= 2
    return left


def root_of(leaves):
    if not leaves:
        return sha()
    if len(leaves) == 1:
        return leaves[0]
    left = split(len(leaves))
    return sha(b"\1", root_of(leaves[:left]), root_of(leaves[left:]))


def path_of(leaves, index):
    if len(leaves) < 2:
        return []
    left = split(len(leaves))
    if index < left:
        return path_of(leaves[:left], index) + [root_of(leaves[left:])]
    return path_of(leaves[left:], index - left) + [root_of(leaves[:left])]


class Signer:
    def __init__(self, work, out, algorithm):
        self.algorithm, kind = algorithm, KEYS[algorithm]
        self.key, certificate = os.path.join(work, algorithm), os.path.join(out, algorithm + ".pem")
        openssl("genpkey", "-algorithm", kind[0], "-pkeyopt", kind[1], "-out", self.key)
        openssl("req", "-x509", "-key", self.key, "-out", certificate, "-days", "36500", "-subj", "/CN=History test vectors",
                "-addext", "keyUsage=critical,digitalSignature")
        self.spki = openssl("pkey", "-in", self.key, "-pubout", "-outform", "DER")
        with open(certificate, encoding="ascii") as f:
            self.certificate = f.read()

    def sign(self, text):
        options = ["-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:digest"] if self.algorithm.endswith("MGF1") else []
        return openssl("dgst", "-" + self.algorithm[:6].lower(), "-sign", self.key, *options, data=text.encode())

    def line(self, text, origin=ORIGIN):
        key = sha(origin.encode(), b"\n\xff", b"signengine ", self.algorithm.encode(), b"\n", self.spki)[:4]
        return "\u2014 %s %s\n" % (origin, text64(key + self.sign(text)))

    def seal(self, size, root, number=7, event="", descriptor="ObjectHistorySigner", version=1, previous=None):
        previous = sha(b"previous") if previous is None else previous
        text = "%s\n%d\n%s\nseal %d %s\nsigner %d %s %s\ntime 2026-01-31T12:00:00.000001Z\n" % (
            ORIGIN, size, text64(root), number, text64(previous), version, self.algorithm, descriptor)
        return self.note(text + ("event %s\n" % event if event else ""))

    def note(self, text):
        return text + "\n" + self.line(text)


def openssl(*arguments, data=None):
    return subprocess.run(["openssl", *arguments], input=data, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True).stdout


def good_seals(signers, roots):
    ecdsa, big, rsa, pss = (signers[name] for name in KEYS)
    return {
        "SHA256withECDSA.opens": ecdsa.seal(0, roots[0], 1, "opens", previous=bytes(32)),
        "SHA256withECDSA.entries": ecdsa.seal(41, roots[41]),
        "SHA384withECDSA.erases": big.seal(41, roots[41], 8, "erases 5", "Objects of 2026, \u00e4\u00f6\u00fc", 12),
        "SHA256withRSA.prunes": rsa.seal(41, roots[41], 9, "prunes 40"),
        "SHA256withRSA.resigns": rsa.seal(41, roots[41], 2**63 - 1, "resigns", "x", 2**31 - 1),
        "SHA512withRSAandMGF1.closes": pss.seal(2**63 - 1, roots[41], 10, "closes"),
    }


def bad_seals(signers, roots):
    """Each is signed well: it is the text that is wrong."""
    ecdsa = signers["SHA256withECDSA"]
    good = ecdsa.seal(41, roots[41], 8, "erases 5")
    text = good.split("\n\n")[0] + "\n"
    line = good.split("\n\n")[1]
    changed = {
        "leading-zero": ("\n41\n", "\n041\n"), "sign": ("\n41\n", "\n+41\n"), "blank": ("\n41\n", "\n41 \n"), "hex": ("\n41\n", "\n0x29\n"),
        "size-2-63": ("\n41\n", "\n%d\n" % 2**63), "no-size": ("\n41\n", "\n\n"), "crlf": ("\n41\n", "\r\n41\r\n"),
        "upper-case": (CHAIN.hex(), CHAIN.hex().upper()), "short-identifier": (CHAIN.hex(), CHAIN.hex()[2:]),
        "name": ("/default/", "/de fault/"), "no-name": ("/default/", "//"), "long-name": ("/default/", "/" + 65 * "d" + "/"),
        "short-root": (text64(roots[41]), text64(roots[41][1:])), "unpadded-root": (text64(roots[41]), text64(roots[41]).rstrip("=")),
        "seal": ("\nseal 8 ", "\nSeal 8 "), "seal-0-padded": ("\nseal 8 ", "\nseal 08 "), "no-version": ("signer 1 ", "signer "),
        "version-2-31": ("signer 1 ", "signer %d " % 2**31), "digits": (".000001Z", ".00001Z"), "zone": ("01Z\n", "01+00:00\n"),
        "month": ("2026-01-31", "2026-13-31"), "day": ("2026-01-31", "2026-02-30"), "second": ("12:00:00", "12:00:60"),
        "event": ("event erases 5", "event forgets 5"), "event-number": ("event erases 5", "event erases"),
        "event-numbered": ("event erases 5", "event opens 5"), "event-empty": ("event erases 5", "event "),
        "event-line": ("event erases 5\n", "event erases 5\nevent erases 5\n"), "order": ("\nseal 8 ", "\ntime 8 "),
    }
    seals = {name: ecdsa.note(text.replace(*change)) for name, change in changed.items()}
    seals.update({
        "empty": "", "text-only": text, "no-empty-line": text + line, "two-empty-lines": text + "\n\n" + line, "cut": good[:-1],
        "longer": good + "\n", "two-signatures": good + line, "dash": good.replace("\u2014", "-"), "nul": good.replace("seal", "se\0al", 1),
        "signature-of-nothing": text + "\n\u2014 %s %s\n" % (ORIGIN, text64(b"key.")),
        "other-origin": text + "\n" + line.replace("default", "defaults"), "noncanonical-base64": good[:-2] + "!\n",
    })
    return {"refused-65-" + name: seal for name, seal in seals.items()}


def unsigned_seals(signers, roots):
    ecdsa, other = signers["SHA256withECDSA"], signers["SHA384withECDSA"]
    good = ecdsa.seal(41, roots[41])
    text, line = good.split("\n\n")
    key = base64.b64decode(line.split(" ")[2])[:4]
    return {
        "refused-1-other-text": good.replace("\nseal 7 ", "\nseal 6 "),
        "refused-1-other-algorithm": good.replace("SHA256withECDSA", "SHA512withECDSA"),
        "refused-1-other-key": text + "\n\n" + other.line(text + "\n"),
        "refused-1-other-signature": text + "\n\n\u2014 %s %s\n" % (ORIGIN, text64(key + ecdsa.sign("another text"))),
    }


def proof_of(entry, path, seal, certificate, payload=True):
    lines = ["signengine/history/proof 1", "entry " + text64(entry["entry"])]
    if entry["salt"] and payload:
        lines.append("payload %s %s" % (text64(entry["salt"]), text64(entry["payload"])))
    lines += ["hash " + text64(hash_) for hash_ in path]
    return "\n".join(lines) + "\n\n" + seal + "\n" + certificate


def good_proofs(signers, entries, roots):
    leaves = [entry["leaf"] for entry in entries]
    proofs = {}
    for number, (size, index) in enumerate([(1, 0), (2, 1), (7, 2), (8, 3), (9, 8), (41, 0), (41, 4), (41, 32), (41, 40)]):
        signer = signers[list(KEYS)[number % len(KEYS)]]
        proofs["good-%d-of-%d" % (index + 1, size)] = proof_of(entries[index], path_of(leaves[:size], index), signer.seal(size, roots[size]),
                                                              signer.certificate)
    signer = signers["SHA256withECDSA"]
    proofs["good-without-payload"] = proof_of(entries[0], path_of(leaves, 0), signer.seal(41, roots[41]), signer.certificate, False)
    return proofs


def bad_proofs(signers, entries, roots):
    signer, other = signers["SHA256withECDSA"], signers["SHA384withECDSA"]
    leaves, entry = [one["leaf"] for one in entries], entries[20]
    path, seal = path_of(leaves, 20), signer.seal(41, roots[41])
    good = proof_of(entry, path, seal, signer.certificate)
    encoded = text64(entry["entry"])

    def with_entry(data):
        return good.replace(encoded, text64(data))

    def with_path(hashes):
        return proof_of(entry, hashes, seal, signer.certificate)

    commitment = entry["entry"][-32:]
    wrong = {
        "65-empty": "", "65-head": good.replace("proof 1", "proof 2"), "65-no-entry": good.replace("entry " + encoded + "\n", ""),
        "65-base64": good.replace(encoded, encoded[:-4] + "****"), "65-edition": with_entry(b"\2" + entry["entry"][1:]),
        "65-entry-cut": with_entry(entry["entry"][:-1]), "65-entry-longer": with_entry(entry["entry"] + b"\0"),
        "65-entry-0": with_entry(entry_of(CHAIN, 0, entry["time"], entry["object"], commitment)),
        "65-object-of-1001": with_entry(entry_of(CHAIN, 21, entry["time"], 1001 * b"x", commitment)),
        "65-salt": good.replace(text64(entry["salt"]), text64(entry["salt"][:-1])),
        "65-payload-without-salt": good.replace("payload " + text64(entry["salt"]) + " ", "payload "),
        "65-short-hash": good.replace(text64(path[0]), text64(path[0][:-1])), "65-many-hashes": with_path(path[:1] * 65),
        "65-no-seal": proof_of(entry, path, "", signer.certificate), "65-seal": good.replace("\nseal 7 ", "\nseal 07 "),
        "65-no-certificate": good.split("-----BEGIN")[0], "65-line": good.replace("\nhash ", "\nhush ", 1),
        "1-payload": good.replace(text64(entry["payload"]), text64(b"another")),
        "1-other-salt": good.replace(text64(entry["salt"]), text64(bytes(16))),
        "1-hash-missing": with_path(path[:-1]), "1-hash-more": with_path(path + path[-1:]), "1-no-hash": with_path([]),
        "1-hashes-swapped": with_path([path[1], path[0]] + path[2:]), "1-other-hash": with_path([bytes(32)] + path[1:]),
        "1-other-number": with_entry(entry_of(CHAIN, 20, entry["time"], entry["object"], commitment)),
        "1-beyond-the-seal": with_entry(entry_of(CHAIN, 42, entry["time"], entry["object"], commitment)),
        "1-other-time": with_entry(entry_of(CHAIN, 21, entry["time"] + 1, entry["object"], commitment)),
        "1-other-chain": with_entry(entry_of(bytes(16), 21, entry["time"], entry["object"], commitment)),
        "1-other-size": proof_of(entry, path, signer.seal(32, roots[41]), signer.certificate),
        "1-other-root": proof_of(entry, path, signer.seal(41, roots[40]), signer.certificate),
        "1-of-no-entries": proof_of(entry, path, signer.seal(0, roots[41]), signer.certificate),
        "1-seal-changed": good.replace("\nseal 7 ", "\nseal 8 "),
        "1-other-certificate": proof_of(entry, path, seal, other.certificate),
    }
    return {"refused-" + name: proof for name, proof in wrong.items()}


def hexadecimal(data):
    return data.hex() or "-"


def write(folder, files):
    os.makedirs(folder, exist_ok=True)
    for name, text in files.items():
        with open(os.path.join(folder, name), "w", encoding="utf-8", newline="") as f:
            f.write(text)


def main(out):
    entries = make_entries()
    leaves = [entry["leaf"] for entry in entries]
    roots = [root_of(leaves[:size]) for size in range(len(leaves) + 1)]
    write(out, {
        "entries": "".join("%s %d %d %s\n" % (CHAIN.hex(), e["seq"], e["time"], " ".join(
            hexadecimal(e[part]) for part in ("object", "salt", "payload", "entry", "leaf"))) for e in entries),
        "trees": "".join("%d %s\n" % (size, root.hex()) for size, root in enumerate(roots)),
    })
    with tempfile.TemporaryDirectory() as work:
        signers = {algorithm: Signer(work, out, algorithm) for algorithm in KEYS}
        write(os.path.join(out, "seals"), {**good_seals(signers, roots), **bad_seals(signers, roots), **unsigned_seals(signers, roots)})
        write(os.path.join(out, "proofs"), {**good_proofs(signers, entries, roots), **bad_proofs(signers, entries, roots)})


main(sys.argv[1])
