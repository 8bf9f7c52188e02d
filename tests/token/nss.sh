#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The certificate store of a Linux system: a module that is told its folder when it is initialised, and private keys without labels.
. "${top_srcdir:?}/tests/lib/harness.sh"
. "$top_srcdir/tests/token/keys.sh"
needs certutil pk12util

softokn=$(find_library libsoftokn3.so)
[ "$softokn" ] || skip "libsoftokn3.so is not installed"
make_keys
mkdir db
echo 1234 >pin
setup certutil -N -d sql:db -f pin
for key in rsa p256 p384 p521; do
    make_p12 $key
    setup pk12util -i $key.p12 -d sql:db -k pin -W 1234
done
# the store derives a key for each attribute that it reads, which takes valgrind many minutes
MEMCHECK=
use_keys 'NSS Certificate DB' SHIM_MODULE="$softokn" TOKEN_OAEP=native \
    TOKEN_INIT_ARGS="configdir='sql:$tmp/db' certPrefix='' keyPrefix='' secmod='secmod.db' flags="
