#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every shell script passes shellcheck.  SC2016: awk programs; SC2119, SC2120: functions with optional arguments.  The harness is looked at
# by itself: following it into each script takes most of a minute.  So what it sets and reads is not known to be (SC1091, SC2034, SC2154),
# nor that of its `set -eu` the first ends a test whose cd fails (SC2103, SC2164), and the second one that reads what nobody set.
set -eu
cd "${top_srcdir:?}"

command -v shellcheck >/dev/null || { echo "SKIPPED: shellcheck is not installed"; exit 77; }
find tests samples .ci -type f \( -name '*.sh' -o -path '.ci/run' \) 2>/dev/null | sort |
    xargs -n 8 shellcheck -s sh -e SC1091,SC2016,SC2034,SC2103,SC2119,SC2120,SC2154,SC2164
