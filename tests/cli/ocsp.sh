#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# verify, jws verify, jwt verify --ocsp, --fetch-crls: answers of `openssl ocsp`, which of them count, and places of CRLs.
. "${top_srcdir:?}/tests/lib/harness.sh"
needs openssl python3 faketime

serve responder
make_ca ca
make_ca other
ocsp_usage='keyUsage=critical,digitalSignature extendedKeyUsage=OCSPSigning'
# shellcheck disable=SC2086 # words
{
    make_cert ocsp rsa:2048 $ocsp_usage noCheck=ignored
    make_cert stranger ec:P-256 issuer=other $ocsp_usage
    make_cert expired ec:P-256 $ocsp_usage noCheck=ignored until=20210101000000Z
    make_cert checked ec:P-256 $ocsp_usage
}
make_cert other-use ec:P-256 keyUsage=critical,digitalSignature
make_cert sub ec:P-256 basicConstraints=critical,CA:TRUE keyUsage=critical,keyCertSign,cRLSign subjectKeyIdentifier=hash \
    authorityInfoAccess="OCSP;URI:$responder/sub"

# make_signed NAME [ISSUER] WORD...: a key and certificate with the words of make_cert, a descriptor of that name, and file.NAME.p7s
cat >engine.xml <<XML
<engineSignEncrypt>
  <descriptors>
  </descriptors>
  <keys>
  </keys>
</engineSignEncrypt>
XML
export SIGNENGINE_CONFIG="$tmp/engine.xml"
echo content >file
make_signed() {
    signed=$1 issuers=ca.pem
    shift
    case ${1-} in issuer=sub) issuers='sub.pem ca.pem' ;; esac
    make_cert "$signed" ec:P-256 keyUsage=critical,digitalSignature "$@"
    # shellcheck disable=SC2086 # words
    cat "$signed.key" "$signed.pem" $issuers >"$signed.bundle"
    chmod 600 "$signed.bundle"
    sed -i -e "s|  </descriptors>|    <descriptor name='$signed'><type algorithm='SHA-256' key='$signed'/></descriptor>\n&|" \
        -e "s|  </keys>|    <key name='$signed'><type name='pem' locationValue='$signed.bundle'/></key>\n&|" engine.xml
    setup signengine sign -d "$signed" -o "file.$signed.p7s" file
}
verify() { # NAME OPTION...
    signed=$1
    shift
    signengine verify -d "$signed" -s "file.$signed.p7s" "$@" file
}
make_signed one authorityInfoAccess="OCSP;URI:$responder/one"

# ---- a responder ----
list() { list_certificates index "$@"; } # what it knows
# answers_by RESPONDER [OPTION...]: from now on; $before goes before openssl, as faketime does
before=''
answers_by() {
    by=$1
    shift
    cat >answer.sh <<-SH
	$before openssl ocsp -index index -CA ca.pem -rsigner $by.pem -rkey $by.key -reqin ocsp.query -respout ocsp.answer $* >ocsp.log 2>&1
	SH
}
list one=good sub=good
answers_by ocsp -nmin 60

accepts verify one
says 'revocation not looked at'
[ ! -e responder.asked ] || fail 'somebody was asked'
accepts verify one --ocsp --require-revocation-check
says 'revocation none, by the OCSP responder CN=ocsp of 20'
accepts signengine --json verify -d one -s file.one.p7s --ocsp file
says '"revocation":{"status":"good","by":"ocsp","responder":"CN=ocsp","thisUpdate":"20'
openssl_says() { openssl ocsp -issuer ca.pem -cert one.pem -url "$responder/one" -CAfile ca.pem; }
accepts openssl_says
says 'one.pem: good'
answers_by ca -nmin 60
accepts verify one --ocsp --require-revocation-check
says 'by the OCSP responder CN=Test CA ca of'

