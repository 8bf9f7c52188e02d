#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A token that takes its time and costs this machine nothing: the tests' module answers from memory, after a while.  So many threads get
# at the most as many signatures as they can wait for.
. "${here:?}/setup.sh"

softhsm_token
real=$module module=$top/tests/lib/.libs/shim.so
export SHIM_FILE="$PWD/shim"
for latency in 3 10 24; do
    printf 'module %s\nreplay\nC_Sign latency %s\n' "$real" $latency >shim
    for deadline in 20 none; do
        configure "$module" softhsm $deadline
        "$top/tests/bench/sign" engine.xml 'bare C_Sign loop' "$module" softhsm pin "$latency ms for a signature, deadline=$deadline" $latency 12 64
    done
done
printf 'module %s\nreplay\nC_Sign latency 3\n' "$real" >shim
configure "$module" softhsm
"$top/tests/bench/sign" engine.xml 'bare C_Sign loop' "$module" softhsm pin 'JWT of 2 kB, 3 ms for a signature' 3 12 64
