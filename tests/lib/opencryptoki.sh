# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# openCryptoki's software token, in slot 3.  Its daemon and library have fixed paths, so a script that uses it has namespaces of its own,
# in which those are empty folders, and in which all processes end with it.
#
#   opencryptoki_alone SCRIPT [ARG...]   before anything else: runs the script anew in its namespaces; leaves with 77, and says why, where
#                                        that is not possible
#   opencryptoki_token LABEL             starts the daemon in the current folder and makes the token; $module is its library

opencryptoki_alone() {
    module=$(sh "${top_srcdir:?}/tests/lib/find-library.sh" libopencryptoki.so)
    [ "${alone-}" ] && return
    [ "$module" ] || { echo "SKIPPED: libopencryptoki.so is not installed" && exit 77; }
    for tool in pkcsslotd pkcsconf unshare; do
        command -v $tool >/dev/null || { echo "SKIPPED: $tool is not installed" && exit 77; }
    done
    unshare --mount --ipc --pid --fork --mount-proc true || { echo "SKIPPED: no namespaces of one's own for pkcsslotd" && exit 77; }
    alone=yes exec unshare --mount --ipc --pid --fork --kill-child --mount-proc sh "$@"
}

opencryptoki_token() {
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
    tries=0
    until [ -S /run/pkcsslotd.socket ]; do
        tries=$((tries + 1))
        [ $tries -lt 100 ] || { cat daemon.log && exit 99; }
        sleep 0.1
    done
    # a new token has the security officer's PIN 87654321, which must be changed
    printf '87654321\n%s\n' "$1" | pkcsconf -I -c 3 >init.log 2>&1
    setup pkcsconf -P -c 3 -S 87654321 -n 12345678
    setup pkcsconf -u -c 3 -S 12345678 -n 1234
}
