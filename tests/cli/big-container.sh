#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A file of 5 GB, beyond what 32 bits count: encrypted, and decrypted to a file that gets its name at the end, in less than 32 MB of memory.
. "${top_srcdir:?}/tests/lib/harness.sh"
needs openssl

[ "$(df -Pk . | awk 'NR == 2 { print $4 }')" -gt 11000000 ] || skip "less than 11 GB free in $tmp"
if instrumented; then skip "it would need hours, and memory of its own"; fi

make_cert one rsa:2048 issuer=self
cat one.key one.pem >one.bundle
cat >engine.xml <<XML
<engineSignEncrypt>
  <descriptors>
    <descriptor name='ConfigZipEncrypter'>
      <type algorithm='AES/GCM/NoPadding' key='one' asymCipher='RSA/ECB/OAEPWithSHA-256AndMGF1Padding'/>
    </descriptor>
  </descriptors>
  <keys><key name='one'><type name='pem' locationValue='one.bundle'/></key></keys>
</engineSignEncrypt>
XML
export SIGNENGINE_CONFIG="$tmp/engine.xml"
truncate -s 5368709120 big
printf x >>big

measured() { "$top_builddir/tests/lib/maxrss" 32768 "$top_builddir/signengine" "$@"; }

piped() { measured zip encrypt big -o - | measured zip decrypt - -o back; }
accepts piped
same big back
