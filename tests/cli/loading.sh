#!/bin/sh
# GMime, SQLite and libpq take longer to load than all else that a short process does: they are loaded by who needs them, and when they are
# not there, all else works, mail of the plainest form too.
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
printf 'From: "Doe, Alice" <alice@example.org>\nSubject: x\n\nHello\n' >quoted.eml

# ---- who loads what ----
watched() { # what the loader initialises goes to loaded.*
    rm -f loaded.*
    (export LD_DEBUG=files LD_DEBUG_OUTPUT="$tmp/loaded" && signengine "$@")
}
loads() {
    grep -q "calling init: .*/$1" loaded.* || fail "does not load $1"
}
loads_not() {
    for library; do
        if grep -q "calling init: .*/$library" loaded.*; then fail "loads $library"; fi
    done
}
accepts watched sign -d SignFile file -o file.p7s
loads libcrypto
loads_not libgmime libglib libgobject libsqlite3 libpq
accepts watched verify -d SignFile file --signature file.p7s
loads_not libgmime libglib libgobject libsqlite3 libpq
accepts watched mail sign plain.eml -o signed.eml
loads_not libgmime libglib libgobject
accepts watched mail sign quoted.eml -o signed.eml
loads libgmime
loads_not libsqlite3 libpq
accepts watched history create --store sqlite:history.db
loads libsqlite3
loads_not libgmime libglib libpq
# an application
accepts ldd "${top_builddir:?}/.libs/libsignengine.so"
says libcrypto
says_not libgmime
says_not libglib
says_not libsqlite3
says_not libpq

# ---- not there ----
mkdir none other
echo 'extern int nothing; int nothing;' >other.c
for library in libgmime-3.0.so.0 libsqlite3.so.0 libpq.so.5; do
    : >none/$library
    # shellcheck disable=SC2086 # CC is a command with options
    setup ${CC:-cc} -shared -fPIC -Wl,-soname,$library -o other/$library other.c
done
with() { # FOLDER with libraries that come before the system's
    (LD_LIBRARY_PATH="$tmp/$1" && export LD_LIBRARY_PATH && shift && signengine "$@")
}
for folder in none other; do
    refuses 69 with $folder mail sign quoted.eml -o refused
    says "mail: a library can't be loaded: "
    says libgmime-3.0.so.0
    [ ! -e refused ] || fail 'there is an output'
    refuses 69 with $folder mail verify signed.eml
    says libgmime-3.0.so.0
    refuses 69 with $folder history verify --store sqlite:history.db
    says "histories in SQLite: a library can't be loaded: "
    says libsqlite3.so.0
    try with $folder history verify --store postgresql:///nothing
    if grep -q 'was not built in' "$err"; then
        [ "$status" = 64 ] || fail "status $status"
    else
        [ "$status" = 69 ] || fail "status $status, not 69"
        says "histories in PostgreSQL: a library can't be loaded: "
        says libpq.so.5
    fi
    accepts with $folder mail sign plain.eml -o again.eml
    accepts signengine mail verify again.eml
    accepts with $folder sign -d SignFile file -o again.p7s
    accepts with $folder verify -d SignFile file --signature again.p7s
done
refuses 69 with other mail sign quoted.eml
says 'undefined symbol: g_free'
# nothing was wrong but the libraries
accepts signengine mail verify signed.eml
accepts signengine history verify --store sqlite:history.db
