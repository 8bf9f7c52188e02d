#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# zip sign --tsa: time stamps of an `openssl ts` authority, as jarsigner and zip verify see them; authorities that are away, refuse or lie;
# and what a time stamp is worth to zip verify and to verify.
. "${top_srcdir:?}/tests/lib/harness.sh"
needs openssl python3 jarsigner keytool

make_ca ca
make_ca other
make_cert one rsa:2048 keyUsage=critical,digitalSignature until=20400101000000Z
make_tsa
cat one.key one.pem ca.pem >one.bundle
cat >engine.xml <<XML
<engineSignEncrypt>
  <descriptors><descriptor name='ConfigZipSigner'><type algorithm='SHA-256' key='one'/></descriptor></descriptors>
  <keys><key name='one'><type name='pem' locationValue='one.bundle'/></key></keys>
</engineSignEncrypt>
XML
chmod 600 engine.xml
export SIGNENGINE_CONFIG="$tmp/engine.xml"
setup keytool -importcert -noprompt -alias ca -file ca.pem -keystore trust.p12 -storepass changeit
setup python3 -c "import zipfile; zipfile.ZipFile('plain.zip', 'w').writestr('a', 'content')"

serve authority

accepts signengine zip sign plain.zip -o signed.zip --tsa "$tsa_url/"
accepts signengine zip verify signed.zip
accepts jarsigner -verify -strict -keystore trust.p12 -storepass changeit signed.zip
says 'jar verified.'
accepts jarsigner -verify -verbose -certs -keystore trust.p12 -storepass changeit signed.zip
says 'Timestamped by "CN=tsa"'
says_not 'not include a timestamp'

# the second of two, by a policy that is asked for
accepts signengine zip sign plain.zip -o second.zip --tsa "$tsa_away" --tsa "$tsa_url/made?accuracy=020101" --tsa-policy 1.2.3.4
accepts jarsigner -verify -strict -keystore trust.p12 -storepass changeit second.zip
says 'jar verified.'
accepts signengine zip verify second.zip
says ' UTC ±1 s by CN=tsa'
accepts signengine --json zip verify second.zip
says '"accuracyMicroseconds":1000000,"authority":"CN=tsa"}'
refuses 1 signengine zip sign plain.zip -o third.zip --tsa "$tsa_url/made?policy=2a0309" --tsa-policy 1.2.3.4
says 'no time stamp for what was asked: policy mismatch'
[ ! -e third.zip ] || fail 'there is an archive'

# what it is worth: the signer's certificate ends in 2040, the authority's does not
accepts signengine zip verify signed.zip
says 'stamped    20'
says 'by CN=tsa'
accepts signengine --json zip verify signed.zip
says '"timeStamp":{"time":"20'
says '"authority":"CN=tsa"}'
accepts signengine zip verify signed.zip --time 2050-01-01
accepts signengine zip verify signed.zip --time 2050-01-01 --trust ca.pem
accepts signengine zip verify signed.zip --time 2050-01-01 --trust ca.pem --trust-tsa ca.pem
accepts signengine zip sign plain.zip -o unstamped.zip
refuses 1 signengine zip verify unstamped.zip --time 2050-01-01
says 'The certificate has expired.'
says_not 'time stamp'
accepts signengine --json zip verify unstamped.zip
says '"timeStamp":null'

# RFC 3161 has authorities name their certificate by SHA-1, RFC 5816 by others
setup sed -i 's/^ess_cert_id_alg = .*/ess_cert_id_alg = sha1/' ts.conf
accepts signengine zip sign plain.zip -o older.zip --tsa "$tsa_url/"
accepts signengine zip verify older.zip --time 2050-01-01 --trust ca.pem
says 'by CN=tsa'
setup sed -i 's/^ess_cert_id_alg = .*/ess_cert_id_alg = sha256/' ts.conf

