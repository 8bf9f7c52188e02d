#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What is written is the same bytes wherever it goes, whole or not at all: a file, the archive itself, a pipe, a container, a full disk.
. "${top_srcdir:?}/tests/lib/harness.sh"
needs openssl python3 unzip zip bsdtar

make_ca ca
make_cert rsa rsa:2048 keyUsage=critical,digitalSignature
make_cert ec ec:P-256 keyUsage=critical,digitalSignature
make_cert long rsa:2048 keyUsage=critical,digitalSignature "nsComment=$(head -c 30000 /dev/zero | tr '\0' x)"
for name in rsa ec long; do
    cat $name.key $name.pem ca.pem >$name.bundle
    cat >$name.xml <<-XML
	<engineSignEncrypt>
	  <descriptors><descriptor name='ConfigZipSigner'><type algorithm='SHA-256' key='$name'/></descriptor>
	    <descriptor name='ConfigZipEncrypter'><type algorithm='AES/GCM/NoPadding' size='256' key='$name' asymCipher='RSA/ECB/OAEPWithSHA-256AndMGF1Padding'/></descriptor></descriptors>
	  <keys><key name='$name'><type name='pem' locationValue='$name.bundle'/></key></keys>
	</engineSignEncrypt>
	XML
    chmod 600 $name.xml
done
export SIGNENGINE_CONFIG="$tmp/rsa.xml"

# damaged.zip differs from large.zip in one byte of the last entry
cat >make.py <<'PY'
import random, zipfile
random.seed(1)
with zipfile.ZipFile("large.zip", "w") as z:
    for i, size in enumerate([9 << 20, 100, 1 << 20]):
        z.writestr(zipfile.ZipInfo("part %d" % i), random.randbytes(size))
    z.comment = b"a comment"
data = bytearray(open("large.zip", "rb").read())
data[-1000] ^= 1
open("damaged.zip", "wb").write(data)
PY
setup python3 make.py

# The signature stands in front of what is kept, byte for byte, with nothing between.
cat >layout.py <<'PY'
import sys, zipfile
old, new = sys.argv[1:]
with zipfile.ZipFile(new) as z:
    entries = z.infolist()
    first = next(i for i, e in enumerate(entries) if e.filename == "part 0")
    at = entries[first].header_offset
    data = open(new, "rb").read()
    assert at == sum(30 + len(e.filename) + e.file_size for e in entries[:first]), "something between"
    assert not any(e.extra for e in entries[:first]), "extra fields"
with zipfile.ZipFile(old) as z:
    assert open(old, "rb").read(z.start_dir) == data[at:at + z.start_dir], "what is kept differs"
PY
nothing_left() { [ "$(find . -name '*.zip.*' | wc -l)" = 0 ] || fail "left: $(find . -name '*.zip.*')"; }

# ---- who reads it ----
for name in rsa ec; do
    accepts signengine -c $name.xml zip sign large.zip -o $name-signed.zip
    accepts signengine -c $name.xml zip verify $name-signed.zip --trust ca.pem
    says 'good, 3 entries signed'
    accepts python3 layout.py large.zip $name-signed.zip
    accepts unzip -tq $name-signed.zip
    accepts zip -Tq $name-signed.zip
    accepts bsdtar -tf $name-signed.zip
    accepts python3 -m zipfile -t $name-signed.zip
    says_not 'corrupt'
done
nothing_left

# ---- the same bytes again, wherever they go ----
accepts signengine zip sign --time @1700000000 large.zip -o first.zip
accepts signengine zip sign --time @1700000000 large.zip -o again.zip
same first.zip again.zip
mkfifo pipe
cat pipe >piped.zip &
accepts signengine zip sign --time @1700000000 large.zip -o pipe
wait $!
same first.zip piped.zip
accepts signengine zip sign --time @1700000000 first.zip -o again.zip
same first.zip again.zip
cp large.zip place.zip
chmod 640 place.zip
accepts signengine zip sign --time @1700000000 place.zip
same first.zip place.zip
setup test "$(stat -c %a place.zip)" = 640

# ---- signatures that are there ----
accepts signengine -c ec.xml zip sign --keep first.zip -o both.zip
accepts signengine zip verify both.zip --trust ca.pem
says 'META-INF/EC.EC'
says 'META-INF/RSA.RSA'
accepts unzip -tq both.zip
accepts signengine -c ec.xml zip sign first.zip -o replaced.zip
accepts python3 layout.py large.zip replaced.zip
accepts signengine zip verify replaced.zip --trust ca.pem
says_not 'META-INF/RSA.RSA'

# ---- a signature of 30 kB ----
accepts signengine -c long.xml zip sign large.zip -o long.zip
accepts signengine -c long.xml zip verify long.zip --trust ca.pem
accepts python3 layout.py large.zip long.zip
nothing_left

# ---- and in a container ----
accepts signengine zip sign --time @1700000000 --encrypt large.zip -o sealed.nx02
accepts signengine zip decrypt sealed.nx02 -o opened.zip -d ConfigZipEncrypter
same first.zip opened.zip

# ---- what goes wrong ----
refuses 65 signengine zip sign damaged.zip -o refused.zip
says "'part 2' is damaged: its checksum differs"
cp first.zip kept.zip
refuses 65 signengine zip sign damaged.zip -o kept.zip
same first.zip kept.zip
# shellcheck disable=SC3045 # a shell that has no ulimit -f fails the case
full() { (ulimit -f 9000 && signengine "$@"); }
if ! instrumented; then
    refuses 73 full zip sign large.zip -o kept.zip
    says "cannot write '$tmp/kept.zip': File too large"
    same first.zip kept.zip
fi
refuses 73 signengine zip sign large.zip -o absent/new.zip
says 'absent/new.zip'
setup test ! -e refused.zip
nothing_left

# ---- Java ----
command -v javac >/dev/null || skip "there is no JDK"
needs keytool jarsigner
setup keytool -importcert -noprompt -alias ca -file ca.pem -keystore trust.p12 -storepass changeit
setup javac -d . "$top_srcdir/tests/zip/Readers.java"
for name in rsa ec; do
    accepts jarsigner -verify -strict -keystore trust.p12 -storepass changeit $name-signed.zip
    says 'jar verified'
    accepts java -cp . Readers $name.pem $name-signed.zip 3
done
