#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# An entry of 5 GB, beyond what 32 bits count: signed and verified in less than 48 MB of memory.
. "${top_srcdir:?}/tests/lib/harness.sh"
needs openssl python3

[ "$(df -Pk . | awk 'NR == 2 { print $4 }')" -gt 13000000 ] || skip "less than 13 GB free in $tmp"
if instrumented; then skip "it would need hours, and memory of its own"; fi

make_signer ConfigZipSigner rsa:2048

# stored, mostly a hole: sizes and checksum are written first, then the file is made longer
setup python3 -c "
import struct, zlib
SIZE, PIECE = 5 << 30, bytes(1 << 24)
crc = 0
for _ in range(SIZE // len(PIECE)):
    crc = zlib.crc32(PIECE, crc)
def local(name, crc, size):
    extra = struct.pack('<HHQQ', 1, 16, size, size) if size >> 32 else b''
    short = 0xffffffff if size >> 32 else size
    return struct.pack('<4s5H3I2H', b'PK\3\4', 45, 0, 0, 0, 0x5821, crc, short, short, len(name), len(extra)) + name + extra
def central(name, crc, size, at):
    extra = b''.join(struct.pack('<Q', v) for v in (size, size, at) if v >> 32)
    if extra:
        extra = struct.pack('<HH', 1, len(extra)) + extra
    short, where = (0xffffffff if v >> 32 else v for v in (size, at))
    return struct.pack('<4s6H3I5H2I', b'PK\1\2', 45, 45, 0, 0, 0, 0x5821, crc, short, short, len(name), len(extra), 0, 0, 0, 0, where) + name + extra
with open('big.zip', 'wb') as f:
    f.write(local(b'big', crc, SIZE))
    f.seek(SIZE, 1)
    behind = f.tell()
    f.write(local(b'behind', zlib.crc32(b'small'), 5) + b'small')
    directory = f.tell()
    f.write(central(b'big', crc, SIZE, 0) + central(b'behind', zlib.crc32(b'small'), 5, behind))
    end = f.tell()
    f.write(struct.pack('<4sQ2H2I4Q', b'PK\6\6', 44, 45, 45, 0, 0, 2, 2, end - directory, directory))
    f.write(struct.pack('<4sIQI', b'PK\6\7', 0, end, 1))
    f.write(struct.pack('<4s4H2IH', b'PK\5\6', 0, 0, 2, 2, end - directory, 0xffffffff, 0))
"
measured() { "${top_builddir:?}/tests/lib/maxrss" 49152 "$top_builddir/signengine" "$@"; }

accepts measured zip sign big.zip -o signed.zip
accepts measured zip verify signed.zip --trust ca.pem
says 'good, 2 entries signed'
