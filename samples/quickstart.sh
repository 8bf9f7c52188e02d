#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# From a clone to a verified signature on a bare Debian 12: installs what is missing, builds, makes a configuration, a token
# and a key in it, signs a file with that key, and lets openssl judge.  Where signengine is installed as a package, with that.
#
#   ./samples/quickstart.sh [FOLDER]     FOLDER: for everything that it makes; default: `quickstart` in the clone, or here
set -eu
samples=$(cd "$(dirname "$0")" && pwd)
here=$(dirname "$samples")

# shellcheck source=samples/show.sh
. "$samples/show.sh"

build() {
    step "Packages"
    "$here/tests/lib/packages.sh" "$here/packages.txt" "$samples/packages.txt"

    step "Build"
    mkdir -p "$folder/build"
    cd "$here"
    [ -x configure ] || autoreconf -fi >"$folder/build.log" 2>&1 || { cat "$folder/build.log" && exit 1; }
    cd "$folder/build"
    [ -f Makefile ] || "$here/configure" --quiet >>"$folder/build.log" 2>&1 || { cat "$folder/build.log" && exit 1; }
    make -s -j"$(nproc)" V=0 >>"$folder/build.log" 2>&1 || { tail -n 40 "$folder/build.log" && exit 1; }
    signengine=$folder/build/signengine
    echo "built: $signengine"
}

if [ -e "$here/configure.ac" ]; then
    folder=${1-$here/quickstart}
    build
else
    folder=${1-$(pwd)/quickstart}
    signengine=$(command -v signengine)
    mkdir -p "$folder"
fi
cd "$folder"
folder=$(pwd)

step "A configuration: one descriptor, its key in a SoftHSM token"
rm -rf tokens
mkdir -m 700 tokens
printf 'directories.tokendir = %s/tokens\nobjectstore.backend = file\nlog.level = ERROR\n' "$folder" >softhsm2.conf
export SOFTHSM2_CONF="$folder/softhsm2.conf"
export SIGNENGINE_CONFIG="$folder/engineSignEncrypt.xml"
(umask 077 && od -An -N4 -tu4 /dev/urandom | tr -d ' ' >user.pin && od -An -N4 -tu4 /dev/urandom | tr -d ' ' >so.pin)
cat >engineSignEncrypt.xml <<XML
<?xml version="1.0" encoding="UTF-8"?>
<engineSignEncrypt>
  <descriptors>
    <descriptor name="FileSigner" version="1">
      <type algorithm="SHA256withRSA" key="fileSignerV1"/>
    </descriptor>
  </descriptors>
  <keys>
    <key name="fileSignerV1">
      <type name="HSM" locationValue="/usr/lib/softhsm/libsofthsm2" tokenLabel="quickstart" alias="fileSignerV1"
            pin.source="file:$folder/user.pin"/>
    </key>
  </keys>
</engineSignEncrypt>
XML
cat engineSignEncrypt.xml

step "A token, and a key pair with a certificate in it"
show "$signengine" key init fileSignerV1 --so-pin-source "file:$folder/so.pin"
show "$signengine" key generate fileSignerV1 --type rsa:2048 --subject "/CN=Quickstart file signer"
show "$signengine" check --probe

step "Sign a file with the key in the token"
date >FILE
rm -f FILE.p7s
show "$signengine" sign -d FileSigner FILE
show "$signengine" verify -d FileSigner FILE --signature FILE.p7s

step "What openssl says about it"
show pkcs11-tool --module /usr/lib/softhsm/libsofthsm2.so --token-label quickstart \
    --read-object --type cert --label fileSignerV1 --output-file signer.der
openssl x509 -inform DER -in signer.der -out signer.pem
show openssl cms -verify -binary -inform DER -in FILE.p7s -content FILE -CAfile signer.pem -purpose any -out /dev/null

step "A flipped byte is refused with status 1"
sed '1s/^./#/' FILE >FILE.changed
status=0
show "$signengine" verify -d FileSigner FILE.changed --signature FILE.p7s || status=$?
[ "$status" = 1 ] || { echo "status $status, not 1" && exit 1; }

step "Done"
echo "Everything is in $folder. Delete it when you have seen enough."
