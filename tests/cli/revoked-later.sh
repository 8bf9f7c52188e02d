#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Signatures are stamped today; their certificate is good or has expired, and was never revoked, or after the stamp, or before it. CRLs and
# OCSP are asked then: in files, zips and mail.
. "${top_srcdir:?}/tests/lib/harness.sh"
. "$top_srcdir/tests/mail/mail-lib.sh"
needs openssl python3 faketime
instrumented && skip "the clock is moved by a library that has to be loaded before that of a sanitizer"
program=$top_builddir/signengine

serve responder
make_ca ca
make_tsa
make_cert tsa rsa:2048 keyUsage=critical,digitalSignature extendedKeyUsage=critical,timeStamping authorityInfoAccess="OCSP;URI:$responder/tsa"
serve authority
make_cert ocsp rsa:2048 keyUsage=critical,digitalSignature extendedKeyUsage=OCSPSigning noCheck=ignored
mail_cert one rsa:2048 subjectAltName=email:alice@example.org authorityInfoAccess="OCSP;URI:$responder/one" \
    until="$(date -u -d '+30 days' +%Y%m%d%H%M%SZ)"
cat one.key one.pem ca.pem >one.bundle
chmod 600 one.bundle
cat >engine.xml <<XML
<engineSignEncrypt>
  <descriptors>
    <descriptor name='Files'><type algorithm='SHA-256' key='one'/></descriptor>
    <descriptor name='ConfigZipSigner'><type algorithm='SHA-256' key='one'/></descriptor>
    <descriptor name='SignEmailDescriptor'><type algorithm='SHA256withRSA' key='one'/></descriptor>
  </descriptors>
  <keys><key name='one'><type name='pem' locationValue='one.bundle'/></key></keys>
</engineSignEncrypt>
XML
export SIGNENGINE_CONFIG="$tmp/engine.xml"

# ---- signed and stamped today ----
echo content >file
setup python3 -c "import zipfile; zipfile.ZipFile('plain.zip', 'w').writestr('a', 'content')"
printf 'From: alice@example.org\nTo: bob@example.org\nSubject: x\n\nHello\n' >plain.eml
setup signengine sign -d Files --tsa "$tsa_url/" file
setup signengine sign -d Files -o unstamped.p7s file
setup signengine zip sign --tsa "$tsa_url/" plain.zip -o signed.zip
setup signengine mail sign --tsa "$tsa_url/" plain.eml -o signed.eml

# ---- later ----
day() { date -u -d "$1 days" +%Y%m%d%H%M%SZ; }
revoked() { # STATE
    case $1 in
    never) one=good ;;
    after) one=$(day +5),superseded ;;
    before) one=$(day -2),superseded ;;
    esac
}
later() { # HOW: what the CA and the responder say by then
    issue_crl ca.crl ca "one=$one" from="$(day "${1%d}")" until="$(day $((${1%d} + 5)))"
    list_certificates index "one=$one" tsa=good
    cat >answer.sh <<-SH
	FAKETIME_DONT_FAKE_MONOTONIC=1 faketime -f $1 openssl ocsp -index index -CA ca.pem -rsigner ocsp.pem -rkey ocsp.key -reqin ocsp.query \
	    -respout ocsp.answer -nmin 60 >ocsp.log 2>&1
	SH
}
every_form() { # CMD...: with the options of each form
    "$@" verify -d Files --trust ca.pem file
    "$@" zip verify --trust ca.pem signed.zip
    "$@" mail verify --trust ca.pem signed.eml
}
is_good() { # TEXT CMD...
    text=$1
    shift
    accepts moved "$how" "$program" "$@" --require-revocation-check
    says "revocation $text"
    says 'stamped    20'
}
is_unknown() {
    text=$1
    shift
    accepts moved "$how" "$program" "$@"
    says "revocation unknown: CN=one: $text"
    refuses 1 moved "$how" "$program" "$@" --require-revocation-check
}
is_refused() {
    text=$1
    shift
    refuses 1 moved "$how" "$program" "$@"
    says "$text"
}
combination() { # VERDICT TEXT OPTION...
    verdict=$1 text=$2
    shift 2
    looked="$*"
    check_form() {
        # shellcheck disable=SC2086 # words
        "$verdict" "$text" "$@" $looked
    }
    every_form check_form
}
for state in never after before; do
    revoked $state
    for how in +10d +60d; do
        later $how
        case $state$how in
        never+10d) verdict=is_good crl='none, by the CRL of CN=Test CA ca of 20' ocsp='none, by the OCSP responder CN=ocsp of 20' ;;
        never+60d)
            verdict=is_unknown
            crl="it expired at $(date -u -d '+30 days' +%Y)" ocsp=$crl
            ;;
        after*) verdict=is_good crl='revoked at 20' ocsp=$crl ;;
        before*) verdict=is_refused crl='(superseded), says the CRL of CN=Test CA ca' ocsp='(superseded), says the OCSP responder CN=ocsp' ;;
        esac
        combination "$verdict" "$crl" --crl ca.crl
        combination "$verdict" "$ocsp" --ocsp
        # without a stamp it is today that counts
        [ $how = +60d ] || continue
        refuses 1 moved $how "$program" verify -d Files -s unstamped.p7s --crl ca.crl file
        says 'The certificate has expired'
    done
done
revoked after
later +10d
refuses 1 moved +10d "$program" verify -d Files -s unstamped.p7s --ocsp file
says '(superseded), says the OCSP responder CN=ocsp'
