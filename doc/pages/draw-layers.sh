#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# draw-layers.sh SRC: the folders of SRC as a graph for dot(1), an arrow for who includes whom.  What goes by way of others is left out
# (tred).  The public headers stand before the engine: what is behind it has its types from them, which is no arrow.
set -eu
cd "$1"
# shellcheck disable=SC2016 # of awk
find . -name '*.[ch]' | sort | xargs awk '
    !/^#include "/ || FILENAME ~ /^\.\/signengine/ { next }
    {
        split(FILENAME, part, "/")
        split(substr($2, 2), to, /["\/]/)
        if (to[1] != part[2]) includes[part[2], to[1] ~ /^signengine/ ? "public" : to[1]]
    }
    function mark_behind(layer,   pair, ends) {
        behind[layer]
        for (pair in includes) {
            split(pair, ends, SUBSEP)
            if (ends[1] == layer && ends[2] != "public" && !(ends[2] in behind)) mark_behind(ends[2])
        }
    }
    END {
        mark_behind("engine")
        print "digraph layers {"
        print "bgcolor = transparent; nodesep = 0.3; ranksep = 0.4;"
        print "node [shape = box, style = rounded, fontname = \"sans-serif\", fontsize = 12, height = 0.3];"
        print "edge [arrowsize = 0.6];"
        print "public [label = \"signengine.h  signengine-history.h  signengine-mail.h\", penwidth = 2];"
        print "public -> engine;"
        for (pair in includes) {
            split(pair, ends, SUBSEP)
            if (ends[2] != "public" || !(ends[1] in behind)) print "\"" ends[1] "\" -> \"" ends[2] "\";" | "sort"
        }
        close("sort")
        print "}"
    }' | tred
