#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What nobody sends by accident: refused in clear words or passed, in bounded memory.
. "${top_srcdir:?}/tests/lib/harness.sh"
. "${top_srcdir:?}/tests/mail/mail-lib.sh"
needs openssl python3

mail_certificates
mail_configuration
openssl_verifies() { openssl cms -verify -in signed.eml -CAfile ca.pem -out content; }

python3 -c "print('From: alice@example.org'); [print('X-H%d: v' % i) for i in range(100000)]; print('\nhello')" >headers
accepts signengine mail sign headers -o signed.eml
accepts openssl_verifies
accepts signengine mail verify signed.eml
python3 -c "
print('From: alice@example.org\nMIME-Version: 1.0')
for i in range(1000):
    print('Content-Type: multipart/mixed; boundary=b%d\n\n--b%d' % (i, i))
print('\nhello')" >nested
refuses 65 signengine mail sign nested
says 'more than 200 deep'
refuses 1 signengine mail verify nested
python3 -c "
print('From: alice@example.org\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n')
for i in range(20000):
    print('--b\n\nhello')
print('--b--')" >parts
accepts signengine mail sign parts -o signed.eml
accepts openssl_verifies
head -c 1000000 /dev/urandom >garbage
refuses 65 signengine mail sign garbage
refuses 65 signengine mail verify garbage
head -c 20000000 /dev/zero >zeroes
refuses 65 signengine mail sign zeroes

# nothing of a message gets into the fields that are ours
printf 'From: alice@example.org\r\nSubject: x\rBcc: evil@example.org\r\nContent-Type: text/plain; boundary="x\r\n Bcc: evil@example.org"\r\n\r\nhello\r\n' >injected
accepts signengine mail sign injected -o signed.eml
accepts openssl_verifies
grep -q "^Bcc" signed.eml && fail "a field was made of a value"
python3 -c "print('From: alice@example.org\nSubject: ' + 'x' * 17000000 + '\n\nhello')" >long-header
refuses 65 signengine mail sign long-header
says 'a header of more than 16 MB'

# under a sanitizer or valgrind the figure would be theirs
limit=65536
[ -z "${sanitize-}${MEMCHECK-}" ] || limit=100000000
# shellcheck disable=SC2317 # called by accepts
measured() { "${top_builddir:?}/tests/lib/maxrss" $limit "$top_builddir/signengine" "$@"; }

# one line of 100 MB, and an attachment of 60 MB
{ printf 'From: alice@example.org\n\n' && head -c 100000000 /dev/zero | tr '\0' x && echo; } >line
{ printf 'From: alice@example.org\nMIME-Version: 1.0\nContent-Type: application/octet-stream\nContent-Transfer-Encoding: base64\n\n' &&
    head -c 60000000 /dev/urandom | base64 -w 76; } >attachment
for big in line attachment; do
    accepts measured mail sign $big -o signed.eml
    accepts openssl_verifies
    accepts measured mail verify signed.eml
done
