#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# tests/token/campaign.sh MINUTES [SEED], in a build folder after "make check": random faults under threads for that long, with seeds from
# SEED on.  A seed that fails is printed, and is the last.
set -eu

minutes=${1:?"usage: campaign.sh MINUTES [SEED]"}
seed=${2-$(date +%s)}
log=campaign.log
until=$(($(date +%s) + minutes * 60))
runs=0
while [ "$(date +%s)" -lt $until ]; do
    if ! CAMPAIGN_SEED=$seed CAMPAIGN_ROUNDS=10 timeout 600 tests/token/test_campaign >$log 2>&1; then
        cat $log
        echo "CAMPAIGN_SEED=$seed failed, after $runs that passed"
        exit 1
    fi
    seed=$((seed + 1))
    runs=$((runs + 1))
done
rm -f $log
echo "$runs seeds passed; the next is $seed"
