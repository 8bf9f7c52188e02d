#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# XML documents of 10 kB signed with a key of 2,048 bits on SoftHSM, and a loop of xmlsec1, which can only have a key from a file.
. "${here:?}/setup.sh"

softhsm_token
"$top/tests/bench/sign" engine.xml 'bare C_Sign loop' "$module" softhsm pin "XML of 10 kB, SoftHSM RSA-2048" 0 1 12 | tee rows

command -v xmlsec1 >/dev/null || { echo "bench: no xmlsec1: its loop is left out" >&2 && exit; }
setup openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out certificate.pem -subj /CN=bench -days 2
ds=http://www.w3.org/2000/09/xmldsig# exclusive=http://www.w3.org/2001/10/xml-exc-c14n#
{
    awk 'BEGIN { print "<list>"; for (i = 0; i < 160; i++) printf "<entry number=\"%d\"><name>someone or other</name></entry>\n", i }'
    echo "<Signature xmlns='$ds'><SignedInfo><CanonicalizationMethod Algorithm='$exclusive'/>"
    echo "<SignatureMethod Algorithm='http://www.w3.org/2001/04/xmldsig-more#rsa-sha256'/>"
    echo "<Reference URI=''><Transforms><Transform Algorithm='${ds}enveloped-signature'/><Transform Algorithm='$exclusive'/></Transforms>"
    echo "<DigestMethod Algorithm='http://www.w3.org/2001/04/xmlenc#sha256'/><DigestValue/></Reference></SignedInfo><SignatureValue/>"
    echo "<KeyInfo><X509Data><X509Certificate/></X509Data></KeyInfo></Signature></list>"
} >template.xml
began=$(date +%s%N)
count=0
while [ $count -lt 60 ]; do
    setup xmlsec1 --sign --privkey-pem key.pem,certificate.pem --output signed.xml template.xml
    count=$((count + 1))
done
awk -F '\t' -v theirs="$((count * 1000000000000 / ($(date +%s%N) - began)))" '$3 == 12 { theirs /= 1000
    printf "signatures/s\t%s\t%d\t%d\tloop of xmlsec1 processes\t%.0f\t%.1f\n", $2, $3, $4, theirs, $4 / theirs }' rows
