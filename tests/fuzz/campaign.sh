#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# campaign.sh [MINUTES [TARGET...]]: libFuzzer on every target, MINUTES (5) each; the folder to work in is build/fuzzing.
# What it finds stays there as crash-*; new inputs of value go to its corpus-NAME/, from where a person may copy some to
# tests/fuzz/corpus/NAME/.  Needs clang.
set -eu

top=$(cd "$(dirname "$0")/../.." && pwd)
build=$top/build/fuzzing
minutes=${1-5}
[ $# = 0 ] || shift

[ -e "$top/configure" ] || (cd "$top" && autoreconf -fi)
mkdir -p "$build"
cd "$build"
[ -e config.status ] || "$top/configure" --quiet --enable-fuzzing --enable-sanitizers=address,undefined CC=clang CFLAGS='-g -O1'
make -s -j"$(nproc)" V=0

[ $# -gt 0 ] || for target in tests/fuzz/fuzz_*; do
    case $target in *.*) ;; *) set -- "$@" "${target##*/fuzz_}" ;; esac
done
[ $# -gt 0 ] || { echo "campaign.sh: there are no targets"; exit 1; }

status=0
for name; do
    echo "== $name"
    mkdir -p "corpus-$name"
    seeds=$top/tests/fuzz/corpus/$name
    "tests/fuzz/fuzz_$name" -max_total_time=$((minutes * 60)) -timeout=60 -rss_limit_mb=2048 -print_final_stats=1 -verbosity=0 \
        "corpus-$name" "$seeds" || status=1
done
exit "$status"
