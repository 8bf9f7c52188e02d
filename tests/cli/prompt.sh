#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What somebody at a prompt meets: help, signatures found by their names, one line when something was written, `check` on a terminal.
. "${top_srcdir:?}/tests/lib/harness.sh"
needs openssl script zip

# on_terminal COLUMNS CMD...: with a terminal as standard input, output and error; what it shows is in $out, without carriage returns at
# the ends of its lines.
on_terminal() {
    columns=$1
    shift
    printf '%s\n' '#!/bin/sh' "stty cols $columns 2>/dev/null" >terminal.sh
    for word; do printf "'%s' " "$word"; done >>terminal.sh
    status=0
    env TERM=xterm script -qec "sh terminal.sh" /dev/null </dev/null >.terminal || status=$?
    tr -d '\r' <.terminal
    return "$status"
}
tool=${top_builddir:?}/signengine

# ---- help and version ----
accepts signengine help
says 'usage: signengine [OPTION]'
says 'key generate'
accepts signengine help sign
says 'usage: signengine sign'
says '--attached'
says 'TIME: as 2026-01-31T12:00:00Z'
accepts signengine help key generate
says 'usage: signengine key generate'
accepts signengine help key
says 'usage: signengine key COMMAND'
says 'key generate'
says_not 'zip sign'
accepts signengine key --help
says 'usage: signengine key COMMAND'
accepts signengine --help key
says 'usage: signengine key COMMAND'
accepts signengine version
says 'signengine 0.'
refuses 64 signengine help sing
says "did you mean 'sign'"
refuses 64 signengine help key genrate
refuses 64 signengine help sign more
says "'more' is too much"
refuses 64 signengine version 2
refuses 64 signengine key --hepl
refuses 64 signengine frobnicate --help

# ---- forms of values are told ----
refuses 64 signengine sign -d X --time yesterday file
says '2026-01-31T12:00:00Z, 2026-01-31T12:00Z, 2026-01-31, or @ and the seconds since 1970'
refuses 64 signengine check --days many
says 'a whole number, up to 4294967295'
set -- encrypt
for i in 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24; do set -- "$@" --context "n$i=v"; done
refuses 64 signengine "$@"
says 'more than 24 times'

