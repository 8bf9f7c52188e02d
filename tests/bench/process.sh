#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Whole processes, in turns.
. "${here:?}/setup.sh"

nanoseconds() {
    began=$(date +%s%N)
    "$@" >/dev/null 2>&1 || { echo "bench: failed: $*" >&2 && exit 1; }
    echo $(($(date +%s%N) - began))
}
median() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }

softhsm_token
echo content >file
: >ours && : >theirs
for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21; do
    nanoseconds "$top/signengine" sign -d Bench --raw file -o out >>ours
    nanoseconds pkcs11-tool --module "$module" --token-label softhsm --login --pin 1234 --label bench --sign --mechanism SHA256-RSA-PKCS \
        --input-file file --output-file out >>theirs
done
awk -v ours="$(median <ours)" -v theirs="$(median <theirs)" 'BEGIN {
    printf "ms\tsign a small file\t1\t%.1f\tpkcs11-tool\t%.1f\t%.2f\n", ours / 1e6, theirs / 1e6, ours / theirs }'
