#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# mail verify: time stamps (RFC 3161) of mail's signatures, made by `openssl ts` as of now and by ourselves as of any time: what they are
# worth, what is told about them, and which are refused.  mail sign --tsa: what others say of those that it gets.
. "${top_srcdir:?}/tests/lib/harness.sh"
. "${top_srcdir:?}/tests/mail/mail-lib.sh"
needs openssl python3

make_ca ca
make_ca other
mail_cert alice ec:P-256 subjectAltName=email:alice@example.org until=20400101000000Z
mail_cert later ec:P-256 subjectAltName=email:alice@example.org
make_tsa
cat >engine.xml <<XML
<engineSignEncrypt>
  <descriptors>
    <descriptor name='SignEmailDescriptor' version='1'><type algorithm='SHA256withECDSA' key='alice'/></descriptor>
    <descriptor name='SignEmailDescriptor' version='2'><type algorithm='SHA256withECDSA' key='later'/></descriptor>
  </descriptors>
  <keys>
    <key name='alice'><type name='pem' locationValue='alice.bundle'/></key>
    <key name='later'><type name='pem' locationValue='later.bundle'/></key>
  </keys>
</engineSignEncrypt>
XML
chmod 600 engine.xml
export SIGNENGINE_CONFIG="$tmp/engine.xml" PYTHONDONTWRITEBYTECODE=1

stamp() { python3 "$top_srcdir/tests/mail/stamp.py" "$@"; }
value() { # MESSAGE: what has to be stamped, to the file `value`
    setup stamp value "$1"
    cp "$out" value
}
stamp_now() { # MESSAGE: the stamp of an authority that knows nothing of us, to the file `token`
    value "$1"
    setup openssl ts -query -data value -sha256 -cert -out query
    setup openssl ts -reply -config ts.conf -queryfile query -token_out -out token
}
stamp_at() { # MESSAGE TIME
    value "$1"
    setup stamp token value "$2" tsa
    cp "$out" token
}
put() { # MESSAGE STAMPED TOKEN...
    message=$1 stamped=$2
    shift 2
    setup stamp put "$message" "$@"
    cp "$out" "$stamped"
}
sign() { setup signengine mail sign -d SignEmailDescriptor:1 "$@"; }
verify() { signengine mail verify "$@"; }
verify_json() { signengine --json mail verify "$@"; }
openssl_verifies() { openssl cms -verify -in "$1" -CAfile ca.pem -out content; }
printf 'From: alice@example.org\nTo: bob@example.org\nSubject: x\n\nHello\n' >plain.eml
sign plain.eml -o unstamped.eml
sign --opaque plain.eml -o opaque.eml

# ---- what a stamp is worth: the signer's certificate ends in 2040, the authority's does not ----
for form in unstamped opaque; do
    stamp_now $form.eml
    put $form.eml stamped.eml token
    accepts openssl_verifies stamped.eml
    accepts verify stamped.eml --trust-tsa ca.pem -o ours
    says 'good signature'
    says 'stamped    20'
    says 'by CN=tsa'
    same ours content
    accepts verify_json stamped.eml --trust-tsa ca.pem
    says '"timeStamp":{"time":"20'
    says '"authority":"CN=tsa"}'
    accepts verify stamped.eml --trust-tsa ca.pem --time 2050-01-01
    accepts verify stamped.eml --trust ca.pem --time 2050-01-01
    accepts verify $form.eml --trust-tsa ca.pem
    says_not 'stamped  '
    accepts verify_json $form.eml --trust-tsa ca.pem
    says '"timeStamp":null'
    refuses 1 verify $form.eml --trust-tsa ca.pem --time 2050-01-01
    says 'The certificate has expired.'
    says_not 'time stamp'
done
stamp_at unstamped.eml 20300601000000Z
put unstamped.eml stamped.eml token
accepts verify stamped.eml --trust-tsa ca.pem --time 2050-01-01
says 'stamped    2030-06-01 00:00:00 UTC by CN=tsa'
# standard output has the content
to_stdout() { verify stamped.eml --trust-tsa ca.pem --time 2050-01-01 -o - 2>told; }
accepts to_stdout
says_not 'stamped'
grep -q 'stamped    2030-06-01' told || fail "it did not tell of the stamp"

# ---- an authority that is not trusted ----
accepts verify stamped.eml --trust-tsa other.pem --time 2030-07-01
says 'stamped    but that does not count: its authority is not trusted: CN='
accepts verify_json stamped.eml --trust-tsa other.pem --time 2030-07-01
says '"timeStamp":{"ignored":"its authority is not trusted'
refuses 1 verify stamped.eml --trust-tsa other.pem --time 2050-01-01
says 'its time stamp does not count (its authority is not trusted: CN='
says 'The certificate has expired.'
refuses 1 verify_json stamped.eml --trust-tsa other.pem --time 2050-01-01
says '"verdict":"refused","reason":'
refuses 1 verify stamped.eml --trust ca.pem --trust-tsa other.pem --time 2050-01-01
says 'its authority is not trusted'
refuses 1 verify stamped.eml --trust other.pem --trust-tsa ca.pem --time 2050-01-01
says 'the signer is not trusted'
accepts verify stamped.eml --time 2030-07-01
says 'does not count: no CA is trusted to name time stamping authorities'
accepts verify stamped.eml --trust-tsa ca.pem --time 2030-01-01
says 'does not count: it is from later than'
refuses 66 verify stamped.eml --trust-tsa absent.pem
stamp_at unstamped.eml 20410601000000Z
put unstamped.eml late.eml token
refuses 1 verify late.eml --trust-tsa ca.pem --time 2050-01-01
says 'at the time of its time stamp (2041-06-01): '

