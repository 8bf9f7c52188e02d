#!/bin/sh
# No file over 500 lines, no function over 60; the one header that is installed may be longer.  The sources are formatted: a function is what stands between braces in column 1.
set -eu
cd "${top_srcdir:?}"

find src tests samples -name '*.[ch]' 2>/dev/null | sort | xargs awk -v longest_file=500 -v longest_function=60 '
FNR == 1 { end_file(); file = FILENAME; files++ }
{ lines = FNR }
/^[a-zA-Z].*\(/ { head = $0 }
/^\{$/ { start = FNR }
/^\}$/ && start {
    size = FNR - start + 1
    sizes[++functions] = size
    over40 += size > 40
    start = 0
    if (size > longest_function) {
        sub("\\(.*", "", head)
        print FILENAME ":" FNR ": " size " lines, longer than " longest_function ": " head
        failed = 1
    }
}
function end_file() {
    total += lines
    if (lines > longest_file && file !~ /^src\/signengine/) {
        print file ": " lines " lines, longer than " longest_file
        failed = 1
    }
    lines = 0
}
END {
    end_file()
    for (i = 2; i <= functions; i++)
        for (j = i; j > 1 && sizes[j - 1] > sizes[j]; j--) {
            t = sizes[j]; sizes[j] = sizes[j - 1]; sizes[j - 1] = t
        }
    print files " files, " total " lines; " functions " functions, median " sizes[int((functions + 1) / 2)] \
        " lines, 90% within " sizes[int((functions * 9 + 9) / 10)] ", " over40 + 0 " over 40, longest " sizes[functions]
    exit failed || !functions
}'
