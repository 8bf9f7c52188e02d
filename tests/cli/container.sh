#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# zip encrypt and zip decrypt: any file there and back; what is damaged is refused, and leaves nothing at the target.
. "${top_srcdir:?}/tests/lib/harness.sh"
needs openssl python3

make_ca ca
make_cert one rsa:2048 issuer=self
make_cert two rsa:2048 issuer=self
cat one.key one.pem >one.bundle
cat two.key two.pem >two.bundle
descriptor() { # NAME VERSION KEY CIPHER RESULT
    echo "<descriptor name='$1' version='$2'><type algorithm='AES/$4' key='$3' result='$5'" \
        "asymCipher='RSA/ECB/OAEPWithSHA-384AndMGF1Padding'/></descriptor>"
}
cat >engine.xml <<XML
<engineSignEncrypt>
  <descriptors>
    $(descriptor ConfigZipEncrypter 1 one CBC/PKCS7Padding NX02)
    $(descriptor ConfigZipEncrypter 2 two GCM/NoPadding '')
    $(descriptor Other 1 two CBC/PKCS7Padding NX02)
    $(descriptor Jwe 1 one GCM/NoPadding JWE)
  </descriptors>
  <keys>
    <key name='one'><type name='pem' locationValue='one.bundle'/></key>
    <key name='two'><type name='pem' locationValue='two.bundle'/></key>
  </keys>
</engineSignEncrypt>
XML
export SIGNENGINE_CONFIG="$tmp/engine.xml"
python3 -c "
import zipfile
with zipfile.ZipFile('plain.zip', 'w', zipfile.ZIP_DEFLATED) as z:
    z.writestr('config.xml', '<config/>' * 100)
    z.writestr('big', bytes(i * 7 % 251 for i in range(200000)), zipfile.ZIP_STORED)"
mkdir out
untouched() { [ -z "$(ls -A out)" ] || fail "something at the target: $(ls -A out)"; }

# ---- there and back ----

accepts signengine zip encrypt plain.zip
[ "$(head -c 5 plain.zip.nx02 | od -An -tx1 | tr -d ' \n')" = 4e58303202 ] || fail 'the default output is no container'
cp plain.zip original.zip
rm plain.zip
accepts signengine zip decrypt plain.zip.nx02
same plain.zip original.zip
[ "$(stat -c %a plain.zip)" = 600 ] || fail "mode $(stat -c %a plain.zip)"
for version in 1 2; do
    accepts signengine zip encrypt -d ConfigZipEncrypter:$version plain.zip -o v$version
    accepts signengine zip decrypt v$version -o back
    same back plain.zip
done
piped() { signengine zip encrypt <plain.zip | signengine zip decrypt >piped; }
accepts piped
same piped plain.zip
for file in engine.xml /dev/null; do
    accepts signengine zip encrypt $file -o any
    accepts signengine zip decrypt any -o any.back
    same any.back $file
done
accepts signengine zip encrypt --json plain.zip -o any
says '"result":"encrypted"'
echo old >kept
chmod 640 kept
accepts signengine zip decrypt v1 -o kept
same kept plain.zip
[ "$(stat -c %a kept)" = 640 ] || fail "mode $(stat -c %a kept)"
ln -s v1.target link
cp v1 v1.target
accepts signengine zip decrypt link -o link
[ -h link ] || fail 'the link is gone'
same v1.target plain.zip
accepts signengine zip decrypt v1 -o /dev/stdout
same "$out" plain.zip

# a zip that is not encrypted is told, and passes
accepts signengine zip decrypt plain.zip -o passed
says 'is not encrypted'
same passed plain.zip

# ---- contexts ----

accepts signengine zip encrypt --context tenant=7 --context system=test plain.zip -o bound
accepts signengine zip decrypt --context system=test --context tenant=7 bound -o back
same back plain.zip
refuses 1 signengine zip decrypt --context tenant=8 --context system=test bound -o out/x
refuses 1 signengine zip decrypt bound -o out/x
untouched

# ---- refusals ----

refuses 1 signengine zip decrypt -d Other v1 -o out/x
says 'does not decrypt'
refuses 65 signengine zip decrypt engine.xml -o out/x
says 'neither an NX02 container nor a zip'
refuses 65 signengine zip decrypt /dev/null -o out/x
refuses 1 signengine zip decrypt -o out/x <<E2
NX02:AAAA
E2
refuses 66 signengine zip decrypt nowhere -o out/x
refuses 66 signengine zip encrypt nowhere -o out/x
refuses 73 signengine zip encrypt plain.zip -o nowhere/x
refuses 73 signengine zip decrypt v1 -o nowhere/x
refuses 78 signengine zip encrypt -d Jwe plain.zip -o out/x
says 'a container is NX02, its result is JWE'
refuses 78 signengine zip encrypt -d Nobody plain.zip -o out/x
refuses 64 signengine zip decrypt v1
says 'say with -o where to'
refuses 64 signengine zip encrypt plain.zip plain.zip
refuses 64 signengine zip encrypt --context tenant plain.zip
refuses 64 signengine zip
says 'encrypt'
untouched
printf 'a secret that nobody sees' >secret
accepts signengine zip encrypt secret -o small
head -c -1 small >short
refuses 1 signengine zip decrypt <short
[ ! -s "$out" ] || fail 'plaintext on standard output'
printf 'x' | cat small - >longer
refuses 1 signengine zip decrypt longer -o out/x
head -c 100000 v2 >short
refuses 1 signengine zip decrypt short -o -
[ ! -s "$out" ] || fail 'plaintext on standard output'
cp plain.zip old
refuses 1 signengine zip decrypt short -o old
same old plain.zip
untouched

# some bits and ends of each part; the unit tests do all of them
size=$(wc -c <small)
for at in 0 4 5 6 7 8 12 20 30 100 290 $((size - 40)) $((size - 1)); do
    python3 -c "
import sys
b = bytearray(open('small', 'rb').read())
b[$at] ^= 1 << $at % 8
open('bit', 'wb').write(b)"
    refuses 1 signengine zip decrypt bit -o out/x
    [ $at = 0 ] && continue
    head -c $at small >short
    refuses 1 signengine zip decrypt short -o out/x
done
untouched

# ---- killed at any moment: the old file or the whole new one, and no plaintext under another name ----

head -c 30000000 /dev/zero | openssl enc -aes-128-ctr -K 00112233445566778899aabbccddeeff -iv 00000000000000000000000000000000 >large
accepts signengine zip encrypt large -o large.nx02
old='what was there before'
killed() { # COMMAND...
    for delay in 0.01 0.02 0.03 0.05 0.08 0.12 0.2; do
        echo "$old" >out/target
        "$top_builddir/signengine" "$@" >killed.out 2>&1 &
        sleep $delay
        kill -9 $! 2>/dev/null || :
        wait $! 2>/dev/null || :
        [ "$(head -c 21 out/target)" = "$old" ] || cmp -s out/target large || {
            signengine zip decrypt out/target -o whole
            cmp whole large
        } || return 1
    done
}
accepts killed zip encrypt large -o out/target
rm -f out/*
accepts killed zip decrypt large.nx02 -o out/target
case $(stat -f -c %T out) in
ext2/ext3 | tmpfs | xfs | btrfs) [ "$(ls -A out)" = target ] || fail "plaintext stays: $(ls -A out)" ;;
esac