# ---- stamps that lie, or are broken: refused whoever is trusted ----
refused_stamp() { # TEXT TOKEN...
    text=$1
    shift
    put unstamped.eml lying.eml "$@"
    for trust in ca other; do
        refuses 1 verify lying.eml --trust-tsa $trust.pem -o never
        says "$text"
        [ ! -e never ] || fail "unverified content was written"
    done
}
stamp_now unstamped.eml
cp token good
python3 -c "t = bytearray(open('good', 'rb').read()); t[-1] ^= 1; open('broken', 'wb').write(t)"
stamp_now opaque.eml
refused_stamp 'the time stamp is not good: it is that of another signature' token
refused_stamp 'the time stamp is not good: ' broken
refused_stamp 'the signature has 2 time stamps' good good
put unstamped.eml lying.eml token
by_pipe() { verify_json --trust-tsa ca.pem <lying.eml; }
refuses 1 by_pipe
says '"input":"-","verdict":"refused"'
says 'it is that of another signature'

# ---- a signature inside a signature: each with its own stamp ----
setup signengine mail sign --again stamped.eml -o twice.eml
accepts verify twice.eml --trust-tsa ca.pem --time 2050-01-01
says 'stamped    2030-06-01 00:00:00 UTC by CN=tsa'
stamp_now twice.eml
put twice.eml both.eml token
accepts verify both.eml --trust-tsa ca.pem --time 2050-01-01
says 'stamped    2030-06-01 00:00:00 UTC by CN=tsa'
put twice.eml outside.eml good
refuses 1 verify outside.eml --trust-tsa ca.pem --time 2050-01-01
says 'it is that of another signature'
says_not 'inside'
setup signengine mail sign --again lying.eml -o inside.eml
refuses 1 verify inside.eml --trust-tsa ca.pem
says 'the signature inside the signature: '
says 'it is that of another signature'

# ---- mail sign --tsa ----
serve authority
stamp_verifies() { # MESSAGE
    stamp cms "$1" >taken && python3 "$top_srcdir/tests/zip/stamps.py" take taken &&
        openssl ts -verify -data taken.value -in taken.token -token_in -CAfile ca.pem
}
stamped() { signengine mail sign -d SignEmailDescriptor:1 -o stamped.eml "$@"; }
if command -v gpgsm >/dev/null; then
    mkdir -m 700 gnupg
    export GNUPGHOME="$tmp/gnupg"
    setup gpgsm --batch --quiet --import ca.pem
    openssl x509 -in ca.pem -noout -fingerprint -sha1 | sed 's/.*=//; s/$/ S/' >gnupg/trustlist.txt
fi
for how in '' --protect-headers --opaque; do
    # shellcheck disable=SC2086 # an option or none
    accepts stamped $how --tsa "$tsa_away" --tsa "$tsa_url/" plain.eml
    accepts openssl_verifies stamped.eml
    accepts stamp_verifies stamped.eml
    says 'Verification: OK'
    accepts verify stamped.eml --trust-tsa ca.pem --time 2050-01-01 -o ours
    says 'by CN=tsa'
    if [ "${GNUPGHOME-}" ] && [ "$how" != --opaque ]; then
        accepts gpgsm --batch --disable-crl-checks --disable-dirmngr --verify taken ours
        says 'Good signature from'
    fi
done
[ ! "${GNUPGHOME-}" ] || gpgconf --kill all || true
accepts stamped --again --tsa "$tsa_url/made?accuracy=020103" stamped.eml
accepts verify stamped.eml --trust-tsa ca.pem
[ "$(grep -c '  stamped    20.* by CN=tsa$' "$out")" = 2 ] || fail 'not both signatures have a stamp'
says ' UTC ±3 s by CN=tsa'
accepts verify_json stamped.eml --trust-tsa ca.pem
says '"accuracyMicroseconds":3000000,"authority":"CN=tsa"}'
# what is signed already passes, and nobody is asked
accepts stamped --tsa "$tsa_away" unstamped.eml
same unstamped.eml stamped.eml
# no message without the stamp
rm stamped.eml
refuses 1 stamped --tsa "$tsa_url/made?nonce=7f" plain.eml
says "time stamping authority '$tsa_url/made?nonce=7f': no time stamp for what was asked: nonce mismatch"
refuses 69 stamped --tsa "$tsa_url/refuses" --tsa "$tsa_away" plain.eml
says "'$tsa_url/refuses': it refuses, with status 2; time stamping authority '$tsa_away': no connection"
refuses 1 stamped --tsa "$tsa_url/" --tsa-policy 1.2.3.9 plain.eml
says 'Requested policy is not supported'
refuses 64 stamped --tsa-policy 1.2.3.9 plain.eml
[ ! -e stamped.eml ] || fail 'there is a message'
hand_over() { signengine mail sign -d SignEmailDescriptor:1 --tsa "$tsa_away" --sendmail "$(command -v touch)" -- ran <plain.eml; }
refuses 69 hand_over
[ ! -e ran ] || fail 'the message was handed over'
