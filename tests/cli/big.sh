#!/bin/sh
# Files of 4 GB and a byte, beyond what 32 bits count: signed and verified in less than 64 MB of memory, in every form.
. "${top_srcdir:?}/tests/lib/harness.sh"
needs openssl

[ "$(df -Pk . | awk 'NR == 2 { print $4 }')" -gt 9000000 ] || skip "less than 9 GB free in $tmp"
if instrumented; then skip "it would need hours, and memory of its own"; fi

make_ca ca
make_cert one ec:P-256 keyUsage=critical,digitalSignature
cat one.key one.pem >one.bundle
cat >engine.xml <<XML
<engineSignEncrypt>
  <descriptors><descriptor name='Files'><type algorithm='SHA-256' key='one'/></descriptor></descriptors>
  <keys><key name='one'><type name='pem' locationValue='one.bundle'/></key></keys>
</engineSignEncrypt>
XML
export SIGNENGINE_CONFIG="$tmp/engine.xml"
truncate -s 4294967296 big
printf x >>big

limit=65536
measured() { "$top_builddir/tests/lib/maxrss" $limit "$top_builddir/signengine" "$@"; }

accepts measured sign -d Files big
accepts measured verify -d Files big -s big.p7s

# attached: it is as large as the content
piped() { measured sign -d Files --attached big -o - | measured verify -d Files -; }
accepts piped
