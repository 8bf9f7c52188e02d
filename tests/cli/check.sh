#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# check, config and pin scramble.
. "${top_srcdir:?}/tests/lib/harness.sh"
needs openssl

make_ca ca
make_cert one rsa:2048 keyUsage=critical,digitalSignature
soon=$(date -u -d '+5 days 1 hour' +%Y%m%d%H%M%SZ)
make_cert soon ec:P-256 keyUsage=critical,digitalSignature until="$soon"
make_cert history ec:P-256 issuer=self keyUsage=critical,digitalSignature until=20210101000000Z
make_p12 one 'se<ret 1'
cat soon.key soon.pem >soon.bundle
cat history.key history.pem >history.bundle

cat >engine.xml <<'XML'
<?xml version="1.0" encoding="UTF-8"?>
<!-- a comment with pin.encrypted="not this one" -->
<engineSignEncrypt>
  <descriptors>
    <descriptor name="FileSigner" version="2"><type algorithm="SHA512withRSA" size="" key="one"/></descriptor>
    <descriptor name="Soon"><type algorithm="SHA-256" key="soon"/></descriptor>
    <descriptor name="ObjectHistorySigner"><type algorithm="SHA-256" key="history"/></descriptor>
  </descriptors>
  <keys>
    <key name="one">
      <type   name="pkcs12" locationValue="one.p12"
              pin.encrypted = "se&lt;ret 1" />
    </key>
    <key name="soon"><type name="pem" locationValue="soon.bundle"/></key>
    <key name="history"><type name="pem" locationValue="history.bundle"/></key>
  </keys>
</engineSignEncrypt>
XML
chmod 640 engine.xml
export SIGNENGINE_CONFIG="$tmp/engine.xml"

accepts signengine check
says 'FileSigner:2'
says 'SHA512withRSA RSA-2048'
says 'CN=one'
says 'the certificate expires in 5 days'
says 'pin.encrypted'
says_not 'FAILED'
says_not ', by software'
accepts signengine check --probe --days 3
says_not 'expires in'
says ', by software'
accepts signengine --json check --probe
says '"descriptor":"FileSigner","version":2,"key":"one","store":"pkcs12"'
says '"mechanism":"software","verdict":"ok"'
says '"verdict":"warning"'
[ "$(wc -l <"$out")" = 3 ] || fail "three rows are three lines"

# a row that fails does not hide the others, and decides the status
sed 's/soon.bundle/no.bundle/' engine.xml >broken.xml
refuses 69 signengine -c broken.xml check
says 'FAILED'
says 'no.bundle'
says 'ObjectHistorySigner:1'
sed 's/se&lt;ret 1/wrong/' engine.xml >broken.xml
refuses 77 signengine -c broken.xml check
sed 's/name="Soon"/name="ConfigZipSigner"/; s/soon.bundle/history.bundle/' engine.xml >broken.xml
refuses 78 signengine -c broken.xml check
says 'self-signed'

# ---- all errors of a file, with their lines ----
sed 's/algorithm="SHA512withRSA"/algorithm="SHA521withRSA"/; s/key="soon"/key="sonn"/' engine.xml >broken.xml
refuses 78 signengine -c broken.xml check
says 'broken.xml:5: '
says 'SHA512withRSA'
says 'broken.xml:6: '
says "'soon'"

# ---- config ----
accepts signengine config show
says 'descriptor FileSigner:2'
says 'SHA512withRSA'
says '***'
says_not 'ret 1'
accepts signengine --json config show
says '"item":"descriptor FileSigner:2"'
fingerprint() { signengine "$@" config fingerprint; }
accepts fingerprint
before=$(cat "$out")
[ "${#before}" = 64 ] || fail "not a SHA-256: $before"
sed 's/se&lt;ret 1/another/; s/a comment with/another comment with/' engine.xml >same.xml
accepts fingerprint -c same.xml
[ "$(cat "$out")" = "$before" ] || fail "PINs and comments count"
sed 's/SHA512withRSA/SHA256withRSA/' engine.xml >different.xml
accepts fingerprint -c different.xml
[ "$(cat "$out")" != "$before" ] || fail "an algorithm does not count"
accepts fingerprint --json
says "\"fingerprint\":\"$before\""

# ---- pin scramble ----
cp engine.xml plain.xml
accepts signengine pin scramble --in-place
says '1 value scrambled'
says_not 'ret 1'
[ "$(stat -c %a pin.key)" = 600 ] || fail "pin.key can be read by others"
[ "$(stat -c %a engine.xml)" = 640 ] || fail "the mode changed"
grep -q 'se&lt;ret' engine.xml && fail "the PIN is still there"
# nothing but that value has changed
diff plain.xml engine.xml | grep '^[<>]' >changes || :
[ "$(wc -l <changes)" = 2 ] || fail "more than one line changed"
sed 's/pin.encrypted = "{se1}[A-Za-z0-9+\/=]*"/pin.encrypted = "se\&lt;ret 1"/' engine.xml >back.xml
same back.xml plain.xml
accepts signengine check --probe
says_not 'pin.encrypted'
accepts signengine pin scramble --in-place
says '0 values scrambled'
accepts fingerprint
[ "$(cat "$out")" = "$before" ] || fail "scrambling changed the fingerprint"

one_pin() { printf 'se<ret 1\n' | signengine pin scramble "$@"; }
accepts one_pin
value=$(cat "$out")
accepts one_pin
[ "$(cat "$out")" != "$value" ] || fail "the same PIN twice gives the same value"
sed "s|pin.encrypted = \".*\"|pin.encrypted=\"$value\"|" engine.xml >pasted.xml
accepts signengine -c pasted.xml check
others_pin() { printf 'se<ret 1\n' | signengine pin scramble --pin-key other.key; }
accepts others_pin
sed "s|pin.encrypted = \".*\"|pin.encrypted=\"$(cat "$out")\"|" engine.xml >pasted.xml
refuses 77 signengine -c pasted.xml check
says 'pin.key'
mv pin.key away
refuses 77 signengine check
says 'pin.key'
mv away pin.key
nothing() { signengine pin scramble </dev/null; }
refuses 64 nothing
zero() { printf 'a\000b\n' | signengine pin scramble; }
refuses 64 zero
# Control-C at the prompt leaves a terminal that echoes
interrupted() {
    { sleep 0.5 && printf '12\003'; } | script -qec '"$top_builddir/signengine" pin scramble; stty -a' -E always /dev/null
}
if command -v script >/dev/null; then
    accepts interrupted
    says 'PIN: '
    says ' echo '
fi
refuses 66 signengine -c no.xml pin scramble --in-place
echo '<engineSignEncrypt' >bad.xml
refuses 78 signengine -c bad.xml pin scramble --in-place
[ "$(cat bad.xml)" = '<engineSignEncrypt' ] || fail "a bad file was touched"
refuses 77 one_pin --pin-key no-such-folder/key
