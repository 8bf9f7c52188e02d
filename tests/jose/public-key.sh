#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A public key without a certificate, of somebody whose signatures are verified: what it is for, what it is not, and what is said of it.
. "${top_srcdir:?}/tests/lib/harness.sh"
needs openssl python3

umask 077
make_ca ca
make_cert phone rsa:2048
make_cert other rsa:2048
cat phone.key phone.pem ca.pem >phone.both
setup openssl pkey -in phone.key -pubout -out phone.pub
setup openssl pkey -in other.key -pubout -out other.pub
cat >engine.xml <<'XML'
<engineSignEncrypt>
  <descriptors>
    <descriptor name='Phone'><type algorithm='RS256' key='phone'/></descriptor>
    <descriptor name='att_phone'><type algorithm='RS256' key='public'/></descriptor>
    <descriptor name='att_raw'><type algorithm='SHA256withRSA' key='public'/></descriptor>
    <descriptor name='att_other'><type algorithm='RS256' key='other'/></descriptor>
    <descriptor name='att_fields'><type algorithm='AES/GCM/NoPadding' asymCipher='RSA/ECB/OAEPWithSHA-384AndMGF1Padding' key='public'/></descriptor>
  </descriptors>
  <keys>
    <key name='phone'><type name='pem' locationValue='phone.both'/></key>
    <key name='public'><type name='pem' locationValue='phone.pub'/></key>
    <key name='other'><type name='pem' locationValue='other.pub'/></key>
  </keys>
</engineSignEncrypt>
XML
export SIGNENGINE_CONFIG="$tmp/engine.xml"
echo content >file
setup signengine jws sign -d Phone file
setup signengine jwt sign -d Phone --no-expiry -o token
setup signengine jws sign -d Phone --certificates file -o named.jws

# ---- it verifies ----
verify() { signengine jws verify -d att_phone "$@" file.jws; }
accepts verify
says 'signer     CN=public key without a certificate'
accepts signengine jwt verify -d att_phone --no-expiry token
refuses 1 signengine jws verify -d att_other file.jws
says '(kid)'
accepts signengine jws verify -d att_phone named.jws # the certificate in its header has that key
refuses 1 signengine jws verify -d att_other named.jws
setup openssl dgst -sha256 -sign phone.key -out file.sig file
accepts signengine verify -d att_raw --raw -s file.sig file
echo changed >changed
refuses 1 signengine verify -d att_raw --raw -s file.sig changed
# nobody has said who that is: what names a signer by his certificate names somebody else
sed "s/algorithm='RS256' key='phone'/algorithm='SHA256withRSA' key='phone'/" engine.xml >files.xml
setup signengine -c files.xml sign -d Phone file
refuses 1 signengine verify -d att_raw file
says 'signed with a certificate that the descriptor does not have: CN=phone'

# ---- revocation: there is nothing to look at ----
accepts verify
says 'revocation not looked at'
setup issue_crl ca.crl ca
accepts verify --crl ca.crl
says 'revocation unknown: CN=public key without a certificate: there is nothing to look at'
refuses 1 verify --crl ca.crl --require-revocation-check
says "whether it was revoked can't be found out: CN=public key without a certificate: there is nothing to look at"

# ---- it does nothing else ----
refuses 78 signengine jws sign -d att_phone file
says 'no private key in it'
refuses 78 signengine sign --raw -d att_raw file
encrypt() { printf x | signengine encrypt -d att_fields; }
refuses 78 encrypt
says 'a public key without a certificate only verifies'
refuses 78 signengine certificates -d att_phone
says "descriptor 'att_phone': version 1 has a public key without a certificate"
# nor for others than att_
sed "s/'att_raw'/'Files'/" engine.xml >named.xml
refuses 1 signengine -c named.xml verify -d Files --raw -s file.sig file
says 'it is a public key without a certificate, which is for descriptors whose names begin with att_'
# a private key wants its certificate
cat phone.key phone.pub >pair.pem
sed 's/phone.pub/pair.pem/' engine.xml >pair.xml
refuses 78 signengine -c pair.xml jws verify -d att_phone file.jws
says 'certificate'

# ---- what is said of it ----
refuses 78 signengine check
says 'a public key without a certificate only verifies' # att_fields
grep -v att_fields engine.xml >good.xml
accepts signengine -c good.xml check
says 'its public key has no certificate: nothing says whose it is, until when, or whether it was revoked'
says 'it is for what others sign'
accepts signengine key jwks -d att_phone -o keys.json
python3 - >found <<'PYTHON'
import json
key, = json.load(open("keys.json"))["keys"]
print(*sorted(key))
PYTHON
[ "$(cat found)" = 'alg e kid kty n use' ] || fail "$(cat found)"
setup signengine key jwks -d Phone -o own.json
accepts python3 -c 'import json; print({json.load(open(n))["keys"][0]["kid"] for n in ("keys.json", "own.json")}.__len__())'
says 1
accepts signengine config show
says 'phone.pub'

# ---- what can't be read ----
sed 's/^M/N/' phone.pub >bent.pub
sed 's/phone.pub/bent.pub/' engine.xml >bent.xml
refuses 78 signengine -c bent.xml jws verify -d att_phone file.jws
says "bent.pub': the public key can't be read"
