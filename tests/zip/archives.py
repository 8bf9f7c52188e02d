# SPDX-License-Identifier: Apache-2.0
"""usage: archives.py              makes archives of many kinds in the current folder; prints each with the number of its files
       archives.py same OLD NEW  whether NEW has the entries of OLD as they were, behind a manifest and a signature"""
import io
import itertools
import os
import re
import subprocess
import sys
import zipfile

STORED, DEFLATED = zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED


def tell(name, entries):
    print(name, entries)


def info(name, method=DEFLATED):
    made = zipfile.ZipInfo(name, (2024, 2, 29, 12, 34, 56))
    made.compress_type = method
    made.external_attr = 0o100644 << 16
    return made


class Pipe(io.RawIOBase):
    """What can't be sought in, so that sizes follow the data (data descriptors)."""

    def __init__(self, path):
        self.file = open(path, "wb")

    def writable(self):
        return True

    def write(self, data):
        return self.file.write(data)


def many(name, count):
    with zipfile.ZipFile(name, "w") as z:
        for i in range(count):
            z.writestr(info(f"folder {i // 1000}/entry {i}.txt", DEFLATED if i % 2 else STORED), b"entry %d" % i)
    tell(name, count)


def mixed(name):
    with zipfile.ZipFile(name, "w") as z:
        z.writestr(info("stored.bin", STORED), bytes(range(256)) * 300)
        z.writestr(info("deflated.xml"), b"<a>" + b"text " * 50000 + b"</a>")
        z.writestr(info("empty", STORED), b"")
        z.writestr(info("empty, deflated"), b"")
        z.writestr(zipfile.ZipInfo("a folder/"), b"")
        z.writestr(info("a folder/in it"), b"x")
        z.comment = b"a comment"
    tell(name, 5)


def names(name):
    chosen = ["gr\u00fc\u00dfe.txt", "\u65e5\u672c\u8a9e/\u30c6\u30b9\u30c8", "\U0001f600", "x" * 300, "\u00e4" * 120, "blank at the end ", "Name: x"]
    with zipfile.ZipFile(name, "w") as z:
        for each in chosen:
            z.writestr(info(each), each.encode())
    tell(name, len(chosen))


def described(name, method):
    with zipfile.ZipFile(Pipe(name), "w") as z:
        for i in range(20):
            with z.open(info(f"described {i}", method), "w") as entry:
                entry.write(b"followed by its size " * i)
    tell(name, 20)


def word(name):
    parts = {
        "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Override PartName="/word/document.xml" '
        'ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>',
        "_rels/.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" '
        'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="word/document.xml"/>'
        "</Relationships>",
        "word/document.xml": '<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body><w:p><w:r>'
        "<w:t>A letter.</w:t></w:r></w:p></w:body></w:document>",
    }
    with zipfile.ZipFile(name, "w") as z:
        for part, text in parts.items():
            z.writestr(info(part), '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>' + text)
    tell(name, len(parts))


FILES_IN_SUB = 25


def tree(folder):
    os.makedirs(folder + "/sub/deep")
    for i in range(30):
        with open(f"{folder}/{'sub/' if i % 2 else 'sub/deep/' if i % 3 else ''}file{i}", "wb") as f:
            f.write(b"some text of a file " * i * i)


def run(*command):
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def others():
    tree("tree")
    with open("main.txt", "w") as f:
        f.write("Main-Class: a.Main\nX-Long: " + "long " * 12 + "\n\nName: sub/file1\nX-Of-It: yes\n")
    run("jar", "cfm", "made.jar", "main.txt", "-C", "tree", ".")
    tell("made.jar", 30)
    run("jar", "c0f", "stored.jar", "-C", "tree", ".")
    tell("stored.jar", 30)
    run("bsdtar", "--format", "zip", "-cf", "bsdtar.zip", "-C", "tree", "sub")
    tell("bsdtar.zip", FILES_IN_SUB)
    subprocess.run("cd tree && zip -qr ../infozip.zip . && zip -qr - sub | cat >../infozip-piped.zip", shell=True, check=True)
    tell("infozip.zip", 30)
    tell("infozip-piped.zip", FILES_IN_SUB)


def empty(name):
    zipfile.ZipFile(name, "w").close()
    tell(name, 0)


SIGNATURE = re.compile(r"META-INF/(MANIFEST\.MF|[^/]+\.(SF|RSA|DSA|EC))$")


def facts(path):
    """Everything but where it is, old signatures, and descriptors of what is stored, which do not stay."""
    with zipfile.ZipFile(path) as z:
        for i in z.infolist():
            if not SIGNATURE.match(i.filename):
                flags = i.flag_bits & ~(8 if i.compress_type == STORED else 0)
                yield i.filename, i.date_time, i.compress_type, i.external_attr, i.comment, i.CRC, i.file_size, i.compress_size, flags
        yield z.comment


def same(old, new):
    with zipfile.ZipFile(new) as z:
        first = [i.filename for i in z.infolist()][:3]
    if first[0] != "META-INF/MANIFEST.MF" or not all(SIGNATURE.match(name) for name in first):
        sys.exit(f"{new} begins with {first}")
    for a, b in itertools.zip_longest(facts(old), facts(new)):
        if a != b:
            sys.exit(f"{new}: {a} has become {b}")


def make():
    many("many.zip", 65600)
    mixed("python.zip")
    names("names.zip")
    described("described.zip", DEFLATED)
    word("letter.docx")
    empty("empty.zip")
    others()
    described("described-stored.zip", STORED)


if sys.argv[1:2] == ["same"]:
    same(*sys.argv[2:])
elif __name__ == "__main__":
    make()