list one=20250601000000Z,superseded
answers_by ocsp -nmin 60
refuses 1 verify one --ocsp
says 'CN=one was revoked at 2025-06-01T00:00:00Z (superseded), says the OCSP responder CN=ocsp'
accepts openssl_says
says 'one.pem: revoked'
list one=20250601000000Z
refuses 1 verify one --ocsp
says 'at 2025-06-01T00:00:00Z (unspecified)'
refuses 1 verify one --ocsp --trust ca.pem
says 'says the OCSP responder'
# when it signed is what counts, unless the key was somebody else's
accepts verify one --ocsp --time 2025-05-01 --require-revocation-check
says 'revocation revoked at 2025-06-01T00:00:00Z (unspecified), after the time that counts, by the OCSP responder CN=ocsp'
list one=20250601000000Z,keyCompromise
refuses 1 verify one --ocsp --time 2025-05-01
says '(keyCompromise)'

# ---- what does not tell: said, and refused on demand ----
unknown() { # TEXT NAME [OPTION...]
    text=$1
    shift
    accepts verify "$@" --ocsp
    says "revocation unknown: CN=$1: $text"
    refuses 1 verify "$@" --ocsp --require-revocation-check
    says "whether it was revoked can't be found out: CN=$1: $text"
}
no_answer="its OCSP responder '$responder/one':"
no_count='the answer of its OCSP responder does not count:'
list sub=good
unknown 'its OCSP responder does not know it' one
list one=good sub=good
answers_by other-use -nmin 60
unknown "$no_count its responder's certificate is not for OCSP" one
answers_by stranger -nmin 60
unknown "$no_count its responder's certificate is not of the same issuer" one
answers_by expired -nmin 60
unknown "$no_count its responder's certificate is not valid" one
answers_by ocsp -nmin 60 -resp_no_certs
unknown "$no_count its responder's certificate is not there" one
answers_by ocsp -nmin 60 -rmd sha1
unknown "$no_count it is signed with a digest weaker than SHA-256" one
answers_by ca -nmin 60 -resp_no_certs
cat >>answer.sh <<'SH'
python3 -c 'a = bytearray(open("ocsp.answer", "rb").read()); a[-1] ^= 1; open("ocsp.answer", "wb").write(a)'
SH
unknown "$no_count its responder's key has not signed it" one

# an old answer is none to this question, unless it has no nonce, and is not too old
answers_by ocsp -nmin 60
accepts verify one --ocsp --require-revocation-check
cp ocsp.answer kept.answer
echo 'cp kept.answer ocsp.answer' >answer.sh
unknown "$no_answer the answer is to another question" one
asked_about=one.pem
keep_answer() { # HOW OPTION...: an answer of HOW's time, without a nonce
    how=$1
    shift
    setup openssl ocsp -no_nonce -issuer ca.pem -cert "$asked_about" -reqout ocsp.query
    before="env FAKETIME_DONT_FAKE_MONOTONIC=1 faketime -f $how"
    answers_by ocsp "$@"
    setup sh ./answer.sh
    cp ocsp.answer kept.answer
    before=''
    echo 'cp kept.answer ocsp.answer' >answer.sh
}
keep_answer -2d -ndays 5
accepts verify one --ocsp --require-revocation-check
unknown 'the newest answer of its OCSP responder is of 20' one --crl-max-age 1
accepts verify one --ocsp --crl-max-age 3 --require-revocation-check
keep_answer -2d -ndays 1
unknown 'the newest answer of its OCSP responder was good until 20' one
keep_answer -2d # may have been followed by a newer one at any time
unknown 'the newest answer of its OCSP responder was good until 20' one
keep_answer -1s
accepts verify one --ocsp --require-revocation-check
asked_about=sub.pem
keep_answer -1s
unknown 'there is no CRL of its issuer, and what its OCSP responder says is not about it' one
asked_about=one.pem
keep_answer +1d -ndays 5
unknown "$no_count it is from the future" one

echo 'echo nonsense >ocsp.answer' >answer.sh
unknown "$no_answer no answer: missing asn1 encoding" one
cat >answer.sh <<'SH'
printf '\060\003\012\001\003' >ocsp.answer
SH
unknown "$no_answer it refuses: trylater" one

