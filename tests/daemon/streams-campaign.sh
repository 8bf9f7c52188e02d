#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# streams-campaign.sh [MEGABYTES [LINES]]: in a build folder, as root. Content, a zip, a container and mail of 500 MB, and a million lines
# of values through the daemon with its own limits: others read what came of them, and it never has more than 64 MB of memory.
: "${top_builddir:=$PWD}" "${top_srcdir:=$(cd "$(dirname "$0")/../.." && pwd)}"
export top_builddir top_srcdir
megabytes=${1-500} lines=${2-1000000}
. "$top_srcdir/tests/lib/harness.sh"
. "$top_srcdir/tests/daemon/daemon-lib.sh"
. "$top_srcdir/tests/daemon/streams-lib.sh"
needs unzip
streams_configuration
streams_settings 'body-timeout = 600'
start_daemon "$top_builddir/signengined"

measured() { # WHAT CMD...
    what=$1
    shift
    started=$(date +%s)
    "$@"
    echo "$what: $(($(date +%s) - started)) s, the daemon had up to $(($(peak_kb) / 1024)) MB"
    [ "$(peak_kb)" -lt 65536 ] || instrumented || fail "$what: $(peak_kb) kB"
}
measured "octets of $megabytes MB" octets_are_served $((megabytes << 20))
measured "zips of $megabytes MB" zips_are_served $((megabytes << 20))
measured "mail of $megabytes MB" mail_is_served $(((megabytes << 20) * 3 / 4))
measured "$lines lines" lines_are_served "$lines"
until_true spool_is_empty
