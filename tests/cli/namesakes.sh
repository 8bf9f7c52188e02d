#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Two key pairs of one label in a token: a command that changes one says that it can't tell which, and check says so too.
. "${top_srcdir:?}/tests/lib/harness.sh"
needs openssl softhsm2-util pkcs11-tool

make_token lab
make_ca ca
for name in one two; do
    make_cert "$name" rsa:2048 keyUsage=critical,digitalSignature "until=$(date -u -d "$((${#name} + 1)) years" +%Y%m%d000000Z)"
    setup openssl pkcs8 -topk8 -nocrypt -in "$name.key" -out "$name.p8"
    setup openssl x509 -in "$name.pem" -outform DER -out "$name.der"
done
add_key() { setup softhsm2-util --import "$1.p8" --token lab --label same --id "$2" --pin 1234 --force; }
add_certificate() { setup pkcs11-tool --module "$softhsm_module" --token-label lab --login --pin 1234 -w "$1.der" -y cert --label same --id "$2"; }
add_key one 0a
add_certificate one 0a
add_key two 0b
add_certificate two 0b

cat >engine.xml <<XML
<engineSignEncrypt>
  <descriptors><descriptor name="Signer"><type algorithm="SHA256withRSA" key="k"/></descriptor></descriptors>
  <keys><key name="k"><type name="HSM" locationValue="$softhsm_module" tokenLabel="lab" alias="same" pin="1234"/></key></keys>
</engineSignEncrypt>
XML
export SIGNENGINE_CONFIG="$tmp/engine.xml"
objects() { pkcs11-tool --module "$softhsm_module" --token-label lab --login --pin 1234 --list-objects 2>/dev/null | grep -c 'Object;'; }
keeps() { [ "$(objects)" = "$1" ] || fail "$(objects) objects are left, not $1"; }
keeps 6

echo data >data
accepts signengine sign -d Signer -o data.p7s data
accepts signengine check
says "1 more private key with the label 'same'"
cat one.key one.pem >one.bundle
for command in 'delete --force k' 'delete --dry-run k' 'generate k' 'generate --force --yes k' 'import --force --yes k one.bundle' 'request k' \
    'certificate k one.pem'; do
    # shellcheck disable=SC2086 # several words
    refuses 78 signengine key $command
    says 'there are 2 private keys of that label, which their CKA_ID tells apart: '
    says '0a'
    keeps 6
done

# one pair, and beside it a certificate of somebody else with its label: that stays
setup pkcs11-tool --module "$softhsm_module" --token-label lab --login --pin 1234 --delete-object --type privkey --id 0b
setup pkcs11-tool --module "$softhsm_module" --token-label lab --login --pin 1234 --delete-object --type pubkey --id 0b
keeps 4
accepts signengine key delete --dry-run k
says 'CN=one'
says_not 'CN=two'
keeps 4
refuses 64 signengine key generate --force k </dev/null
says "descriptor 'Signer' uses it"
accepts signengine key delete --force k
keeps 1
accepts pkcs11-tool --module "$softhsm_module" --token-label lab --list-objects
says 'CN=two'
accepts signengine key delete --force k
keeps 0
refuses 78 signengine key delete --force k

# what has lost its private key may be of several
add_certificate one 0a
add_certificate two 0b
refuses 78 signengine key delete --force k
says 'for several keys'
keeps 2
