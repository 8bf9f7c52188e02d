#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# sign and verify on the command line: names, forms, versions, pipes, and every refusal with its status.
. "${top_srcdir:?}/tests/lib/harness.sh"
needs openssl

make_ca ca
make_ca other
make_cert one rsa:2048 keyUsage=critical,digitalSignature
make_cert two ec:P-384 keyUsage=critical,digitalSignature
make_cert stranger ec:P-256 keyUsage=critical,digitalSignature
make_cert expired ec:P-256 keyUsage=critical,digitalSignature until=20210101000000Z
make_cert early ec:P-256 keyUsage=critical,digitalSignature from=21000101000000Z
make_cert encrypts ec:P-256 keyUsage=critical,keyAgreement
make_cert self ec:P-256 issuer=self
make_cert small rsa:1024 keyUsage=critical,digitalSignature
make_cert koblitz ec:secp256k1 keyUsage=critical,digitalSignature
for name in one two stranger expired early encrypts self small koblitz; do
    cat $name.key $name.pem >$name.bundle
done
make_p12 one 'pass word'

key() { echo "<key name='$1'><type name='pem' locationValue='$1.bundle'/></key>"; }
descriptor() { echo "<descriptor name='$1' version='${3-1}'><type algorithm='${4-SHA-256}' key='$2'/></descriptor>"; }
cat >engine.xml <<XML
<engineSignEncrypt>
  <descriptors>
    $(descriptor Files one 1 SHA256withRSA)
    $(descriptor Files two 2 SHA384withECDSA)
    $(descriptor Stranger stranger)
    $(descriptor Expired expired)
    $(descriptor Early early)
    $(descriptor Encrypts encrypts)
    $(descriptor Self self)
    $(descriptor Small small)
    $(descriptor Koblitz koblitz)
    $(descriptor WrongFamily two 1 SHA256withRSA)
    $(descriptor ConfigZipSigner self 1 SHA-256)
    $(descriptor Missing missing)
    $(descriptor Locked locked)
    $(descriptor WrongPin wrong)
    $(descriptor NoPin nopin)
    $(descriptor Alias alias)
    <descriptor name='Fields'><type algorithm='AES/CBC/PKCS7Padding' asymCipher='RSA/ECB/OAEPWithSHA-256AndMGF1Padding' key='one'/></descriptor>
  </descriptors>
  <keys>
    $(for name in one two stranger expired early encrypts self small koblitz; do key $name; done)
    <key name='missing'><type name='pem' locationValue='not-there.pem'/></key>
    <key name='locked'><type name='pem' locationValue='one.pem'/></key>
    <key name='wrong'><type name='pkcs12' locationValue='one.p12' pin='wrong'/></key>
    <key name='nopin'><type name='pkcs12' locationValue='one.p12'/></key>
    <key name='alias'><type name='pkcs12' locationValue='one.p12' pin='pass word' alias='two'/></key>
  </keys>
</engineSignEncrypt>
XML
chmod 600 engine.xml
export SIGNENGINE_CONFIG="$tmp/engine.xml"
echo 'some content' >file
echo 'some other content' >other-file

# ---- what it makes, and where ----
accepts signengine sign -d Files file
says_not 'signing'
setup test -s file.p7s
accepts signengine verify -d Files file --signature file.p7s
says 'version    2'
says 'SHA384withECDSA'
says 'CN=two'
accepts signengine sign -d Files:1 file -o first.p7s
accepts signengine verify -d Files file -s first.p7s
says 'version    1'
accepts signengine verify -d Files file -s - <first.p7s
says 'version    1'
accepts signengine verify -d Files:1 file -s first.p7s
refuses 1 signengine verify -d Files:2 file -s first.p7s
says "descriptor 'Files'"
says 'CN=one'
accepts signengine sign -d Files file --attached
setup test -s file.p7m
accepts signengine sign -d Files file --raw
setup test -s file.sig
accepts signengine verify -d Files --raw file -s file.sig
says 'version    2'
refuses 1 signengine verify -d Files --raw other-file -s file.sig
cp file place
for form in '' --raw --pem '--xml --detached'; do
    # shellcheck disable=SC2086 # words
    refuses 64 signengine sign -d Files $form -o ./place place
    says "--output names the file that is signed, './place'"
    # shellcheck disable=SC2086 # words
    refuses 64 sh -c "'${top_builddir:?}/signengine' sign -d Files $form -o place <place"
    same file place
