#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Backups of keys in NSS softoken, which wraps what may not leave, and wants more than others to unwrap it.
. "${top_srcdir:?}/tests/lib/harness.sh"
. "$top_srcdir/tests/token/backups.sh"
needs certutil

softokn=$(find_library libsoftokn3.so)
[ "$softokn" ] || skip "libsoftokn3.so is not installed"
make_token soft 1234
mkdir db
echo 1234 >pin
setup certutil -N -d sql:db -f pin
# the store derives a key for each attribute that it reads, which takes valgrind many minutes
MEMCHECK=
configure "$softokn" "tokenLabel='NSS Certificate DB' initArgs=\"configdir='sql:$tmp/db' certPrefix='' keyPrefix='' secmod='secmod.db' flags=\""
accepts signengine key generate --exportable --type rsa:2048 rsa
says 'may leave: yes'
accepts signengine key generate --exportable --type ec:P-256 ec
accepts signengine key generate --type rsa:2048 plain
says 'may leave: no'
# the token itself would wrap it
refuses 64 signengine key backup plain -o never --to safe.pem
says 'CKA_EXTRACTABLE is false'
[ ! -e never ] || fail 'a key that may not leave has left'
there_and_back rsa Rsa
there_and_back ec Ec
