#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# zip sign and zip verify on the command line: what is made, what is kept, who is accepted, every refusal with its status.
. "${top_srcdir:?}/tests/lib/harness.sh"
needs openssl python3 unzip

make_ca ca
make_ca other
make_cert one rsa:2048 keyUsage=critical,digitalSignature
make_cert two ec:P-256 keyUsage=critical,digitalSignature
make_cert renewed rsa:2048 keyUsage=critical,digitalSignature
make_cert stranger ec:P-256 issuer=other keyUsage=critical,digitalSignature
make_cert expired rsa:2048 keyUsage=critical,digitalSignature from=20200101000000Z until=20210101000000Z
make_cert encrypts rsa:2048 keyUsage=critical,keyEncipherment
make_cert lax rsa:2048 keyUsage=digitalSignature
make_cert self rsa:2048 issuer=self keyUsage=critical,digitalSignature
for name in one two renewed stranger expired encrypts lax self; do
    cat $name.key $name.pem >$name.bundle
    cat ca.pem >>$name.bundle
done

key() { echo "<key name='$1'><type name='pem' locationValue='$1.bundle' alias='${2-}'/></key>"; }
descriptor() { echo "<descriptor name='$1' version='${3-1}'><type algorithm='${4-SHA-256}' key='$2'/></descriptor>"; }
# configuration FILE KEY [DIGEST]: with ConfigZipSigner, and a descriptor without rules of its own
configuration() {
    cat >"$1" <<-XML
	<engineSignEncrypt>
	  <descriptors>$(descriptor ConfigZipSigner "$2" 1 "${3-SHA-256}") $(descriptor Any "$2")</descriptors>
	  <keys>$(key "$2")</keys>
	</engineSignEncrypt>
	XML
    chmod 600 "$1"
}
for name in one two renewed stranger expired encrypts lax self; do
    configuration $name.xml $name
done
configuration sha512.xml one SHA-512
export SIGNENGINE_CONFIG="$tmp/one.xml"

cat >make.py <<'PY'
import sys, zipfile
def make(path, entries, comment=b""):
    with zipfile.ZipFile(path, "w") as z:
        for name, data, method in entries:
            info = zipfile.ZipInfo(name, (2020, 2, 3, 4, 5, 6))
            info.external_attr = 0o100640 << 16 if not name.endswith("/") else 0o40755 << 16 | 16
            info.compress_type = method
            info.comment = b"about " + name.encode()
            z.writestr(info, data)
        z.comment = comment
S, D = zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED
make("plain.zip", [("conf/", b"", S), ("conf/a.xml", b"<a>" + b"text " * 2000 + b"</a>", D), ("b.bin", bytes(range(256)), S),
                   ("empty", b"", S), ("gr\u00fc\u00dfe/\u65e5\u672c\u8a9e \U0001f600 " + "x" * 90 + ".txt", b"letters", D)], b"a comment")
make("none.zip", [])
PY
setup python3 make.py

# ---- what it makes ----
accepts signengine zip sign plain.zip -o signed.zip
says_not 'sign'
accepts unzip -tq signed.zip
accepts signengine zip verify signed.zip
says 'signed.zip: good, 4 entries signed'
says 'META-INF/ONE.RSA'
says 'CN=one'
says 'SHA256withRSA'
accepts signengine zip verify signed.zip --trust ca.pem --list
says 'b.bin'
says 'META-INF/MANIFEST.MF: part of the signature'
accepts signengine --json zip verify signed.zip --list
says '{"entry":"b.bin","size":256,"state":"signed","good":true}'
says '"verdict":"good","entries":4,"signatures":[{"file":"META-INF/ONE.RSA","signer":"CN=one"'
accepts cmp plain.zip plain.zip

# everything is kept: bytes, times, attributes, comments, order
cat >same.py <<'PY'
import sys, zipfile
a, b = (zipfile.ZipFile(p) for p in sys.argv[1:3])
def facts(z):
    rows = []
    for i in z.infolist():
        if i.filename.startswith("META-INF/") and i.filename.rsplit(".")[-1] in ("MF", "SF", "RSA", "EC"):
            continue
        z.fp.seek(i.header_offset + 26)
        n, x = (int.from_bytes(z.fp.read(2), "little") for _ in range(2))
        z.fp.seek(n + x, 1)
        rows.append((i.filename, i.date_time, i.compress_type, i.external_attr, i.create_system, i.comment, i.extra, i.CRC, i.flag_bits,
                     z.fp.read(i.compress_size)))
    return rows
