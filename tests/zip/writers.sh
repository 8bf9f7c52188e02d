#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Archives as other writers write them, which jarsigner signs: zip sign puts right what loses nothing, and says what helps where it refuses.
. "${top_srcdir:?}/tests/lib/harness.sh"
needs openssl python3 unzip zip bsdtar 7z

make_signer ConfigZipSigner rsa:2048
PYTHONPATH="$top_srcdir/tests/zip" PYTHONDONTWRITEBYTECODE=1
export PYTHONPATH PYTHONDONTWRITEBYTECODE
cat >make.py <<'PY'
import struct, zlib
from attacks import DESCRIPTOR, UTF8, Entry, archive
FULL = 0xffffffff
text, empty, umlaut = b"some text " * 50, b"", "gr\u00fc\u00dfe.txt"

def deflated(data):
    return Entry("", data, 8).packed

def described(name, data, method, width=4, signature=True, sizes=False, **odd):
    packed = len(deflated(data)) if method else len(data)
    after = (b"PK\7\10" if signature else b"") + struct.pack("<I" + ("II" if width == 4 else "QQ"), zlib.crc32(data), packed, len(data))
    local = {} if sizes else {"crc": 0, "packed_size": 0, "size": 0}
    return Entry(name, data, method, flags=DESCRIPTOR, after=after, **{**odd, "local": {**local, **odd.get("local", {})}})

def zip64(*values, disk=False):
    return struct.pack("<HH%dQ" % len(values), 1, 8 * len(values) + 4 * disk, *values) + bytes(4 * disk)

n, p = len(text), len(deflated(text))
def make(name, *entries):
    open(name + ".zip", "wb").write(archive(list(entries) + [Entry("last.xml", text, 8)], b"a comment"))

# stored, with the sizes behind: what can't be sought in
make("stored-described", described("a", text, 0), described("empty", empty, 0), described("deflated", text, 8))
make("stored-described-without-signature", described("a", text, 0, signature=False))
make("stored-described-and-sized", described("a", text, 0, sizes=True))
make("stored-described-behind-a-zip64-field", described("a", text, 0, 8, local={"packed_size": FULL, "size": FULL, "extra": zip64(0, 0)}))
make("descriptor-of-64-bits", described("a", text, 8, 8))
make("descriptor-of-64-bits-as-it-has-to-be", described("a", text, 8, 8, local={"packed_size": FULL, "size": FULL, "extra": zip64(0, 0)}))
make("descriptor-of-32-bits-behind-a-zip64-field", described("a", text, 8, 4, local={"packed_size": FULL, "size": FULL, "extra": zip64(0, 0)}))
make("descriptor-of-64-bits-behind-nothing", described("a", empty, 8, 8))
make("descriptor-left-out", Entry("a", text, 0, flags=DESCRIPTOR))
make("descriptor-marked-in-one-place", Entry("a", text, 0, local={"flags": DESCRIPTOR}), described("b", text, 8, central={"flags": 0}))

# names
make("unmarked", Entry(umlaut, text, 8, flags=0), Entry("plain", text, 8), Entry("\u65e5\u672c/", b"", flags=0, attributes=0o40755 << 16))
make("unmarked-with-comment", Entry(umlaut, text, 0, flags=0, comment="f\u00fcr".encode()))
make("unmarked-in-one-place", Entry(umlaut, text, 8, local={"flags": 0}), Entry("\u00e4", text, 8, central={"flags": 0}))
make("unmarked-and-stored-described", described(umlaut, text, 0))
make("effort-marked-in-one-place", Entry("a", text, 8, local={"flags": 2}), Entry("b", text, 8, central={"flags": 4}))

# zip64: DotNetZip's four values, Commons Compress' and .NET's field that nothing asks for, none of it, and beside sizes that are asked for
make("zip64-of-all", Entry("a", text, 8, central={"extra": zip64(n, p, 0, disk=True)}, local={"extra": zip64(n, p)}))
make("zip64-of-two", Entry("a", text, 8, central={"extra": zip64(n, p)}))
make("zip64-in-the-local-header", Entry("a", text, 8, local={"extra": zip64(n, p)}))
make("zip64-empty", Entry("a", text, 8, central={"extra": zip64()}, local={"extra": zip64()}))
make("zip64-asked-and-more", Entry("a", text, 8, central={"size": FULL, "packed_size": FULL, "extra": zip64(n, p, 0, disk=True)},
                                   local={"size": FULL, "packed_size": FULL, "extra": zip64(n, p)}))
