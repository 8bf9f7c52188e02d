#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# doc/speed-*.svg are the plots of doc/speed.json, and the plots show what "make bench" leaves in bench.json: what has a peer, and no limit.
set -eu
cd "${top_srcdir:?}"

for tool in gnuplot jq; do
    command -v $tool >/dev/null || { echo "SKIPPED: $tool is not installed" && exit 77; }
done
made=$(mktemp -d)
trap 'rm -rf "$made"' EXIT

tests/bench/plots.sh doc/speed.json "$made"
for plot in "$made"/*.svg doc/speed-*.svg; do
    plot=$(basename "$plot")
    cmp "$made/$plot" "doc/$plot" || { echo "doc/$plot is out of date: tests/bench/plots.sh doc/speed.json doc" && exit 1; }
done

cat >"$made/bench.json" <<'JSON'
[
  {"measure": "signatures/s", "setting": "a <token>", "threads": 2, "ours": 90.00, "peer": "another loop", "theirs": 100.00, "ratio": 0.900},
  {"measure": "ms", "setting": "a process", "threads": 1, "ours": 5.0, "peer": "another & a slow one", "theirs": 10.0, "ratio": 0.50},
  {"measure": "proof, bytes", "setting": "a proof", "threads": 1, "ours": 5, "peer": "at the most", "theirs": 10, "ratio": 0.50}
]
JSON
tests/bench/plots.sh "$made/bench.json" "$made" 2>"$made/said"
for text in '>signatures/s: a &lt;token>, 2 threads / another loop<' 'ms: a process / another &amp; a slow one' '>0.90<' '>2.00<'; do
    grep -qF "$text" "$made/speed-peers.svg" || { echo "the plot lacks $text" && exit 1; }
done
! grep -q 'a proof' "$made/speed-peers.svg" || { echo "the plot shows what was compared with a limit" && exit 1; }
grep -qF '>0.50<' "$made/speed-process.svg" || { echo "the plot of a process lacks its ratio" && exit 1; }
grep -qx 'plots: growth: nothing was measured' "$made/said" || { echo "what was not measured is not told: $(cat "$made/said")" && exit 1; }
