# SPDX-License-Identifier: Apache-2.0
"""Mutates signed zips record by record, and holds every reader to what was signed in those that are accepted.

    containers.py VERDICTS CONFIGURATION SIGNED.zip COUNT SEED

The archive number N of a seed is the same again, whatever COUNT is.  Prints each difference, keeps its archive, and counts; status 1: some reader got
something else, without an error.
"""
import hashlib, os, random, shutil, stat, struct, subprocess, sys, tempfile, time, zipfile, zlib

UTF8, DESCRIPTOR = 1 << 11, 1 << 3
FULL = 0xffffffff


def sha(data):
    return hashlib.sha256(data).hexdigest()


# ---- an archive, and what can be odd about it ----

class Entry:
    def __init__(self, name, data, method):
        self.name, self.data, self.method = name, data, method
        self.deflating = None
        self.flags = 0 if name.isascii() else UTF8
        self.descriptor = None      # (signature?, bytes of a size)
        self.local_sizes = True     # in spite of a descriptor
        self.zip64 = False          # local
        self.saturated = (False, False, False)      # central: size, packed, offset
        self.local_extra = self.central_extra = b""
        self.maker, self.needed, self.local_needed = 3 << 8 | 20, 20, 20
        self.attributes = (0o40755 if name.endswith(b"/") else 0o100644) << 16 | (16 if name.endswith(b"/") else 0)
        self.internal = self.disk = 0
        self.time, self.local_time = 0x50216000, 0x50216000
        self.comment = b""
        self.local_name, self.local_flags, self.local_method, self.gap, self.crc = None, None, None, b"", None

    def packed(self):
        return self.data if self.method == 0 else self.deflating if self.deflating is not None else deflate(self.data)

    def local(self):
        packed, crc = self.packed(), zlib.crc32(self.data)
        sums = (crc, len(packed), len(self.data)) if not self.descriptor or self.local_sizes else (0, 0, 0)
        extra = self.local_extra
        if self.zip64:
            extra = struct.pack("<HHQQ", 1, 16, sums[2], sums[1]) + extra
            sums = (sums[0], FULL, FULL)
        flags = self.flags if self.local_flags is None else self.local_flags
        name = self.name if self.local_name is None else self.local_name
        method = self.method if self.local_method is None else self.local_method
        out = struct.pack("<IHHHIIIIHH", 0x04034b50, self.local_needed, flags, method, self.local_time, *sums, len(name), len(extra)) + name + extra + packed
        if self.descriptor:
            signature, width = self.descriptor
            out += (b"PK\7\10" if signature else b"") + struct.pack("<I", crc) + struct.pack("<II" if width == 4 else "<QQ", len(packed), len(self.data))
        return out + self.gap

    def central(self, offset):
        packed = self.packed()
        values = [len(self.data), len(packed), offset]
        extra, shown = b"", []
        for value, full in zip(values, self.saturated):
            extra += struct.pack("<Q", value) if full else b""
            shown.append(FULL if full else value)
        extra = (struct.pack("<HH", 1, len(extra)) + extra if extra else b"") + self.central_extra
        crc = zlib.crc32(self.data) if self.crc is None else self.crc
        return struct.pack("<IHHHHIIIIHHHHHII", 0x02014b50, self.maker, self.needed, self.flags, self.method, self.time, crc, shown[1], shown[0],
                           len(self.name), len(extra), len(self.comment), self.disk, self.internal, self.attributes, shown[2]) + self.name + extra + self.comment


