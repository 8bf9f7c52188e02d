#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# An entry of 5 GB that is deflated to a few: signed and verified in less than 48 MB of memory, and Java sees it as signed.
. "${top_srcdir:?}/tests/lib/harness.sh"
needs openssl python3 javac java

if instrumented; then skip "it would need hours, and memory of its own"; fi

make_signer ConfigZipSigner rsa:2048

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
measured() { "${top_builddir:?}/tests/lib/maxrss" 49152 "$top_builddir/signengine" "$@"; }

accepts measured zip sign --max-ratio 2000 big.zip -o signed.zip
accepts measured zip verify --max-ratio 2000 signed.zip --trust ca.pem
says 'good, 2 entries signed'
accepts java -cp . Readers one.pem signed.zip 2
says 'JarInputStream: 2 entries signed'
