#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# encrypt, decrypt, rekey: what they do, and every way in which they say no.
. "${top_srcdir:?}/tests/lib/harness.sh"

make_cert old rsa:2048 issuer=self
make_cert new rsa:3072 issuer=self
make_cert other rsa:2048 issuer=self
make_cert bare rsa:2048 issuer=self
for name in old new other bare; do cat $name.key $name.pem >$name-both.pem; done
make_p12 old
sed -n '/BEGIN CERT/,$p' new.pem >new-public.pem

oaep=asymCipher='"RSA/ECB/OAEPWithSHA-384AndMGF1Padding"'
# configure FILE VERSION...: EncryptedFields in these versions, and other descriptors
configure() {
    file=$1
    shift
    {
        echo '<engineSignEncrypt><descriptors>'
        for version; do
            case $version in
            1) echo "<descriptor name='EncryptedFields' version='1'><type algorithm='AES/CBC/PKCS7Padding' key='old' $oaep/></descriptor>" ;;
            2) echo "<descriptor name='EncryptedFields' version='2'><type algorithm='AES/GCM/NoPadding' size='128' key='new' $oaep/></descriptor>" ;;
            esac
        done
        echo "<descriptor name='Cms'><type algorithm='AES/GCM/NoPadding' result='CMS' key='old' $oaep/></descriptor>"
        echo "<descriptor name='Jwe'><type algorithm='AES/CBC/PKCS7Padding' result='JWE' key='old' $oaep/></descriptor>"
        echo "<descriptor name='Pin'><type key='bare' $oaep/></descriptor>"
        echo "<descriptor name='Signer'><type algorithm='SHA256withRSA' key='old'/></descriptor>"
        echo "<descriptor name='Public'><type algorithm='AES/CBC/PKCS7Padding' key='public' $oaep/></descriptor>"
        echo "<descriptor name='Other'><type algorithm='AES/CBC/PKCS7Padding' key='other' $oaep/></descriptor>"
        echo '</descriptors><keys>'
        echo "<key name='old'><type name='pkcs12' locationValue='old.p12' pin='1234'/></key>"
        echo "<key name='new'><type name='pem' locationValue='new-both.pem'/></key>"
        echo "<key name='public'><type name='pem' locationValue='new-public.pem' certificate='file:new-public.pem'/></key>"
        echo "<key name='other'><type name='pem' locationValue='other-both.pem'/></key>"
        echo "<key name='bare'><type name='pem' locationValue='bare-both.pem'/></key>"
        echo '</keys></engineSignEncrypt>'
    } >"$file"
}
configure one.xml 1
configure both.xml 1 2
configure two.xml 2
export SIGNENGINE_CONFIG=both.xml

# ---- one value ----

printf 'a secret\n' >plain
for descriptor in EncryptedFields EncryptedFields:1 Cms Jwe; do
    accepts signengine encrypt -d "$descriptor" plain -o value
    [ "$(wc -l <value)" = 1 ] || fail "a text value is one line"
    accepts signengine decrypt -d "${descriptor%:*}" value
    same "$out" plain
    accepts signengine encrypt -d "$descriptor" --binary plain -o value
    accepts signengine decrypt -d "${descriptor%:*}" value -o back
    same back plain
    [ "$(stat -c %a back)" = 600 ] || fail "plaintext that others can read"
done
printf 1234 >pin
accepts signengine encrypt -d Pin pin -o blob
accepts signengine decrypt -d Pin blob
same "$out" pin
openssl pkeyutl -encrypt -pubin -inkey bare.pem -certin -in pin -out blob -pkeyopt rsa_padding_mode:oaep -pkeyopt rsa_oaep_md:sha384 \
    -pkeyopt rsa_mgf1_md:sha384
accepts signengine decrypt -d Pin blob
same "$out" pin
: >empty
for descriptor in EncryptedFields Cms Jwe Pin; do
    accepts signengine encrypt -d "$descriptor" empty -o value
    accepts signengine decrypt -d "$descriptor" value
    same "$out" empty
done

# by a pipe, from a version that is no longer the highest, without a private key
accepts sh -c "echo hello | '$top_builddir/signengine' --config one.xml encrypt | '$top_builddir/signengine' decrypt"
says hello
accepts signengine encrypt -d Public plain -o value
refuses 78 signengine decrypt -d Public value
accepts signengine encrypt -d EncryptedFields:2 plain -o value
refuses 1 signengine decrypt -d EncryptedFields:1 value
refuses 78 signengine decrypt -d Other value
refuses 78 signengine --config one.xml decrypt value
says "the value was made with version 2 of 'EncryptedFields', which is not configured here, but 1"
refuses 78 signengine --config one.xml decrypt --lines value
says "line 1: descriptor 'EncryptedFields': the value was made with version 2 of 'EncryptedFields', which is not configured here, but 1"

