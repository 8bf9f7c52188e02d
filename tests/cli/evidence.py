# SPDX-License-Identifier: Apache-2.0
"""Evidence records (RFC 4998), changed.

    evidence.py RECORD OUT WHAT...   OUT is RECORD with the change WHAT, the name of a function below and what it is given
    evidence.py bytes RECORD STEP    every STEPth byte before the last token changed, in files RECORD.changed.N
"""
import os, sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "zip"))
from stamps import INTEGER, OCTETS, OID, SEQUENCE, SHA1, der, info, inside, token


def read(record):
    """version, digests, chains; a chain is a list of archive time stamps, one of these a list of parts"""
    version, digests, sequence = inside(record)
    return [version, inside(digests), [[inside(stamp) for stamp in inside(chain)] for chain in inside(sequence)]]


def write(version, digests, chains, *more):
    return der(SEQUENCE, version, der(SEQUENCE, *digests), *more,
               der(SEQUENCE, *(der(SEQUENCE, *(der(SEQUENCE, *stamp) for stamp in chain)) for chain in chains)))


def version(record, number):
    _, digests, chains = read(record)
    return write(der(INTEGER, bytes([int(number)])), digests, chains)


def trailing(record):
    return record + b"\0"


def cut(record):
    return record[:-1]


def long_length(record):
    """two bytes more for the outer length than DER has"""
    size = record[1] & 0x7f
    return bytes([record[0], 0x80 | size + 1, 0]) + record[2:]


def member(record, tag):
    """[0] cryptoInfos or [1] encryptionInfo"""
    v, digests, chains = read(record)
    return write(v, digests, chains, der(int(tag, 16), der(SEQUENCE, der(OID, b"\x2a\x03\x04"))))


def attributes(record):
    v, digests, chains = read(record)
    chains[0][0].insert(1, der(0xa1, der(SEQUENCE, der(OID, b"\x2a\x03\x04"), der(0x31, der(INTEGER, b"\1")))))
    return write(v, digests, chains)


def weak(record):
    """SHA-1 among the record's digests"""
    v, digests, chains = read(record)
    return write(v, digests + [der(SEQUENCE, der(OID, SHA1))], chains)


def parameters(record):
    """of the tree's digest algorithm, an empty string"""
    v, digests, chains = read(record)
    chains[0][0][0] = der(0xa0, *inside(chains[0][0][0])[:1], der(OCTETS))
    return write(v, digests, chains)


def weak_tree(record):
    v, digests, chains = read(record)
    chains[0][0][0] = der(0xa0, der(OID, SHA1))
    return write(v, digests, chains)


def unlisted(record):
    """the last digest is not in the record's list"""
    v, digests, chains = read(record)
    return write(v, digests[:-1], chains)


def flip(record, chain, stamp, part, at):
    """a byte of a part of an archive time stamp"""
    v, digests, chains = read(record)
    changed = bytearray(chains[int(chain)][int(stamp)][int(part)])
    changed[int(at)] ^= 1
    chains[int(chain)][int(stamp)][int(part)] = bytes(changed)
    return write(v, digests, chains)


def empty_tree(record):
    v, digests, chains = read(record)
    chains[0][0][1] = der(0xa2)
    return write(v, digests, chains)


def empty_list(record):
    v, digests, chains = read(record)
    chains[0][0][1] = der(0xa2, *inside(chains[0][0][1]), der(SEQUENCE))
    return write(v, digests, chains)


def short_hash(record):
    v, digests, chains = read(record)
    chains[0][0][1] = der(0xa2, der(SEQUENCE, der(OCTETS, b"short")))
    return write(v, digests, chains)


def without_tree(record):
    v, digests, chains = read(record)
    del chains[0][0][1]
    return write(v, digests, chains)


def turned_list(record):
    """the first list of the first tree, from its end; a reader sorts it"""
    v, digests, chains = read(record)
    first, *others = inside(chains[0][0][1])
    chains[0][0][1] = der(0xa2, der(SEQUENCE, *reversed(inside(first))), *others)
    return write(v, digests, chains)


def swap_stamps(record, chain):
    v, digests, chains = read(record)
    chains[int(chain)][:2] = reversed(chains[int(chain)][:2])
    return write(v, digests, chains)


def swap_chains(record):
    v, digests, chains = read(record)
    chains[:2] = reversed(chains[:2])
    return write(v, digests, chains)


def drop(record, chain, stamp):
    v, digests, chains = read(record)
    del chains[int(chain)][int(stamp)]
    return write(v, digests, [c for c in chains if c])


def empty_chain(record):
    v, digests, chains = read(record)
    return write(v, digests, chains + [[]])


def no_chain(record):
    v, digests, _ = read(record)
    return write(v, digests, [])


def one_chain(record):
    """the stamps of all chains in one"""
    v, digests, chains = read(record)
    return write(v, digests, [[stamp for chain in chains for stamp in chain]])


def take_token(record, other, chain, stamp):
    """the token of another record's archive time stamp"""
    v, digests, chains = read(record)
    theirs = read(open(other, "rb").read())[2]
    chains[0][0][-1] = theirs[int(chain)][int(stamp)][-1]
    return write(v, digests, chains)


def renewed(record, time, authority):
    """another time stamp in the first chain, over the last there, of any time and by anybody"""
    v, digests, chains = read(record)
    last = chains[0][-1]
    chains[0].append([last[0], token(info(last[-1], time), authority)])
    return write(v, digests, chains)


def no_token(record):
    v, digests, chains = read(record)
    chains[0][0][-1] = der(SEQUENCE, der(OID, b"\x2a\x03\x04"))
    return write(v, digests, chains)


def beside(record):
    """a file under one time stamp with others, as RFC 4998, 4.2.2 shows it: its hash and the one beside it in one list"""
    v, digests, chains = read(record)
    own, next_one, *others = [hash for part in inside(chains[0][0][1]) for hash in inside(part)]
    chains[0][0][1] = der(0xa2, der(SEQUENCE, *sorted([own, next_one])), *(der(SEQUENCE, hash) for hash in others))
    return write(v, digests, chains)


def change_bytes(path, step):
    record = open(path, "rb").read()
    last = len(record) - len(read(record)[2][-1][-1][-1])
    for at in range(0, last, int(step)):
        changed = bytearray(record)
        changed[at] ^= 1
        open("%s.changed.%d" % (path, at), "wb").write(changed)


if __name__ == "__main__":
    if sys.argv[1] == "bytes":
        change_bytes(*sys.argv[2:])
    else:
        path, out, what, *more = sys.argv[1:]
        with open(path, "rb") as file:
            changed = globals()[what](file.read(), *more)
        with open(out, "wb") as file:
            file.write(changed)