class Archive:
    def __init__(self, files):
        self.entries = [Entry(*f) for f in files]
        self.comment = self.prefix = self.tail = self.before = self.behind = b""
        self.shift = 0
        self.central_order = None   # what it is shuffled by
        self.end64 = None           # fields that are changed; {}: a proper one
        self.end = {}

    def bytes(self):
        out, offsets = self.prefix, {}
        for e in self.entries:
            offsets[id(e)] = len(out) - self.shift
            out += e.local()
        out += self.before
        order = list(range(len(self.entries)))
        if self.central_order is not None:
            random.Random(self.central_order).shuffle(order)
        directory = b"".join(self.entries[i].central(offsets[id(self.entries[i])]) for i in order)
        at = len(out) - self.shift
        out += directory + self.behind
        count = len(self.entries)
        fields = dict(disk=0, first=0, here=count, count=count, size=len(directory), offset=at)
        if self.end64 is not None:
            big = dict(fields, made=45, needed=45, locator=len(out), disks=1, **{})
            big.update(self.end64)
            out += struct.pack("<IQHHIIQQQQ", 0x06064b50, 44, big["made"], big["needed"], big["disk"], big["first"], big["here"], big["count"], big["size"],
                               big["offset"]) + struct.pack("<IIQI", 0x07064b50, 0, big["locator"], big["disks"])
        fields.update(self.end)
        return out + struct.pack("<IHHHHIIH", 0x06054b50, *(fields[k] for k in ("disk", "first", "here", "count", "size", "offset")), len(self.comment)) \
            + self.comment + self.tail


def deflate(data, level=9, strategy=zlib.Z_DEFAULT_STRATEGY, flush=()):
    c = zlib.compressobj(level, zlib.DEFLATED, -15, 9, strategy)
    out = b""
    for i, at in enumerate(range(0, max(len(data), 1), 97)):
        out += c.compress(data[at:at + 97])
        if i in flush:
            out += c.flush(zlib.Z_SYNC_FLUSH)
    return out + c.flush()


# ---- mutations: of an entry, and of the whole ----

def tlv(identifier, value):
    return struct.pack("<HH", identifier, len(value)) + value


def some_extra(r, e):
    mode, owner = r.choice([0o100644, 0o120777, 0o40755, 0o104755]), r.choice([0, 1234])
    path = r.choice([e.name, b"other", e.name + b"/"])
    asi = struct.pack("<HIHH", mode, 0, owner, owner)
    return r.choice([
        lambda: tlv(0x5455, b"\3" + struct.pack("<II", 1700000000, 1600000000)),
        lambda: tlv(0x5455, b"\1" + struct.pack("<I", r.getrandbits(32))),
        lambda: tlv(0x5455, r.randbytes(r.randrange(16))),
        lambda: tlv(0x7875, struct.pack("<BBIBI", 1, 4, owner, 4, owner)),
        lambda: tlv(0x7855, struct.pack("<HH", owner, owner)),
        lambda: tlv(0x7855, b""),
        lambda: tlv(0x5855, struct.pack("<IIHH", 1600000000, 1600000000, owner, owner)),
        lambda: tlv(0x5855, struct.pack("<II", 1600000000, 1600000000)),
        lambda: tlv(0x756e, struct.pack("<I", zlib.crc32(asi)) + asi),
        lambda: tlv(0x000d, struct.pack("<IIHH", 1, 2, owner, owner)),
        lambda: tlv(0x000a, struct.pack("<IHHQQQ", 0, 1, 24, *(132000000000000000 + i for i in range(3)))),
        lambda: tlv(0x000a, r.randbytes(r.randrange(40))),
        lambda: tlv(0x7075, b"\1" + struct.pack("<I", zlib.crc32(e.name)) + path),
        lambda: tlv(0x7075, b"\1" + struct.pack("<I", zlib.crc32(b"other")) + e.name),
        lambda: tlv(0x6375, b"\1" + struct.pack("<I", zlib.crc32(e.comment)) + b"another comment"),
        lambda: tlv(0x6c78, b"\1" + struct.pack("<H", 3 << 8 | 20)),
        lambda: tlv(0x6c78, b"\4" + struct.pack("<I", mode << 16)),
        lambda: tlv(0x6c78, b"\7" + struct.pack("<HHI", 3 << 8, 0, mode << 16)),
        lambda: tlv(0x9901, struct.pack("<HHBH", 2, 0x4541, 3, 8)),
        lambda: tlv(0xcafe, b""), lambda: tlv(0xcafe, b"x"),
        lambda: tlv(0xa11e, struct.pack("<H", 4) + bytes(r.randrange(30))),
        lambda: tlv(0xd935, struct.pack("<H", 4) + bytes(r.randrange(30))),
        lambda: tlv(0xa220, struct.pack("<HH", 0xa028, 100) + bytes(r.randrange(100))),
        lambda: tlv(0x0001, b""), lambda: tlv(0x0001, struct.pack("<QQ", len(e.data), len(e.packed()))),
        lambda: tlv(r.choice([0, 2, 7, 8, 9, 0x14, 0x17, 0x65, 0x4453, 0x2605, 0x334d, 0x554e, 0x4690, 0x6542, 0x4c41, 0x07c8, 0x1986, 0xfb4a, 0xffff]),
                    r.randbytes(r.randrange(20))),
        lambda: b"\0" * r.randrange(4), lambda: r.randbytes(r.randrange(8)),
    ])()


