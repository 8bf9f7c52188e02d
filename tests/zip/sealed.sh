#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Signed and encrypted in one command, decrypted and verified in one command: nothing in between is to be seen.
. "${top_srcdir:?}/tests/lib/harness.sh"
needs openssl python3

make_ca ca
make_cert sign rsa:2048 keyUsage=critical,digitalSignature
make_cert crypt rsa:2048 issuer=self
for name in sign crypt; do
    cat $name.key $name.pem >$name.bundle
done
cat ca.pem >>sign.bundle
cat >engine.xml <<'XML'
<engineSignEncrypt>
  <descriptors>
    <descriptor name='ConfigZipSigner'><type algorithm='SHA-256' key='sign'/></descriptor>
    <descriptor name='ConfigZipEncrypter'><type algorithm='AES/CBC/PKCS7Padding' key='crypt' asymCipher='RSA/ECB/OAEPWithSHA-384AndMGF1Padding'/></descriptor>
    <descriptor name='Mine'><type algorithm='AES/GCM/NoPadding' key='crypt' asymCipher='RSA/ECB/OAEPWithSHA-256AndMGF1Padding'/></descriptor>
  </descriptors>
  <keys>
    <key name='sign'><type name='pem' locationValue='sign.bundle'/></key>
    <key name='crypt'><type name='pem' locationValue='crypt.bundle'/></key>
  </keys>
</engineSignEncrypt>
XML
export SIGNENGINE_CONFIG="$tmp/engine.xml" TMPDIR="$tmp/spool"
mkdir spool out
python3 -c "
import zipfile
with zipfile.ZipFile('plain.zip', 'w', zipfile.ZIP_DEFLATED) as z:
    z.writestr('config.xml', '<config/>' * 100)
    z.writestr('big', bytes(i * 7 % 251 for i in range(200000)), zipfile.ZIP_STORED)"
cp plain.zip original.zip

# ---- there and back ----

accepts signengine zip sign --encrypt --time 2026-01-31 plain.zip
same plain.zip original.zip
accepts signengine zip sign --time 2026-01-31 plain.zip -o signed.zip
accepts signengine zip decrypt plain.zip.nx02 -o decrypted.zip
same decrypted.zip signed.zip
accepts signengine zip verify plain.zip.nx02
says 'plain.zip.nx02: good, 2 entries signed'
says 'CN=sign'
accepts signengine --json zip verify plain.zip.nx02 --trust ca.pem
says '"input":"plain.zip.nx02","verdict":"good","entries":2'
accepts signengine zip verify plain.zip.nx02 -o out/verified.zip
same out/verified.zip signed.zip
accepts signengine zip verify signed.zip -o out/copied.zip
same out/copied.zip signed.zip
accepts signengine zip verify plain.zip.nx02 -o -
same "$out" signed.zip
accepts signengine zip sign --encrypt --encrypter Mine plain.zip -o mine
accepts signengine zip verify --decrypter Mine mine
accepts signengine zip sign --encrypt --context tenant=7 --context system=test --time 2026-01-31 plain.zip -o bound
accepts signengine zip verify --context system=test --context tenant=7 bound -o out/bound.zip
same out/bound.zip signed.zip
accepts signengine zip decrypt --context tenant=7 --context system=test bound -o out/decrypted.zip
same out/decrypted.zip signed.zip
rm out/*

# ---- refusals: each leaves nothing ----

untouched() { [ -z "$(find out spool -type f)" ] || fail "something stays: $(find out spool -type f)"; }
refuses 1 signengine zip verify bound -o out/x
says 'does not decrypt'
refuses 1 signengine zip verify --context tenant=8 --context system=test bound -o out/x
says 'does not decrypt'
refuses 64 signengine zip sign --context tenant=7 plain.zip -o out/x
says 'encrypt'
refuses 64 signengine zip sign --encrypt --context nothing plain.zip -o out/x
says 'NAME=VALUE'
refuses 64 signengine zip verify --context nothing bound
says 'NAME=VALUE'
refuses 78 signengine zip sign --encrypt --encrypter Nobody plain.zip -o out/x
refuses 78 signengine zip sign --encrypt --encrypter ConfigZipSigner plain.zip -o out/x
refuses 65 signengine zip sign --encrypt engine.xml -o out/x
refuses 1 signengine zip verify plain.zip -o out/x
says "'plain.zip': "
accepts signengine zip encrypt plain.zip -o unsigned
refuses 1 signengine zip verify unsigned -o out/x
says "'unsigned': "
says 'not signed'
says_not /proc/
accepts signengine zip encrypt engine.xml -o text
refuses 65 signengine zip verify text -o out/x
says_not /proc/
refuses 65 signengine zip verify engine.xml -o out/x
head -c 5000 plain.zip.nx02 >short
refuses 1 signengine zip verify short -o out/x
says 'the container does not decrypt'
refuses 1 signengine --json zip verify short -o -
[ ! -s "$out" ] || grep -q '"verdict":"refused"' "$out" || fail 'something on standard output'
refuses 73 signengine zip verify plain.zip.nx02 -o nowhere/x
refuses 66 signengine zip verify nowhere -o out/x
untouched
echo old >out/x
refuses 1 signengine zip verify unsigned -o out/x
[ "$(cat out/x)" = old ] || fail 'the old file is gone'
rm out/x

# ---- the signed zip never has a name: whatever there is when the process is killed is the old file or a container ----

python3 -c "
import zipfile
with zipfile.ZipFile('large.zip', 'w') as z:
    z.writestr('big', bytes(i * 7 % 251 for i in range(1 << 16)) * 400)"
case $(stat -f -c %T out) in
ext2/ext3 | tmpfs | xfs | btrfs)
    for delay in 0.02 0.05 0.08 0.12 0.2 0.3; do
        "${top_builddir:?}/signengine" zip sign --encrypt large.zip -o out/target >/dev/null 2>&1 &
        sleep $delay
        kill -9 $! 2>/dev/null || :
        wait $! 2>/dev/null || :
        for file in out/*; do
            [ -e "$file" ] || continue
            [ "$(head -c 4 "$file")" != "$(head -c 4 large.zip)" ] || fail "a zip: $file"
        done
        [ ! -e out/target ] || accepts signengine zip verify out/target
    done
    ;;
esac