done
accepts signengine sign -d Files --attached -o place place
accepts signengine verify -d Files place -o content
same file content
refuses 64 signengine verify -d Files --raw file -s file.sig --trust ca.pem

# pipes
pipe() { signengine "$@" <file; }
accepts pipe sign -d Files
cp "$out" piped.p7s
accepts signengine verify -d Files file -s piped.p7s
accepts pipe verify -d Files -s piped.p7s
accepts pipe verify -d Files - -s piped.p7s
accepts pipe sign -d Files --pem --attached
says '-----BEGIN CMS-----'
says '-----END CMS-----'
cp "$out" piped.pem
content() { signengine -q verify -d Files piped.pem -o - >seen; }
accepts content
same file seen
TMPDIR="$tmp/absent" refuses 73 signengine verify -d Files piped.pem -o -
says "in '$tmp/absent'"
accepts signengine sign -d Files file --pem -o pem.p7s
accepts signengine verify -d Files file -s pem.p7s

# machines
accepts signengine --json verify -d Files file -s file.p7s
says '"verdict":"good"'
says '"version":2'
refuses 1 signengine --json verify -d Files other-file -s file.p7s
says '"verdict":"refused"'
accepts signengine --json sign -d Files file
says '"output":"file.p7s"'
accepts signengine -q verify -d Files file -s file.p7s
[ ! -s "$out" ] || fail "quiet is not quiet"
accepts signengine --progress always verify -d Files file -s file.p7s
says 'verifying: '

# ---- refused signatures: 1 ----
refuses 1 signengine verify -d Files other-file -s file.p7s
says 'the content is not what was signed'
refuses 1 signengine verify -d Stranger file -s file.p7s
says 'a certificate that the descriptor does not have: CN=two'
sed 's/some content/SOME content/' file.p7m >changed.p7m
refuses 1 signengine verify -d Files changed.p7m -o never
[ ! -e never ] || fail "unverified content was written"
content_of_changed() { signengine verify -d Files changed.p7m -o -; }
refuses 1 content_of_changed
says_not 'SOME content'
setup openssl cms -sign -binary -outform DER -in file -signer expired.pem -inkey expired.key -out expired.p7s
refuses 1 signengine verify -d Expired file -s expired.p7s
says 'Verification failed. The certificate has expired. (2021-01-01)'
accepts signengine verify -d Expired file -s expired.p7s --time 2020-06-01
setup openssl cms -sign -binary -outform DER -in file -signer encrypts.pem -inkey encrypts.key -out encrypts.p7s
refuses 1 signengine verify -d Encrypts file -s encrypts.p7s
says 'keyUsage'

# trust
accepts signengine verify -d Stranger file -s file.p7s --trust ca.pem
says 'trusted by CA'
accepts signengine verify -d Files file -s file.p7s --trust ca.pem
says 'version    2'
refuses 1 signengine verify -d Files file -s file.p7s --trust other.pem
says 'the signer is not trusted'
refuses 1 signengine verify -d Stranger file -s expired.p7s --trust ca.pem
says 'expired'
refuses 1 signengine verify -d Stranger other-file -s file.p7s --trust ca.pem
refuses 66 signengine verify -d Files file -s file.p7s --trust no.pem
refuses 65 signengine verify -d Files file -s file.p7s --trust file

