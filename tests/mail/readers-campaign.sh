#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# readers-campaign.sh [MINUTES [SEED]]: readers.sh with messages changed at random, for MINUTES (10), in a build folder.  What readers see
# otherwise than we name it is printed, and kept in readers-SEED/.  mailparser takes part after "npm install mailparser" in a folder
# whose node_modules is named by NODE_PATH.
minutes=${1-10} seed=${2-2} kept=$PWD
top_builddir=${top_builddir-$PWD} top_srcdir=${top_srcdir-$(cd "$(dirname "$0")/../.." && pwd)}
export top_builddir top_srcdir
. "$top_srcdir/tests/lib/harness.sh"
. "$top_srcdir/tests/mail/mail-lib.sh"
. "$top_srcdir/tests/mail/readers-lib.sh"
needs openssl python3

readers_messages
readers_start
end=$(($(date +%s) + minutes * 60)) messages=0 good=0
while [ "$(date +%s)" -lt "$end" ]; do
    rm -rf shapes
    mkdir shapes
    setup python3 "$programs/shapes.py" shapes 300 "$seed"
    cp "$out" list
    readers_try list shapes
    if [ "$bad" ]; then
        cat "$out"
        mv shapes "$kept/readers-$seed"
    fi
    messages=$((messages + 300)) good=$((good + $(wc -l <accepted)))
    seed=$((seed + 1))
done
echo "$messages messages, $good accepted, with $readers"
