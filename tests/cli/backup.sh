#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Backups of keys in files: what is written, what others open, what is put back, and every refusal.
. "${top_srcdir:?}/tests/lib/harness.sh"
needs openssl python3

export SIGNENGINE_CONFIG="$tmp/engine.xml" PIN=1234 RECOVERY=4321
echo data >data

make_ca ca
make_cert signer rsa:2048 keyUsage=critical,digitalSignature
make_cert other rsa:2048 keyUsage=critical,digitalSignature
make_cert curve ec:P-384 keyUsage=critical,digitalSignature
make_p12 signer 1234 signer -certfile ca.pem
make_p12 other 1234 signer
cat curve.key curve.pem ca.pem >curve.bundle
# recovery keys: one of each kind, one nobody was asked about, and some that won't do
make_cert first rsa:3072 keyUsage=critical,keyEncipherment subject=/CN=Recovery-1/O=Example
make_cert second ec:P-256 issuer=self keyUsage=critical,keyAgreement
make_cert stranger ec:P-256 issuer=self subject=/CN=Stranger
make_cert short rsa:2048
make_cert expired ec:P-256 until=20210101000000Z
make_cert signs rsa:3072 keyUsage=critical,digitalSignature
make_cert signs-ec ec:P-256 keyUsage=critical,digitalSignature
setup openssl genpkey -quiet -algorithm X25519 -out x25519.key
setup openssl pkey -in x25519.key -pubout -out x25519.pub
setup openssl x509 -new -force_pubkey x25519.pub -subj /CN=x25519 -CA ca.pem -CAkey ca.key -days 10 -out x25519.pem
for name in first second stranger; do cat "$name.key" "$name.pem" >"$name.bundle"; done
make_p12 first 4321
cat first.pem ca.pem >chained.pem

configure() { # STORE FILE [ATTRIBUTES]
    cat >engine.xml <<-XML
	<engineSignEncrypt>
	  <descriptors><descriptor name="Signer"><type algorithm="${algorithm-SHA256withRSA}" key="k"/></descriptor></descriptors>
	  <keys><key name="k"><type name="$1" locationValue="$2" ${3-}/></key>
	    <key name="recovery"><type name="pkcs12" locationValue="first.p12" pin="4321"/></key></keys>
	</engineSignEncrypt>
	XML
    chmod 600 engine.xml
}
backup() { signengine key backup "$@"; }
restore() { signengine key restore "$@" </dev/null; }
signs() { # the key signs, and what was signed before it was lost still verifies
    accepts signengine sign -d Signer -o data.p7s data
    accepts openssl cms -verify -binary -inform DER -in data.p7s -content data -CAfile ca.pem -purpose any -out /dev/null
    accepts signengine verify -d Signer --signature before.p7s data
}

configure pkcs12 signer.p12 "pin='1234' alias='signer'"
setup signengine sign -d Signer -o before.p7s data

# ---- written ----
accepts backup -v k -o k.backup --to first.pem --to second.pem
says "k.backup: written, RSA-2048 with ID "
says "'CN=signer', for 2 recovery certificates; not opened yet"
[ "$(stat -c %a k.backup)" = 600 ] || fail "the backup has mode $(stat -c %a k.backup)"
[ "$(head -n 1 k.backup)" = 'signengine key backup 1' ] || fail "it begins with $(head -n 1 k.backup)"
accepts cat k.backup
says 'key: signer'
says 'certificate: CN=signer'
says 'for: CN=Recovery-1,O=Example, serial '
says 'for: CN=second, serial '
says_not 'PRIVATE KEY'
accepts signengine key list k
id=$(sed -n "s/^key 'signer': .*ID \([0-9a-f]*\),.*/\1/p" "$out")
accepts grep -x "id: $id" k.backup

