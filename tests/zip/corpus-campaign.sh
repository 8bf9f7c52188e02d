#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# corpus-campaign.sh FOLDER: signs every zip below FOLDER, of whatever name (.zip, .jar, .whl, .nupkg, .docx, …), and holds what comes out against
# what went in: names and bytes as Python, unzip and Java have them, and the verdicts of `zip verify` and of jarsigner -verify -strict.  Copies are signed
# by jarsigner too, and verified by `zip verify --trust`.  Prints what is refused, and why; status 1: something differs, or is not accepted.
[ $# = 1 ] || exit 64
folder=$(realpath "$1")
top_builddir=${top_builddir-$PWD} top_srcdir=${top_srcdir-$(cd "$(dirname "$0")/../.." && pwd)}
export top_builddir top_srcdir
. "$top_srcdir/tests/lib/harness.sh"
. "$top_srcdir/tests/zip/jarsigner-lib.sh"
needs openssl python3 unzip javac java keytool

make_signer ConfigZipSigner rsa:2048
setup keytool -importcert -noprompt -alias ca -file ca.pem -keystore trust.p12 -storepass changeit
setup openssl pkcs12 -export -inkey one.key -in one.pem -certfile ca.pem -name theirs -out theirs.p12 -passout pass:changeit
setup javac -d . "$top_srcdir/tests/zip/Containers.java" "$top_srcdir/tests/zip/Corpus.java"
corpus="$top_srcdir/tests/zip/corpus.py"
mkdir zips ours theirs
(cd zips && python3 "$corpus" find "$folder")

# sentences without names and numbers, by how often they come
tally() {
    sed -E "s/'[^']*'/'…'/g; s/[0-9]+/N/g" | sort | uniq -c | sort -rn
}
for zip in zips/*.zip; do
    name=${zip#zips/}
    if signengine zip sign "$zip" -o "ours/$name" 2>why; then
        printf '%s\tours/%s\n' "$zip" "$name" >>signed
    else
        printf '%s (%s): %s\n' "$zip" "$(realpath "$zip")" "$(sed "s/^signengine: zip sign: '[^']*': //" why)" >>refused
    fi
    printf '%s\ttheirs/%s\n' "$zip" "$name" >>wishes
done
touch refused signed
java -cp . Corpus theirs.p12 changeit theirs <wishes >jarsigner
grep '	signs$' jarsigner | cut -f1 >jarsigned || true
echo "# $(wc -l <wishes) archives: $(wc -l <signed) signed, $(wc -l <refused) refused; jarsigner signs $(wc -l <jarsigned)"
echo "# refused by zip sign:"
sed -E 's/^[^)]*\): //' refused | tally
echo "# of those, signed by jarsigner:"
while read -r zip; do grep -F "$zip (" refused || true; done <jarsigned

accepts python3 "$corpus" same <signed
cat "$out"
: >unverified
while IFS='	' read -r _ after; do
    signengine zip verify "$after" --trust ca.pem >/dev/null 2>>unverified || true
done <signed
cat unverified
[ -s unverified ] && fail "zip verify refuses what zip sign made"
cut -f2 signed | xargs sh -c '. "$top_srcdir/tests/zip/jarsigner-lib.sh"; jarsigner_verdicts "$@"' - >verdicts
echo "# jarsigner -verify -strict accepts $(grep -c '	accepts$' verdicts) of $(wc -l <signed)"
grep -v '	accepts$' verdicts && fail "jarsigner refuses what zip sign made"

: >why
good=0
for zip in theirs/*.zip; do
    if signengine zip verify "$zip" --trust ca.pem >/dev/null 2>>why; then good=$((good + 1)); fi
done
echo "# signed by jarsigner: $good accepted by zip verify, $(wc -l <why) refused:"
sed "s/^signengine: zip verify: '[^']*': //" why | tally
