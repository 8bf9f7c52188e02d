# SPDX-License-Identifier: Apache-2.0
# `retire`: a version goes, unless something is found that it has made, of every kind, each made by our own commands; and what does not tell
# who has made it is in the way, too.
. "${top_srcdir:?}/tests/lib/harness.sh"
needs openssl jq
echo data >data
head -c 100000 /dev/zero | tr '\0' x >big
export SIGNENGINE_CONFIG="$tmp/engine.xml"
cipher='algorithm="AES/GCM/NoPadding" asymCipher="RSA/ECB/OAEPWithSHA-1AndMGF1Padding"'
cat >engine.xml <<XML
<?xml version="1.0"?>
<engineSignEncrypt>
  <descriptors>
    <!-- files -->
    <descriptor  version='1' name='Files'>
       <type algorithm="SHA256withRSA"   key='signer'/> <!-- since 2024 -->
    </descriptor>
    <descriptor name="SignEmailDescriptor"><type algorithm="SHA256withRSA" key="mailer"/></descriptor>
    <descriptor name="ObjectHistorySigner"><type algorithm="SHA-256" key="sealer"/></descriptor>
    <descriptor name="Fields"><type $cipher key="cipher"/></descriptor>
    <descriptor name="Cms"><type $cipher result="CMS" key="cms"/></descriptor>
    <descriptor name="Jwe"><type $cipher result="JWE" key="jwe"/></descriptor>
    <descriptor name="Bare"><type asymCipher="RSA/ECB/OAEPWithSHA-1AndMGF1Padding" key="bare"/></descriptor>
    <descriptor name="Admin"><type algorithm="SHA256withRSA" key="admin"/></descriptor>
  </descriptors>
  <keys>
    <key name="signer"><type name="pem" locationValue="signer.pem"/></key>
    <key name="mailer"><type name="pem" locationValue="mailer.pem"/></key>
    <key name="sealer"><type name="pem" locationValue="sealer.pem"/></key>
    <key name="cipher"><type name="pem" locationValue="cipher.pem"/></key>
    <key name="cms"><type name="pem" locationValue="cms.pem"/></key>
    <key name="jwe"><type name="pem" locationValue="jwe.pem"/></key>
    <key name="bare"><type name="pem" locationValue="bare.pem"/></key>
    <key name="admin"><type name="pem" locationValue="admin.pem"/></key>
  </keys>
</engineSignEncrypt>
XML
cp engine.xml original.xml
for key in signer sealer cipher cms jwe bare admin; do
    accepts signengine -q key generate $key --type rsa:2048 --subject "/CN=$key"
done
make_ca ca
accepts signengine -q key generate mailer --type rsa:2048 --subject /CN=mailer --san email:alice@example.org
answer() { # REQUEST
    setup openssl x509 -req -in "$1" -CA ca.pem -CAkey ca.key -CAcreateserial -days 100 -copy_extensions copyall -out answer.pem
    cat ca.pem >>answer.pem
}
accepts signengine key request mailer --subject /CN=mailer --san email:alice@example.org -o mailer.csr
answer mailer.csr
accepts signengine -q key certificate mailer answer.pem

