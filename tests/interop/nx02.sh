#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The test vectors of NX02 before us, and before the reader that was written from doc/formats.md.
. "${top_srcdir:?}/tests/lib/harness.sh"

vectors=$top_srcdir/tests/vectors/nx02
cat "$vectors/key.pem" "$vectors/certificate.pem" >key.both
cat >engine.xml <<'XML'
<engineSignEncrypt>
  <descriptors>
    <descriptor name="V"><type algorithm="AES/CBC/PKCS7Padding" key="k" asymCipher="RSA/ECB/OAEPWithSHA-384AndMGF1Padding"/></descriptor>
  </descriptors>
  <keys><key name="k"><type name="pem" locationValue="key.both"/></key></keys>
</engineSignEncrypt>
XML
export SIGNENGINE_CONFIG="$tmp/engine.xml"
others=yes
command -v python3 >/dev/null || others=
[ $others ] || echo "python3 is not installed: the vectors were not read by others"

# The context of a vector is bytes, which the command line makes of parts only.
ours() { "${top_builddir:?}/tests/interop/decrypt" engine.xml V "$1/context" ${edition:+"$edition"} <"$1/value"; }
theirs() { python3 "$vectors/read.py" "$vectors/key.pem" "$1/context" <"$1/value"; }

count=0
for vector in "$vectors"/*/; do
    vector=${vector%/}
    edition=
    [ "$(head -c 5 "$vector/value")" = "$(printf 'NX02\002')" ] && edition=container
    for reader in ours ${others:+theirs}; do
        if [ -e "$vector/plain" ]; then
            accepts "$reader" "$vector"
            same "$out" "$vector/plain"
        else
            try "$reader" "$vector"
            [ "$status" = 1 ] || fail "$vector: $reader: status $status"
            [ ! -s "$out" ] || fail "$vector: $reader: a plaintext"
        fi
    done
    count=$((count + 1))
done
[ $count = 49 ] || fail "$count vectors"