def add_extra(r, e):
    field = some_extra(r, e)
    where = r.randrange(3)
    if where != 1:
        e.local_extra += field
    if where != 0:
        e.central_extra += field


def set_attributes(r, e):
    kind = r.choice([0, 0o100000, 0o100000, 0o40000, 0o120000, 0o20000, 0o10000, 0o140000, 0o170000])
    mode = r.choice([0o644, 0o755, 0o600, 0o664, 0o444, 0o4755, 0o2755, 0o1755, 0o666, 0o777, r.randrange(0o10000)])
    if r.random() < 0.6:
        kind = 0o40000 if e.name.endswith(b"/") else 0o100000
    e.attributes = (kind | mode) << 16 | r.choice([0, 0, 1, 2, 4, 0x20, 0x80, 0x4000, 0x8000, 8, 0x10, 0x400, r.getrandbits(16)])


def set_maker(r, e):
    e.maker = r.choice([0, 3, 10, 11, 14, 19, r.randrange(32), r.randrange(256)]) << 8 | r.choice([10, 20, 25, 26, 40, 45, 50, 63, r.randrange(256)])


def set_needed(r, e):
    e.needed = r.choice([10, 11, 20, 21, 25, 27, 44, 45, 46, 50, 51, 52, 61, 63, 64, 255, 2 << 8 | 20, 2 << 8 | 45, r.getrandbits(16)])
    if r.random() < 0.5:
        e.local_needed = e.needed


def set_local_needed(r, e):
    e.local_needed = r.choice([0, 10, 20, 45, 46, 51, 63, r.getrandbits(16)])


def describe(r, e):
    e.flags |= DESCRIPTOR
    e.descriptor = (r.random() < 0.7, r.choice([4, 4, 8]))
    e.local_sizes = r.random() < 0.3
    e.zip64 = r.random() < (0.3 if e.descriptor[1] == 4 else 0.7)
    if r.random() < 0.9:
        e.method = 8


def zip64_local(r, e):
    e.zip64 = True


def saturate(r, e):
    e.saturated = tuple(r.random() < 0.5 for _ in range(3))


def exchange_method(r, e):
    e.method = 8 - e.method


def deflate_otherwise(r, e):
    e.method = 8
    e.deflating = r.choice([
        lambda: deflate(e.data, 0), lambda: deflate(e.data, 1, zlib.Z_FIXED), lambda: deflate(e.data, 9, zlib.Z_HUFFMAN_ONLY),
        lambda: deflate(e.data, 6, zlib.Z_RLE, {0, 1, 5}), lambda: b"\0\0\0\xff\xff" * r.randrange(5) + deflate(e.data),
        lambda: deflate(e.data) + r.randbytes(r.randrange(3)), lambda: b"\2\0" if not e.data else deflate(e.data, 2, flush={0}),
    ])()


