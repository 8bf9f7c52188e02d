#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Backups that several recovery keys open together: by openssl and gfcombine alone, by us, and every refusal.
. "${top_srcdir:?}/tests/lib/harness.sh"
needs openssl gfcombine python3 xxd

export SIGNENGINE_CONFIG="$tmp/engine.xml" PIN=1234 RECOVERY=4321
echo data >data
make_token lab 1234

make_ca ca
make_cert signer rsa:2048 keyUsage=critical,digitalSignature
make_p12 signer 1234 signer -certfile ca.pem
make_cert one rsa:3072 keyUsage=critical,keyEncipherment
make_cert two ec:P-256 issuer=self keyUsage=critical,keyAgreement
make_cert three ec:P-384 keyUsage=critical,keyAgreement
make_cert stranger ec:P-256 issuer=self
for name in one two three stranger; do cat "$name.key" "$name.pem" >"$name.bundle"; done
make_p12 one 4321
cat >engine.xml <<-XML
	<engineSignEncrypt>
	  <descriptors>
	    <descriptor name="Signer"><type algorithm="SHA256withRSA" key="k"/></descriptor>
	    <descriptor name="Token"><type algorithm="SHA256withRSA" key="t"/></descriptor>
	  </descriptors>
	  <keys>
	    <key name="k"><type name="pkcs12" locationValue="signer.p12" pin="1234" alias="signer"/></key>
	    <key name="t"><type name="HSM" locationValue="$softhsm_module" tokenLabel="lab" alias="signer" pin="1234"/></key>
	    <key name="safe"><type name="pkcs12" locationValue="one.p12" pin="4321"/></key>
	  </keys>
	</engineSignEncrypt>
	XML
chmod 600 engine.xml
backup() { signengine key backup "$@" --to one.pem --to two.pem --to three.pem; }
restore() { signengine key restore "$@" </dev/null; }

# ---- written ----
accepts backup -v k -o k.backup --threshold 2
says "for 3 recovery certificates, 2 of them together; not opened yet"
accepts grep -x 'together: 2 of 3' k.backup
[ "$(grep -c '^-----BEGIN CMS-----$' k.backup)" = 4 ] || fail 'there are not three shares and a content'
accepts backup k -o json.backup --threshold 3 --recovery one.bundle --recovery two.bundle --recovery three.bundle --json
says '"recipients":3,"threshold":3,"wrapped":false,"opened":true'
setup signengine key generate --exportable --type rsa:2048 t
setup signengine sign -d Token -o token.p7s data
accepts backup -v t -o t.backup --threshold 2 --recovery one.bundle --recovery three.bundle
says 'the file key was in the memory of this process for a moment'
says '2 of them together; the recovery keys open it'

# ---- opened by others: doc/formats.md ----
# open_share FILE NUMBER NAME: the holder NAME's share, as gfcombine(1) wants it
open_share() {
    sed -n "/^share: $2\$/,/^-----END/p" "$1" | openssl cms -decrypt -inform PEM -inkey "$3.key" -recip "$3.pem" -out "share.00$2"
}
open_together() { # FILE SHARE...
    file=$1
    shift
    rm -f key
    gfcombine -o key "$@" && sed -n '/^content:$/,/^-----END/p' "$file" |
        openssl cms -decrypt -inform PEM -secretkey "$(xxd -p -c 64 key)" -secretkeyid "${id-0203}" -out opened
}
for file in k.backup t.backup; do
    accepts open_share $file 1 one
    accepts open_share $file 2 two
    accepts open_share $file 3 three
    for shares in 'share.001 share.002' 'share.003 share.001' 'share.002 share.003' 'share.001 share.002 share.003'; do
        # shellcheck disable=SC2086 # several words
        accepts open_together $file $shares
        case $file in
        k.backup) accepts openssl pkey -in opened -check -noout ;;
        t.backup) accepts openssl pkey -inform DER -in opened -check -noout ;;
        esac
    done
    # one is not enough
    cp share.001 share.009
    try open_together $file share.001 share.009
    openssl pkey -in opened -noout 2>/dev/null && fail 'one share opens it'
    openssl pkey -inform DER -in opened -noout 2>/dev/null && fail 'one share opens it'
