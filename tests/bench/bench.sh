#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# bench.sh FILE: measures the built command and library against peers on the same tokens, prints a table, and writes it to FILE as a JSON
# array.  What a token or a peer is missing for is said and left out.
#
# A row: measure, setting, threads, ours, peer, theirs, ratio; for rates a ratio above 1 is good, for times one below.
# Only ratios taken within one run mean something; the absolute figures are those of this machine in this minute.
set -eu

case $1 in /*) json=$1 ;; *) json=$(pwd)/$1 ;; esac
here=$(cd "$(dirname "$0")" && pwd)
folder=$(mktemp -d "${TMPDIR:-/tmp}/signengine-bench.XXXXXX")
trap 'rm -rf "$folder"' EXIT
cd "$folder"
: >rows
export here folder

# each in a shell of its own: what one can't do does not end the others
for part in softhsm xml jws fields history latency opencryptoki process zip mail azure service; do
    mkdir "$part"
    (cd "$part" && sh "$here/$part.sh") >>rows || echo "bench: $part: left out, status $?" >&2
done

{ printf 'measure\tsetting\tthreads\tours\tpeer\ttheirs\tratio\n' && cat rows; } | column -t -s "$(printf '\t')"
awk -F '\t' 'BEGIN { print "[" }
    {
        printf "%s  {\"measure\": \"%s\", \"setting\": \"%s\", \"threads\": %d, \"ours\": %s, \"peer\": \"%s\", \"theirs\": %s, \"ratio\": %s}",
            (NR > 1 ? ",\n" : ""), $1, $2, $3, $4, $5, $6, $7
    }
    END { print "\n]" }' rows >"$json"
