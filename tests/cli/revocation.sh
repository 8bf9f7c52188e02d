#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# verify, mail verify, zip verify, jws verify, jwt verify --crl: CRLs of `openssl ca`, which of them counts, and what a time stamp is worth when a certificate
# was revoked after it, or before.
. "${top_srcdir:?}/tests/lib/harness.sh"
. "$top_srcdir/tests/mail/mail-lib.sh"
needs openssl python3

make_ca ca
make_ca other
make_cert sub ec:P-256 basicConstraints=critical,CA:TRUE keyUsage=critical,keyCertSign,cRLSign subjectKeyIdentifier=hash
mail_cert one rsa:2048 subjectAltName=email:alice@example.org until=20400101000000Z
mail_cert below rsa:2048 issuer=sub
make_tsa
cat one.key one.pem ca.pem >one.bundle
cat below.key below.pem sub.pem ca.pem >below.bundle
chmod 600 ./*.bundle
cat >engine.xml <<XML
<engineSignEncrypt>
  <descriptors>
    <descriptor name='Files'><type algorithm='SHA-256' key='one'/></descriptor>
    <descriptor name='Below'><type algorithm='SHA-256' key='below'/></descriptor>
    <descriptor name='Api'><type algorithm='RS256' key='one'/></descriptor>
    <descriptor name='ConfigZipSigner'><type algorithm='SHA-256' key='one'/></descriptor>
    <descriptor name='SignEmailDescriptor'><type algorithm='SHA256withRSA' key='one'/></descriptor>
  </descriptors>
  <keys>
    <key name='one'><type name='pem' locationValue='one.bundle'/></key>
    <key name='below'><type name='pem' locationValue='below.bundle'/></key>
  </keys>
</engineSignEncrypt>
XML
export SIGNENGINE_CONFIG="$tmp/engine.xml" PYTHONDONTWRITEBYTECODE=1

# ---- CRLs ----

# make_crl FILE CA UPDATE NEXT NUMBER [WORD...]: as issue_crl takes them; WHEN may be followed by REASON,INVALID
cat >crl.sections <<'CONF'
[scope]
onlyCA = TRUE
[indirect]
indirectCRL = TRUE
[elsewhere]
fullname = URI:http://elsewhere.example/crl
CONF
make_crl() {
    file=$1 by=$2 update=$3 next=$4 number=$(printf %02d "$5") # of hexadecimal digits, in pairs
    shift 5
    issue_crl "$file" "$by" from="$update" until="$next" number="$number" sections=crl.sections "$@"
}
year() { echo "$1$(printf 0101000000)Z"; }

make_crl good.crl ca "$(year 2029)" "$(year 2031)" 10
make_crl revoked.crl ca "$(year 2029)" "$(year 2031)" 11 "one=$(year 2028),superseded"
echo content >file
setup signengine sign -d Files file
verify() { signengine verify -d Files file --time 2030-01-01 "$@"; }
verify_json() { signengine --json verify -d Files file --time 2030-01-01 "$@"; }
openssl_says() { openssl verify -crl_check -attime 1893456000 -CAfile ca.pem -CRLfile "$1" one.pem; }

accepts verify
says 'revocation not looked at'
accepts verify_json
says '"revocation":{"status":"unchecked"}'
accepts openssl_says good.crl
accepts verify --crl good.crl
says 'revocation none, by the CRL of CN=Test CA ca of 2029-01-01 00:00:00 UTC'
accepts verify_json --crl good.crl --require-revocation-check
says '"revocation":{"status":"good","by":"crl","issuer":"CN=Test CA ca","thisUpdate":"2029-01-01T00:00:00Z"}'
others_refuse openssl_says revoked.crl
refuses 1 verify --crl revoked.crl
says 'CN=one was revoked at 2028-01-01T00:00:00Z (superseded), says the CRL of CN=Test CA ca'

# whoever accepts, and however the CRL is written
refuses 1 verify --crl revoked.crl --trust ca.pem
says 'CN=one was revoked at'
setup openssl crl -in revoked.crl -outform DER -out revoked.der
refuses 1 verify --crl revoked.der
cat ca.pem revoked.crl >both.pem
refuses 1 verify --crl both.pem

# ---- which CRL counts: the one of the highest number, then the newest ----
counts() { # STATUS FILE...: in both orders
    wanted=$1
    shift
    for order in forth back; do
        rm -rf folder
        mkdir folder
        number=10
        for crl; do
            cp "$crl" "folder/$number.crl"
            [ $order = forth ] && number=$((number + 1)) || number=$((number - 1))
        done
        if [ "$wanted" = 0 ]; then accepts verify --crl folder --require-revocation-check; else refuses "$wanted" verify --crl folder; fi
    done
}
counts 1 good.crl revoked.crl # of one second
make_crl taken-back.crl ca "$(year 2028)" "$(year 2031)" 12
counts 0 revoked.crl taken-back.crl
make_crl older.crl ca "$(year 2020)" "$(year 2021)" 3
counts 0 older.crl good.crl
cp ca.pem folder/certificate.pem # what holds no CRL beside those that do
echo 'these are our CRLs' >folder/README
accepts verify --crl folder --require-revocation-check

# ---- what does not tell: said, and refused on demand ----
unknown() { # TEXT OPTION...
    text=$1
    shift
    accepts verify "$@"
    says "revocation unknown: $text"
    refuses 1 verify "$@" --require-revocation-check
    says "whether it was revoked can't be found out: $text"
}
unknown 'CN=one: the newest CRL of its issuer was good until 2021-01-01T00:00:00Z' --crl older.crl
accepts verify_json --crl older.crl
says '"revocation":{"status":"unknown","by":"crl","issuer":"CN=Test CA ca","thisUpdate":"2020-01-01T00:00:00Z","note":"CN=one: '
make_crl other.crl other "$(year 2029)" "$(year 2031)" 1
unknown 'CN=one: there is no CRL of its issuer' --crl other.crl
unknown 'CN=one: the newest CRL of its issuer is of 2029-01-01T00:00:00Z, which is too old' --crl good.crl --crl-max-age 364
accepts verify --crl good.crl --crl-max-age 366 --require-revocation-check
make_crl future.crl ca "$(year 2031)" "$(year 2032)" 20
unknown 'CN=one: the CRL of its issuer does not count: it is from the future' --crl future.crl
make_key impostor ec:P-256
setup openssl req -x509 -new -key impostor.key -subj "/CN=Test CA ca" -days 36500 -out impostor.pem -config /dev/null \
    -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign
make_crl foreign.crl impostor "$(year 2029)" "$(year 2031)" 99 "one=$(year 2028)"
unknown "CN=one: the CRL of its issuer does not count: the issuer's key has not signed it" --crl foreign.crl
make_crl sha1.crl ca "$(year 2029)" "$(year 2031)" 12 md=sha1
unknown 'CN=one: the CRL of its issuer does not count: it is signed with a digest weaker than SHA-256' --crl sha1.crl
make_crl scope.crl ca "$(year 2029)" "$(year 2031)" 12 issuingDistributionPoint=critical,@scope
unknown 'CN=one: the CRL of its issuer does not count: it is about CAs only' --crl scope.crl
make_crl indirect.crl ca "$(year 2029)" "$(year 2031)" 12 issuingDistributionPoint=critical,@indirect
unknown "CN=one: the CRL of its issuer does not count: it is about other issuers' certificates" --crl indirect.crl
make_crl elsewhere.crl ca "$(year 2029)" "$(year 2031)" 12 issuingDistributionPoint=critical,@elsewhere
unknown 'CN=one: the CRL of its issuer does not count: it is for another distribution point' --crl elsewhere.crl
make_crl delta.crl ca "$(year 2029)" "$(year 2031)" 12 2.5.29.27=critical,ASN1:INTEGER:10
unknown 'CN=one: the CRL of its issuer does not count: it is a delta CRL' --crl delta.crl
make_crl strange.crl ca "$(year 2029)" "$(year 2031)" 12 1.2.3.4=critical,ASN1:NULL
unknown 'CN=one: the CRL of its issuer does not count: it has an extension that is critical and not known' --crl strange.crl

setup openssl req -x509 -new -key other.key -subj "/CN=no lists" -days 36500 -out silent.pem -config /dev/null \
    -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign
cp other.key silent.key
make_cert under rsa:2048 issuer=silent keyUsage=critical,digitalSignature
cat under.key under.pem silent.pem >under.bundle
chmod 600 under.bundle
sed "s/one.bundle/under.bundle/" engine.xml >silent.xml
make_crl silent.crl silent "$(year 2029)" "$(year 2031)" 1
setup signengine -c silent.xml sign -d Files file -o under.p7s
accepts signengine -c silent.xml verify -d Files file -s under.p7s --time 2030-01-01 --crl silent.crl
says "revocation unknown: CN=under: the CRL of its issuer does not count: the issuer's keyUsage does not hold cRLSign"

# ---- the CAs above ----
make_crl sub-revoked.crl ca "$(year 2029)" "$(year 2031)" 12 "sub=$(year 2028),CACompromise"
make_crl sub.crl sub "$(year 2029)" "$(year 2031)" 1
setup signengine sign -d Below file -o below.p7s
verify_below() { signengine verify -d Below file -s below.p7s --time 2030-01-01 "$@"; }
accepts verify_below --crl sub.crl
says 'revocation unknown: CN=sub: there is no CRL of its issuer'
cat sub.crl good.crl >path.crl
accepts verify_below --crl path.crl --require-revocation-check
says 'by the CRL of CN=sub of'
cat sub.crl sub-revoked.crl >path.crl
refuses 1 verify_below --crl path.crl
says 'CN=sub was revoked at 2028-01-01T00:00:00Z (cACompromise)'
# whom an anchor has certified, nobody is asked about
accepts verify_below --crl path.crl --trust sub.pem --require-revocation-check

# ---- XML, raw, zips, mail ----
printf '<a/>' >a.xml
setup signengine sign -d Files --xml a.xml -o signed.xml
setup signengine sign -d Files --raw file -o file.sig
setup signengine jws sign -d Api file
setup python3 -c "import zipfile; zipfile.ZipFile('plain.zip', 'w').writestr('a', 'content')"
setup signengine zip sign plain.zip -o signed.zip
printf 'From: alice@example.org\nTo: bob@example.org\nSubject: x\n\nHello\n' >plain.eml
setup signengine mail sign plain.eml -o signed.eml
every_form() { # CMD...: with the options of each form
    "$@" verify -d Files --xml signed.xml
    "$@" verify -d Files --raw -s file.sig file
    "$@" jws verify -d Api file.jws
    "$@" zip verify signed.zip
    "$@" mail verify signed.eml
}
looks_good() {
    accepts signengine "$@" --time 2030-01-01
    says 'revocation not looked at'
    accepts signengine "$@" --time 2030-01-01 --crl good.crl --require-revocation-check
    says 'revocation none, by the CRL of CN=Test CA ca of 2029'
    accepts signengine --json "$@" --time 2030-01-01 --crl good.crl
    says '"revocation":{"status":"good","by":"crl",'
    refuses 1 signengine "$@" --time 2030-01-01 --crl revoked.crl
    says 'was revoked at 2028-01-01T00:00:00Z (superseded)'
}
every_form looks_good

# ---- tokens, which have no time stamps ----
setup signengine jwt sign -d Api --no-expiry --subject 4711 -o token
setup signengine jws sign -d Api --certificates --general file -o file.json
token() { signengine "$@" -d Api --no-expiry --time 2030-01-01 token; }
token_json() { signengine --json jwt verify -d Api --no-expiry --time 2030-01-01 "$@" token; }
accepts token jwt verify
says_not revocation
accepts token jwt verify --crl good.crl --require-revocation-check
says '"sub":"4711"'
says_not revocation
accepts token jwt verify --crl older.crl
says 'token: revocation unknown: CN=one: the newest CRL of its issuer was good until 2021-01-01T00:00:00Z'
refuses 1 token jwt verify --crl older.crl --require-revocation-check
says "descriptor 'Api': whether it was revoked can't be found out: CN=one: the newest CRL"
refuses 1 token jwt verify --crl revoked.crl
says "descriptor 'Api': CN=one was revoked at 2028-01-01T00:00:00Z (superseded), says the CRL of CN=Test CA ca"
says_not 4711
accepts token_json
says '"revocation":{"status":"unchecked"}'
accepts token_json --crl good.crl
says '"revocation":{"status":"good","by":"crl","issuer":"CN=Test CA ca","thisUpdate":"2029-01-01T00:00:00Z"}'
refuses 1 signengine jws verify -d Api --time 2030-01-01 --crl revoked.crl file.json
says 'CN=one was revoked at'
# what it is about comes before who is asked about whom
refuses 1 token jwt verify --crl revoked.crl --issuer somebody
says "it has no claim 'iss'"
refuses 66 signengine jws verify -d Api --crl absent.crl file.jws
for kind in jws jwt; do
    refuses 64 signengine $kind verify -d Api --trust-stamp-after-compromise file.jws
    says 'trust-stamp-after-compromise'
done

# ---- a stamp of 2030, looked at in 2050, when the certificate has expired ----
cat >stamp.py <<PY
import sys
sys.path.insert(0, "$top_srcdir/tests/zip")
import stamps
cms = open(sys.argv[1], "rb").read()
token = stamps.token(stamps.info(stamps.signature_bytes(cms), sys.argv[2]), "tsa")
sys.stdout.buffer.write(stamps.stamped(cms, token))
PY
setup python3 stamp.py file.p7s 20300601000000Z
cp "$out" stamped.p7s
later() { signengine verify -d Files file -s stamped.p7s --time 2050-01-01 --trust-tsa ca.pem "$@"; }
unstamped() { signengine verify -d Files file --time 2050-01-01 "$@"; }
make_crl expired.crl ca "$(year 2049)" "$(year 2051)" 50
make_crl after.crl ca "$(year 2049)" "$(year 2051)" 50 "one=$(year 2035),superseded"
make_crl before.crl ca "$(year 2049)" "$(year 2051)" 50 "one=$(year 2028),superseded"
make_crl compromised.crl ca "$(year 2049)" "$(year 2051)" 50 "one=$(year 2035),keyCompromise"
make_crl noticed.crl ca "$(year 2049)" "$(year 2051)" 50 "one=$(year 2035),keyTime,20290101000000Z"
make_crl keeps.crl ca "$(year 2049)" "$(year 2051)" 50 2.5.29.60=ASN1:GENERALIZEDTIME:20200101000000Z
accepts later --crl expired.crl
says 'revocation unknown: CN=one: it expired at 2040-01-01T00:00:00Z, and the CRL of its issuer, which is newer, need not name such'
refuses 1 later --crl expired.crl --require-revocation-check
accepts later --crl keeps.crl --require-revocation-check
says 'revocation none, by the CRL of CN=Test CA ca of 2049-01-01 00:00:00 UTC'
accepts later --crl after.crl --require-revocation-check
says 'revocation revoked at 2035-01-01T00:00:00Z (superseded), after the time that counts, by the CRL of CN=Test CA ca of 2049'
refuses 1 later --crl before.crl
says 'CN=one was revoked at 2028-01-01T00:00:00Z (superseded)'
for crl in expired after before; do
    refuses 1 unstamped --crl $crl.crl
    says 'The certificate has expired.'
done
# without a stamp it is the time that is asked about, and today's CRLs tell of the past
make_crl today.crl ca "$(year 2025)" "$(year 2049)" 50 "one=$(year 2024),superseded"
refuses 1 signengine verify -d Files file --time 2024-06-01 --crl today.crl
says 'CN=one was revoked at 2024-01-01T00:00:00Z (superseded)'
accepts signengine verify -d Files file --time 2023-01-01 --crl today.crl --require-revocation-check
says 'revocation revoked at 2024-01-01T00:00:00Z (superseded), after the time that counts'
# who has the key may have had signatures stamped before anybody knew
refuses 1 later --crl compromised.crl
says 'CN=one was revoked at 2035-01-01T00:00:00Z (keyCompromise)'
accepts later --crl compromised.crl --trust-stamp-after-compromise --require-revocation-check
make_crl today.crl ca "$(year 2025)" "$(year 2049)" 50 "one=$(year 2024),keyCompromise"
refuses 1 signengine verify -d Files file --time 2023-01-01 --crl today.crl --trust-stamp-after-compromise
# the day from which on the key was invalid
refuses 1 later --crl noticed.crl
says 'CN=one was revoked at 2029-01-01T00:00:00Z (keyCompromise)'
# an authority that was revoked stamps nothing
make_crl authority.crl ca "$(year 2049)" "$(year 2051)" 50 "tsa=$(year 2029),superseded"
refuses 1 later --crl authority.crl
says 'its time stamp does not count (CN=tsa was revoked at 2029-01-01T00:00:00Z (superseded)'
make_crl authority.crl ca "$(year 2049)" "$(year 2051)" 50 "tsa=$(year 2035),superseded"
accepts later --crl authority.crl
says 'stamped    2030-06-01'

# ---- what can't be read ----
refuses 66 verify --crl absent.crl
echo garbage >broken.crl
refuses 65 verify --crl broken.crl
says "'broken.crl' is no CRL, neither in PEM nor in DER"
sed 's/^M/N/' good.crl >bent.crl
refuses 65 verify --crl bent.crl
says "a CRL in 'bent.crl' is broken"
refuses 65 verify --crl ca.pem
says "there is no CRL in 'ca.pem'"
cp broken.crl folder/
refuses 65 verify --crl folder
says "'folder/broken.crl' is no CRL"
# without a CRL nobody tells
unknown 'CN=one: there is no CRL of its issuer' --crl-max-age 3
