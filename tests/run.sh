#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# tests/run.sh [--all]: the test command.  Installs the packages that are missing, builds in build/, runs "make check", and ends with
#
#   N passed, N failed, N skipped
#
# Counted are cases: of unit tests and shell tests as many as they tell, any other test is one.
# --all adds files of 5 GB ("make check-big"), and repeats the tests under AddressSanitizer and UndefinedBehaviorSanitizer, and under
# valgrind; a case counts once, and has failed if it failed anywhere.
set -eu

top=$(cd "$(dirname "$0")/.." && pwd)
build=${SIGNENGINE_BUILD:-$top/build}
jobs=$(nproc 2>/dev/null || echo 2)
results=$build/results

usage() {
    sed -n '2,/^set/s/^# \{0,1\}//p' "$0" | sed '$d'
}

# A test's numbers, from what automake and the test itself left: "NAME STAGE PASSED FAILED SKIPPED"
count() { # STAGE FOLDER TRS
    awk -v stage="$1" -v name="$(echo "${3%.trs}" | sed "s:^$2/::")" '
        FNR == NR { if ($1 == ":test-result:") verdict = $2; next }
        /^\[       OK \] / { ok++ }
        /^\[  PASSED  \] [0-9]+ test/ { passed += $4 }
        /^\[  FAILED  \] [0-9]+ test/ { failed += $4 }
        /^\[  SKIPPED \] [0-9]+ test/ { skipped += $4 }
        /^# [0-9]+ cases, [0-9]+ failed$/ { passed += $2 - $4; failed += $4 }
        END {
            if (passed + failed + skipped == 0)
                passed = ok
            if (verdict == "SKIP")
                skipped = 1
            else if (verdict == "PASS" && passed + failed + skipped == 0)
                passed = 1
            else if (verdict != "PASS" && !failed)
                failed = 1
            print name, stage, passed + 0, failed + 0, skipped + 0
        }' "$3" "${3%.trs}.log" >>"$results"
}

# Why tests were skipped and how they failed.
explain() { # STAGE FOLDER TRS
    log=${3%.trs}.log
    name=$(echo "${log%.log}" | sed "s:^$2/::")
    grep -h -E '^SKIPPED: |^\[  SKIPPED \] [^0-9]' "$log" | sort -u | sed "s#^#skipped: $1: $name: #"
    if ! grep -q -E '^:test-result: (PASS|SKIP)$' "$3"; then
        printf '\n==== failed: %s: %s\n' "$1" "$name"
        tail -n 200 "$log"
    fi
}

collect() { # STAGE FOLDER
    find "$2" -name '*.trs' | sort >"$build/trs"
    while read -r trs; do
        count "$1" "$2" "$trs"
        explain "$1" "$2" "$trs"
    done <"$build/trs"
}

# Configures FOLDER and runs make there; what did not come as far as a test is a failure too.
stage() { # STAGE FOLDER TARGET CONFIGURE-OPTION...
    stage=$1 folder=$build/$2 target=$3
    shift 3
    begun=$(date +%s)
    mkdir -p "$folder"
    find "$folder" -name '*.trs' -exec rm -f {} +
    status=0
    (
        cd "$folder"
        [ -e config.status ] || "$top/configure" --quiet --enable-strict "$@"
        make -s -j"$jobs" V=0 "$target"
    ) >"$folder/make.log" 2>&1 </dev/null || status=$?
    echo "== $stage: $(($(date +%s) - begun)) seconds"
    collect "$stage" "$folder"
    if ! [ -s "$build/trs" ] || { [ "$status" != 0 ] && ! grep -q " $stage [0-9]* [1-9]" "$results"; }; then
        printf '\n==== failed: %s: make %s\n' "$stage" "$target"
        tail -n 60 "$folder/make.log"
        echo "make-$target $stage 0 1 0" >>"$results"
    fi
}

summary() {
    awk '
        {
            if ($3 + $4 > ran[$1]) ran[$1] = $3 + $4
            if ($3 + $4 + $5 > all[$1]) all[$1] = $3 + $4 + $5
            if ($4 > failed[$1]) failed[$1] = $4
        }
        END {
            for (name in all) {
                p += ran[name] - failed[name]
                f += failed[name]
                s += all[name] - ran[name]
            }
            printf "%d passed, %d failed, %d skipped\n", p, f, s
            exit f > 0 || p == 0
        }' "$results"
}

give_up() {
    printf '%s\n\n0 passed, 1 failed, 0 skipped\n' "$*"
    exit 1
}

all=
case ${1-} in
'') ;;
--all) all=yes ;;
-h | --help) usage && exit 0 ;;
*) usage >&2 && exit 64 ;;
esac

mkdir -p "$build"
: >"$results"
"$top/tests/lib/packages.sh" "$top/packages.txt" "$top/tests/packages.txt" || give_up "packages are missing"
[ ! -e "$top/config.status" ] || give_up "the source folder itself is configured: please run \"make distclean\" there first"
[ -e "$top/configure" ] || (cd "$top" && autoreconf -fi) >"$build/autoreconf.log" 2>&1 ||
    give_up "autoreconf failed: $(cat "$build/autoreconf.log")"

stage plain plain check
if [ "$all" ]; then
    stage big plain check-big
    stage sanitizers sanitizers check-code --enable-sanitizers=address,undefined CFLAGS='-g -O1'
    stage valgrind plain memcheck
fi
echo
summary
