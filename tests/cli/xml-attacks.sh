#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Signed XML that tries to be taken for what it is not: each folder of tests/vectors/xml-attacks is refused with its status and message,
# by the descriptor's certificates and by a CA; the folders that begin with good- are accepted, so that the refusals mean something.
. "${top_srcdir:?}/tests/lib/harness.sh"

vectors=$top_srcdir/tests/vectors/xml-attacks
cp "$vectors"/*.pem .
cat >engine.xml <<XML
<engineSignEncrypt>
  <descriptors>
    <descriptor name='Signer'><type algorithm='SHA256withRSA' key='signer'/></descriptor>
    <descriptor name='Curve'><type algorithm='SHA256withECDSA' key='curve'/></descriptor>
  </descriptors>
  <keys>
    <key name='signer'><type name='pem' locationValue='signer.pem'/></key>
    <key name='curve'><type name='pem' locationValue='curve.pem'/></key>
  </keys>
</engineSignEncrypt>
XML
export SIGNENGINE_CONFIG="$tmp/engine.xml"

attacks=0 accepted=0
for folder in "$vectors"/*/; do
    name=$(basename "$folder")
    read -r expected <"$folder/expected"
    message=$(sed -n 2p "$folder/expected")
    arguments=$(cat "$folder/arguments" 2>/dev/null || true)
    case $arguments in *-d*) ;; *) arguments="-d Signer $arguments" ;; esac
    rm -f content
    if [ "$expected" = 0 ]; then
        accepted=$((accepted + 1))
        # shellcheck disable=SC2086 # several arguments
        accepts signengine verify --xml $arguments "$folder/document.xml" -o content
        # shellcheck disable=SC2086
        accepts signengine verify --xml $arguments --trust ca.pem "$folder/document.xml"
        continue
    fi
    attacks=$((attacks + 1))
    case $expected in 1 | 65) ;; *) fail "$name: status $expected is no refusal of data" ;; esac
    # shellcheck disable=SC2086
    refuses "$expected" signengine verify --xml $arguments "$folder/document.xml" -o content
    says "$message"
    [ ! -e content ] || fail "$name: content was handed out"
    # a CA vouches for other signers and algorithms, but not for them
    [ "$name" != signature-other-than-the-descriptor ] || continue
    # shellcheck disable=SC2086
    try signengine verify --xml $arguments --trust ca.pem "$folder/document.xml"
    case $status in 1 | 65) ;; *) fail "$name: status $status with a CA" ;; esac
    case $arguments in *--id*) ;; *) continue ;; esac
    # what is signed somewhere in it is never the document
    try signengine verify --xml -d Signer "$folder/document.xml"
    case $status in 1 | 65) ;; *) fail "$name: status $status without an ID" ;; esac
done
try true
[ "$attacks" -ge 60 ] || fail "only $attacks attacks"
[ "$accepted" = 3 ] || fail "$accepted good documents"
[ "$(find "$vectors" -path '*/wrapping-[1-8]/document.xml' | wc -l)" = 8 ] || fail "not the eight forms of wrapping"