# ---- opened by others: doc/formats.md ----
for name in first second; do
    accepts openssl cms -decrypt -inform PEM -in k.backup -inkey $name.key -recip $name.pem -out opened.pem
    accepts openssl pkey -in opened.pem -check -noout
    accepts openssl pkey -in opened.pem -pubout -out opened.pub
    setup openssl pkey -in signer.key -pubout -out signer.pub
    same opened.pub signer.pub
    [ "$(grep -c 'BEGIN CERTIFICATE' opened.pem)" = 2 ] || fail "$(grep -c 'BEGIN CERTIFICATE' opened.pem) certificates, not that of the key and its CA's"
done
others_refuse openssl cms -decrypt -inform PEM -in k.backup -inkey stranger.key -recip stranger.pem -out opened.pem
accepts openssl cms -cmsout -print -inform PEM -in k.backup
for part in id-smime-ct-authEnvelopedData aes-256-gcm rsaesOaep dhSinglePass-stdDH-sha256kdf-scheme aes256-wrap; do says "$part"; done

# ---- tried ----
accepts backup -v k -o tried.backup --to first.pem --to second.pem --recovery second.bundle
says 'the recovery key opens it'
accepts backup k -o tried.json.backup --to first.pem --recovery-key recovery --json
says '"opened":true'
says "\"id\":\"$id\""
accepts restore k k.backup --recovery first.bundle --dry-run
says "k.backup: opens, and holds RSA-2048 with ID $id, 'CN=signer', which is the key that is there"
accepts restore --file none.p12 --pin-source env:PIN k.backup --recovery second.bundle --dry-run
says 'and there is no key to compare it with'
[ ! -e none.p12 ] || fail 'a dry run has made a file'
refuses 65 backup k -o never.backup --to first.pem --recovery stranger.bundle
says 'for other recovery certificates'
[ ! -e never.backup ] || fail 'a backup is there that its recovery key does not open'

# ---- what is there is not overwritten ----
cp k.backup first.backup
refuses 73 backup k -o k.backup --to first.pem
says 'not overwritten'
same k.backup first.backup
accepts backup k -o k.backup --to first.pem --force
cmp -s k.backup first.backup && fail '--force has written nothing'
cp first.backup k.backup
accepts sh -c '"$1" key backup k -o - --to first.pem >standard' sh "${top_builddir:?}/signengine"
accepts openssl cms -decrypt -inform PEM -in standard -inkey first.key -recip first.pem -out opened.pem

# ---- restored: into a PKCS #12 file, a PEM file, after everything is lost and beside others ----
mv signer.p12 lost.p12
for how in '--recovery first.p12 --recovery-pin-source env:RECOVERY' '--recovery second.bundle' '--recovery-key recovery'; do
    rm -f signer.p12
    # shellcheck disable=SC2086 # several words
    accepts restore k k.backup $how
    says "key 'signer': RSA-2048, ID $id"
    signs
done
[ "$(stat -c %a signer.p12)" = 600 ] || fail "the file has mode $(stat -c %a signer.p12)"
refuses 73 restore k k.backup --recovery first.bundle
says 'there is one already'
refuses 64 restore k k.backup --recovery first.bundle --force
says '--yes'
accepts restore k k.backup --recovery first.bundle --force --yes
signs
accepts restore --file new.pem --pin-source env:PIN k.backup --recovery first.bundle
configure pem new.pem "pin='1234'"
signs
# DER, as `openssl cms -cmsout -outform DER` makes it
setup openssl cms -cmsout -inform PEM -in k.backup -outform DER -out k.der
accepts restore --file der.pem --pin-source env:PIN k.der --recovery first.bundle
# one that openssl has made
algorithm=SHA384withECDSA configure pem curve.bundle
setup openssl cms -encrypt -binary -aes-256-gcm -in curve.bundle -outform DER -out theirs.der -recip first.pem -keyopt rsa_padding_mode:oaep
rm curve.bundle
accepts restore k theirs.der --recovery first.bundle
says "EC-P-384"
accepts signengine sign -d Signer -o curve.p7s data
accepts openssl cms -verify -binary -inform DER -in curve.p7s -content data -CAfile ca.pem -purpose any -out /dev/null
accepts backup k -o curve.backup --to second.pem --recovery second.bundle

