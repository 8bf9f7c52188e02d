#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Backups of keys in tokens: the token wraps them, openssl opens them, and they come back to the same token, to another one, to a file.
. "${top_srcdir:?}/tests/lib/harness.sh"
needs openssl python3

export SIGNENGINE_CONFIG="$tmp/engine.xml" PIN=1234
echo data >data
make_token lab 1234
make_token spare 1234

make_ca ca
make_cert first rsa:3072 keyUsage=critical,keyEncipherment subject=/CN=Recovery-1/O=Example
make_cert second rsa:3072 issuer=self keyUsage=critical,keyEncipherment
make_cert curve ec:P-256 issuer=self keyUsage=critical,keyAgreement
make_cert stranger rsa:3072 issuer=self
for name in first second curve stranger; do cat "$name.key" "$name.pem" >"$name.bundle"; done

cat >engine.xml <<-XML
	<engineSignEncrypt>
	  <descriptors>
	    <descriptor name="Signer"><type algorithm="SHA256withRSA" key="k"/></descriptor>
	    <descriptor name="Curve"><type algorithm="SHA384withECDSA" key="ec"/></descriptor>
	    <descriptor name="EncryptedFields"><type algorithm="AES/GCM/NoPadding" asymCipher="RSA/ECB/OAEPWithSHA-256AndMGF1Padding" key="fields"/></descriptor>
	  </descriptors>
	  <keys>
	    <key name="k"><type name="HSM" locationValue="$softhsm_module" tokenLabel="lab" alias="signer" pin="1234"/></key>
	    <key name="ec"><type name="HSM" locationValue="$softhsm_module" tokenLabel="lab" alias="curve" pin="1234"/></key>
	    <key name="fields"><type name="HSM" locationValue="$softhsm_module" tokenLabel="lab" alias="fields" pin="1234"/></key>
	    <key name="plain"><type name="HSM" locationValue="$softhsm_module" tokenLabel="lab" alias="plain" pin="1234"/></key>
	    <key name="inside"><type name="HSM" locationValue="$softhsm_module" tokenLabel="lab" alias="inside" pin="1234"/></key>
	    <key name="other"><type name="HSM" locationValue="$softhsm_module" tokenLabel="spare" alias="signer" pin="1234"/></key>
	    <key name="file"><type name="pem" locationValue="file.pem" pin="1234"/></key>
	  </keys>
	</engineSignEncrypt>
	XML
chmod 600 engine.xml
backup() { signengine key backup "$@"; }
restore() { signengine key restore "$@" </dev/null; }
delete() { setup signengine key delete --force "$1"; }
# what was signed before the key was lost still verifies, and the key signs
signs() {
    accepts signengine sign -d "$1" -o data.p7s data
    accepts signengine verify -d "$1" --signature "$1.before" data
    accepts openssl cms -verify -binary -inform DER -in data.p7s -content data -noverify -out /dev/null
}
flag() { # LABEL: what pkcs11-tool says of the private key
    pkcs11-tool --module "$softhsm_module" --token-label lab --login --pin 1234 --list-objects --type privkey 2>/dev/null |
        awk -v label="$1" '/^  label:/ { mine = $2 == label } mine && /^  Access:/ { sub(/^ *Access: */, ""); print }'
}

# ---- keys that may leave, and those that may not ----
accepts signengine key generate --exportable --type rsa:2048 k
says 'may leave: yes'
accepts signengine key generate --exportable --type ec:P-384 ec
says 'may leave: yes'
accepts signengine key generate --exportable --type rsa:2048 fields
says 'may leave: yes'
accepts signengine key generate --type rsa:2048 plain
says 'may leave: no'
setup signengine key generate --type rsa:3072 --key-usage encrypt inside
accepts signengine key list
says "k: key 'signer': RSA-2048"
says 'may leave: yes'
accepts signengine --json key list k
says '"mayLeave":true'
accepts signengine --json key list plain
says '"mayLeave":false'
case $(flag signer) in sensitive*' extractable'*) ;; *) fail "a key made with --exportable: $(flag signer)" ;; esac
case $(flag plain) in *never\ extractable*) ;; *) fail "a key made without --exportable: $(flag plain)" ;; esac
refuses 64 signengine key generate --exportable --file new.pem --pin-source env:PIN
says '--exportable is not for a key in such a place'
refuses 64 backup plain -o never --to first.pem
says "key 'plain' in a token of"
says 'this key does not leave its token (CKA_EXTRACTABLE is false)'
says 'generate --exportable'
[ ! -e never ] || fail 'a refused backup has left a file'
id=$(signengine key list k | sed -n "s/^key 'signer': .*ID \([0-9a-f]*\),.*/\1/p")
for name in Signer Curve; do setup signengine sign -d $name -o $name.before data; done
printf secret | signengine encrypt >value

# ---- written, and opened by openssl alone ----
accepts backup -v k -o k.backup --to first.pem --to second.pem
says "k.backup: written, RSA-2048 with ID $id, 'CN=signer', for 2 recovery certificates; not opened yet"
[ "$(stat -c %a k.backup)" = 600 ] || fail "the backup has mode $(stat -c %a k.backup)"
accepts grep -x "id: $id" k.backup
accepts openssl cms -cmsout -print -inform PEM -in k.backup
for part in pkcs7-envelopedData id-aes256-wrap-pad rsaesOaep 'CN=signer'; do says "$part"; done
setup sh -c 'openssl x509 -inform DER -pubkey -noout -in "$1" >signer.pub' sh "$(
    pkcs11-tool --module "$softhsm_module" --token-label lab --read-object --type cert --label signer -o signer.der 2>/dev/null
    echo signer.der
)"
for name in first second; do
    accepts openssl cms -decrypt -inform PEM -in k.backup -inkey $name.key -recip $name.pem -out opened.der
    accepts openssl pkey -inform DER -in opened.der -check -noout
    accepts openssl pkey -inform DER -in opened.der -pubout -out opened.pub
    same opened.pub signer.pub
