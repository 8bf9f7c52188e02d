# SPDX-License-Identifier: Apache-2.0
# Many connections that do nothing, or little: others hardly notice, and keys do not fail for want of descriptors.
# load-campaign.sh does it with 10,000.
. "${top_srcdir:?}/tests/lib/harness.sh"
. "${top_srcdir:?}/tests/daemon/daemon-lib.sh"
. "${top_srcdir:?}/tests/daemon/crowd-lib.sh"
crowd_configuration
fill 2300
instrumented || beside 500 20