def set_flags(r, e):
    e.flags ^= 1 << r.choice([0, 1, 2, 3, 4, 5, 6, 7, 11, 11, 12, 13, 14, 15])


def set_local_flags(r, e):
    e.local_flags = e.flags ^ 1 << r.choice([0, 1, 2, 3, 6, 11, 13])


def set_times(r, e):
    e.time = r.getrandbits(32)
    e.local_time = r.choice([e.time, 0, r.getrandbits(32)])


def set_internal(r, e):
    e.internal = r.choice([1, 2, 4, r.getrandbits(16)])


def set_disk(r, e):
    e.disk = r.choice([1, 0xffff])


def set_comment(r, e):
    e.comment = r.choice([b"a comment", b"PK\1\2" + bytes(42), b"PK\5\6" + bytes(18), b"PK\3\4" + bytes(26), "\u00e4".encode(), b"\xff\xfe", r.randbytes(50)])


def rename(r, e):
    e.name = r.choice([e.name + b"/", e.name.rstrip(b"/"), e.name.upper(), e.name.replace(b"/", b"\\"), b"./" + e.name, e.name + b"\0", b"/" + e.name,
                       e.name + b";1", e.name + b".", e.name + b" "])


def rename_local(r, e):
    e.local_name = r.choice([e.name + b"x", e.name.upper(), e.name.rstrip(b"/"), e.name[:-1], b"other"])


def other_method(r, e):
    method = r.choice([1, 6, 9, 12, 14, 20, 93, 95, 96, 97, 98, 99])
    e.method, e.local_method = (e.method, method) if r.random() < 0.5 else (method, method)


def gap(r, e):
    e.gap = r.choice([b"\0", b"PK\7\10", b"PK\3\4", bytes(12), r.randbytes(r.randrange(1, 30))])


ENTRY = [(add_extra, 14), (set_attributes, 8), (set_maker, 5), (set_needed, 2), (set_local_needed, 1), (describe, 10), (zip64_local, 5), (saturate, 5),
         (exchange_method, 4), (deflate_otherwise, 5), (set_flags, 3), (set_local_flags, 1), (set_times, 4), (set_internal, 3), (set_disk, 1), (set_comment, 4),
         (rename, 2), (rename_local, 1), (other_method, 1), (gap, 1)]


def add_folder(r, a):
    parents = sorted({n[:i + 1] for n in (e.name for e in a.entries) for i, c in enumerate(n) if c == 47})
    e = Entry(r.choice(parents + [b"added/", b"conf/added/"]), b"", r.choice([0, 8]))
    a.entries.insert(r.randrange(len(a.entries) + 1), e)
    if r.random() < 0.7:
        pick(r, ENTRY)(r, e)


def move_entries(r, a):
    r.shuffle(a.entries)


def move_records(r, a):
    a.central_order = r.getrandbits(32)


def add_end64(r, a):
    count = len(a.entries)
    a.end64 = r.choice([{}, {}, {"needed": 63}, {"made": 63}, {"count": count - 1}, {"disks": 0}, {"disks": 2}, {"locator": 0}, {"disk": 1}, {"first": 1}])
    if r.random() < 0.5:
        a.end = {k: v for k, v in dict(here=0xffff, count=0xffff, size=FULL, offset=FULL, disk=0xffff, first=0xffff).items() if r.random() < 0.6}


def end_of_archive(r, a):
    a.end = {r.choice(["here", "count", "size", "offset", "disk", "first"]): r.choice([0, 1, 2, len(a.entries) - 1, len(a.entries) + 1, 0xffff])}


def comment_of_archive(r, a):
    fake = struct.pack("<HHHHIIH", 0, 0, 0, 0, 0, 0, 0)
    a.comment = r.choice([b"a comment", b"PK\5\6" + fake, b"\5\6" + fake.ljust(0x4b50 - 2, b"\0"), b"x" * r.choice([20000, 65535]), r.randbytes(40)])