# ---- context ----

for descriptor in EncryptedFields Jwe; do
    accepts signengine encrypt -d $descriptor --context table=person --context row=7 plain -o value
    accepts signengine decrypt -d $descriptor --context row=7 --context table=person value
    same "$out" plain
    refuses 1 signengine decrypt -d $descriptor --context table=person --context row=8 value
    says "the value does not decrypt: it was changed, moved to another context, or made for another key"
    refuses 1 signengine decrypt -d $descriptor --context table=person value
    refuses 1 signengine decrypt -d $descriptor value
done
refuses 64 signengine encrypt -d Cms --context a=b plain
says "CMS can't bind a value to a context"
refuses 64 signengine encrypt -d Pin --context a=b plain
refuses 64 signengine encrypt --context a plain
refuses 64 signengine encrypt --context =b plain
refuses 64 signengine encrypt --context a=1 --context a=2 plain
says "two parts called 'a'"

# ---- refusals ----

for text in garbage '' 'nx02:AAAA' '{"alg":"none"}'; do
    printf %s "$text" >value
    refuses 65 signengine decrypt value
    refuses 65 signengine decrypt -d Cms value
done
printf 'NX02:AAAA' >value
refuses 1 signengine decrypt value
refuses 78 signengine encrypt -d Signer plain
says "its algorithm SHA256withRSA is not for encryption"
refuses 78 signengine decrypt -d Signer plain
refuses 78 signengine encrypt -d Nobody plain
refuses 66 signengine encrypt missing
refuses 73 signengine encrypt plain -o /nowhere/at/all
refuses 64 signengine encrypt plain plain
refuses 64 signengine encrypt --binary --lines plain
refuses 64 signengine encrypt --rejects bad plain
refuses 64 signengine decrypt --key-column row plain
head -c 200 /dev/zero >long
refuses 64 signengine encrypt -d Pin long

# ---- lines ----

seq 300 | sed 's/^/value number /' >lines
accepts signengine encrypt --lines lines -o values
[ "$(wc -l <values)" = 300 ] || fail "not a line for each line"
[ "$(cut -c1-440 values | sed 's/.\{40\}$//' | cut -c1-400 | sort -u | wc -l)" = 1 ] || fail "they do not share a data key"
accepts signengine decrypt --lines values
same "$out" lines
# what editors and mail add to values
sed 's/$/\r/' values >crlf
sed 's/$/ \t/' values >blanks
for file in crlf blanks; do
    accepts signengine decrypt --lines $file
    same "$out" lines
done
sed 's/^/key\t/' lines >keyed
accepts signengine encrypt --lines --key-column row keyed -o keyed-values
sed 's/$/\r/' keyed-values >keyed-crlf
accepts signengine decrypt --lines --key-column row keyed-crlf
same "$out" keyed
accepts signengine rekey --lines crlf -o rekeyed --rejects rejected
accepts signengine decrypt --lines rekeyed
same "$out" lines
for descriptor in EncryptedFields Cms Pin; do
    accepts signengine encrypt -d $descriptor pin -o value
    fold -w 76 value >mime
    fold -w 64 value | sed 's/$/\r/' >pem
    for file in mime pem; do
        accepts signengine decrypt -d $descriptor $file
        same "$out" pin
    done
    [ $descriptor = Pin ] || refuses 1 signengine decrypt -d $descriptor --lines mime
    [ $descriptor != Pin ] || refuses 65 signengine decrypt -d $descriptor --lines mime
    says 'as long as a line of wrapped base64: each value has to be one line'
done
accepts signengine encrypt -d Jwe pin -o value
fold -w 76 value >mime
refuses 1 signengine decrypt -d Jwe mime
says 'white space in a JWE, which is one line (RFC 7515, 2)'
printf 'no line end' | signengine encrypt --lines >value 2>"$err"
accepts signengine decrypt --lines value
says 'no line end'

{ sed -n 1,5p values && echo nonsense && sed -n 6p values | tr A B && sed -n 7,9p values; } >mixed
refuses 65 signengine decrypt --lines mixed -o back2
says "line 6: this is no encrypted value"
[ ! -e back2 ] || fail "half an output"
refuses 1 signengine decrypt --lines mixed --rejects bad -o back2
says "10 lines, of which 2 were rejected"
sed -n '1,5p;7,9p' lines >expected
same back2 expected
[ "$(cut -f1,2 bad)" = "$(printf '6\tthis is no encrypted value\n7\tit does not decrypt: changed, moved to another context, or made for another key')" ] ||
    fail "rejects: $(cut -f1,2 bad)"
[ "$(sed -n 1p bad | cut -f3)" = nonsense ] || fail "the rejected line is not there"
printf 'two\nlines' >two
accepts signengine encrypt two -o value
refuses 65 signengine decrypt --lines value
says "the plaintext has line breaks"

