#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Which certificate of a key is used, and which issuers go along: in PEM, PKCS #12 and a token, from the configuration and by the key commands.
. "${top_srcdir:?}/tests/lib/harness.sh"
needs openssl softhsm2-util pkcs11-tool

printf 1234 >pin
chmod 600 pin
echo data >data
day() { date -u -d "$1 days" +%Y%m%d000000Z; }

# conf ATTRIBUTES: engine.xml, with one key
conf() {
    cat >engine.xml <<-XML
	<engineSignEncrypt>
	  <descriptors><descriptor name="Signer"><type algorithm="SHA256withRSA" key="one"/></descriptor></descriptors>
	  <keys><key name="one"><type $*/></key></keys>
	</engineSignEncrypt>
	XML
}
export SIGNENGINE_CONFIG="$tmp/engine.xml"

# signs_with NAME: that certificate, and openssl finds the way to the CA with what is embedded
signs_with() {
    accepts signengine sign -d Signer -o data.p7s data
    [ "$status" = 0 ] || return 0
    serial=$(openssl x509 -noout -serial -in "$1.pem")
    accepts openssl cms -verify -binary -inform DER -in data.p7s -content data -CAfile ca.pem -purpose any -signer used.pem -out /dev/null
    [ "$(openssl x509 -noout -serial -in used.pem)" = "$serial" ] || fail "another certificate than $1 signed"
}

# embeds NAME...: these certificates, and no other
embeds() {
    openssl pkcs7 -inform DER -in data.p7s -print_certs 2>/dev/null | grep -c 'BEGIN' >count
    for name; do
        openssl x509 -in "$name.pem" -outform DER | od -An -v -tx1 | tr -d ' \n' >one.hex
        od -An -v -tx1 data.p7s | tr -d ' \n' | grep -q -F -f one.hex || fail "$name is not embedded"
    done
    [ "$(cat count)" = $# ] || fail "$(cat count) certificates are embedded, not $#"
}

# a token with one key: its certificates follow
make_token lab
make_ca ca
usage=keyUsage=critical,digitalSignature
make_key signer rsa:2048
setup openssl pkcs8 -topk8 -nocrypt -in signer.key -out signer.p8
setup softhsm2-util --import signer.p8 --token lab --label signer --id 0a --pin 1234
token_add() {
    setup openssl x509 -in "$1.pem" -outform DER -out one.der
    setup pkcs11-tool --module "$softhsm_module" --token-label lab --login --pin 1234 -w one.der -y cert --label "$2" --id "$3"
}
token_clear() {
    while pkcs11-tool --module "$softhsm_module" --token-label lab --login --pin 1234 --delete-object --type cert --label "$1" >/dev/null 2>&1; do :; done
}
token_conf="name='HSM' locationValue='$softhsm_module' tokenLabel='lab' alias='signer' pin='1234'"

# ---- valid now, before the next and the last year's ----
certificate() { # NAME FROM UNTIL [WORD...]
    name=$1
    cp signer.key "$1.key"
    from=$2 until=$3
    shift 3
    make_cert "$name" rsa:2048 "from=$(day "$from")" "until=$(day "$until")" subject=/CN=signer "$usage" "$@"
}
certificate past -700 -30
certificate now -300 20
certificate next 15 400
certificate later 15 900
for order in 'past now next later' 'next later past now'; do
    files=$(for name in $order; do echo "$name.pem"; done)
    # shellcheck disable=SC2086 # several files
    cat signer.key $files >key.pem
    conf "name='pem' locationValue='key.pem'"
    signs_with now
    # shellcheck disable=SC2086 # several files
    cat $files >some.pem
    rm -f key.p12
    setup openssl pkcs12 -export -inkey signer.key -in now.pem -certfile some.pem -passout pass:1234 -out key.p12
    conf "name='pkcs12' locationValue='key.p12' pin='1234'"
    signs_with now
    token_clear signer
    for name in $order; do token_add "$name" signer 0a; done
    conf "$token_conf"
    signs_with now
    token_clear signer
    conf "$token_conf certificate='file:some.pem'"
    signs_with now
    # brought in
    rm -f new.pem
    conf "name='pem' locationValue='new.pem'"
    accepts signengine key import one key.pem
    says "until $(date -u -d '20 days' +%Y-%m-%d)"
    accepts signengine key certificate one some.pem
    says "until $(date -u -d '20 days' +%Y-%m-%d)"
done
# what is not valid is used where nothing is
cat signer.key past.pem >key.pem
conf "name='pem' locationValue='key.pem'"
refuses 78 signengine sign -d Signer -o none data
says 'certificate expired'

# ---- next year's certificate, put there before its time, stands beside the other ----
cat signer.key now.pem >key.pem
rm -f key.p12
setup openssl pkcs12 -export -inkey signer.key -in now.pem -name signer -passout pass:1234 -out key.p12
token_add now signer 0a
for place in "name='pem' locationValue='key.pem'" "name='pkcs12' locationValue='key.p12' pin='1234'" "$token_conf"; do
    conf "$place"
    accepts signengine key certificate one next.pem
    signs_with now
    certificate renewed -1 600
    accepts signengine key certificate one renewed.pem
    signs_with renewed
done

# ---- the order of a file does not say which is the issuer ----
cat ca.pem now.pem >public.pem
cat signer.key now.pem >key.pem
conf "name='pem' locationValue='key.pem'"
signs_with now
conf "name='pem' locationValue='public.pem'"
accepts signengine verify -d Signer -s data.p7s data

# ---- issuers: cross-signed, re-keyed, expired ----
make_ca other
root=basicConstraints=critical,CA:TRUE
make_cert middle ec:P-256 issuer=ca "subject=/CN=Middle CA" "$root"
cp middle.key crossed.key
make_cert crossed ec:P-256 issuer=other "subject=/CN=Middle CA" "$root"
cp middle.key expired.key
make_cert expired ec:P-256 issuer=other "subject=/CN=Middle CA" "$root" "until=$(day -1)"
make_cert rekeyed ec:P-256 issuer=ca "subject=/CN=Middle CA" "$root"
make_cert stranger ec:P-256 issuer=ca "subject=/CN=Stranger CA" "$root"
certificate leaf -1 100 issuer=middle
for order in 'expired rekeyed stranger middle crossed' 'crossed middle rekeyed expired stranger'; do
    files=$(for name in $order; do echo "$name.pem"; done)
    # shellcheck disable=SC2086 # several files
    cat signer.key leaf.pem $files >key.pem
    # shellcheck disable=SC2086 # several files
    cat leaf.pem $files >some.pem
    conf "name='pem' locationValue='key.pem'"
    signs_with leaf
    embeds leaf middle crossed expired
        rm -f key.p12
    setup openssl pkcs12 -export -inkey signer.key -in leaf.pem -certfile some.pem -passout pass:1234 -out key.p12
    conf "name='pkcs12' locationValue='key.p12' pin='1234'"
    signs_with leaf
    embeds leaf middle crossed expired
        conf "$token_conf certificate='file:some.pem'"
    signs_with leaf
    embeds leaf middle crossed expired
done
token_clear signer
token_add leaf signer 0a
for name in expired rekeyed stranger middle crossed ca; do token_add "$name" "$name" 0c; done
conf "$token_conf"
signs_with leaf
embeds leaf middle crossed expired ca
