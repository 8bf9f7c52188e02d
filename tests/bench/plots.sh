#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# plots.sh BENCH.json FOLDER: draws what "make bench" measured, as SVG files in FOLDER that read on light and on dark pages.
#
#   speed-threads.svg   signatures with more and more threads, ours and others', as a share of a bare C_Sign loop
#   speed-limits.svg    fields and histories beside what the machine can do at the most: cipher, hash, disk
#   speed-growth.svg    what an entry costs in a chain of ten million, beside one in a small chain
#   speed-peers.svg     how many times as fast as each peer
#   speed-process.svg   a process that signs a small file
#
# Made with gnuplot and jq.  The same input gives the same bytes with the same gnuplot.
set -eu
usage() { sed -n 's/^# \(plots.sh [A-Z].*\): draws.*/usage: \1/p' "$0" >&2 && exit 64; }
[ $# = 2 ] || usage
for tool in gnuplot jq; do
    command -v $tool >/dev/null || { echo "plots: $tool is not installed" >&2 && exit 77; }
done
bench=$1 out=$2
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# rows FILTER: what a jq filter makes of the array of rows, with the functions that all of them share
rows() {
    jq -r '
        def times: (.measure | test("^(s|ms|seconds|instructions)$") or startswith("microseconds"));
        def low: if (.ratio | type) == "array" then .ratio[0] else .ratio end;
        def high: if (.ratio | type) == "array" then .ratio[1] else .ratio end;
        def faster: if times then [1 / high, 1 / low] else [low, high] end;
        def quoted: "\"" + gsub("[\"\\\\]"; "") + "\"";
        '"$1" "$bench"
}

# plot NAME HEIGHT: draws FOLDER/speed-NAME.svg with the commands on standard input.  Ink and dots take the colour that the reader's system
# gives to text; gnuplot writes a colour in two ways, and some groups have one of their own.
plot() {
    {
        cat <<GP
set terminal svg size 900,$2 dynamic font 'system-ui,sans-serif,13' background rgb '#fefefe00' linewidth 1.6
set output '$scratch/plot.svg'
ink = '#010203'
soft = '#040506'
set border 3 lc rgb ink lw 0.7
set tics nomirror textcolor rgb ink
set grid lc rgb soft lw 0.4 dt 2
set key textcolor rgb ink
set style line 1 lc rgb '#2f81f7' pt 7 ps 0.7
set style line 2 lc rgb '#d1701f' pt 5 ps 0.7
set style line 3 lc rgb '#8957e5' pt 9 ps 0.9
set style line 4 lc rgb '#218a50' pt 13 ps 0.9
set style line 5 lc rgb '#c43f77' pt 11 ps 0.9
GP
        cat
    } | gnuplot >"$scratch/said" 2>&1 || { cat "$scratch/said" >&2 && return 1; }
    sed -e 's/color="black"/color="inherit"/g; s/rgb( *[14], *[25], *[36])/currentColor/g; s/#010203/currentColor/g; s/#040506/currentColor/g' \
        -e 's/[[:space:]]*$//; s/^<title>Gnuplot/<title>'"$title"'/; s/<title>[^A-Za-z][^<]*<\/title>//; s/<desc>.*<\/desc>/<desc>'"$title"'<\/desc>/' \
        -e '0,/<desc>/s//<style>svg { color: #1f2328 } @media (prefers-color-scheme: dark) { svg { color: #e6edf3 } }<\/style>\n<desc>/' \
        "$scratch/plot.svg" | sed "/^\$/d; 2i <!-- Made by tests/bench/plots.sh. SPDX-License-Identifier: Apache-2.0 -->" >"$out/speed-$1.svg"
}

# ---- threads: each as a share of the bare loop that ran in turns with it, or with the engine ----
threads() { # SETTING PEER THEIRS?: "position share"
    rows "
        ([.[] | select(.measure == \"signatures/s\" and .setting == \"SoftHSM, RSA-2048\" and .peer == \"bare C_Sign loop\") |
            { key: (.threads | tostring), value: .ratio }] | from_entries) as \$ours |
        .[] | select(.measure == \"signatures/s\" and .setting == \"$1\" and .peer == \"$2\" and (.threads | IN(1, 2, 12, 32))) |
        ({ \"1\": 1, \"2\": 2, \"12\": 3, \"32\": 4 }[.threads | tostring] | tostring) + \" \" +
            ((if $3 then \$ours[.threads | tostring] / .ratio else .ratio end) | tostring)"
}
softhsm='SoftHSM, RSA-2048'
threads "$softhsm" 'bare C_Sign loop' false >"$scratch/deadline"
threads "$softhsm, deadline=none" 'bare C_Sign loop' false >"$scratch/none"
threads "$softhsm" libp11 true >"$scratch/libp11"
threads "$softhsm" 'p11-kit server' true >"$scratch/server"
threads "$softhsm" SunPKCS11 true >"$scratch/sun"
title='Signatures as a share of a bare C_Sign loop'
if [ -s "$scratch/deadline" ]; then
    plot threads 400 <<GP
set title "Signatures as a share of a bare C\\\\_Sign loop (RSA-2048 in SoftHSM)" tc rgb ink
set xlabel 'threads' tc rgb ink
set xtics ('1' 1, '2' 2, '12' 3, '32' 4)
set xrange [0.8:4.2]
set yrange [0:1.3]
set format y '%.1f'
set key outside right top
set arrow 1 from graph 0, first 1 to graph 1, first 1 nohead lc rgb ink lw 0.7
plot '$scratch/deadline' w linespoints ls 1 t 'signengine', '$scratch/none' w linespoints ls 2 t 'without a deadline', \
    '$scratch/libp11' w linespoints ls 3 t 'libp11', '$scratch/sun' w linespoints ls 4 t 'SunPKCS11', \
    '$scratch/server' w linespoints ls 5 t 'p11-kit server'
GP
else
    echo 'plots: threads: nothing was measured' >&2
fi

# ---- bars and dots: a line for each row, the first on top ----
# bars NAME TITLE AXIS: of "LABEL LOW HIGH" lines in $scratch/NAME, on a logarithmic axis with 1 in it
bars() {
    [ -s "$scratch/$1" ] || { echo "plots: $1: nothing was measured" >&2 && return; }
    title=$2
    count=$(wc -l <"$scratch/$1")
    range=$(awk '{ low = $(NF - 1); high = $NF; if (NR == 1 || low < least) least = low; if (high > most) most = high }
        END { printf "%g:%g", (least < 0.7 ? least : 0.7) / 1.2, (most > 1.4 ? most : 1.4) ^ 1.3 * 1.3 }' "$scratch/$1")
    plot "$1" $((110 + count * 22)) <<GP
set title "$2" tc rgb ink noenhanced
set xlabel "$3" tc rgb ink
set lmargin at screen 0.62
set rmargin at screen 0.97
set logscale x
set format x '%g'
set border 1
set ytics scale 0 noenhanced
set xtics (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
set xrange [$range]
set yrange [0.7 - $count:0.7]
set arrow 1 from first 1, graph 0 to first 1, graph 1 nohead lc rgb ink lw 0.8
unset key
figure(x) = x < 9.95 ? sprintf('%.2f', x) : sprintf('%.0f', x)
set style arrow 1 nohead ls 1 lw 2
plot '$scratch/$1' u 2:(-\$0):(\$3-\$2):(0):ytic(1) w vectors as 1, '' u 2:(-\$0) w points ls 1, '' u 3:(-\$0) w points ls 1, \
    '' u 3:(-\$0):(\$2 == \$3 ? figure(\$3) : figure(\$2).' to '.figure(\$3)) w labels left offset 1.2,0 tc rgb ink noenhanced
GP
}
label='((.setting | gsub(", SoftHSM( RSA-2048)?"; "")) + (if .threads > 1 then ", \(.threads) threads" else "" end))'
rows ".[] | select(.ratio and (.peer | test(\"^(EVP_PKEY_encrypt|bare C_Decrypt loop|bare libcrypto loop|SHA-256 of the payloads|fdatasync of each)\$\"))) |
    select(.setting | test(\"by the clock\") | not) |
    \"\((.measure + \": \" + $label + \" / \" + .peer) | quoted) \(faster | join(\" \"))\"" >"$scratch/limits"
bars limits 'Beside what the machine can do at the most' 'share of cipher, hash or disk in the same run'
rows ".[] | select(.ratio and .peer == \"at 10,000\" and .measure != \"the same, of the processor\") |
    \"\((.setting + \", \" + (.measure | sub(\"microseconds for an entry, \"; \"\"))) | quoted) \(low) \(high)\"" >"$scratch/growth"
bars growth 'What an entry costs in a growing chain' 'times what it costs in a chain of 10,000'
rows ".[] | select(.ratio and (.peer | test(\"^(bare |threads/|a signature each|EVP_|SHA-256 |fdatasync |at |the |one thread|one by one\$|C_Sign and |\$)\") | not)) |
    select(.setting | test(\"by the clock\") | not) |
    \"\((.measure + \": \" + $label + \" / \" + .peer) | quoted) \(faster | join(\" \"))\"" >"$scratch/peers"
bars peers 'How many times as fast as its peer' '1: the same speed'
rows ".[] | select(.measure == \"ms\" and .ratio and (.peer | startswith(\"C_Sign and \") | not)) | \"\(($label + \" / \" + .peer) | quoted) \(low) \(high)\"" >"$scratch/process"
bars process 'A process that signs a small file' 'times as long as the peer'
