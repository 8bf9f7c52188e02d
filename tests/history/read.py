# SPDX-License-Identifier: Apache-2.0
"""Verifies proofs and exported chains, written from doc/formats.md alone: it shares no code with signengine.

    read.py proof FILE
    read.py chain EXPORT.jsonl HEAD CERTIFICATE.pem     entries against the last seal
    read.py document EXPORT.xml CERTIFICATE.pem         the same of a document, without its signature
"""
import base64
import datetime
import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree


def sha(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def number(value, size):
    return value.to_bytes(size, "big")


def unbase64(text):
    return base64.b64decode(text, validate=True)


def openssl(*arguments, data=None):
    return subprocess.run(["openssl", *arguments], input=data, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)


def read_seal(note):
    text, line = note.split("\n\n", 1)
    text += "\n"
    lines = text.splitlines()
    seal = {"origin": lines[0], "size": int(lines[1]), "root": unbase64(lines[2]), "text": text}
    seal["chain"], identifier = lines[0].split("/")[2:4]
    seal["id"] = bytes.fromhex(identifier)
    _, seal["version"], seal["algorithm"], seal["descriptor"] = lines[4].split(" ", 3)
    dash, origin, blob = line.rstrip("\n").split(" ")
    if dash != "\u2014" or origin != seal["origin"] or not lines[3].startswith("seal ") or not lines[5].startswith("time "):
        sys.exit("not a seal")
    seal["key"], seal["signature"] = unbase64(blob)[:4], unbase64(blob)[4:]
    return seal


def check_seal(seal, certificate):
    """The key's identifier, and the signature by the openssl command."""
    with tempfile.TemporaryDirectory() as folder:
        paths = {name: os.path.join(folder, name) for name in ("certificate", "key", "text", "signature")}
        with open(paths["certificate"], "w") as f:
            f.write(certificate)
        public = openssl("x509", "-in", paths["certificate"], "-noout", "-pubkey").stdout
        der = openssl("pkey", "-pubin", "-outform", "DER", data=public).stdout
        key = sha(seal["origin"].encode(), b"\n\xff", b"signengine " + seal["algorithm"].encode() + b"\n", der)[:4]
        if key != seal["key"]:
            sys.exit("another key")
        for name, data in (("key", public), ("text", seal["text"].encode()), ("signature", seal["signature"])):
            with open(paths[name], "wb") as f:
                f.write(data)
        digest = re.match(r"SHA(\d+)with", seal["algorithm"]).group(1)
        options = []
        if seal["algorithm"].endswith("MGF1"):
            options = ["-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:digest"]
        result = openssl("dgst", "-sha" + digest, *options, "-verify", paths["key"], "-signature", paths["signature"], paths["text"])
        if result.returncode:
            sys.exit("the signature is not good")


def leaf(entry):
    return sha(b"\0", entry)


def node(left, right):
    return sha(b"\1", left, right)


def tree(leaves):
    if not leaves:
        return sha()
    if len(leaves) == 1:
        return leaves[0]
    left = 1
    while left * 2 < len(leaves):
        left *= 2
    return node(tree(leaves[:left]), tree(leaves[left:]))


def follow(path, value, index, size):
    """RFC 9162, 2.1.3.2"""
    at, last = index, size - 1
    for hash_ in path:
        if last == 0:
            sys.exit("the path is too long")
        if at & 1 or at == last:
            value = node(hash_, value)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            value = node(value, hash_)
        at, last = at >> 1, last >> 1
    if last:
        sys.exit("the path is too short")
    return value


def read_proof(path):
    with open(path, encoding="utf-8") as f:
        text = f.read()
    head, text, line, certificate = re.match(r"(.*?)\n\n(.*?)\n\n(.*?)\n\n(-----BEGIN.*)", text, re.S).groups()
    lines = head.split("\n")
    if lines[0] != "signengine/history/proof 1":
        sys.exit("not a proof")
    words = [line_.split(" ") for line_ in lines[1:]]
    entry = unbase64(words[0][1])
    seal = read_seal(text + "\n\n" + line + "\n")
    hashes = [unbase64(word[1]) for word in words if word[0] == "hash"]
    index = int.from_bytes(entry[17:25], "big") - 1
    if entry[0] != 1 or entry[1:17] != seal["id"]:
        sys.exit("of another chain")
    for word in words:
        if word[0] == "payload" and sha(b"\2", unbase64(word[1]), unbase64(word[2])) != entry[-32:]:
            sys.exit("another payload")
    if follow(hashes, leaf(entry), index, seal["size"]) != seal["root"]:
        sys.exit("another root")
    check_seal(seal, certificate)
    print("entry %d of '%s' is good" % (index + 1, seal["chain"]))


def micros(text):
    when = datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=datetime.timezone.utc)
    return (when - datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)) // datetime.timedelta(microseconds=1)


def part(entry, name):
    return entry[name].encode() if name in entry else unbase64(entry[name + "Base64"])


def check_chain(seal, certificate, entries):
    """Entries are (number, time, object, commitment)."""
    with open(certificate, encoding="utf-8") as f:
        check_seal(seal, f.read())
    leaves = []
    for seq, when, thing, commitment in entries:
        if seq != len(leaves) + 1:
            sys.exit("a gap")
        leaves.append(leaf(number(1, 1) + seal["id"] + number(seq, 8) + number(micros(when), 8) + number(len(thing), 2) + thing + commitment))
    if len(leaves) != seal["size"] or tree(leaves) != seal["root"]:
        sys.exit("another root")
    print("%d entries of '%s' are good" % (len(leaves), seal["chain"]))


def read_line(line):
    entry = json.loads(line)
    if "erased" in entry:
        commitment = unbase64(entry["commitment"])
    else:
        commitment = sha(b"\2", unbase64(entry["salt"]), part(entry, "payload"))
    return entry["seq"], entry["time"], part(entry, "object"), commitment


def read_chain(export, head, certificate):
    with open(head, encoding="utf-8") as f:
        seal = read_seal(f.read())
    with open(export, encoding="utf-8") as f:
        check_chain(seal, certificate, (read_line(line) for line in f))


def value(element):
    text = element.text or ""
    return unbase64(text) if element.get("encoding") == "base64" else text.encode()


def read_element(element, namespace):
    parts = {part.tag[len(namespace):]: part for part in element}
    if "commitment" in parts:
        commitment = unbase64(parts["commitment"].text)
    else:
        commitment = sha(b"\2", unbase64(parts["salt"].text), value(parts["payload"]))
    return int(element.get("seq")), element.get("time"), value(parts["object"]), commitment


def read_document(export, certificate):
    root = xml.etree.ElementTree.parse(export).getroot()
    namespace = "{urn:signengine:history-export}"
    if root.tag != namespace + "historyExport":
        sys.exit("no export")
    seal = read_seal(root.find(namespace + "seal").text)
    check_chain(seal, certificate, (read_element(e, namespace) for e in root.iter(namespace + "entry")))


{"proof": read_proof, "chain": read_chain, "document": read_document}[sys.argv[1]](*sys.argv[2:])
