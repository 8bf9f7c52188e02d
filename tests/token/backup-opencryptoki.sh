#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Backups of keys in openCryptoki's software token, which encrypts keys by AES-CBC only, and unwraps whatever comes out.
. "${top_srcdir:?}/tests/lib/opencryptoki.sh"
opencryptoki_alone "$0"
. "$top_srcdir/tests/lib/harness.sh"
. "$top_srcdir/tests/token/backups.sh"

opencryptoki_token lab
make_token soft 1234
configure "$module" "tokenLabel='lab'"
# it loses memory of its own
export ASAN_OPTIONS="${ASAN_OPTIONS-}:detect_leaks=0"
MEMCHECK=${MEMCHECK:+$MEMCHECK --leak-check=no}
accepts signengine key generate --exportable --type rsa:2048 rsa
says 'may leave: yes'
accepts signengine key generate --type rsa:2048 plain
refuses 64 signengine key backup plain -o never --to safe.pem
says 'CKA_EXTRACTABLE is false'
accepts signengine key backup rsa -o noted.backup --to safe.pem
says 'the token encrypts keys by AES-CBC only, which notices no change'
own_way='by the token, after this process had looked' soft_way='by this process' back_way='by this process'
there_and_back rsa Rsa
# a change goes unnoticed by the token: the key would sign wrongly, and is not kept
accepts signengine key backup rsa -o cbc.backup --to safe.pem
setup openssl cms -cmsout -inform PEM -in cbc.backup -outform DER -out cbc.der
accepts signengine key delete --force rsa
for at in 50 300 700 1000 1200; do
    setup sh -c 'head -c -"$1" cbc.der >changed.der && printf "\377\377" >>changed.der && tail -c $(($1 - 2)) cbc.der >>changed.der' sh $at
    refuses 1 signengine key restore rsa changed.der --recovery safe.bundle
done
accepts signengine key list rsa
says_not "key 'rsa'"
accepts signengine key restore rsa cbc.der --recovery safe.bundle
says 'may leave: no'
accepts signengine verify -d Rsa --signature rsa.p7s data