# ---- where it is asked ----
make_signed unnamed
unknown 'it names no OCSP responder' unnamed
make_signed missing authorityInfoAccess="OCSP;URI:$responder/missing"
unknown "its OCSP responder '$responder/missing': no answer" missing
make_signed away authorityInfoAccess="OCSP;URI:$responder_away/"
unknown "its OCSP responder '$responder_away/': no connection" away
make_signed secure authorityInfoAccess='OCSP;URI:https://localhost/'
unknown "its OCSP responder 'https://localhost/': it is not asked: its URL is none of http" secure
# a blank would end the line of the request
make_signed blank authorityInfoAccess="OCSP;URI:$responder/blank HTTP"
unknown "its OCSP responder '$responder/blank HTTP': it is not asked: its URL is none of http" blank
make_signed silent authorityInfoAccess="OCSP;URI:$responder/silent"
begun=$(date +%s)
accepts verify silent --ocsp
says "its OCSP responder '$responder/silent': no answer"
[ $(($(date +%s) - begun)) -lt 20 ] || fail 'it waited for longer than five seconds'
make_signed two authorityInfoAccess="OCSP;URI:$responder_away/,OCSP;URI:$responder/two"
list two=good
answers_by ocsp -nmin 60
accepts verify two --ocsp --require-revocation-check
says 'by the OCSP responder CN=ocsp'

# ---- CRLs beside it ----
issue_crl good.crl ca
issue_crl revoked.crl ca one=20240601000000Z,superseded
issue_crl checked.crl ca checked=20240601000000Z,superseded from="$(date -u -d '-3 days' +%Y%m%d%H%M%SZ)"
list one=good
refuses 1 verify one --ocsp --crl revoked.crl
says 'CN=one was revoked at 2024-06-01T00:00:00Z (superseded), says the CRL of CN=Test CA ca'
list one=20250601000000Z,superseded
refuses 1 verify one --ocsp --crl good.crl
says 'says the OCSP responder CN=ocsp'
# the newer one says that it was revoked later
list one=20240601000000Z
keep_answer -2d -ndays 5
issue_crl revoked-later.crl ca one=20250601000000Z
refuses 1 verify one --ocsp --crl revoked-later.crl --time 2025-01-01
says 'CN=one was revoked at 2024-06-01T00:00:00Z (unspecified), says the OCSP responder CN=ocsp'
answers_by ocsp -nmin 60
list sub=good
accepts verify one --ocsp --crl good.crl --require-revocation-check
says 'revocation none, by the CRL of CN=Test CA ca'
# who answers may have been revoked himself, unless his certificate says that nobody is to look; the list is too old to tell of others
list one=good
answers_by checked -nmin 60
accepts verify one --ocsp --require-revocation-check
unknown "$no_count its responder's certificate was revoked" one --crl checked.crl --crl-max-age 1
answers_by ocsp -nmin 60
accepts verify one --ocsp --crl checked.crl --crl-max-age 1 --require-revocation-check
says 'by the OCSP responder CN=ocsp'

# ---- the CAs above ----
answers_by ocsp -nmin 60
make_cert ocsp-sub ec:P-256 issuer=sub keyUsage=critical,digitalSignature extendedKeyUsage=OCSPSigning noCheck=ignored
make_signed below issuer=sub authorityInfoAccess="OCSP;URI:$responder/below"
cat >answer.sh <<'SH'
case $(tail -n 1 responder.asked) in
*/below) openssl ocsp -index index -CA sub.pem -rsigner ocsp-sub.pem -rkey ocsp-sub.key -reqin ocsp.query -respout ocsp.answer -nmin 60 ;;
*) openssl ocsp -index index -CA ca.pem -rsigner ocsp.pem -rkey ocsp.key -reqin ocsp.query -respout ocsp.answer -nmin 60 ;;
esac >ocsp.log 2>&1
SH
list below=good sub=good
: >responder.asked
accepts verify below --ocsp --require-revocation-check
says 'by the OCSP responder CN=ocsp-sub'
for path in below sub; do grep -qx "POST /$path" responder.asked || fail "asked: $(cat responder.asked)"; done
list below=good sub=20250601000000Z,CACompromise
refuses 1 verify below --ocsp
says 'CN=sub was revoked at 2025-06-01T00:00:00Z (cACompromise), says the OCSP responder CN=ocsp'