def around(r, a):
    piece = r.choice([b"\0", b"#!/bin/sh\n", b"PK\3\4" + bytes(40), b"APK Sig Block 42", r.randbytes(r.randrange(1, 40))])
    where = r.choice(["prefix", "tail", "before", "behind"])
    setattr(a, where, piece)
    a.shift = len(piece) if where == "prefix" and r.random() < 0.5 else 0


def add_file(r, a):
    a.entries.append(Entry(r.choice([b"evil", b"conf/limits.xml", b"CONF/limits.xml", b"META-INF/evil"]), b"evil", 0))


def drop_file(r, a):
    del a.entries[r.randrange(len(a.entries))]


WHOLE = [(add_folder, 6), (move_entries, 3), (move_records, 4), (add_end64, 6), (end_of_archive, 1), (comment_of_archive, 4), (around, 2), (add_file, 1), (drop_file, 1)]


def pick(r, table):
    return r.choices([f for f, _ in table], [w for _, w in table])[0]


def mutate(r, files):
    a = Archive(files)
    for _ in range(r.choice([1, 1, 2, 2, 3, 5])):
        if r.random() < 0.75:
            change = pick(r, ENTRY)
            for e in r.sample(a.entries, r.choice([1, 1, 2, len(a.entries)])):
                change(r, e)
        else:
            pick(r, WHOLE)(r, a)
    return a


# ---- what readers find: {name: SHA-256 of the content, or "folder"}, or None after an error ----

def python_reads(path):
    try:
        with zipfile.ZipFile(path) as z:
            return {i.filename: "folder" if i.is_dir() else sha(z.read(i)) for i in z.infolist()}
    except Exception:
        return None


def tree(top):
    found = {}
    for folder, folders, names in os.walk(top):
        for name in folders + names:
            path = os.path.join(folder, name)
            s, shown = os.lstat(path), os.path.relpath(path, top)
            if s.st_mode & (0o7000 | (0 if stat.S_ISLNK(s.st_mode) else 0o002)) or (s.st_uid, s.st_gid) != (os.getuid(), os.getgid()):
                found[shown] = "mode %o of %d:%d" % (s.st_mode, s.st_uid, s.st_gid)
            elif stat.S_ISDIR(s.st_mode):
                found[shown + "/"] = "folder"
            elif stat.S_ISREG(s.st_mode):
                with open(path, "rb") as f:
                    found[shown] = sha(f.read())
            else:
                found[shown] = "kind %o" % stat.S_IFMT(s.st_mode)
    return found


EXTRACTORS = {
    "unzip": lambda path: ["unzip", "-qqXK", path],
    "7z": lambda path: ["7z", "x", "-y", "-bso0", "-bsp0", path],
    "bsdtar": lambda path: ["bsdtar", "-xpf", path],
    "bsdtar, stream": lambda path: ["bsdtar", "-xpf", "-"],
}


def extract(how, path, top):
    os.mkdir(top)
    with open(path, "rb") as f:
        done = subprocess.run(EXTRACTORS[how](path), cwd=top, stdin=f if how.endswith("stream") else subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL)
    found = tree(top) if done.returncode == 0 else None
    shutil.rmtree(top)
    return found


def java_reads(java, path):
    """of all its readers"""
    java.stdin.write(path + "\n")
    java.stdin.flush()
    readers, found = {}, {}
    while len(readers) < 3:
        first, _, rest = java.stdout.readline().rstrip("\n").partition(" ")
        if first in ("ZipFile", "ZipInputStream", "JarInputStream"):
            readers[first] = found if rest == "good" else None
            found = {}
        elif first == "manifest":
            found["META-INF/MANIFEST.MF"] = "a manifest"
        else:
            name = bytes.fromhex(rest).decode()
            found[name] = "folder" if name.endswith("/") and first == sha(b"") else first
    return readers


