#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What headers say besides is put right by zip sign where that loses nothing, and refused by zip verify; what is in the entries stays.
. "${top_srcdir:?}/tests/lib/harness.sh"
needs openssl python3 unzip zip

make_signer ConfigZipSigner rsa:2048
cat >make.py <<'PY'
import random, struct, sys
from attacks import Entry, archive
def tlv(identifier, value):
    return struct.pack("<HH", identifier, len(value)) + value
times, owner = tlv(0x5455, b"\1" + bytes(4)), tlv(0x7875, struct.pack("<BBIBI", 1, 4, 1234, 4, 1234))
zeros = tlv(0x4242, bytes(3000))
random.seed(1)
def make(path, size):
    entries = [
        Entry("as it is", b"text", 8, extra=times),
        Entry("owner", b"text " * 50, 8, extra=owner + times),
        Entry("long field", b"text", 0, local={"extra": zeros + times + owner}),
        Entry("set-user-ID", random.randbytes(size), 0, attributes=0o104755 << 16),
        Entry("everybody", b"text", 8, attributes=0o100666 << 16 | 0x20),
        Entry("label", b"text", 8, attributes=0x28, made=20),
        Entry("folder", b"text", 8, attributes=0o100644 << 16 | 0x10),
        Entry("shared/", b"", 0, attributes=0o42777 << 16 | 0x10),
        Entry("shared/amiga", b"text", 8, made=1 << 8 | 20),
        Entry("newer", b"text", 8, needed=63, local={"needed": 63}),
        Entry("newer than newer", b"text", 8, local={"needed": 46, "extra": owner}),
    ]
    open(path, "wb").write(archive(entries, b"a comment"))
make("small.zip", 1000)
make("large.zip", 17 << 20)
PY
cat >check.py <<'PY'
import struct, sys, zipfile
old, new = (zipfile.ZipFile(path) for path in sys.argv[1:])
meta = lambda z: [i for i in z.infolist() if not i.filename.startswith("META-INF/")]
def local(z, i):
    z.fp.seek(i.header_offset)
    head = z.fp.read(30)
    needed, name, extra = struct.unpack("<4xH20xHH", head)
    z.fp.seek(name, 1)
    return needed, z.fp.read(extra)
times = struct.pack("<HHBI", 0x5455, 5, 1, 0)
right = {"set-user-ID": 0o100755 << 16, "everybody": 0o100664 << 16 | 0x20, "label": 0x20, "folder": 0o100644 << 16, "shared/": 0o40775 << 16 | 0x10}
assert [i.filename for i in meta(old)] == [i.filename for i in meta(new)]
for a, b in zip(meta(old), meta(new)):
    assert old.read(a) == new.read(b), a.filename
    assert a.date_time == b.date_time
    assert b.external_attr == right.get(a.filename, a.external_attr), a.filename
    assert b.extract_version == min(a.extract_version, 45) and b.create_system == (0 if a.create_system == 1 else a.create_system)
    wanted = times if a.filename in ("as it is", "owner") else b""
    assert b.extra == wanted, a.filename
    if a.filename == "long field":
        wanted = times
    assert local(new, b) == (min(local(old, a)[0], 45), wanted), a.filename
assert new.comment == b"a comment"
PY
PYTHONPATH="$top_srcdir/tests/zip" PYTHONDONTWRITEBYTECODE=1
export PYTHONPATH PYTHONDONTWRITEBYTECODE
setup python3 make.py
for name in small large; do
    accepts signengine zip sign $name.zip -o signed.zip
    accepts signengine zip verify signed.zip
    says 'good, 10 entries signed'
    accepts python3 check.py $name.zip signed.zip
    accepts unzip -tq signed.zip
    accepts signengine zip sign --keep --signature-name again signed.zip -o both.zip
    accepts signengine zip verify both.zip
    cp $name.zip place.zip
    accepts signengine zip sign place.zip
    accepts python3 check.py $name.zip place.zip
done

# what people have: Info-ZIP notes whose files they were
mkdir -p tree/sub
echo text >tree/sub/file
echo text >tree/everybody
chmod 666 tree/everybody
chmod 2777 tree/sub
setup sh -c 'cd tree && zip -qr ../people.zip .'
accepts signengine zip sign people.zip -o signed.zip
accepts signengine zip verify signed.zip
accepts unzip -qXK signed.zip -d out
setup test "$(stat -c %a out/everybody)" = 664
setup test "$(stat -c %a out/sub)" = 775

# links by a field have no content to be signed instead
cat >link.py <<'PY'
import struct, zlib
from attacks import Entry, archive
fields = struct.pack("<HIHH", 0o120777, 11, 0, 0) + b"/etc/passwd"
open("link.zip", "wb").write(archive([Entry("link", b"", extra=struct.pack("<HHI", 0x756e, 4 + len(fields), zlib.crc32(fields)) + fields)]))
PY
setup python3 link.py
refuses 65 signengine zip sign link.zip -o refused.zip
says "'link': an extra field that can make it a link in the central directory"
setup test ! -e refused.zip