make("zip64-of-one-size", Entry("a", text, 8, local={"size": FULL, "extra": zip64(n, p)}))
make("zip64-all-asked", Entry("a", text, 8, offset=FULL, central={"size": FULL, "packed_size": FULL, "extra": zip64(n, p, 0, disk=True)}))
make("zip64-described", described("a", text, 8, 4, local={"extra": zip64(0, 0)}))

# kinds
make("standard-input", Entry("-", text, 0, attributes=0o10600 << 16))
make("standard-input-socket", Entry("-", text, 0, attributes=0o140777 << 16))
make("standard-input-of-nothing", Entry("-", empty, 0, attributes=0o20666 << 16))
make("folder-marked-as-file", Entry("d/", b"", attributes=0o100755 << 16), Entry("d/a", text, 8))

make("manifest-with-empty-lines", Entry("a", text, 8), Entry("META-INF/MANIFEST.MF", b"\r\nManifest-Version: 1.0\r\n\r\n\r\nName: a\nX: y\n\n\n"))

# what stays refused
make("bad-descriptor-differs", Entry("a", text, 0, flags=DESCRIPTOR, after=struct.pack("<IIII", 0x08074b50, zlib.crc32(text), n, n - 1)))
make("bad-descriptor-too-long", Entry("a", text, 0, flags=DESCRIPTOR, after=bytes(25)))
make("bad-zip64-differs", Entry("a", text, 8, central={"extra": zip64(n, p + 1)}))
make("bad-zip64-differs-local", Entry("a", text, 8, local={"extra": zip64(n + 1, p)}))
make("bad-zip64-without-its-first", Entry("a", text, 8, central={"packed_size": FULL, "extra": zip64(n, p, 0)}))
make("bad-comment-in-another-charset", Entry(umlaut, text, 0, flags=0, comment=b"f\xfcr"))
make("bad-name-in-another-charset", Entry(b"gr\x81\xe1e.txt", text, 0, flags=0))
make("bad-pipe", Entry("a", text, 0, attributes=0o10600 << 16))
make("bad-link", Entry("a", b"b", 0, attributes=0o120777 << 16))
make("bad-file-marked-as-folder", Entry("d", b"", attributes=0o40755 << 16))
make("bad-flags", Entry("a", text, 0, local={"flags": 1 << 13}))
make("bad-method", Entry("a", text, 12))
make("bad-encrypted", Entry("a", text, 0, flags=1))
make("bad-gap", Entry("a", text, 0, after=b"gap"))
make("bad-name", Entry("a\\b", text, 0))
make("bad-twice", Entry("a", text, 0), Entry("a", text, 0))
good = open("zip64-of-two.zip", "rb").read()
open("behind-zeros.zip", "wb").write(good + bytes(512))
open("behind-line.zip", "wb").write(good + b"\n")
open("bad-before.zip", "wb").write(b"#!" + good)
open("cut-off.zip", "wb").write(good[:-15])
disk = bytearray(good)
disk[-31 + 4] = 1
open("bad-disks.zip", "wb").write(disk)
PY
setup python3 make.py

# OLD NEW: names, bytes and kinds as Python, which reads the central directory, has them; and what must not be there any more
cat >check.py <<'PY'
import stat, struct, sys, zipfile, zlib
def read(z, i): # Python itself refuses names that are marked in one place only
    z.fp.seek(i.header_offset + 26)
    names, extras = struct.unpack("<HH", z.fp.read(4))
    packed = (z.fp.seek(names + extras, 1), z.fp.read(i.compress_size))[1]
    data = zlib.decompress(packed, -15) if i.compress_type else packed
    assert zlib.crc32(data) == i.CRC
    return data
def name(i):
    return i.filename if i.flag_bits & 0x800 or i.filename.isascii() else i.filename.encode("cp437").decode()
old, new = (zipfile.ZipFile(path) for path in sys.argv[1:])
files, kept = ([i for i in z.infolist() if not i.filename.startswith("META-INF/")] for z in (old, new))
assert [(name(i), read(old, i)) for i in files] == [(i.filename, new.read(i)) for i in kept], "names and bytes"
assert old.comment == new.comment and [i.comment for i in files] == [i.comment for i in kept], "comments"
for i in kept:
    new.fp.seek(i.header_offset)
    _, needed, flags, method, _, _, crc, packed, size, names, extras = struct.unpack("<IHHHHHIIIHH", new.fp.read(30))
    extra = new.fp.read(names + extras)[names:]
    assert flags == i.flag_bits and bool(flags & 0x800) == (not i.filename.isascii()), "flags"
    assert not (flags & 8 and method == 0), "stored, described"
    assert not (flags & 8 and (packed, size) == (2**32 - 1,) * 2), "a descriptor of 64 bits"
    assert flags & 8 or (crc, packed, size) == (i.CRC, i.compress_size, i.file_size) or (packed, size) == (2**32 - 1,) * 2, "sums and sizes"
    assert stat.S_IFMT(i.external_attr >> 16) in (0, stat.S_IFDIR if i.is_dir() else stat.S_IFREG), "kind"
    assert 1 not in [j for j, in struct.iter_unpack("<H", extra[:2])] or (packed, size) == (2**32 - 1,) * 2, "zip64"
