#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Rotation and renewal of keys in a token, while three processes do the four well-known jobs without pause: no call fails.
. "${top_srcdir:?}/tests/lib/harness.sh"
. "$top_srcdir/tests/keylife/load.sh"
load_store softhsm