# ---- what a version has made ----
printf 'From: alice@example.org\nTo: bob@example.org\nSubject: s\nDate: Wed, 02 Dec 2026 01:00:00 +0000\nMIME-Version: 1.0\n\nHello\n' >plain.eml
echo '<order/>' >order.xml
python3 -c 'import zipfile; z = zipfile.ZipFile("plain.zip", "w"); z.writestr("a.txt", "a")'
make_all() { # FOLDER: one thing of each kind, by the versions that are current
    mkdir "$1"
    accepts signengine sign -d Files -o "$1/detached.p7s" data
    accepts signengine sign --pem -d Files -o "$1/detached.pem" data
    accepts signengine sign --attached -d Files -o "$1/attached.p7m" data
    accepts signengine sign --xml -d Files -o "$1/order.xml" order.xml
    accepts signengine zip sign -d Files -o "$1/signed.zip" plain.zip
    accepts signengine sign --raw -d Files -o "$1/raw.sig" data
    accepts signengine jws sign -d Files -o "$1/compact.jws" data
    accepts signengine jws sign -d Files --detached -o "$1/detached.jws" data
    accepts signengine jws sign -d Files --flattened -o "$1/json.jws" big
    accepts signengine jws sign -d Files --general --key-id ours --certificates -o "$1/certificate.jws" data
    accepts signengine jws sign -d Files --key-id ours -o "$1/named.jws" data
    echo '{"sub":"somebody"}' >claims
    accepts signengine jwt sign -d Files --no-expiry -o "$1/token.jwt" claims
    accepts signengine mail sign -o "$1/message.eml" plain.eml
    accepts signengine mail sign --opaque -o "$1/opaque.eml" plain.eml
    accepts signengine zip encrypt -d Fields -o "$1/container.nx02" data
    for name in Fields Cms Jwe Bare; do
        printf 'one\ntwo\n' | signengine encrypt -d $name --lines -o "$1/$name.lines"
        signengine encrypt -d $name --binary -o "$1/$name.value" data || :
    done
}
make_all old
accepts signengine history create -s sqlite:history.db
accepts signengine history append -s sqlite:history.db --object o data

# ---- what is current, the newest or the only one stays ----
refuses 78 signengine retire Files:1 --yes
says "version 1 is the newest of 'Files'"
refuses 78 signengine retire Files:2 --yes
refuses 78 signengine retire None:1 --yes
refuses 64 signengine retire Files --yes
says 'say Files:VERSION'
refuses 64 signengine retire
refuses 64 signengine retire Files:1 --chain default --yes
for name in Files SignEmailDescriptor ObjectHistorySigner Fields Cms Jwe Bare; do
    accepts signengine -q rotate --now $name
done
answer mailer-v2.csr
accepts signengine -q rotate --now SignEmailDescriptor --continue answer.pem
cp engine.xml rotated.xml
accepts signengine -q rotate Admin
refuses 78 signengine retire Admin:1 --yes
says "version 1 of 'Admin' is the one that signs now"
sed -i '/name="Admin" version="2"/ s/version="2"/version="2" signs="false"/; /name="Admin" version="2"/ s/from="[^"]*"//' engine.xml
refuses 78 signengine retire Admin:1 --yes
cp rotated.xml engine.xml
make_all new

# ---- everything of the old version is in the way, nothing of the new one is ----
in_use() { # WHAT ARGUMENT...
    refuses 1 signengine retire "$@" --yes
    says ' by '
    says 'which nothing reads without it'
    same engine.xml rotated.xml
}
for file in detached.p7s detached.pem attached.p7m order.xml signed.zip compact.jws detached.jws json.jws certificate.jws token.jwt; do
    in_use Files:1 old/$file
    accepts signengine retire Files:1 new/$file --dry-run
done
for file in message.eml opaque.eml; do
    in_use SignEmailDescriptor:1 --mail old/$file
    accepts signengine retire SignEmailDescriptor:1 --mail new/$file --dry-run
    refuses 65 signengine retire SignEmailDescriptor:1 new/$file --yes
    says 'a message with a signature'
    accepts signengine mail signers old/$file new/$file plain.eml
    says "old/$file: SignEmailDescriptor:1"
    says "new/$file: SignEmailDescriptor:2"
    says "plain.eml: none of 'SignEmailDescriptor'"
done
for name in Fields Cms Jwe; do
    in_use $name:1 --lines old/$name.lines
    says '2 lines, the first is line 1'
    in_use $name:1 old/$name.value
    accepts signengine retire $name:1 --lines new/$name.lines new/$name.value --dry-run
    says "- descriptor $name:1: "
