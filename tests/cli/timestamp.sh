#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# sign --tsa: what an `openssl ts` authority stamps is good for openssl and gpgsm; several authorities in turn, of which some are away,
# refuse or lie; the policy that is asked for; nonce and accuracy.
. "${top_srcdir:?}/tests/lib/harness.sh"
needs openssl

make_signer Files ec:P-256
make_tsa
echo 'accuracy = secs:1, millisecs:500, microsecs:100' >>ts.conf
echo 'other_policies = 1.2.3.5' >>ts.conf
signs='keyUsage=critical,digitalSignature'
make_cert expired rsa:2048 $signs extendedKeyUsage=critical,timeStamping until=20210101000000Z
make_cert lax rsa:2048 $signs extendedKeyUsage=timeStamping
echo content >file
serve authority

stamp() { signengine sign -d Files file -o file.p7s "$@"; }
verify() { signengine verify -d Files -s file.p7s file --trust ca.pem "$@"; }
# what openssl says of the signature, and of the stamp by itself
openssl_verifies() {
    openssl cms -verify -binary -inform DER -in file.p7s -content file -CAfile ca.pem -purpose any
}
stamp_verifies() {
    PYTHONDONTWRITEBYTECODE=1 python3 "$top_srcdir/tests/zip/stamps.py" take "$1" &&
        openssl ts -verify -data "$1.value" -in "$1.token" -token_in -CAfile ca.pem
}
asked() { # PATH...: the authorities that were asked, in that order
    printf '%s\n' "$@" | cmp -s - authority.asked || fail "asked: $(cat authority.asked)"
    rm -f authority.asked
}

# ---- one authority ----
accepts stamp --tsa "$tsa_url/"
accepts openssl_verifies
accepts stamp_verifies file.p7s
says 'Verification: OK'
accepts verify
says 'stamped    20'
says ' UTC ±1500100 µs by CN=tsa'
json_verify() { signengine --json verify -d Files -s file.p7s file --trust ca.pem; }
accepts json_verify
says '"accuracyMicroseconds":1500100,"authority":"CN=tsa"}'
# it has no policy to ask for, but a nonce, and wants the certificate
accepts openssl ts -query -in authority.query -text
says 'Policy OID: unspecified'
says 'Certificate required: yes'
says 'Nonce: 0x'
if command -v gpgsm >/dev/null; then
    mkdir -m 700 gnupg
    export GNUPGHOME="$tmp/gnupg"
    setup gpgsm --batch --quiet --import ca.pem
    openssl x509 -in ca.pem -noout -fingerprint -sha1 | sed 's/.*=//; s/$/ S/' >gnupg/trustlist.txt
    accepts gpgsm --batch --disable-crl-checks --disable-dirmngr --verify file.p7s file
    says 'Good signature from'
    gpgconf --kill all || true
fi
accepts stamp --pem --tsa "$tsa_url/"
accepts openssl cms -verify -binary -inform PEM -in file.p7s -content file -CAfile ca.pem -purpose any
accepts verify
says ' by CN=tsa'
by_digest() { signengine sign -d Files --digest "$(sha256sum file | cut -d' ' -f1)" -o file.p7s --tsa "$tsa_url/"; }
accepts by_digest
accepts verify
says ' by CN=tsa'

# with the content inside, of several pieces
attached() { signengine sign -d Files --attached -o big.p7m --tsa "$tsa_url/" big; }
seq 1 40000 >big
accepts attached
accepts openssl cms -verify -inform DER -in big.p7m -CAfile ca.pem -purpose any -out content
same big content
accepts signengine verify -d Files big.p7m --trust ca.pem -o content
says ' by CN=tsa'
same big content
setup openssl cms -cmsout -inform DER -in big.p7m -outform DER -out big.der
accepts stamp_verifies big.der
says 'Verification: OK'

