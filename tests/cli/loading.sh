#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# GMime, SQLite and libpq take longer to load than all else that a short process does: only programs and libraries that need them have them.
. "${top_srcdir:?}/tests/lib/harness.sh"
needs openssl ldd

make_ca ca
make_cert one ec:P-256 subjectAltName=email:alice@example.org keyUsage=critical,digitalSignature extendedKeyUsage=emailProtection
cat one.key one.pem >one.bundle
cat >engine.xml <<XML
<engineSignEncrypt>
  <descriptors>
    <descriptor name='SignFile'><type algorithm='SHA-256' key='one'/></descriptor>
    <descriptor name='SignEmailDescriptor'><type algorithm='SHA256withECDSA' key='one'/></descriptor>
    <descriptor name='ObjectHistorySigner'><type algorithm='SHA-256' key='one'/></descriptor>
  </descriptors>
  <keys><key name='one'><type name='pem' locationValue='one.bundle'/></key></keys>
</engineSignEncrypt>
XML
export SIGNENGINE_CONFIG="$tmp/engine.xml"
echo content >file
printf 'From: alice@example.org\nSubject: x\n\nHello\n' >plain.eml

# needs FILE: the libraries that the loader will look for on behalf of a program or library
needs_libraries() {
    file=${top_builddir:?}/$1
    [ ! -e "$top_builddir/.libs/$1" ] || file=$top_builddir/.libs/$1
    (LD_LIBRARY_PATH="$top_builddir/.libs" && export LD_LIBRARY_PATH && ldd "$file")
}
says_none() {
    for library; do says_not "$library"; done
}
for file in signengine libsignengine.so; do
    accepts needs_libraries $file
    says libcrypto
    says_none libgmime libglib libgobject libsqlite3 libpq libcurl
done
for file in signengine-history libsignengine-history.so; do
    accepts needs_libraries $file
    says libsqlite3
    says_none libgmime libglib libgobject
done
for file in signengine-mail libsignengine-mail.so; do
    accepts needs_libraries $file
    says libgmime
    says_none libsqlite3 libpq
done

# ---- one command line all the same ----
accepts signengine sign -d SignFile file -o file.p7s
accepts signengine --config "$tmp/engine.xml" mail sign plain.eml -o signed.eml
accepts signengine mail verify signed.eml
accepts signengine history create --store sqlite:history.db
append() { echo payload | signengine --json history append --store sqlite:history.db --object o; }
accepts append
says '"first":1'
accepts signengine history verify --store sqlite:history.db
accepts signengine help history verify
says 'usage: signengine history verify'
accepts signengine help mail
says 'mail verify'
says_not 'history'
refuses 64 signengine history vreify
says "unknown command 'history vreify'; after 'history' comes one of: create,"
refuses 64 signengine -c engine.xml mail
says "after 'mail' comes one of: sign, verify"

# ---- libcurl comes with a socket, and with nothing else ----
opens() { LD_DEBUG=files signengine "$@" 2>&1; }
accepts opens sign -d SignFile file -o file.p7s
says_not libcurl
try opens --socket "$tmp/none" sign -d SignFile file
says libcurl
says_none libgmime libsqlite3

# ---- one of the programs is not installed ----
mkdir alone
cp "$top_builddir/signengine" alone/
accepts alone/signengine verify -d SignFile file --signature file.p7s
refuses 69 alone/signengine mail verify signed.eml
says "cannot run '"
says "/signengine/signengine-mail': No such file or directory"