done
others_refuse openssl cms -decrypt -inform PEM -in k.backup -inkey stranger.key -recip stranger.pem -out opened.der
accepts backup -v k -o tried.backup --to first.pem --recovery first.bundle
says 'the recovery key opens it'
accepts backup k -o json.backup --to first.pem --recovery first.bundle --json
says '"wrapped":true,"opened":true'
accepts backup -v k -o untried.backup --to first.pem --no-verify
refuses 65 backup k -o never --to first.pem --recovery stranger.bundle
says 'for other recovery certificates'
accepts backup ec -o ec.backup --to first.pem
accepts openssl cms -decrypt -inform PEM -in ec.backup -inkey first.key -recip first.pem -out opened.der
accepts openssl pkey -inform DER -in opened.der -check -noout
accepts backup fields -o fields.backup --to first.pem

# ---- back into the token that lost it: by the file key; by a recovery key that is in the token ----
accepts restore -v k k.backup --recovery first.bundle --dry-run
says "opens, and holds RSA-2048 with ID $id, 'CN=signer', which is the key that is there"
says 'by the token; of the backup only its file key was in clear'
for key in k ec fields; do delete $key; done
accepts restore -v k k.backup --recovery first.bundle
says "key 'signer': RSA-2048, ID $id, may sign, certificate CN=signer"
says 'may leave: no'
says 'by the token; of the backup only its file key was in clear'
signs Signer
case $(flag signer) in sensitive*) ;; *) fail "the restored key is not sensitive: $(flag signer)" ;; esac
refuses 73 restore k k.backup --recovery first.bundle
says 'there is one already'
refuses 64 restore k k.backup --recovery first.bundle --force
accepts restore k k.backup --recovery first.bundle --force --yes --exportable
says 'may leave: yes'
signs Signer
accepts restore ec ec.backup --recovery first.bundle
says "key 'curve': EC-P-384"
signs Curve
accepts restore fields fields.backup --recovery first.bundle --exportable
says 'may decrypt'
accepts signengine decrypt value
says secret
setup sh -c 'pkcs11-tool --module "$1" --token-label lab --read-object --type cert --label inside -o inside.der && openssl x509 -inform DER -in inside.der -out inside.pem' sh "$softhsm_module"
accepts backup -v k -o inside.backup --to inside.pem --recovery-key inside
says 'the recovery key opens it'
delete k
accepts restore -v k inside.backup --recovery-key inside
says 'opened inside the token, by the recovery key that is in it'
signs Signer

# ---- elsewhere: another token, a file, from a file ----
accepts restore -v other k.backup --recovery second.bundle
says "key 'signer': RSA-2048, ID $id"
accepts restore -v file k.backup --recovery first.bundle
says 'opened by this process'
accepts openssl pkey -in file.pem -passin pass:1234 -check -noout
accepts openssl pkey -in file.pem -passin pass:1234 -pubout -out file.pub
same file.pub signer.pub
accepts backup file -o file.backup --to first.pem
delete k
accepts restore -v k file.backup --recovery first.bundle --exportable
says 'may leave: yes'
signs Signer
accepts backup k -o again.backup --to first.pem
# what openssl has written anew: sets have no order
setup openssl cms -cmsout -inform PEM -in k.backup -outform DER -out k.der
delete k
accepts restore k k.der --recovery first.bundle
signs Signer

# ---- refused: changed, cut, for others, of another key ----
refuses 64 restore k k.backup
says 'opens with a recovery key (--recovery), whose certificate is: serial '
says "of 'CN=Test CA ca'"
says "of 'CN=second'"
refuses 65 restore k k.backup --recovery stranger.bundle
says 'is for other recovery certificates: serial '
refuses 65 restore fields k.backup --recovery first.bundle
says "the backup is of another key: RSA-2048, ID $id, 'CN=signer'; the key there is RSA-2048, ID "
delete k
cat >change.py <<-'PY'
	import sys
	data = bytearray(open("k.der", "rb").read())
	at = int(sys.argv[1]) * len(data) // 100
	data[min(at, len(data) - 1)] ^= int(sys.argv[2])
	open("changed.der", "wb").write(data)
	PY
for at in 5 30 50 60 75 90 99 100; do
    setup python3 change.py $at 4
    try restore k changed.der --recovery first.bundle
    case $status in
    0) # a certificate whose issuer is not in the file is covered by nothing; the key is the right one
        setup signengine key list k
        grep -q "ID $id," "$out" || fail "changed at $at%, and another key restored"
        delete k
        ;;
    1 | 65) ;;
    *) fail "changed at $at%: status $status" ;;
    esac
done
for at in 75 90 100; do
    setup python3 change.py $at 1
    refuses 1 restore k changed.der --recovery first.bundle
    says 'the backup was changed: there is no private key under its file key'
done
head -n 30 k.backup >cut.backup
refuses 65 restore k cut.backup --recovery first.bundle
says 'the backup is cut'
head -c 1000 k.der >cut.der
refuses 65 restore k cut.der --recovery first.bundle
setup openssl cms -encrypt -binary -aes256 -in data -outform PEM -out cbc.backup -recip first.pem
refuses 65 restore k cbc.backup --recovery first.bundle
says "no backup that \`key backup\` has made: it is EnvelopedData without a key's certificate"
refuses 78 backup fields -o never --to curve.pem
says "recovery certificate 'curve.pem': its key is EC-P-256, and a token encrypts for RSA keys only"
refuses 64 signengine key copy fields --to file
says 'this key does not leave its token in clear'