done
in_use Fields:1 old/container.nx02
# the last byte of a binary value may be that of a blank, or a zero
for byte in '\040' '\n' '\0'; do
    for name in Fields Cms; do
        head -c -1 old/$name.value >ended.value
        printf '%b' "$byte" >>ended.value
        in_use $name:1 ended.value
    done
done
accepts signengine retire Fields:1 new/container.nx02 --dry-run
sed 's/^/key	/' old/Fields.lines >keyed
cat new/Fields.lines keyed >mixed
in_use Fields:1 --lines mixed
says '2 lines, the first is line 3'
in_use ObjectHistorySigner:1 --store sqlite:history.db
says "chain 'default': seals 1 to 2"
refuses 64 signengine retire ObjectHistorySigner:1 --store sqlite:history.db --chain other --yes
accepts signengine history list -s sqlite:history.db --sealers
says 'seals 1 to 2 by ObjectHistorySigner:1'
# all at once, of which each is told
refuses 1 signengine --json retire Files:1 old new --yes
cp "$out" rows
accepts jq -rs '[.[] | select(.found) | .place] | sort | join(" ")' rows
says 'old/attached.p7m old/certificate.jws old/compact.jws old/detached.jws old/detached.p7s old/detached.pem old/json.jws old/order.xml old/signed.zip old/token.jwt'

# ---- what does not tell ----
unknown() { # TEXT ARGUMENT...
    text=$1
    shift
    refuses 65 signengine retire "$@" --yes
    says "$text"
    same engine.xml rotated.xml
    accepts signengine retire "$@" --skip-unknown --dry-run
}
unknown 'a raw signature' Files:1 new/raw.sig
unknown "a JWS that calls its key 'ours' (kid), which is no thumbprint" Files:1 new/named.jws
unknown 'bare RSA-OAEP' Bare:1 new/Bare.value
unknown 'the first is line 1' Bare:1 --lines new/Bare.lines
head -c 300 new/detached.p7s >cut.p7s
unknown 'a broken CMS message' Files:1 cut.p7s
head -c 40 new/Fields.value >cut.value
unknown 'not understood' Fields:1 cut.value
head -c 400 new/Cms.value >cut.value
unknown 'a damaged encrypted value' Cms:1 cut.value
unknown 'the first is line 1' Fields:1 --lines data
head -c 200 new/signed.zip >cut.zip
unknown 'a zip' Files:1 cut.zip
sed 's/<ds:Object.*//; s/X509Certificate/X509Cert/g' new/order.xml >odd.xml
unknown 'odd.xml' Files:1 odd.xml
sed 's/^MII/M~I/' new/message.eml >cut.eml
unknown 'cut.eml' SignEmailDescriptor:1 --mail cut.eml
# others' things are in nobody's way
mkdir others
setup openssl req -x509 -newkey rsa:2048 -nodes -keyout others/key.pem -out others/cert.pem -subj /CN=others -days 3
setup openssl cms -sign -binary -in data -signer others/cert.pem -inkey others/key.pem -outform DER -out others/signed.p7s
setup openssl x509 -in others/cert.pem -outform DER -out others/cert.der
echo '{"signature":"none"}' >others/plain.json
part() { printf '%s' "$1" | openssl base64 -A | tr '+/' '-_' | tr -d '='; }
jws() { printf '%s.%s.%s' "$(part "$1")" "$(part data)" "$(part value)"; } # HEADER: what is no signature, but says whose it is
thumbprint=$(printf 'somebody' | openssl dgst -sha256 -binary | openssl base64 -A | tr '+/' '-_' | tr -d '=')
jws "{\"alg\":\"RS256\",\"kid\":\"$thumbprint\"}" >others/foreign.jws
jws '{"alg":"RS256"}' >nameless.jws
unknown 'a JWS that does not say by which key it was made' Files:1 nameless.jws
# as long as a thumbprint
name=jwt-signing-key.2026.production.example.org
jws "{\"alg\":\"RS256\",\"kid\":\"$name\"}" >long.jws
unknown "calls its key '$name' (kid), which is no thumbprint" Files:1 long.jws
cp data plain.eml plain.zip order.xml others
accepts signengine retire Files:1 others --dry-run
refuses 66 signengine retire Files:1 nowhere --yes
refuses 66 signengine retire Files:1 --lines nowhere --yes
refuses 69 signengine retire Files:1 --store sqlite:nowhere.db --yes