# ---- judging ----

def parents(names):
    return {name[:i + 1]: "folder" for name in names for i, c in enumerate(name) if c == "/"}


def expected(archive):
    return {e.name.decode(): "folder" if e.name.endswith(b"/") else sha(e.data) for e in archive.entries}


def differences(wanted, found):
    """folders are made by what is in them, too; what JarInputStream takes for the manifest has lost its bytes, and the folder in front of it"""
    full = dict(parents(wanted), **wanted)
    if found.get("META-INF/MANIFEST.MF") == "a manifest":
        found = {**found, "META-INF/MANIFEST.MF": wanted.get("META-INF/MANIFEST.MF"), "META-INF/": "folder"}
    found = dict(parents(found), **found)
    return sorted("%s is %s, not %s" % (ascii(n), found.get(n), full.get(n)) for n in full.keys() | found.keys() if found.get(n) != full.get(n))


def excused(reader, archive):
    """unzip 6.0 looks at the flag that a name is UTF-8 only where an extra field follows; without one, it is in an old code page for it where MS-DOS or
    NTFS made it. Java and .NET write such archives, and so nothing can be refused there."""
    return reader == "unzip" and any(not e.name.isascii() and e.maker >> 8 != 3 for e in archive.entries)


def main(verdicts, configuration, signed, count, seed):
    with zipfile.ZipFile(signed) as z:
        files = [(i.filename.encode(), z.read(i), i.compress_type) for i in z.infolist()]
    ours = subprocess.Popen([verdicts, configuration], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    java = subprocess.Popen(["java", "-XX:TieredStopAtLevel=1", "-Xshare:auto", "-cp", ".", "Containers"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    work = tempfile.mkdtemp(dir=".")
    accepted, bad, made, agreed = 0, 0, 0, {}
    end = time.monotonic() + 60 * float(os.environ.get("MINUTES") or "inf")
    os.umask(0o022)
    for n in range(int(count)):
        if time.monotonic() > end:
            break
        made += 1
        archive = mutate(random.Random("%s %d" % (seed, n)), files)
        path = os.path.abspath(os.path.join(work, "%s-%d.zip" % (seed, n)))
        try:
            data = archive.bytes()
        except struct.error:
            continue    # what is odd does not fit into its field
        with open(path, "wb") as f:
            f.write(data)
        ours.stdin.write(path + "\n")
        ours.stdin.flush()
        if ours.stdout.readline() != "good\n":
            os.unlink(path)
            continue
        accepted += 1
        found = {"Python": python_reads(path), **java_reads(java, path), **{how: extract(how, path, os.path.join(work, "x")) for how in EXTRACTORS}}
        keep = False
        for reader, what in found.items():
            if what is None or excused(reader, archive):
                continue
            odd = differences(expected(archive), what)
            agreed[reader] = agreed.get(reader, 0) + (not odd)
            if odd:
                keep = True
                print("%s, archive %d of seed %s: %s" % (reader, n, seed, "; ".join(odd[:3])), flush=True)
        bad += keep
        if not keep:
            os.unlink(path)
        elif os.environ.get("KEEP"):
            shutil.copy(path, os.environ["KEEP"])
    ours.stdin.close()
    java.stdin.close()
    print("%d archives, %d accepted, %d differ" % (made, accepted, bad))
    for reader in sorted(agreed):
        print("%s reads %d of them as signed" % (reader, agreed[reader]))
    if accepted * 10 < made or any(agreed.get(r, 0) * 10 < accepted * 5 for r in list(EXTRACTORS) + ["Python", "ZipFile", "ZipInputStream", "JarInputStream"]):
        sys.exit("too few are accepted, or read without an error, to say anything")
    sys.exit(1 if bad else 0)


main(*sys.argv[1:])