assert facts(a) == facts(b), "entries differ"
assert a.comment == b.comment
assert [i.filename for i in b.infolist()][0] == "META-INF/MANIFEST.MF"
assert [i.header_offset for i in b.infolist()] == sorted(i.header_offset for i in b.infolist())
PY
accepts python3 same.py plain.zip signed.zip

# in place, reproducible, again
cp plain.zip place.zip
chmod 640 place.zip
accepts signengine zip sign --time 2026-01-31T12:00:00Z place.zip
accepts signengine zip sign --time 2026-01-31T12:00:00Z plain.zip -o again.zip
same place.zip again.zip
accepts signengine zip sign --time 2026-01-31T12:00:00Z place.zip
same place.zip again.zip
setup test "$(stat -c %a place.zip)" = 640
accepts signengine zip verify place.zip
says '2026-01-31 12:00:00 UTC'
setup test "$(find . -name '*.zip.*' | wc -l)" = 0

# digests, kinds of keys, empty archives
accepts signengine -c sha512.xml zip sign plain.zip -o sha512.zip
accepts unzip -p sha512.zip META-INF/MANIFEST.MF
says 'SHA-512-Digest: '
accepts signengine zip verify sha512.zip --trust ca.pem
says 'SHA512withRSA'
accepts signengine -c two.xml zip sign plain.zip -o ec.zip
accepts signengine -c two.xml zip verify ec.zip
says 'META-INF/TWO.EC'
accepts signengine zip sign none.zip -o none-signed.zip
accepts signengine zip verify none-signed.zip
says '0 entries signed'
accepts signengine zip sign plain.zip -o named.zip --signature-name 'my name-is long'
accepts signengine zip verify named.zip
says 'META-INF/MY_NAME-.RSA'

# lines of manifests
accepts unzip -p signed.zip META-INF/MANIFEST.MF
awk 'length($0) > 73 { exit 1 }' "$out" || fail "lines of more than 72 bytes"

# ---- signatures that are there ----
accepts signengine -c two.xml zip sign signed.zip -o replaced.zip
accepts signengine -c two.xml zip verify replaced.zip
says 'META-INF/TWO.EC'
says_not 'META-INF/ONE.RSA'
accepts python3 same.py plain.zip replaced.zip
accepts signengine -c two.xml zip sign --keep signed.zip -o both.zip
accepts signengine zip verify both.zip --trust ca.pem
says 'META-INF/TWO.EC'
says 'META-INF/ONE.RSA'
accepts signengine zip sign --keep both.zip -o both-again.zip
accepts signengine zip verify both-again.zip --issuers
refuses 1 signengine zip verify both-again.zip
says 'META-INF/TWO.EC'
refuses 64 signengine zip sign --keep --replace plain.zip
says 'either'

# ---- who is accepted ----
refuses 1 signengine -c renewed.xml zip verify signed.zip
says 'signed with a certificate that the descriptor does not have, and no CA was named: CN=one'
accepts signengine -c renewed.xml zip verify signed.zip --issuers
says 'CN=one'
accepts signengine -c stranger.xml zip sign plain.zip -o strange.zip
refuses 1 signengine zip verify strange.zip
says 'does not have, and no CA was named: CN=stranger'
refuses 1 signengine zip verify strange.zip --issuers
says 'not trusted'
refuses 1 signengine zip verify signed.zip --trust other.pem
says 'not trusted'
accepts signengine zip verify strange.zip --trust other.pem
refuses 78 signengine -c expired.xml zip sign plain.zip -o expired.zip
says 'expired'
refuses 1 signengine zip verify signed.zip --time 2121-01-01
says 'Verification failed. The certificate has expired.'
refuses 1 signengine zip verify signed.zip --issuers --time 2121-01-01
says 'Verification failed. The certificate has expired.'
refuses 1 signengine zip verify signed.zip --trust ca.pem --time 2121-01-01
says 'Verification failed. The certificate has expired.'
for wrong in encrypts lax self; do
    refuses 78 signengine -c $wrong.xml zip sign plain.zip -o $wrong.zip
