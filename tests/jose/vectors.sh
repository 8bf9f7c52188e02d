#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The examples of RFC 7515 and RFC 7520, from the source of Debian's jose: what is signed with a public key verifies, the rest is refused.
. "${top_srcdir:?}/tests/lib/harness.sh"
. "${top_srcdir:?}/tests/lib/debian-source.sh"
needs openssl python3 jose
python3 -c 'import jwcrypto' 2>/dev/null || skip 'Python has no jwcrypto'
debian_source jose
vectors=$tmp/jose/tests/vectors

make_ca ca
setup openssl req -new -key ca.key -subj /CN=vector -config /dev/null -out request
# certify NAME: a certificate for the key of that vector, of which only the public half is used
certify() {
    python3 -c "import sys; from jwcrypto import jwk; sys.stdout.buffer.write(jwk.JWK.from_json(open(sys.argv[1]).read()).export_to_pem())" \
        "$vectors/$1.jwk" >"$1.pub"
    setup openssl x509 -req -in request -force_pubkey "$1.pub" -CA ca.pem -CAkey ca.key -days 30000 -out "$1.pem"
}
rows='7515_A.2 RS256 7515_A.3 ES256 7515_A.4 ES512 7515_A.6.1 RS256 7515_A.6.2 ES256 7515_A.7 ES256 7520_4.1 RS256 7520_4.2 PS384 7520_4.3 ES512'
{
    echo '<engineSignEncrypt><descriptors>'
    # shellcheck disable=SC2086
    set -- $rows
    while [ $# -gt 0 ]; do
        echo "<descriptor name='$1'><type algorithm='$2' key='$1'/></descriptor>"
        shift 2
    done
    echo '</descriptors><keys>'
    # shellcheck disable=SC2086
    set -- $rows
    while [ $# -gt 0 ]; do
        echo "<key name='$1'><type name='pem' locationValue='rfc$1.pem'/></key>"
        shift 2
    done
    echo '</keys></engineSignEncrypt>'
} >engine.xml
export SIGNENGINE_CONFIG="$tmp/engine.xml"
# shellcheck disable=SC2086
set -- $rows
while [ $# -gt 0 ]; do
    certify "rfc$1"
    shift 2
done

verify() { signengine jws verify "$@"; }
for name in 7515_A.2 7515_A.3 7515_A.4; do
    accepts verify -d $name "$vectors/rfc$name.jwsc" -o payload
    cut -d. -f2 "$vectors/rfc$name.jwsc" | jose b64 dec -i- -O expected
    same payload expected
done
# RFC 7638's thumbprint is kid unless somebody says another name
refuses 1 verify -d 7515_A.6.1 "$vectors/rfc7515_A.6.jwsg"
accepts verify -d 7515_A.6.1 --key-id 2010-12-29 "$vectors/rfc7515_A.6.jwsg"
accepts verify -d 7515_A.6.2 --key-id e9bc097a-ce51-4036-9562-d2ade882db0d "$vectors/rfc7515_A.6.jwsg"
refuses 1 verify -d 7515_A.6.2 --key-id 2010-12-29 "$vectors/rfc7515_A.6.jwsg"
accepts verify -d 7515_A.7 --key-id e9bc097a-ce51-4036-9562-d2ade882db0d "$vectors/rfc7515_A.7.jwsf"
for name in 7520_4.1 7520_4.2 7520_4.3; do
    for form in jwsc jwsf jwsg; do
        accepts verify -d $name --key-id bilbo.baggins@hobbiton.example "$vectors/rfc$name.$form" -o payload
        says 'good signature'
        grep -q 'a dangerous business, Frodo, going out your' payload || fail 'another payload'
        refuses 1 verify -d $name "$vectors/rfc$name.$form"
    done
done
# HMAC and none are never ours, and neither is an algorithm that nobody has signed
for file in rfc7515_A.1.jwsc rfc7520_4.4.jwsc rfc7520_4.4.jwsf rfc7520_4.4.jwsg; do
    refuses 1 verify -d 7515_A.2 "$vectors/$file"
done
refuses 65 verify -d 7515_A.2 "$vectors/rfc7515_A.5.jwsc"
for file in rfc7520_4.7.jwsf rfc7520_4.7.jwsg rfc7520_4.8.jwsg; do
    refuses 65 verify -d 7520_4.1 "$vectors/$file"
done