# ---- not a signature: 65 ----
: >empty
refuses 65 signengine verify -d Files file -s empty
refuses 65 signengine verify -d Files file -s file
says 'not a CMS signature'
refuses 65 signengine verify -d Files other-file
says "not a CMS signature: no ContentInfo at byte 2; and there is no 'other-file.p7s'"
refuses 65 signengine verify -d Files file.p7s
says 'detached'
refuses 65 signengine verify -d Files file -s file.p7m
says 'a content of its own'
head -c 500 file.p7s >short.p7s
refuses 65 signengine verify -d Files file -s short.p7s
{ cat file.p7s && echo; } >long.p7s
refuses 65 signengine verify -d Files file -s long.p7s
{ cat file.p7m && echo; } >long.p7m
refuses 65 signengine verify -d Files long.p7m
head -n 3 pem.p7s >short.pem
refuses 65 signengine verify -d Files file -s short.pem
echo '-----BEGIN CMS-----' >first.pem
refuses 65 signengine verify -d Files file -s first.pem
truncate -s 17M huge
refuses 65 signengine verify -d Files file -s huge

# ---- input and output: 66, 73 ----
refuses 66 signengine sign -d Files no-such-file
says 'no-such-file'
refuses 66 signengine sign -d Files "$tmp"
refuses 66 signengine verify -d Files file -s no-such-file
refuses 66 signengine verify -d Files no-such-file -s file.p7s
refuses 73 signengine sign -d Files file -o no-such-folder/out
cp file.p7s kept
refuses 66 signengine sign -d Files no-such-file -o kept
same kept file.p7s
if [ -c /dev/full ]; then
    refuses 73 signengine sign -d Files file -o /dev/full
    refuses 73 signengine sign -d Files file --attached -o /dev/full
fi
refuses 1 signengine verify -d Files changed.p7m -o kept
same kept file.p7s
[ "$(find . -name 'kept.*' -o -name 'never*' | wc -l)" = 0 ] || fail "something half-written stays"

# ---- the store: 69, 77 ----
refuses 69 signengine sign -d Missing file
says "descriptor 'Missing': key 'missing': "
says 'not-there.pem'
refuses 77 signengine sign -d WrongPin file
says 'the PIN does not open it'
refuses 77 signengine sign -d NoPin file
says 'no PIN is configured'
says_not 'interrupted'
[ ! -e file.p7s.new ] || fail "left-over"

# ---- the configuration: 78 ----
refuses 78 signengine sign -d Flies file
says "did you mean 'Files'?"
refuses 78 signengine sign -d Files:3 file
refuses 78 signengine sign -d Locked file
says 'no private key'
refuses 78 signengine sign -d Alias file
says "no key with alias 'two'; there are: 'one'"
refuses 78 signengine sign -d Expired file
says 'certificate expired 2021-01-01'
refuses 78 signengine sign -d Expired file --time 2020-06-01
refuses 78 signengine sign -d Early file
says 'not valid before 2100-01-01'
refuses 78 signengine sign -d Encrypts file
says 'keyUsage does not hold digitalSignature'
refuses 78 signengine sign -d Small file
says 'RSA-1024'
refuses 78 signengine sign -d Koblitz file
says 'P-256, P-384 and P-521'
refuses 78 signengine sign -d WrongFamily file
says 'takes an RSA key'
refuses 78 signengine sign -d Fields file
says 'is not for signatures'
refuses 78 signengine sign -d ConfigZipSigner file
says 'self-signed'
accepts signengine sign -d Self file -o self.p7s
accepts signengine verify -d Self file -s self.p7s

# verification does without the private key, and without the store where the configuration has the certificate
cat >public.xml <<XML
<engineSignEncrypt>
  <descriptors>$(descriptor Files two 2 SHA384withECDSA) $(descriptor Gone gone 1 SHA384withECDSA)</descriptors>
  <keys>
    <key name='two'><type name='pem' locationValue='two.pem'/></key>
    <key name='gone'><type name='HSM' locationValue='no-such-module' alias='two' pin='1234' certificate='file:$tmp/two.pem'/></key>
  </keys>
</engineSignEncrypt>
XML
chmod 600 public.xml
accepts signengine -c public.xml verify -d Files file -s file.p7s
accepts signengine -c public.xml verify -d Gone file -s file.p7s
refuses 69 signengine -c public.xml sign -d Gone file
says 'no-such-module'
refuses 78 signengine -c public.xml sign -d Files file