done
for wrong in lax self; do
    accepts signengine -c $wrong.xml zip sign -d Any plain.zip -o $wrong.zip
    cat ca.pem $wrong.pem >all.pem
    refuses 1 signengine zip verify $wrong.zip --trust all.pem
done
says 'self-signed'
refuses 1 signengine zip verify lax.zip --trust ca.pem
says 'not critical'

# ---- without --trust: every version's own certificate, and nobody else, with any algorithm; never the system's CAs ----
{
    echo "<engineSignEncrypt><descriptors>$(descriptor ConfigZipSigner one 1) $(descriptor ConfigZipSigner renewed 2 SHA-512)</descriptors>"
    echo "<keys>$(key one)$(key renewed)</keys></engineSignEncrypt>"
} >versions.xml
chmod 600 versions.xml
for zip in signed.zip sha512.zip; do
    accepts signengine -c versions.xml zip verify $zip
    says 'CN=one'
done
accepts signengine -c renewed.xml zip sign plain.zip -o newer.zip
accepts signengine -c versions.xml zip verify newer.zip
refuses 1 signengine -c versions.xml zip verify ec.zip
refuses 1 signengine -c versions.xml zip verify strange.zip

# one that could vouch for others does so only where --issuers or --trust says so
make_cert issuing rsa:2048 keyUsage=critical,digitalSignature,keyCertSign basicConstraints=critical,CA:TRUE
make_cert issued ec:P-256 issuer=issuing keyUsage=critical,digitalSignature
cat issuing.key issuing.pem ca.pem >issuing.bundle
cat issued.key issued.pem issuing.pem ca.pem >issued.bundle
configuration issuing.xml issuing
configuration issued.xml issued
accepts signengine -c issued.xml zip sign plain.zip -o issued.zip
refuses 1 signengine -c issuing.xml zip verify issued.zip
says 'does not have, and no CA was named: CN=issued'
accepts signengine -c issuing.xml zip verify issued.zip --issuers

# certificates that are another one of the same name and number, or of the same key
cp one.pem mine.pem
number=$(openssl x509 -in one.pem -noout -serial | cut -d= -f2)
make_key twin rsa:2048
setup openssl req -x509 -new -key twin.key -subj '/CN=Test CA ca' -set_serial "0x$number" -days 900 -out twin.pem -config /dev/null \
    -addext keyUsage=critical,digitalSignature
setup openssl cms -sign -binary -in plain.zip -outform DER -signer twin.pem -inkey twin.key -out /dev/null
cat twin.key twin.pem >twin.bundle
configuration twin.xml twin
accepts signengine -c twin.xml zip sign -d Any plain.zip -o twin.zip
refuses 1 signengine zip verify twin.zip

cat one.key one.pem >alone.bundle
configuration alone.xml alone
mkdir hashed
cp other.pem ca.pem hashed/
setup openssl rehash hashed
for bundle in other.pem ca.pem hashed/ca.pem; do
    export SSL_CERT_FILE="$tmp/$bundle" SSL_CERT_DIR="$tmp/hashed"
    accepts signengine -c alone.xml zip verify signed.zip
    for zip in strange.zip newer.zip; do
        refuses 1 signengine -c alone.xml zip verify $zip
        says 'does not have, and no CA was named'
        refuses 78 signengine -c alone.xml zip verify $zip --issuers
        says "descriptor 'ConfigZipSigner': its key store has no issuer of its certificates"
    done
    refuses 1 signengine zip verify strange.zip --issuers
    refuses 1 signengine zip verify strange.zip --trust ca.pem
done
unset SSL_CERT_FILE SSL_CERT_DIR
refuses 64 signengine zip verify signed.zip --trust ca.pem --issuers

# ---- usage ----
refuses 64 signengine zip sign
refuses 64 signengine zip verify signed.zip plain.zip
refuses 64 signengine zip
refuses 66 signengine zip verify missing.zip
refuses 78 signengine zip sign plain.zip -d Nobody
refuses 1 signengine zip verify plain.zip
says 'not signed'
echo 'no zip' >text
refuses 65 signengine zip verify text
says 'not a zip'
refuses 65 signengine zip sign text
refuses 1 signengine zip verify signed.zip --max-entries 3
says 'more than the limit of 3'