done
# ---- restored ----
setup signengine sign -d Signer -o before.p7s data
mv signer.p12 lost.p12
for pair in 'one two' 'three one' 'two three'; do
    rm -f signer.p12
    accepts restore k k.backup --recovery "${pair% *}.bundle" --recovery "${pair#* }.bundle"
    says "key 'signer': RSA-2048"
    accepts signengine verify -d Signer --signature before.p7s data
done
rm signer.p12
accepts restore k k.backup --recovery one.bundle --recovery two.bundle --recovery three.bundle
rm signer.p12
accepts restore k k.backup --recovery two.bundle --recovery one.p12 --recovery-pin-source env:PIN --recovery-pin-source env:RECOVERY
rm signer.p12
accepts restore k k.backup --recovery two.bundle --recovery-key safe
setup signengine key delete --force t
accepts restore -v t t.backup --exportable --recovery one.bundle --recovery two.bundle
says 'by the token; of the backup only its file key was in clear'
accepts signengine verify -d Token --signature token.p7s data
accepts signengine sign -d Token -o again.p7s data

# ---- refused ----
rm signer.p12
refuses 64 backup k -o never --threshold 1
says "--threshold 1 with 3 recovery certificates: it is how many of them open the backup together, from 2"
refuses 64 backup k -o never --threshold 4
refuses 64 restore k k.backup
says "the backup opens with 2 of its 3 recovery keys together (--recovery), and 0 are given; their certificates are: serial "
says "of 'CN=two'"
refuses 64 restore k k.backup --recovery one.bundle
says 'and 1 is given'
refuses 64 restore k k.backup --recovery one.bundle --recovery one.bundle
says 'a recovery key is given twice'
refuses 65 restore k k.backup --recovery one.bundle --recovery stranger.bundle
says 'is for other recovery certificates: serial '
refuses 64 restore k k.backup --recovery one.bundle --recovery two.bundle --recovery three.bundle --recovery-pin-source env:PIN --recovery-pin-source env:PIN
says '3 recovery keys, and --recovery-pin-source 2 times'
refuses 65 backup --module "$softhsm_module" --token-label lab --alias signer --pin-source env:PIN -o never --threshold 2 --recovery one.bundle --recovery stranger.bundle
[ ! -e never ] || fail 'a refused backup has left a file'
# a share or the content is cut off, changed, or another backup's
sed '/^content:$/,$d' k.backup >cut.backup
refuses 65 restore k cut.backup --recovery one.bundle --recovery two.bundle
says 'the backup is cut: its content is missing'
sed '/^share: 3$/,/^-----END/d' k.backup >cut.backup
refuses 65 restore k cut.backup --recovery one.bundle --recovery two.bundle
says 'the backup is cut: it has 2 of 3 shares'
setup cp lost.p12 signer.p12
setup backup k -o other.backup --threshold 2
rm signer.p12
{
    sed '/^share: 2$/,$d' k.backup
    sed -n '/^share: 2$/,/^-----END/p' other.backup
    sed '1,/^share: 3$/d' k.backup
} >mixed.backup
refuses 1 restore k mixed.backup --recovery one.bundle --recovery two.bundle
says 'the backup was changed: it does not decrypt with the recovery key that it is for'
accepts restore k mixed.backup --recovery one.bundle --recovery three.bundle
rm signer.p12
cat >change.py <<-'PY'
	import base64, sys
	number = int(sys.argv[1])
	parts = open("k.backup").read().split("-----BEGIN CMS-----\n")
	body, rest = parts[number].split("-----END CMS-----", 1)
	der = bytearray(base64.b64decode(body))
	der[-int(sys.argv[2])] ^= 1
	parts[number] = base64.encodebytes(bytes(der)).decode() + "-----END CMS-----" + rest
	open("changed.backup", "w").write("-----BEGIN CMS-----\n".join(parts))
	PY
for part in 1 2 4; do
    for at in 1 20 45; do
        setup python3 change.py $part $at
        refuses 1 restore k changed.backup --recovery one.bundle --recovery two.bundle
        [ ! -e signer.p12 ] || fail "part $part changed, and restored"
    done
done
setup python3 change.py 3 20
accepts restore k changed.backup --recovery one.bundle --recovery two.bundle
