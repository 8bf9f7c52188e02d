#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Who may do what: access test, access list, check; config show, diff, sign; and certificates that openssl has made.
. "${top_srcdir:?}/tests/lib/harness.sh"
needs openssl python3 xmllint

user=$(id -un) group=$(id -gn) uid=$(id -u)
make_ca clients
make_ca others
make_cert app ec:P-256 issuer=clients subject=/C=SE/O=Example/CN=app1 keyUsage=critical,digitalSignature \
    extendedKeyUsage=clientAuth "subjectAltName=DNS:App1.example.test,IP:192.0.2.7,URI:urn:app:1"
make_cert alien ec:P-256 issuer=others subject=/C=SE/O=Example/CN=app1 keyUsage=critical,digitalSignature \
    extendedKeyUsage=clientAuth "subjectAltName=DNS:app1.example.test"
make_cert wild ec:P-256 issuer=clients 'subjectAltName=DNS:*.example.test'
fingerprint=$(openssl x509 -in app.pem -noout -fingerprint -sha256 | sed 's/.*=//')

# configuration ACCESS: engine.xml with these rows, the first in line 7
configuration() {
    cat >engine.xml <<-XML
	<engineSignEncrypt>
	  <descriptors>
	    <descriptor name="Files"><type algorithm="SHA-256" key="one"/></descriptor><descriptor name="Files" version="2"><type algorithm="SHA-512" key="two"/></descriptor>
	  </descriptors>
	  <keys><key name="one"><type name="pem" locationValue="one.bundle"/></key><key name="two"><type name="pem" locationValue="two.bundle"/></key></keys>
	  <access>
	$1
	  </access>
	</engineSignEncrypt>
	XML
}
make_ca ca
for name in one two; do
    make_cert $name ec:P-256 keyUsage=critical,digitalSignature extendedKeyUsage=codeSigning
    cat $name.key $name.pem ca.pem >$name.bundle
