#!/bin/sh
# openCryptoki's software token.  Its daemon and library have fixed paths, so the test has namespaces of its own, in which those are
# empty folders, and in which all processes end with it.
if ! [ "${alone-}" ]; then
    for tool in pkcsslotd pkcsconf unshare; do
        command -v $tool >/dev/null || { echo "SKIPPED: $tool is not installed" && exit 77; }
    done
    unshare --mount --ipc --pid --fork --mount-proc true || { echo "SKIPPED: no namespaces of one's own for pkcsslotd" && exit 77; }
    alone=yes exec unshare --mount --ipc --pid --fork --kill-child --mount-proc sh "$0"
fi
. "${top_srcdir:?}/tests/lib/harness.sh"
. "$top_srcdir/tests/token/keys.sh"

module=$(find /usr/lib /usr/lib64 -name libopencryptoki.so 2>/dev/null | head -n 1)
[ "$module" ] || skip "libopencryptoki.so is not installed"
setup mount --make-rprivate /
for folder in /var/lib/opencryptoki /var/log/opencryptoki /run /dev/shm; do
    [ -d $folder ] || continue
    setup mount -t tmpfs none $folder
done
setup mkdir -p /run/lock/opencryptoki/swtok /run/opencryptoki /var/lib/opencryptoki/swtok/TOK_OBJ
setup chgrp -R pkcs11 /run/lock/opencryptoki /run/opencryptoki /var/lib/opencryptoki
printf 'version opencryptoki-3.1\nslot 3\n{\nstdll = libpkcs11_sw.so\n}\n' >conf
setup mount --bind conf /etc/opencryptoki/opencryptoki.conf
pkcsslotd -f >daemon.log 2>&1 &
wait_for /run/pkcsslotd.socket daemon.log

# a new token has the security officer's PIN 87654321, which must be changed
printf '87654321\nlab\n' | pkcsconf -I -c 3 >init.log 2>&1
setup pkcsconf -P -c 3 -S 87654321 -n 12345678
setup pkcsconf -u -c 3 -S 12345678 -n 1234
put_keys "$module" --slot 3 --login --pin 1234
# the software token of some versions has no ECDSA, which must then be said
setup pkcsconf -m -c 3
ec=TOKEN_EC=none
grep -q 'CKM_ECDSA)' "$out" && ec=ec=yes
# it loses memory of its own, from a part that it unloads, so that a suppression could not name it; the other tokens show what we lose
export ASAN_OPTIONS="${ASAN_OPTIONS-}:detect_leaks=0"
MEMCHECK=${MEMCHECK:+$MEMCHECK --leak-check=no}
use_keys lab SHIM_MODULE="$module" TOKEN_OAEP=native $ec