# ---- a policy ----
accepts stamp --tsa "$tsa_url/" --tsa-policy 1.2.3.5
accepts openssl ts -query -in authority.query -text
says 'Policy OID: 1.2.3.5'
accepts stamp_verifies file.p7s
accepts openssl ts -reply -in file.p7s.token -token_in -text
says 'Policy OID: 1.2.3.5'
refuses 1 stamp --tsa "$tsa_url/" --tsa-policy 1.2.3.6
says "time stamping authority '$tsa_url/': it refuses, with status 2: Requested policy is not supported."
refuses 1 stamp --tsa "$tsa_url/made?policy=2a0306" --tsa-policy 1.2.3.5
says 'no time stamp for what was asked: policy mismatch'
accepts stamp --tsa "$tsa_url/made?policy=2a0306"
accepts stamp --tsa "$tsa_url/made" --tsa-policy 1.2.3.5
for policy in nonsense 1 1.2.x '1 2 3' '' 9.9.9; do
    refuses 64 stamp --tsa "$tsa_url/" --tsa-policy "$policy"
    says "'$policy' is not the policy of a time stamping authority"
done

# ---- what was not asked for, or is good for nothing ----
rm file.p7s
accepts stamp --tsa "$tsa_url/made"
accepts stamp_verifies file.p7s
rm file.p7s
while read -r status how text; do
    refuses "$status" stamp --tsa "$tsa_url/$how"
    says "$text"
    [ ! -e file.p7s ] || fail 'there is a signature'
    rm -f file.p7s
done <<'TABLE'
1 made?nonce=7f no time stamp for what was asked: nonce mismatch
1 made?nonce= no time stamp for what was asked: nonce not returned
1 other no time stamp for what was asked: message imprint mismatch
1 refuses it refuses, with status 2
1 made?broken=yes its time stamp is not good:
1 made?by=expired its authority's certificate was not valid at its time
1 made?by=lax its time stamp would not count: it was made with a certificate that is not for time stamps
1 made?ahead=400 its time stamp would not count: it is from later
1 made?accuracy=8002 the answer is none
1 made?accuracy=800203e8 its time stamp would not count: its accuracy is none
1 made?accuracy=0201ff its time stamp would not count: its accuracy is none
69 garbage no answer
69 missing no answer
TABLE
accepts stamp --tsa "$tsa_url/made?accuracy=800203e7"
accepts verify
says ' UTC ±999 ms by CN=tsa'
accepts stamp --tsa "$tsa_url/made?accuracy=020102"
accepts verify
says ' UTC ±2 s by CN=tsa'
accepts stamp --tsa "$tsa_url/made?ahead=200"

# ---- one after the other ----
rm authority.asked
accepts stamp --tsa "$tsa_url/" --tsa "$tsa_url/other"
asked /
accepts stamp --tsa "$tsa_away" --tsa "$tsa_url/other" --tsa "$tsa_url/refuses" --tsa "$tsa_url/garbage" --tsa "$tsa_url/made?ahead=200"
asked /other /refuses /garbage '/made?ahead=200'
accepts verify
says ' by CN=tsa'
accepts stamp --tsa "$tsa_url/made?policy=2a0306" --tsa "$tsa_url/" --tsa-policy 1.2.3.4
asked '/made?policy=2a0306' /
accepts stamp_verifies file.p7s
rm file.p7s
refuses 69 stamp --tsa "$tsa_url/refuses" --tsa "$tsa_away" --tsa "$tsa_url/other"
says "time stamping authority '$tsa_url/refuses': it refuses, with status 2; time stamping authority '$tsa_away': no connection: Connection refused; time stamping authority '$tsa_url/other': no time stamp for what was asked: message imprint mismatch"
refuses 1 stamp --tsa "$tsa_url/refuses" --tsa "$tsa_url/other"
[ ! -e file.p7s ] || fail 'there is a signature'

# ---- what is wrong is said before anybody is asked ----
rm authority.asked
refuses 64 stamp --tsa "$tsa_url/" --tsa https://example.org/
says "'https://example.org/' is not the URL of a time stamping authority"
refuses 64 stamp --tsa ''
refuses 64 stamp --tsa "$tsa_url/" --raw
refuses 64 stamp --tsa "$tsa_url/" --xml
refuses 64 stamp --tsa-policy 1.2.3
says '--tsa-policy needs --tsa'
[ ! -e authority.asked ] || fail 'somebody was asked'