done
chmod 600 ./*.bundle
export SIGNENGINE_CONFIG="$tmp/engine.xml"

configuration "<allow name='portal' operations='verify sign' perMinute='6000'><user name='$user'/>
  <certificate san='DNS:app1.example.test' issuer='CN=Test CA clients'/><descriptor name='Files'/></allow>
<allow name='old values' operations='decrypt'><group name='$group'/><descriptor name='Files' version='1'/></allow>
<allow name='cards' operations='history-append history-read'><group name='$group'/><history name='default'/></allow>
<allow name='by hash' operations='certificates'><certificate sha256='$fingerprint'/><descriptor name='Files'/></allow>
<allow name='by address' operations='check'><certificate san='IP:192.0.2.7' subject='CN=app1,O=Example,C=SE'/></allow>"
accepts xmllint --noout --schema "$top_srcdir/schemas/engineSignEncrypt.xsd" engine.xml

# ---- access test: processes ----
may() { signengine access test "$@"; }
accepts may --user "$user" --operation sign -d Files
[ "$(cat "$out")" = "allowed by 'portal' ($tmp/engine.xml:7), 6000 a minute" ] || fail "another text"
accepts may --uid "$uid" --operation sign -d Files:2
accepts may --user "$user" --operation decrypt -d Files
says "allowed by 'old values' ($tmp/engine.xml:9), version 1 only"
accepts may --user "$user" --operation decrypt -d Files:1
says_not 'only'
accepts may --uid 4000000 --group "$group" --operation history-append --history default
says "'cards'"
accepts signengine -q access test --uid "$uid" --operation sign -d Files
[ -s "$out" ] && fail "--quiet prints"
refuses 77 may --user "$user" --operation decrypt -d Files:2
says "no row allows it; nearest: 'old values' ($tmp/engine.xml:9) allows decrypt with Files:1"
refuses 77 may --user "$user" --operation rekey -d Files
says "nearest: 'portal' ($tmp/engine.xml:7) allows sign, verify with Files"
refuses 77 may --uid "$uid" --operation decrypt -d Files
says "nearest: 'portal'"
refuses 77 may --user "$user" --operation history-read --history other
says "nearest: 'cards' ($tmp/engine.xml:10) allows history-append, history-read with history default"
refuses 77 may --user "$user" --operation sign -d Nothing
refuses 77 may --user "$user" --operation sign
refuses 77 may --uid 4000000 --operation sign -d Files
says 'no row allows it, for none names that caller'
if [ "$uid" != 0 ]; then
    refuses 77 may --user root --operation sign -d Files
fi

# ---- access test: certificates ----
accepts may --certificate app.pem --operation sign -d Files
says "'portal'"
accepts may --certificate app.pem --issuer clients.pem --operation verify -d Files
setup openssl x509 -in app.pem -outform DER -out app.der
accepts may --certificate app.der --operation certificates -d Files
says "'by hash'"
accepts may --certificate app.pem --operation check
says "'by address'"
refuses 77 may --certificate alien.pem --operation sign -d Files
refuses 77 may --certificate wild.pem --operation sign -d Files
refuses 77 may --certificate alien.pem --operation certificates -d Files
refuses 77 may --certificate app.pem --operation decrypt -d Files
refuses 64 may --certificate app.pem --issuer others.pem --operation sign -d Files
says 'the issuer did not issue the certificate'
refuses 65 may --certificate engine.xml --operation sign -d Files
refuses 66 may --certificate missing.pem --operation sign -d Files

# ---- JSON ----
objects() { # COUNT EXPRESSION
    python3 -c '
import json, sys
rows = [json.loads(line) for line in open(sys.argv[1])]
assert len(rows) == int(sys.argv[2]), "%d objects" % len(rows)
o = rows[-1]
assert eval(sys.argv[3]), o' "$out" "$@" 2>"$tmp/.python" || fail "$(tail -n 1 "$tmp/.python")"
}
accepts may --json --user "$user" --operation decrypt -d Files
objects 1 'o["allowed"] is True and o["version"] == 1 and o["row"]["row"] == "old values" and o["row"]["line"] == 9'
refuses 77 may --json --user "$user" --operation rekey -d Files
objects 1 'o["allowed"] is False and o["nearest"]["row"] == "portal" and o["nearest"]["perMinute"] == 6000'
refuses 77 may --json --uid 4000000 --operation sign -d Files
objects 1 'o["allowed"] is False and o["nearest"] is None'

# ---- access list, check ----
accepts signengine access list
says "1 'portal', 6000 a minute"
says "    who:  user $user, certificate issuer='CN=Test CA clients' san='DNS:app1.example.test'"
says '    what: sign, verify with Files'
says '    what: history-append, history-read with history default'
accepts signengine --json access list
objects 5 'o["operations"] == ["check"] and o["what"] == [] and o["who"][0]["subject"] == "CN=app1,O=Example,C=SE"'
accepts signengine --json access list --certificate app.pem
objects 3 'o["number"] == 5'
accepts signengine access list --certificate wild.pem
says 'no row names that caller: it may do nothing'
accepts signengine check
says 'ACCESS'
says "2 'old values'"
accepts signengine -q check
[ -s "$out" ] && fail "--quiet prints"
accepts signengine --json check
objects 7 'o["access"]["row"] == "by address"'

# ---- the order of rows counts, what a row says has none ----
fingerprint() { signengine config fingerprint; }
accepts fingerprint
before=$(cat "$out")
cp engine.xml before.xml
sed "s/verify sign/sign  verify/; s/perMinute='6000'/perMinute='06000'/" before.xml >engine.xml
accepts fingerprint
[ "$(cat "$out")" = "$before" ] || fail "spelling counts"
sed "s/<user name='$user'\/>/<user name='root'\/><user name='$user'\/>/; s/'6000'/'7000'/" before.xml >engine.xml
refuses_difference() { signengine config diff before.xml engine.xml; }
try refuses_difference
[ "$status" = 1 ] || fail "status $status, not 1"
says '- perMinute      6000'
says '+ perMinute      7000'
[ "$user" = root ] || says '+ user root'
cp before.xml engine.xml
accepts signengine config show
says 'access old values'
says 'descriptor Files:1 allowed'

# ---- the form that doc/formats.md documents ----
cat >documented.xml <<'XML'
<engineSignEncrypt>
  <descriptors>
    <descriptor name="FileSigner"><type algorithm="sha256WithRSA" key="k"/></descriptor>
  </descriptors>
  <keys>
    <key name="k"><type name="hsm" locationValue="libsofthsm2" alias="file signer" slot="0" pin="1234"/></key>
  </keys>
XML
sed -n '/^  <access>/,/^  <\/access>/p' "$top_srcdir/doc/formats.md" >>documented.xml
echo '</engineSignEncrypt>' >>documented.xml
accepts signengine -q -c documented.xml config fingerprint
grep -q -F "the fingerprint is \`$(cat "$out")\`" "$top_srcdir/doc/formats.md" || fail "doc/formats.md has another fingerprint"

# ---- signed: a right that is added is named ----
setup signengine config sign -d Files engine.xml
accepts signengine --trust-config ca.pem check
sed -i "s/<group name='$group'\/><history/<user name='$user'\/><group name='$group'\/><history/" engine.xml
refuses 1 signengine --trust-config ca.pem config verify
says "access cards: user $user 'allowed' was added"
refuses 78 signengine --trust-config ca.pem access test --user "$user" --operation sign -d Files
cp before.xml engine.xml

# ---- names that this machine lacks: one file serves several machines ----
sed "s/<user name='$user'\/>/&<user name='nobody-of-that-name'\/>/" before.xml >engine.xml
accepts signengine access list
says 'nobody-of-that-name'
accepts signengine check
says "engine.xml:7: warning: there is no user 'nobody-of-that-name' on this machine"
refuses 1 signengine check --strict
says '--strict: 1 warning'
refuses 78 may --user "$user" --operation sign -d Files
says "engine.xml:7: there is no user 'nobody-of-that-name' on this machine"

# ---- no rows ----
sed '/<access>/,/<\/access>/d' before.xml >engine.xml
refuses 77 may --user "$user" --operation sign -d Files
says 'no row of <access> allows anybody anything'
accepts signengine access list
says 'there is no row: nobody may do anything'
accepts signengine check
says_not 'ACCESS'