PY

# signed BEFORE AFTER: it is good for us and for who reads it in whatever way
signed() {
    accepts signengine zip sign "$1" -o "$2"
    accepts signengine zip verify "$2"
    accepts python3 check.py "$1" "$2"
    for reader in "unzip -qtq $2" "7z t $2" "bsdtar -tf $2"; do
        # shellcheck disable=SC2086 # words
        accepts env LC_ALL=C.UTF-8 $reader
    done
    accepts sh -c "bsdtar -xOf - <'$2' 'last.xml' >last.xml; unzip -p '$2' last.xml | cmp - last.xml"
}

count=0
for zip in *.zip; do
    case $zip in bad-* | behind-* | cut-off*) continue ;; esac
    count=$((count + 1))
    signed "$zip" signed.out
done
[ "$count" = 28 ] || fail "$count archives"

# verify is as strict as before, and says what helps
refuses 65 signengine zip verify stored-described.zip
says 'signing anew puts it right'
refuses 65 signengine zip verify zip64-of-two.zip
says 'signing anew puts it right'
refuses 1 signengine zip verify unmarked.zip
says 'signing anew puts it right'
refuses 1 signengine zip verify standard-input.zip
says 'signing anew puts it right'

# ---- what writers themselves make ----
mkdir -p d
head -c 3000 /dev/urandom >d/a.bin
: >d/empty
cp d/a.bin d/last.xml
cp d/a.bin last.xml
setup sh -c 'zip -q -0 -r - d last.xml | cat >info-piped.zip'
echo some,csv | zip -q info-input.zip last.xml -
python3 - <<'PY'
import zipfile
from archives import Pipe
with zipfile.ZipFile(Pipe("python-piped.zip"), "w") as z:
    z.write("last.xml")
    with z.open("a", "w", force_zip64=True) as f:
        f.write(b"text")
PY
for zip in info-piped info-input python-piped; do
    setup test -s $zip.zip
    signed $zip.zip signed.out
done

# ---- what stays refused, with a way out ----
for zip in bad-descriptor-differs bad-descriptor-too-long bad-zip64-differs bad-zip64-differs-local bad-zip64-without-its-first bad-flags \
    bad-method bad-encrypted bad-gap bad-before; do
    refuses 65 signengine zip sign $zip.zip -o refused.out
    says "; unpack it and pack it anew, as with 'zip -r'"
done
for zip in bad-pipe bad-link bad-file-marked-as-folder; do
    refuses 1 signengine zip sign $zip.zip -o refused.out
    says "; unpack it and pack it anew, as with 'zip -r'"
done
for zip in bad-comment-in-another-charset bad-name-in-another-charset bad-name bad-twice; do
    refuses 1 signengine zip sign $zip.zip -o refused.out
    says '; unpack it, give that another name and pack it anew'
done
refuses 65 signengine zip sign bad-disks.zip -o refused.out
says "; 'zip -s 0' makes one file of its parts"
refuses 65 signengine zip sign behind-zeros.zip -o refused.out
says "512 bytes are behind the archive's end, at byte $(wc -c <zip64-of-two.zip); cut them off, as with 'head -c'"
refuses 65 signengine zip sign behind-line.zip -o refused.out
says "1 bytes are behind the archive's end"
refuses 65 signengine zip verify behind-line.zip
says "1 bytes are behind the archive's end"
says_not 'head'
refuses 65 signengine zip sign cut-off.zip -o refused.out
says 'not a zip, or cut off'
says_not 'anew'
head -c 20000000 /dev/zero >blanks
setup zip -q blanks.out blanks
refuses 1 signengine zip sign blanks.out -o refused.out
says 'above the limit of 200 to 1 (--max-ratio)'
says_not 'anew'
accepts signengine zip sign blanks.out -o signed.out --max-ratio 2000
refuses 1 signengine zip sign blanks.out -o refused.out --max-size 1
says '(--max-size)'
refuses 1 signengine zip sign info-piped.zip -o refused.out --max-entries 1
says '(--max-entries)'
setup test ! -e refused.out