seq 20 | sed 's/.*/&\tvalue of row &/' >keyed
accepts signengine encrypt --lines --key-column row --context table=t keyed -o values2
accepts signengine decrypt --lines --key-column row --context table=t values2
same "$out" keyed
sed -n 4p values2 | cut -f2 >value
accepts signengine decrypt --context row=4 --context table=t value
says "value of row 4"
{ sed -n 1p values2 && sed -n 3p values2 | sed 's/^3/2/' && echo no-tab; } >moved
refuses 1 signengine decrypt --lines --key-column row --context table=t --rejects bad moved
[ "$(cut -f1 bad | tr '\n' ' ')" = "2 3 " ] || fail "moved rows: $(cat bad)"
accepts signengine --json decrypt --lines values -o back
says '{"lines":300,"rejected":0}'

# ---- rekey ----

# another letter in the middle, in any value
damaged() { sed 's/^\(.\{300\}\)[^A]/\1A/; t; s/^\(.\{300\}\)A/\1B/'; }

refuses 64 signengine rekey values
says "say --lines"
refuses 64 signengine rekey --lines values -o renewed
says "--rejects FILE is needed"
accepts signengine --config one.xml encrypt --lines lines -o values
{ cat values && signengine encrypt --lines plain && echo nonsense && tail -n1 values | damaged; } >all 2>"$err"
refuses 1 signengine rekey --lines --dry-run all
says "303 lines: 300 would be re-keyed, 1 were under the current key already, 2 rejected"
refuses 1 signengine rekey --lines --rejects bad all -o renewed
says "303 lines: 300 re-keyed, 1 were under the current key already, 2 rejected"
[ "$(wc -l <renewed)" = 301 ] || fail "lines were lost"
[ "$(cut -f1 bad | tr '\n' ' ')" = "302 303 " ] || fail "rejects: $(cat bad)"
if [ -e renewed.partial ] || [ -e renewed.checkpoint ]; then fail "it leaves files behind"; fi
sed -n 301p all >line
sed -n 301p renewed >line2
same line line2
accepts signengine --config two.xml decrypt --lines renewed -o back
cat lines plain >expected
same back expected
accepts signengine rekey --lines --rejects bad renewed -o again
says "301 lines: 0 re-keyed, 301 were under the current key already, 0 rejected"
same renewed again
accepts sh -c "'$top_builddir/signengine' rekey --lines --rejects bad <values | '$top_builddir/signengine' --config two.xml decrypt --lines"
same "$out" lines
accepts signengine encrypt -d EncryptedFields:1 --lines --key-column row keyed -o values2
accepts signengine rekey --lines --key-column row --rejects bad values2 -o renewed2
accepts signengine --config two.xml decrypt --lines --key-column row renewed2
same "$out" keyed
accepts signengine --json rekey --lines --key-column row --rejects bad values2 -o renewed2
says '"rekeyed":20'

# a key that is away is not the values' fault
mv old.p12 old.away
refuses 69 signengine rekey --lines --rejects bad values -o renewed3
[ ! -e renewed3 ] || fail "an output, though the key was away"
mv old.away old.p12
accepts signengine rekey --lines --rejects bad values -o renewed3
[ "$(wc -l <renewed3)" = 300 ] || fail "$(wc -l <renewed3) lines"

# ---- files that are no files, and files that are the same ----

mkfifo pipe
timeout 60 cat pipe >piped &
accepts signengine rekey --lines --rejects bad renewed -o pipe
wait || :
same piped renewed
[ -p pipe ] || fail "the pipe was replaced by a file"
: >there && ln -s there link
accepts signengine rekey --lines --rejects bad renewed -o link
same there renewed
[ -L link ] || fail "the symbolic link was replaced by a file"
mkdir folder
refuses 73 signengine rekey --lines --rejects bad all -o folder
says "folder': Is a directory"
refuses 1 signengine rekey --lines --rejects - all -o there
says "no encrypted value"
if [ -e ./- ] || [ -e folder.partial ]; then fail "files of odd names"; fi

# nor gets a file what is said, where nobody listens
closed() { "$@" >&- 2>&- <&-; }
try closed signengine rekey --lines --rejects bad all -o there
[ "$status" = 1 ] || fail "status $status"
[ "$(cut -f1 bad | tr '\n' ' ')" = "302 303 " ] || fail "rejects: $(cat bad)"
try closed signengine config show
[ "$status" = 73 ] || fail "status $status"

cp all kept && ln all other
for command in rekey encrypt decrypt; do
    refuses 64 signengine $command --lines --rejects other all -o renewed5
    says "--rejects names the input, 'other'"
    refuses 64 signengine $command --lines --rejects other -o renewed5 <all
    refuses 64 signengine $command --lines --rejects renewed5 all -o renewed5
    says "the same file, 'renewed5'"
done
same all kept
