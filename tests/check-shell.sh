#!/bin/sh
# Every shell script passes shellcheck.  SC2016: awk programs; SC1091: the harness is looked at by
# itself; SC2119, SC2120: functions with optional arguments.
set -eu
cd "${top_srcdir:?}"

command -v shellcheck >/dev/null || { echo "SKIPPED: shellcheck is not installed"; exit 77; }
find tests samples .ci -type f \( -name '*.sh' -o -path '.ci/run' \) 2>/dev/null | sort | xargs shellcheck -s sh -x -P SCRIPTDIR -e SC1091,SC2016,SC2119,SC2120