# ---- another key than KEY ----
cp other.p12 signer.p12
configure pkcs12 signer.p12 "pin='1234' alias='signer'"
refuses 65 restore k k.backup --recovery first.bundle
says "key 'signer' in file"
says "the backup is of another key: RSA-2048, ID $id, 'CN=signer'; the key there is RSA-2048, ID "
says "'CN=other'; --force"
same signer.p12 other.p12
refuses 65 restore k k.backup --recovery first.bundle --dry-run
accepts restore k k.backup --recovery first.bundle --force --yes
signs
# only the certificate is left, in the configuration
rm signer.p12
configure pkcs12 signer.p12 "pin='1234' alias='signer' certificate='file:other.pem'"
refuses 65 restore k k.backup --recovery first.bundle
says "'CN=other'"
[ ! -e signer.p12 ] || fail 'another key was restored'
configure pkcs12 signer.p12 "pin='1234' alias='signer' certificate='file:signer.pem'"
accepts restore k k.backup --recovery first.bundle
signs

# ---- no backup, for others, cut, changed ----
rm signer.p12
refuses 64 restore k k.backup
says 'opens with a recovery key (--recovery), whose certificate is: serial '
says "of 'CN=Test CA ca', serial "
says "of 'CN=second'"
refuses 65 restore k k.backup --recovery stranger.bundle
says 'is for other recovery certificates: serial '
refuses 65 restore k data --recovery first.bundle
says "'data': no backup that \`key backup\` has made"
: >empty
refuses 65 restore k empty --recovery first.bundle
refuses 65 restore k signer.pem --recovery first.bundle
refuses 66 restore k missing --recovery first.bundle
setup openssl cms -encrypt -binary -aes256 -in curve.pem -outform PEM -out cbc.backup -recip first.pem
refuses 65 restore k cbc.backup --recovery first.bundle
says "no backup that \`key backup\` has made: it is EnvelopedData without a key's certificate"
setup openssl cms -encrypt -binary -aes-256-gcm -in data -outform PEM -out data.backup -recip first.pem
refuses 65 restore k data.backup --recovery first.bundle
says 'neither a PKCS #12 file nor PEM with a private key'
head -n 30 k.backup >cut.backup
refuses 65 restore k cut.backup --recovery first.bundle
says "the backup is cut: it has no line '-----END CMS-----'"
head -c 1000 k.der >cut.der
refuses 65 restore k cut.der --recovery first.bundle
says 'the backup is cut or changed'
: >cut.none
refuses 65 restore k cut.none --recovery first.bundle
# each byte of the second half of the DER is of the content or its tag; a sample of all of it
cat >change.py <<-'PY'
	import sys
	data = bytearray(open("k.der", "rb").read())
	at = int(sys.argv[1]) * len(data) // 100
	data[min(at, len(data) - 1)] ^= int(sys.argv[2])
	open("changed.der", "wb").write(data)
	PY
for at in 5 20 35 60 75 90 99 100; do
    setup python3 change.py $at 4
    try restore k changed.der --recovery first.bundle
    case $status in 1 | 65) ;; *) fail "changed at $at%: status $status" ;; esac
    [ ! -e signer.p12 ] || fail "changed at $at%, and restored"
done
for at in 60 90 100; do
    setup python3 change.py $at 1
    refuses 1 restore k changed.der --recovery first.bundle
    says 'the backup was changed'
done
# a key that is not whole: the private exponent is another
cat >broken.py <<-'PY'
	import base64, re, subprocess, sys
	der = bytearray(subprocess.run(["openssl", "pkcs8", "-topk8", "-nocrypt", "-in", "signer.key", "-outform", "DER"], check=True, capture_output=True).stdout)
	der[700] ^= 4
	print("-----BEGIN PRIVATE KEY-----\n" + base64.encodebytes(bytes(der)).decode() + "-----END PRIVATE KEY-----")
	PY
