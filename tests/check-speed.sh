#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# doc/speed.svg is the plot of doc/speed.json, and the plot script takes what "make bench" leaves in bench.json.
set -eu
cd "${top_srcdir:?}"

command -v python3 >/dev/null || { echo "SKIPPED: python3 is not installed"; exit 77; }
plot=$(mktemp)
trap 'rm -f "$plot"' EXIT

python3 tests/bench/plot.py doc/speed.json >"$plot"
if ! cmp "$plot" doc/speed.svg; then
    echo "doc/speed.svg is out of date: python3 tests/bench/plot.py doc/speed.json >doc/speed.svg"
    exit 1
fi

cat >"$plot" <<'JSON'
[
  {"measure": "signatures/s", "setting": "a <token>", "threads": 2, "ours": 90.00, "peer": "bare loop", "theirs": 100.00, "ratio": 0.900},
  {"measure": "ms", "setting": "a process", "threads": 1, "ours": 5.0, "peer": "another & a slow one", "theirs": 10.0, "ratio": 0.50},
  {"measure": "proof, bytes", "setting": "a proof", "threads": 1, "ours": 5, "peer": "at the most", "theirs": 10, "ratio": 0.50}
]
JSON
svg=$(python3 tests/bench/plot.py "$plot")
for text in 'a &lt;token&gt;, 2 threads' 'vs. another &amp; a slow one' '>0.90<' '>2.0<'; do
    case $svg in
    *"$text"*) ;;
    *) echo "the plot lacks $text" && exit 1 ;;
    esac
done
case $svg in
*'a proof'*) echo "the plot shows what was compared with a limit" && exit 1 ;;
esac
