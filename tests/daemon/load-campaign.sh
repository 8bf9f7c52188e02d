#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# load-campaign.sh [IDLE [SLOW]]: in a build folder. 12 clients that sign beside 10,000 idle connections and 200 slow ones: what that costs
# in time and memory; and the same crowd before a daemon that may open no more files than it has connections.
: "${top_builddir:=$PWD}" "${top_srcdir:=$(cd "$(dirname "$0")/../.." && pwd)}"
export top_builddir top_srcdir
idle=${1-10000} slow=${2-200}
. "$top_srcdir/tests/lib/harness.sh"
. "$top_srcdir/tests/daemon/daemon-lib.sh"
. "$top_srcdir/tests/daemon/crowd-lib.sh"
crowd_configuration
beside "$idle" "$slow"
fill "$idle"
cat "$out"
