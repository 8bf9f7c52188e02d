#!/bin/sh
# bench.sh FILE: measures the built command and library against peers on the same token, prints a table, and writes FILE, a JSON array.
#
# Only ratios taken within one run mean something; the absolute figures are those of this machine in this minute.
set -eu

json=$(pwd)/$1
top=${top_builddir:?}
module=$(find /usr/lib /usr/local/lib -name libsofthsm2.so 2>/dev/null | head -n 1)
[ "$module" ] || { echo "bench: SoftHSM is not installed" >&2 && exit 77; }
folder=$(mktemp -d "${TMPDIR:-/tmp}/signengine-bench.XXXXXX")
trap 'rm -rf "$folder"' EXIT
cd "$folder"

mkdir tokens
printf 'directories.tokendir = %s/tokens\nobjectstore.backend = file\nlog.level = ERROR\n' "$folder" >softhsm2.conf
export SOFTHSM2_CONF="$folder/softhsm2.conf"
(umask 077 && echo 1234 >pin && echo 12345678 >so.pin)
cat >engine.xml <<XML
<engineSignEncrypt>
  <descriptors><descriptor name="Bench"><type algorithm="SHA256withRSA" key="bench"/></descriptor></descriptors>
  <keys><key name="bench">
    <type name="HSM" locationValue="$module" tokenLabel="softhsm" alias="bench" pin.source="file:$folder/pin"/>
  </key></keys>
</engineSignEncrypt>
XML
export SIGNENGINE_CONFIG="$folder/engine.xml"
"$top/signengine" key init bench --so-pin-source file:so.pin >/dev/null
"$top/signengine" key generate bench --type rsa:2048 >/dev/null

echo "Signatures per second, RSA-2048: se_sign() beside a bare C_Sign loop, median of nine turns"
"$top/tests/bench/sign" engine.xml "$module" softhsm pin 1 2 12 32 | tee results

# ---- whole processes, in turns ----

nanoseconds() {
    began=$(date +%s%N)
    "$@" >/dev/null 2>&1
    echo $(($(date +%s%N) - began))
}
median() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }

echo content >file
: >ours && : >theirs
for turn in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21; do
    nanoseconds "$top/signengine" sign -d Bench --raw file -o out >>ours
    nanoseconds pkcs11-tool --module "$module" --token-label softhsm --login --pin 1234 --label bench --sign --mechanism SHA256-RSA-PKCS \
        --input-file file --output-file out >>theirs
done
awk -v ours="$(median <ours)" -v theirs="$(median <theirs)" -v turns="$turn" 'BEGIN {
    printf "{\"process\":\"sign a small file\",\"turns\":%d,\"signengine_ms\":%.1f,\"pkcs11_tool_ms\":%.1f,\"ratio\":%.2f}\n",
        turns, ours / 1e6, theirs / 1e6, ours / theirs }' | tee -a results

{ echo '[' && sed '$!s/$/,/' results && echo ']'; } >"$json"