# ---- a configuration of several keys, some of which have seen better days ----
make_ca ca
make_cert one rsa:2048 keyUsage=critical,digitalSignature
make_cert soon rsa:2048 keyUsage=critical,digitalSignature until="$(date -u -d '+5 days 1 hour' +%Y%m%d%H%M%SZ)"
make_cert expired ec:P-256 keyUsage=critical,digitalSignature until=20210101000000Z
make_cert self rsa:2048 issuer=self keyUsage=critical,digitalSignature
for name in one soon expired self; do cat $name.key $name.pem ca.pem >$name.bundle; done
chmod 600 ./*.bundle
key() { echo "<key name='$1'><type name='pem' locationValue='${2-$1.bundle}'/></key>"; }
signer() { echo "<descriptor name='$1' version='${3-1}'><type algorithm='SHA-256' key='$2'/></descriptor>"; }
config() { # config NAME LINE...: descriptors and keys, in any order
    name=$1
    shift
    printf '<engineSignEncrypt><descriptors>\n%s\n</descriptors><keys>\n%s\n</keys></engineSignEncrypt>\n' \
        "$(printf '%s\n' "$@" | grep '<descriptor')" "$(printf '%s\n' "$@" | grep '<key')" >"$name.xml"
}
config engine "$(signer Files one)" "$(key one)"
export SIGNENGINE_CONFIG="$tmp/engine.xml"
echo content >file

# ---- verify finds what sign made ----
setup signengine sign -d Files file
accepts signengine verify -d Files file
says 'good signature'
says 'file.p7s'
accepts signengine --json verify -d Files file
says '"signature":"file.p7s"'
echo other >file2
cp file.p7s file2.p7s
refuses 1 signengine verify -d Files file2
rm file.p7s
refuses 65 signengine verify -d Files file
says "not a CMS signature: no ContentInfo at byte 2; and there is no 'file.p7s': --signature names"
setup signengine sign -d Files --raw file
accepts signengine verify -d Files --raw file
rm file.sig
refuses 64 signengine verify -d Files --raw file
says "--raw needs --signature: there is no 'file.sig'"
setup signengine sign -d Files --xml --detached file
accepts signengine verify -d Files --xml file
# what carries its signature itself needs none beside it, whatever is there
for form in '' --pem; do
    setup signengine sign -d Files --attached ${form:+"$form"} -o whole.p7m file
    echo nonsense >whole.p7m.p7s
    accepts signengine verify -d Files whole.p7m
done
# other PEM, and other XML, is content
cp one.pem some.pem
setup signengine sign -d Files some.pem
accepts signengine verify -d Files some.pem
says 'some.pem.p7s'
{
    echo 'An explanation.'
    cat whole.p7m
} >explained.p7m
accepts signengine verify -d Files explained.p7m
printf '<a/>' >doc.xml
setup signengine sign -d Files --xml --detached doc.xml
accepts signengine verify -d Files --xml doc.xml
says 'doc.xml.sig.xml'
rm doc.xml.sig.xml
setup signengine sign -d Files --xml -o doc.signed.xml doc.xml
echo nonsense >doc.signed.xml.sig.xml
accepts signengine verify -d Files --xml doc.signed.xml

# ---- one line when something was written, for a terminal only ----
accepts on_terminal 80 "$tool" sign -d Files -o file.p7s file
[ "$(grep -c . "$out")" = 1 ] || fail "not one line"
says 'file.p7s: written, signed by CN=one'
accepts signengine sign -d Files -o file.p7s file
[ ! -s "$err" ] || fail "it talks to a log"
accepts on_terminal 80 "$tool" -q sign -d Files -o file.p7s file
[ ! -s "$out" ] || fail "--quiet talks"
accepts on_terminal 80 "$tool" --json sign -d Files -o file.p7s file
[ "$(grep -c . "$out")" = 1 ] || fail "more than the object"
accepts on_terminal 80 "$tool" key request -o one.csr one
says 'one.csr: written'
zip -q a.zip file
config zips "$(signer ConfigZipSigner one)" "$(key one)"
accepts on_terminal 80 "$tool" -c zips.xml zip sign -o b.zip a.zip
says 'b.zip: written, signed by CN=one'

# ---- progress is erased on a terminal, and ends with the whole elsewhere ----
head -c 3000000 /dev/zero >big
accepts on_terminal 80 "$tool" --progress always sign -d Files -o big.p7s big
grep -q "MB ([0-9]* %)$(printf '\r  *\r')" .terminal || fail "the progress stays"
accepts signengine --progress always sign -d Files -o big.p7s big
tr '\r' '\n' <"$err" | tail -n 1 | grep -q -F '(100 %)' || fail "it ends before the end"
setup signengine -c engine.xml history create --store sqlite:h.db -d Files
setup signengine history append --store sqlite:h.db -d Files file
accepts signengine --progress always history verify --store sqlite:h.db -d Files
says_not 'MB'

# ---- check: 80 columns, a line for a cause ----
long=AVeryLongNameOfADescriptorThatSomebodyGaveToIt
config many "$(signer $long one)" "$(signer Files one)" "$(signer More soon)" "$(signer Most soon)" \
    "$(signer A1 gone)" "$(signer A2 gone)" "$(signer A3 gone)" "$(signer A4 gone)" "$(signer A5 gone)" "$(signer A6 gone)" \
    "$(key one)" "$(key soon)" "$(key gone not-there.bundle)"
refuses 69 signengine -c many.xml check --probe
sed '/^FAILED/d; /^warning/d' "$out" >table
[ "$(wc -L <table)" -le 80 ] || fail "the table is wider than 80 columns"
grep -q "^$long:1 " table || fail "the version of a long name is lost"
[ "$(grep -c 'not-there.bundle' "$out")" = 1 ] || fail "a cause is told more than once"
grep -q '^FAILED  A1:1, A2:1, A3:1 and 3 others: ' "$out" || fail "the cause does not say whose it is"
[ "$(grep -c 'expires in 5 days' "$out")" = 1 ] || fail "a warning is told more than once"
says 'More:1, Most:1: the certificate expires in 5 days'
says '6 of 10 can'
[ "$(grep -c 'not-there.bundle' "$err")" = 0 ] || fail "and again on stderr"
refuses 69 signengine -q -c many.xml check
[ ! -s "$out" ] || fail "--quiet prints a table"
says 'A1:1, A2:1, A3:1 and 3 others: '
refuses 69 signengine --json -c many.xml check
[ "$(wc -l <"$out")" = 10 ] || fail "ten rows are ten lines"
config wide "$(signer $long$long one)" "$(key one)"
accepts signengine -c wide.xml check
[ "$(grep -v '^warning' "$out" | wc -L)" -le 80 ] || fail "wider than 80 columns"
others_refuse on_terminal 80 "$tool" -c many.xml check
sed 's/\x1b\[[0-9;]*m//g' "$out" >plain
[ "$(sed '/^signengine: /d; /^many.xml:/d' plain | wc -L)" -le 80 ] || fail "a line is wider than the terminal"

# ---- colour ----
accepts on_terminal 80 "$tool" check
grep -q "$(printf '\033\\[32mok')" "$out" || fail "no colour on a terminal"
accepts on_terminal 80 env NO_COLOR=1 "$tool" check
grep -q "$(printf '\033')" "$out" && fail "colour in spite of NO_COLOR"
accepts on_terminal 80 env TERM=dumb "$tool" check
grep -q "$(printf '\033')" "$out" && fail "colour on a dumb terminal"
accepts signengine check
grep -q "$(printf '\033')" "$out" && fail "colour in a pipe"

# ---- check --strict ----
accepts signengine check --strict
config warned "$(signer Files soon)" "$(key soon)"
accepts signengine -c warned.xml check
refuses 1 signengine -c warned.xml check --strict
says '--strict: 1 warning'
refuses 1 signengine -q -c warned.xml check --strict
says 'expires in 5 days'
config warned "$(signer Files one)" "$(key one)" "$(key soon)"
refuses 1 signengine -c warned.xml check --strict
says "no descriptor uses key 'soon'"

# ---- a version that only verifies ----
config versions "$(signer Files expired)" "$(signer Files one 2)" "$(key expired)" "$(key one)"
accepts signengine -c versions.xml check --probe
says 'this version can only verify: '
says 'Files:1'
cat expired.pem ca.pem >public.bundle
config versions "$(signer Files expired)" "$(signer Files one 2)" "$(key expired public.bundle)" "$(key one)"
accepts signengine -c versions.xml check
says 'this version can only verify: '
config versions "$(signer Files one)" "$(signer Files expired 2)" "$(key expired)" "$(key one)"
refuses 78 signengine -c versions.xml check
# not even that: no signature of it is ever accepted
config versions "$(signer ConfigZipSigner self)" "$(signer ConfigZipSigner one 2)" "$(key self)" "$(key one)"
refuses 78 signengine -c versions.xml check
says 'self-signed'
config versions "$(signer Files gone)" "$(signer Files one 2)" "$(key gone not-there.bundle)" "$(key one)"
refuses 69 signengine -c versions.xml check

# ---- ok is only what commands can use ----
oaep="asymCipher='RSA/ECB/OAEPWithSHA-256AndMGF1Padding'"
config used "<descriptor name='ConfigZipEncrypter'><type algorithm='AES/GCM/NoPadding' result='JWE' $oaep key='soon'/></descriptor>" \
    "$(key soon)"
accepts signengine -c used.xml check --probe
says 'ConfigZipEncrypter:1: `zip encrypt` can'
grep -q ' ok$' "$out" && fail "ok, and no command can use it"
refuses 78 signengine -c used.xml zip encrypt file

# ---- key list without KEY ----
config keys "$(signer Files one)" "$(signer More soon)" "$(signer Gone gone)" "$(key one)" "$(key soon)" "$(key gone not-there.pem)"
accepts signengine -c keys.xml key list
says "one: key '"
says "soon: key '"
says 'gone: nothing is there yet'
accepts signengine --json -c keys.xml key list
says '"key":"soon"'
[ "$(wc -l <"$out")" = 3 ] || fail "three keys are three lines"
make_p12 one 1234
config keys "$(signer Files wrong)" "$(signer More soon)" "$(key soon)" \
    "<key name='wrong'><type name='pkcs12' locationValue='one.p12' pin='wrong'/></key>"
refuses 77 signengine -c keys.xml key list
says "soon: key '"

# ---- long lists: the nearest, and how many others ----
set --
for i in 01 02 03 04 05 06 07 08 09 10 11 12 13 14 15 16; do set -- "$@" "$(signer "Signer$i" one)"; done
config lists "$@" "$(key one)"
refuses 78 signengine -c lists.xml sign -d Report file
says "no descriptor 'Report'"
says "' and 11 others"
refuses 78 signengine -c lists.xml sign -d Signer07x file
says "did you mean 'Signer07'?"
openssl req -x509 -new -key one.key -subj /CN=one -days 9 -config /dev/null -out p.pem 2>/dev/null
setup openssl pkcs12 -export -inkey one.key -in p.pem -name lonely -passout pass:1234 -out lonely.p12
config p12 "$(signer Files p)" "<key name='p'><type name='pkcs12' locationValue='lonely.p12' pin='1234' alias='other'/></key>"
refuses 78 signengine -c p12.xml sign -d Files file
says "there are: 'lonely'"
make_token lab 12345678
printf 12345678 >so.pin
printf 12345678 >pin
chmod 600 so.pin pin
for name in alpha beta gamma delta epsilon zeta eta theta; do
    setup signengine key generate --module "$softhsm_module" --token-label lab --alias $name --type ec:P-256 --pin-source file:pin
done
config hsm "$(signer Files t)" \
    "<key name='t'><type name='HSM' locationValue='$softhsm_module' tokenLabel='lab' pin='12345678' alias='thetha'/></key>"
refuses 78 signengine -c hsm.xml sign -d Files file
says "'theta'"
says ' and 11 others'

# ---- paths of Windows ----
refuses 66 signengine sign -d Files 'C:\Users\me\report.pdf'
says 'that is a path of Windows'
refuses 78 signengine -c 'C:\signengine\engine.xml' check
says 'that is a path of Windows'
refuses 66 signengine sign -d Files '\\server\share\report.pdf'
says 'that is a path of Windows'
refuses 66 signengine sign -d Files 'folder\report.pdf'
says "folders end with '/'"
config windows "$(signer Files w)" "<key name='w'><type name='pem' locationValue='C:\\keys\\one.pem'/></key>"
refuses 69 signengine -c windows.xml check
says 'that is a path of Windows'
config windows "$(signer Files w)" "<key name='w'><type name='HSM' locationValue='C:/SoftHSM2/softhsm2-x64.dll' alias='a' pin='1'/></key>"
refuses 69 signengine -c windows.xml check
says 'that is a path of Windows'
refuses 66 signengine sign -d Files missing
says_not Windows

# ---- outputs that can't be written keep their reason ----
into_closed() { signengine "$@" >&-; }
for command in check 'key list' 'config show' 'sign -d Files -o - file'; do
    # shellcheck disable=SC2086 # words
    refuses 73 into_closed $command
    says 'closed'
done
if [ -c /dev/full ]; then
    into_full() { signengine "$@" >/dev/full; }
    for command in check 'key list' 'config show' --help 'sign -d Files -o - file' 'sign -d Files -o /dev/full file' 'key request one'; do
        # shellcheck disable=SC2086 # words
        refuses 73 into_full $command
        says 'No space left on device'
    done
fi
refuses 73 signengine sign -d Files -o missing-folder/file.p7s file
says 'No such file or directory'

# ---- key init --force ----
init() { signengine key init --module "$softhsm_module" --token-label lab --so-pin-source file:so.pin --pin-source file:pin "$@"; }
refuses 73 init
says '--force'
refuses 64 init --force </dev/null
says '--yes says that it is meant'
setup pkcs11-tool --module "$softhsm_module" --token-label lab --list-objects --type cert
says "theta"
accepts init --force --dry-run
says "token 'lab'"
says "theta"
accepts pkcs11-tool --module "$softhsm_module" --token-label lab --list-objects --type cert
says "theta"
accepts init --force --yes
accepts pkcs11-tool --module "$softhsm_module" --token-label lab --list-objects --type cert
says_not "theta"
