#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# kill -9 at any moment of signing leaves the old archive, in place of another one, or nothing; or the whole new one.
. "${top_srcdir:?}/tests/lib/harness.sh"
needs openssl python3

make_ca ca
make_cert one rsa:2048 keyUsage=critical,digitalSignature
cat one.key one.pem ca.pem >one.bundle
cat >engine.xml <<XML
<engineSignEncrypt>
  <descriptors><descriptor name='ConfigZipSigner'><type algorithm='SHA-256' key='one'/></descriptor></descriptors>
  <keys><key name='one'><type name='pem' locationValue='one.bundle'/></key></keys>
</engineSignEncrypt>
XML
chmod 600 engine.xml
export SIGNENGINE_CONFIG="$tmp/engine.xml"

cat >make.py <<'PY'
import os, zipfile
for name, size in ("large.zip", 500000), ("small.zip", 100000):
    with zipfile.ZipFile(name, "w") as z:
        for i in range(40):
            z.writestr("%d" % i, os.urandom(size))
        for i in range(1000):
            z.writestr("small/%d" % i, b"x")
PY
setup python3 make.py

# The program is killed by its own process's id, `delay` after it was started; how often the archive was old or new goes to counts: in turn
# in place, and for an archive that was not there.
cat >kill.py <<'PY'
import os, random, shutil, signal, subprocess, sys, time
archive, command = sys.argv[2], sys.argv[3:]
os.mkdir("place")
def sign(fresh):
    if not fresh:
        shutil.copyfile(archive, "place/zip")
    elif os.path.exists("place/zip"):
        os.unlink("place/zip")
    return subprocess.Popen(command + ["zip", "sign", "--time", "@1700000000"] + ([archive, "-o"] if fresh else []) + ["place/zip"])
def there():
    return open("place/zip", "rb").read() if os.path.exists("place/zip") else None
try:
    os.close(os.open("place", os.O_TMPFILE | os.O_RDWR))
    unnamed = True
except OSError:
    unnamed = False
start = time.monotonic()
assert sign(False).wait() == 0
whole = time.monotonic() - start
new, old, counts = there(), open(archive, "rb").read(), {"old": 0, "none": 0, "new": 0}
random.seed(1)
for i in range(int(sys.argv[1])):
    process = sign(i % 2)
    time.sleep(random.uniform(0, 1.2 * whole))
    process.send_signal(signal.SIGKILL)
    process.wait()
    left = there()
    assert left in (None if i % 2 else old, new), "neither the old archive nor the new one after %d tries" % i
    names = [name for name in os.listdir("place") if name != "zip"]
    assert not (unnamed and i % 2 and names), "what was not finished stays: %s" % names
    counts["none" if left is None else "old" if left == old else "new"] += 1
print(counts, unnamed)
assert counts["old"] and counts["none"], "never killed before the end"
PY
for archive in large.zip small.zip; do
    accepts python3 kill.py 60 $archive "$top_builddir/signengine"
    accepts signengine zip sign $archive -o place/zip
    accepts signengine zip verify place/zip
    rm -r place
done
