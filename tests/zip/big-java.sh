#!/bin/sh
# An entry of 5 GB that is deflated to a few: signed and verified in less than 48 MB of memory, and Java sees it as signed.
. "${top_srcdir:?}/tests/lib/harness.sh"
needs openssl python3 javac java

[ -z "${MEMCHECK-}" ] || skip "valgrind would need hours, and memory of its own"
grep -q __asan_init "${top_builddir:?}"/signengine "$top_builddir"/.libs/signengine 2>/dev/null && skip "a sanitizer needs memory of its own"

make_ca ca
make_cert one rsa:2048 keyUsage=critical,digitalSignature
cat one.key one.pem ca.pem >one.bundle
cat >engine.xml <<'XML'
<engineSignEncrypt>
  <descriptors><descriptor name='ConfigZipSigner'><type algorithm='SHA-256' key='one'/></descriptor></descriptors>
  <keys><key name='one'><type name='pem' locationValue='one.bundle'/></key></keys>
</engineSignEncrypt>
XML
export SIGNENGINE_CONFIG="$tmp/engine.xml"

setup javac -d . "$top_srcdir/tests/zip/Readers.java"
setup python3 -c "
import zipfile
piece = bytes(1 << 24)
with zipfile.ZipFile('big.zip', 'w', zipfile.ZIP_DEFLATED, compresslevel=1) as z:
    with z.open('big', 'w', force_zip64=True) as entry:
        for _ in range(320):
            entry.write(piece)
    z.writestr('behind', 'small')
"
measured() { "$top_builddir/tests/lib/maxrss" 49152 "$top_builddir/signengine" "$@"; }

accepts measured zip sign --max-ratio 2000 big.zip -o signed.zip
accepts measured zip verify --max-ratio 2000 signed.zip --trust ca.pem
says 'good, 2 entries signed'
accepts java -cp . Readers one.pem signed.zip 2
says 'JarInputStream: 2 entries signed'
