#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2317 # race calls what it is given
# Configuration zips: whole processes beside jarsigner, with one key on one token, in turns.
. "${here:?}/setup.sh"
command -v jarsigner >/dev/null || { echo "bench: no jarsigner: zips are left out" >&2 && exit 77; }

nanoseconds() {
    began=$(date +%s%N)
    "$@" >log 2>&1 || { echo "bench: failed: $*" >&2 && cat log >&2 && exit 1; }
    echo $(($(date +%s%N) - began))
}
median() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
row() { # SETTING PEER <two columns of nanoseconds
    awk -v setting="$1" -v peer="$2" '{ printf "s\t%s\t1\t%.2f\t%s\t%.2f\t%.2f\n", setting, $1 / 1e9, peer, $2 / 1e9, $1 / $2 }'
}
race() { # TIMES SETTING OURS THEIRS PEER: functions, and what the latter is
    : >ours && : >theirs
    for _ in $(seq "$1"); do
        nanoseconds "$3" >>ours
        nanoseconds "$4" >>theirs
    done
    echo "$(median <ours) $(median <theirs)" | row "$2" "$5"
}

softhsm_token
slot=$(softhsm2-util --show-slots | awk '/^Slot [0-9]/ { slot = $2 } /Label: *softhsm/ { print slot }')
printf 'name = bench\nlibrary = %s\nslot = %s\n' "$module" "$slot" >p11.cfg
jarsigner_token() {
    jarsigner -keystore NONE -storetype PKCS11 -addprovider SunPKCS11 -providerArg p11.cfg -storepass 1234 "$@"
}
python3 - <<'PY'
import random, zipfile
random.seed(1)
words = [random.randbytes(4).hex() for _ in range(2000)]
def text(size):
    return " ".join(random.choices(words, k=size // 9)).encode()
with zipfile.ZipFile("many.zip", "w", zipfile.ZIP_DEFLATED) as z:
    for i in range(2000):
        z.writestr(f"folder {i % 50}/entry {i}.xml", text(20000))
piece = text(1 << 20)
for name, method in ("stored.zip", zipfile.ZIP_STORED), ("deflated.zip", zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(name, "w", method, compresslevel=1) as z, z.open("big.bin", "w", force_zip64=True) as entry:
        for i in range(500):
            entry.write(piece[i:] + piece[:i])
PY

for kind in many stored deflated; do
    case $kind in
    many) name='2,000 entries of 20 kB' times=7 ;;
    *) name="500 MB in one entry, $kind" times=3 ;;
    esac
    ours_sign() { "$top/signengine" zip sign -d Bench "$kind.zip" -o ours.zip; }
    theirs_sign() { jarsigner_token -signedjar theirs.zip "$kind.zip" bench; }
    ours_verify() { "$top/signengine" zip verify -d Bench ours.zip; }
    theirs_verify() { jarsigner -verify ours.zip; }
    race $times "sign, $name" ours_sign theirs_sign jarsigner
    race $times "verify, $name" ours_verify theirs_verify jarsigner
    "$top/tests/lib/maxrss" 49152 "$top/signengine" zip sign -d Bench "$kind.zip" -o ours.zip || echo "bench: more than 48 MB: sign, $name" >&2
    "$top/tests/lib/maxrss" 49152 "$top/signengine" zip verify -d Bench ours.zip >log || echo "bench: more than 48 MB: verify, $name" >&2
done

# what reading, hashing, inflating and writing take at least
ours_sign() { "$top/signengine" zip sign -d Bench "$kind.zip" -o ours.zip; }
ours_verify() { "$top/signengine" zip verify -d Bench ours.zip; }
hash_and_copy() { openssl dgst -sha256 stored.zip && cp stored.zip copied.zip && sync copied.zip; } # ours are synced as well
hash() { openssl dgst -sha256 stored.zip; }
inflate() {
    python3 -c 'import sys, zipfile
with zipfile.ZipFile("deflated.zip") as z, z.open("big.bin") as entry:
    while entry.read(1 << 20):
        pass'
}
kind=stored
race 7 'sign, 500 MB in one entry, stored' ours_sign hash_and_copy 'openssl dgst, cp and sync'
race 7 'verify, 500 MB in one entry, stored' ours_verify hash 'openssl dgst'
kind=deflated
setup ours_sign
race 5 'verify, 500 MB in one entry, deflated' ours_verify inflate "inflating it (Python's zlib)"
