# SPDX-License-Identifier: Apache-2.0
"""Real archives: which there are, and whether signing leaves in them what was there.

    corpus.py find FOLDER                 links to all zips below FOLDER, of whatever name, with numbers as names, in the current folder
    corpus.py same BEFORE AFTER           status 1, and what differs: names and bytes as Python, unzip and Java have them
"""
import hashlib, os, re, subprocess, sys, zipfile

SIGNATURE = re.compile(r"META-INF/(MANIFEST\.MF|SIG-[^/]*|[^/]+\.(SF|RSA|DSA|EC))$", re.I)
BIGGEST = 64 << 20


def find(folder):
    seen, number = set(), 0
    for top, _, names in sorted(os.walk(folder)):
        for name in sorted(names):
            path = os.path.realpath(os.path.join(top, name))
            if not os.path.isfile(path) or not 22 <= os.path.getsize(path) <= BIGGEST:
                continue
            with open(path, "rb") as file:
                data = file.read()
            digest = hashlib.sha256(data).digest()
            if digest in seen or not (data[:2] == b"PK" or b"PK\5\6" in data[-65557:]) or b"PK\5\6" not in data[-70000:]:
                continue
            seen.add(digest)
            number += 1
            os.symlink(path, "%04d.zip" % number)


def python_reads(path):
    """a name that is UTF-8 without a mark is what its bytes say; signing puts the directory into the order of the entries"""
    with zipfile.ZipFile(path) as z:
        for i in z.infolist():
            name = i.filename
            if not i.flag_bits & 0x800 and not name.isascii():
                try:
                    name = name.encode("cp437").decode()
                except UnicodeError:
                    pass
            if not SIGNATURE.match(name):
                yield name, hashlib.sha256(z.read(i)).hexdigest()


def unzip_reads(path):
    names = subprocess.run(["unzip", "-Z1", path], capture_output=True, env={**os.environ, "LC_ALL": "C.UTF-8"}).stdout.decode(errors="replace").splitlines()
    whole = subprocess.run(["unzip", "-qqtt", path], capture_output=True).returncode
    return sorted(n for n in names if not SIGNATURE.match(n) and n != "Empty zipfile."), whole <= 1


def java_reads(java, path):
    java.stdin.write(path + "\n")
    java.stdin.flush()
    found, readers = [], {}
    while len(readers) < 3:
        first, _, rest = java.stdout.readline().rstrip("\n").partition(" ")
        if first in ("ZipFile", "ZipInputStream", "JarInputStream"):
            # JarInputStream passes over the manifest's folder in front of it; in what is signed the manifest is the first
            found = [pair for pair in found if first != "JarInputStream" or pair[0] != "META-INF/"]
            readers[first] = sorted(found) if rest == "good" else None
            found = []
        elif first != "manifest":
            name = bytes.fromhex(rest).decode()
            if not SIGNATURE.match(name):
                found.append((name, first))
    return readers


def differences(java, before, after):
    told = []
    try:
        old, new = sorted(python_reads(before)), sorted(python_reads(after))
        if old != new:
            told.append("Python: %s" % ascii([pair for pair in old + new if pair not in old or pair not in new][:4]))
    except Exception as e:
        told.append("Python: %s" % ascii(str(e)))
    if unzip_reads(before) != unzip_reads(after):
        told.append("unzip")
    old, new = java_reads(java, before), java_reads(java, after)
    told += [reader for reader in old if old[reader] is not None and old[reader] != new[reader]]
    told += [reader + " fails" for reader in ("ZipFile", "ZipInputStream", "JarInputStream") if new[reader] is None]
    return told


def same():
    java = subprocess.Popen(["java", "-cp", ".", "Containers"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    count = differ = 0
    for line in sys.stdin:
        before, after = line.rstrip("\n").split("\t")
        told = differences(java, before, after)
        count, differ = count + 1, differ + bool(told)
        if told:
            print("%s (%s): %s" % (before, os.path.realpath(before), "; ".join(told)))
    print("%d compared, %d differ" % (count, differ))
    java.stdin.close()
    return 1 if differ else 0


if __name__ == "__main__":
    sys.exit(find(sys.argv[2]) if sys.argv[1] == "find" else same())