# ---- asked first ----
refuses 64 signengine retire Files:1 </dev/null
says 'nothing was looked through'
refuses 64 signengine retire Files:1 new/detached.p7s </dev/null
same engine.xml rotated.xml

# ---- it goes ----
chmod 640 engine.xml
accepts signengine retire Files:1 new others --skip-unknown --yes
says 'Files:1 is retired'
says 'signengine key delete signer'
diff rotated.xml engine.xml >changes || :
accepts grep -c '^[<>]' changes
accepts grep "<!-- retired $(date -u +%Y-%m-%d): <descriptor  version='1' name='Files'>" engine.xml
[ "$(stat -c %a engine.xml)" = 640 ] || fail 'another mode'
accepts signengine check --probe
refuses 78 signengine verify -d Files -s old/detached.p7s data
accepts signengine verify -d Files -s new/detached.p7s data
refuses 78 signengine retire Files:1 --yes
cp signer.pem kept.pem
accepts signengine key delete signer --yes
accepts signengine check --probe
# values that were re-keyed are no reason to keep it
accepts signengine rekey --lines -d Fields --rejects bad -o rekeyed old/Fields.lines
accepts signengine --json retire Fields:1 --lines rekeyed --yes
says '"version":1'
says '"keyUsed":false'
refuses 78 signengine decrypt -d Fields old/Fields.value
accepts signengine decrypt -d Fields --lines rekeyed
says two
# a seal that vouches for those before it
accepts signengine history append -s sqlite:history.db --object o data
in_use_now=$(sha256sum engine.xml)
refuses 1 signengine retire ObjectHistorySigner:1 --store sqlite:history.db --yes
[ "$(sha256sum engine.xml)" = "$in_use_now" ] || fail 'the configuration was changed'
accepts signengine history resign -s sqlite:history.db
accepts signengine retire ObjectHistorySigner:1 --store sqlite:history.db --yes
accepts signengine history verify -s sqlite:history.db

# ---- two versions with one key: the other one reads it ----
cp rotated.xml engine.xml
sed -i 's/key="cipher-v2"/key="cipher"/' engine.xml
accepts signengine retire Fields:1 --lines old/Fields.lines --yes
says "key 'cipher' stays, for it is used otherwise"
accepts signengine decrypt -d Fields --lines old/Fields.lines
says two

# ---- a comment inside, and a signed configuration ----
cp rotated.xml engine.xml
mv kept.pem signer.pem
rm admin-v2.pem
sed -i "s/<type algorithm=\"SHA256withRSA\"   key='signer'\/>/<!-- c --> &/" engine.xml
cp engine.xml rotated.xml
accepts signengine config sign -d Admin
setup openssl x509 -in admin.pem -out admin.crt
refuses 64 signengine --trust-config admin.crt retire Files:1 --yes
says 'say with --sign'
accepts signengine --trust-config admin.crt retire Files:1 --mail new/message.eml --sign Admin --yes
accepts grep '<!- - c - ->' engine.xml
accepts signengine --trust-config admin.crt check --probe
accepts signengine config verify --trust-config admin.crt
# the configuration itself is something that Admin:1 has signed
accepts signengine --trust-config admin.crt -q rotate --now Admin --sign Admin
refuses 1 signengine --trust-config admin.crt retire Admin:1 engine.xml --sign Admin --yes

# ---- one at a time ----
flock engine.xml sh -c ': >held && exec sleep 30' &
holder=$!
until [ -e held ]; do sleep 0.05; done
refuses 69 signengine --trust-config admin.crt retire Files:2 --yes
says 'another `rotate` or `retire` is at work'
kill "$holder"
