#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Containers that are mutated at random: in what `zip verify` accepts, every reader finds the names, kinds and bytes that were signed, with
# modes and owners that do no harm, or says that something is wrong.  CONTAINERS in the environment: how many; SEED: which;
# MINUTES: how long at the most.
. "${top_srcdir:?}/tests/lib/harness.sh"
needs openssl python3 unzip 7z bsdtar javac java

make_signer ConfigZipSigner rsa:2048
cat >make.py <<'PY'
import zipfile
S, D = zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED
with zipfile.ZipFile("plain.zip", "w") as z:
    for name, data, method in [("conf/", b"", S), ("conf/limits.xml", b"<limits>" + b"some text " * 200, D), ("conf/acl.xml", b"<acl/>", S),
                               ("conf/empty", b"", S), ("empty, deflated", b"", D), ("signed/", b"", S), ("conf/\u00e4.txt", b"letters" * 50, D)]:
        z.writestr(zipfile.ZipInfo(name, (2024, 2, 29, 12, 34, 56)), data, method)
PY
setup python3 make.py
accepts signengine zip sign plain.zip -o signed.zip
setup javac -d . "$top_srcdir/tests/zip/Containers.java"
LC_ALL=C.UTF-8
accepts python3 "$top_srcdir/tests/zip/containers.py" "${top_builddir:?}/tests/zip/verdicts" engine.xml signed.zip "${CONTAINERS-150}" "${SEED-1}"
says ', 0 differ'
cat "$out"