setup python3 broken.py
cat "$out" signer.pem >broken.pem
setup openssl cms -encrypt -binary -aes-256-gcm -in broken.pem -outform PEM -out broken.backup -recip first.pem
refuses 65 restore k broken.backup --recovery first.bundle
says 'the private key is not whole'
[ ! -e signer.p12 ] || fail 'a broken key was restored'

# ---- recovery certificates that won't do ----
cp lost.p12 signer.p12
refuses 64 backup k -o never
says '--to FILE'
refuses 78 backup k -o never --to short.pem
says "recovery certificate 'short.pem': its key is RSA-2048: a recovery key is RSA from 3072 bits, or EC on P-256, P-384 or P-521"
refuses 78 backup k -o never --to x25519.pem
says 'X25519'
refuses 78 backup k -o never --to expired.pem
says "it has expired on 2021-01-01"
refuses 78 backup k -o never --to signs.pem
says 'its keyUsage does not hold keyEncipherment'
refuses 78 backup k -o never --to signs-ec.pem
says 'its keyUsage does not hold keyAgreement'
refuses 65 backup k -o never --to chained.pem
says "'chained.pem' holds 2 certificates"
refuses 64 backup k -o never --to first.pem --to first.pem
says 'given twice'
refuses 65 backup k -o never --to data
refuses 66 backup k -o never --to missing.pem
refuses 73 backup k -o missing/never --to first.pem
refuses 77 backup k -o never --to first.pem --recovery first.p12
says '(--recovery-pin-source)'
refuses 64 backup k -o never --to first.pem --recovery-pin-source env:PIN
refuses 69 backup --file none.pem -o never --to first.pem
[ ! -e never ] || fail 'a refused backup has left a file'

# ---- copies ----
sed -i 's|</keys>|<key name="second"><type name="pem" locationValue="copy.pem" pin="1234"/><type name="pkcs12" locationValue="copy.p12" pin="1234" alias="twin"/></key></keys>|' engine.xml
refuses 64 signengine key copy k
says '--to KEY'
refuses 64 signengine key copy k --to second
says '--replica says which'
accepts signengine key copy k --to second --to-replica 1 --dry-run
[ ! -e copy.pem ] || fail 'a dry run has made a copy'
accepts signengine key copy k --to second --to-replica 1
says "RSA-2048, ID $id"
accepts openssl pkey -in copy.pem -passin pass:1234 -pubout -out copy.pub
same copy.pub signer.pub
accepts signengine key copy --file copy.pem --pin-source env:PIN --to second --to-replica 2
says "key 'twin': RSA-2048, ID $id"
refuses 73 signengine key copy k --to second --to-replica 2 </dev/null
says 'there is one already'
refuses 77 signengine key copy k --to second --to-replica 2 --to-pin-source env:RECOVERY --force --yes
refuses 77 signengine key copy --file copy.pem --pin-source env:RECOVERY --to second --to-replica 2 --force --yes
cat broken.pem >copy.key
refuses 65 signengine key copy --file copy.key --to second --to-replica 2 --force --yes
says 'the private key is not whole'

# ---- a token keeps its keys, and takes those of a backup ----
make_token lab 1234
setup signengine key generate --module "$softhsm_module" --token-label lab --alias mine --pin-source env:PIN
refuses 64 backup --module "$softhsm_module" --token-label lab --alias mine --pin-source env:PIN -o never --to first.pem
says 'this key does not leave its token (CKA_EXTRACTABLE is false)'
accepts restore --module "$softhsm_module" --token-label lab --alias signer --pin-source env:PIN k.backup --recovery first.bundle
says "key 'signer': RSA-2048, ID $id"
algorithm=SHA256withRSA configure HSM "$softhsm_module" "tokenLabel='lab' alias='signer' pin='1234'"
signs
setup signengine key delete --force --module "$softhsm_module" --token-label lab --alias signer --pin-source env:PIN
accepts signengine key copy --file lost.p12 --pin-source env:PIN --to k
signs
accepts signengine key list k
says 'may sign,'
says 'may leave: no'
refuses 64 signengine key copy k --to k
says 'this key does not leave its token in clear'
