#!/bin/sh
# kill -9 at any moment of signing in place leaves the old archive or the whole new one.
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
for name, size in ("large.zip", 500000), ("small.zip", 100000): # copied while it is hashed, and afterwards
    with zipfile.ZipFile(name, "w") as z:
        for i in range(40):
            z.writestr("%d" % i, os.urandom(size))
        for i in range(1000):
            z.writestr("small/%d" % i, b"x")
PY
setup python3 make.py

# The program is killed by its own process's id, `delay` after it was started; how often the archive was old or new goes to counts.
cat >kill.py <<'PY'
import random, shutil, signal, subprocess, sys, time
archive, command = sys.argv[2], sys.argv[3:]
def sign():
    shutil.copyfile(archive, "place.zip")
    return subprocess.Popen(command + ["zip", "sign", "--time", "@1700000000", "place.zip"])
start = time.monotonic()
assert sign().wait() == 0
whole = time.monotonic() - start
new, old, counts = open("place.zip", "rb").read(), open(archive, "rb").read(), {"old": 0, "new": 0}
random.seed(1)
for i in range(int(sys.argv[1])):
    process = sign()
    time.sleep(random.uniform(0, 1.2 * whole))
    process.send_signal(signal.SIGKILL)
    process.wait()
    there = open("place.zip", "rb").read()
    assert there in (old, new), "neither the old archive nor the new one after %d tries" % i
    counts["old" if there == old else "new"] += 1
print(counts)
assert counts["old"], "never killed before the end"
PY
for archive in large.zip small.zip; do
    accepts python3 kill.py 60 $archive "$top_builddir/signengine"
    rm -f place.zip.*
    accepts signengine zip sign place.zip
    accepts signengine zip verify place.zip
done