# ---- places of CRLs ----
make_signed listed crlDistributionPoints="URI:$responder/served.crl" authorityInfoAccess="OCSP;URI:$responder/listed"
place="the place of its CRL '$responder/served.crl':"
fetched() { # TEXT OPTION...
    text=$1
    shift
    accepts verify listed --fetch-crls "$@"
    says "revocation $text"
}
fetched "unknown: CN=listed: $place no answer"
refuses 1 verify listed --fetch-crls --require-revocation-check
issue_crl good.crl ca
setup openssl crl -in good.crl -outform DER -out served.crl
: >responder.asked
fetched 'none, by the CRL of CN=Test CA ca' --require-revocation-check
grep -qx 'GET /served.crl' responder.asked || fail "asked: $(cat responder.asked)"
issue_crl revoked.crl ca listed=20240601000000Z,superseded
setup openssl crl -in revoked.crl -outform DER -out served.crl
refuses 1 verify listed --fetch-crls
says 'CN=listed was revoked at 2024-06-01T00:00:00Z (superseded), says the CRL of CN=Test CA ca'
echo nonsense >served.crl
fetched "unknown: CN=listed: $place no answer: missing asn1 encoding"
printf '\060\003\012\001\003' >served.crl
fetched "unknown: CN=listed: $place the answer is no CRL"
# only where nobody else tells
setup openssl crl -in good.crl -outform DER -out served.crl
list listed=good
answers_by ocsp -nmin 60
: >responder.asked
fetched 'none, by the OCSP responder CN=ocsp' --ocsp
fetched 'none, by the CRL of CN=Test CA ca' --crl good.crl
if grep -q served.crl responder.asked; then fail 'fetched all the same'; fi
list sub=good
fetched 'none, by the CRL of CN=Test CA ca' --ocsp --require-revocation-check
accepts verify unnamed --fetch-crls
says 'revocation unknown: CN=unnamed: it names no place of a CRL'

# ---- tokens: of many by one signer, the responder is asked once ----
make_signed tokens authorityInfoAccess="OCSP;URI:$responder/tokens"
sed "s|name='tokens'><type algorithm='SHA-256'|name='tokens'><type algorithm='ES256'|" engine.xml >jose.xml
export SIGNENGINE_CONFIG="$tmp/jose.xml"
setup signengine jwt sign -d tokens --no-expiry -o token
list tokens=good
accepts signengine jws verify -d tokens --ocsp --require-revocation-check token
says 'revocation none, by the OCSP responder CN=ocsp'
accepts signengine --json jwt verify -d tokens --no-expiry --ocsp --require-revocation-check token
says '"revocation":{"status":"good","by":"ocsp","responder":"CN=ocsp"'
cat >many.py <<'PYTHON'
import signengine
with signengine.Engine("jose.xml") as engine:
    try:
        rows = engine.jws_verify_many("tokens", [open("token", "rb").read()] * 20, revocation={"ask_responders": True, "required": True})
    except signengine.SignengineError as error:
        rows = error.results
    print({(row.status.name, row.signer and row.signer.revocation.name, row.payload != b"") for row in rows}, len(rows))
PYTHON
many() { PYTHONDONTWRITEBYTECODE=1 PYTHONPATH="$top_srcdir/python" LD_LIBRARY_PATH="${top_builddir:?}/.libs" python3 many.py; }
asked() { [ "$(grep -c /tokens responder.asked)" = 1 ] || fail "asked: $(cat responder.asked)"; }
if ! instrumented; then
    : >responder.asked
    accepts many
    says "{('OK', 'GOOD', True)} 20"
    asked
fi
list tokens=20250601000000Z,superseded
refuses 1 signengine jwt verify -d tokens --no-expiry --ocsp token
says 'CN=tokens was revoked at 2025-06-01T00:00:00Z (superseded), says the OCSP responder CN=ocsp'
if ! instrumented; then
    : >responder.asked
    accepts many
    says "{('REJECTED', None, False)} 20"
    asked
fi