# CAs of authorities, and those of signers, can be kept apart
refuses 1 signengine zip verify signed.zip --time 2050-01-01 --trust ca.pem --trust-tsa other.pem
says 'its time stamp does not count (its authority is not trusted: CN='
says 'The certificate has expired.'
accepts signengine zip verify signed.zip --trust ca.pem --trust-tsa other.pem
says 'stamped    but that does not count: its authority is not trusted'
accepts signengine --json zip verify signed.zip --trust ca.pem --trust-tsa other.pem
says '"timeStamp":{"ignored":"its authority is not trusted'
refuses 1 signengine zip verify signed.zip --trust other.pem --trust-tsa ca.pem
says 'the signer is not trusted'
refuses 66 signengine zip verify signed.zip --trust-tsa absent.pem

# CAs of the system name no authorities
cat one.key one.pem >alone.bundle
setup sh -c "sed 's/one.bundle/alone.bundle/' engine.xml >alone.xml"
export SSL_CERT_FILE="$tmp/ca.pem" SSL_CERT_DIR="$tmp/none"
accepts signengine -c alone.xml zip verify signed.zip
says 'stamped    but that does not count: its authority is not trusted'
accepts signengine -c alone.xml zip verify signed.zip --trust-tsa ca.pem
says 'by CN=tsa'
refuses 1 signengine -c alone.xml zip verify signed.zip --time 2050-01-01
accepts signengine -c alone.xml zip verify signed.zip --time 2050-01-01 --trust-tsa ca.pem
unset SSL_CERT_FILE SSL_CERT_DIR

# the same of other CMS signatures
export PYTHONDONTWRITEBYTECODE=1
echo content >content
accepts signengine sign -d ConfigZipSigner content -o content.cms
setup python3 "$top_srcdir/tests/zip/stamps.py" content.cms 20300601000000Z tsa
accepts openssl cms -verify -binary -inform DER -in content.cms -content content -CAfile ca.pem -purpose any
accepts signengine verify -d ConfigZipSigner -s content.cms content --time 2050-01-01 --trust-tsa ca.pem
says 'stamped    2030-06-01 00:00:00 UTC by CN=tsa'
accepts signengine verify -d ConfigZipSigner -s content.cms content --time 2050-01-01 --trust ca.pem
refuses 1 signengine verify -d ConfigZipSigner -s content.cms content --time 2050-01-01
says 'its time stamp does not count (no CA is trusted to name time stamping authorities)'
accepts signengine verify -d ConfigZipSigner -s content.cms content --time 2030-01-01 --trust-tsa ca.pem
says 'does not count: it is from later than'
# clocks differ, by five minutes at the most
accepts signengine verify -d ConfigZipSigner -s content.cms content --time 2030-05-31T23:55Z --trust-tsa ca.pem
says 'stamped    2030-06-01 00:00:00 UTC by CN=tsa'
accepts signengine verify -d ConfigZipSigner -s content.cms content --time 2030-05-31T23:54:59Z --trust-tsa ca.pem
says 'does not count: it is from later than'
accepts signengine sign -d ConfigZipSigner content -o late.cms
setup python3 "$top_srcdir/tests/zip/stamps.py" late.cms 20410601000000Z tsa
refuses 1 signengine verify -d ConfigZipSigner -s late.cms content --time 2050-01-01 --trust-tsa ca.pem
says 'at the time of its time stamp (2041-06-01): '
refuses 64 signengine verify -d ConfigZipSigner --xml content --trust-tsa ca.pem

# nothing is written when there is no time stamp
cp plain.zip place.zip
refuses 1 signengine zip sign place.zip --tsa "$tsa_url/other"
says "time stamping authority '$tsa_url/other'"
same plain.zip place.zip
refuses 1 signengine zip sign place.zip --tsa "$tsa_url/refuses"
refuses 69 signengine zip sign place.zip --tsa "$tsa_url/garbage"
refuses 69 signengine zip sign place.zip --tsa "$tsa_url/missing"
same plain.zip place.zip
stop_servers
refuses 69 timeout 20 "${top_builddir:?}/signengine" zip sign place.zip --tsa "$tsa_url/"
says 'no connection: Connection refused'
refuses 69 signengine zip sign place.zip --tsa http://no..host/
says 'no connection: Name or service not known'
refuses 64 signengine zip sign place.zip --tsa https://127.0.0.1/
refuses 64 signengine zip sign place.zip --tsa 'not a URL'
same plain.zip place.zip
