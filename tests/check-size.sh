#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# How large things are, and what functions are called.  No file over 500 lines, no function over 60, no line over 100 columns; a public
# header may be longer.  A .c file is a concept: at least 200 lines at the median, and folders have as many as a reader can keep in mind.
# A function's name is a verb and an object: a stack trace, ctags and grep have no file beside it.
# The sources are formatted: a function is what stands between braces in column 1.
set -eu
cd "${top_srcdir:?}"

find src tests samples -name '*.[ch]' 2>/dev/null | sort | xargs awk -v longest_file=500 -v longest_function=60 -v widest=100 '
function most(folder, files) { bound["src/" folder] = files }
BEGIN {
    most("keystore/pkcs11", 15)
    most("history", 22)
    most("zip", 20)
    most("mail", 14)
    most("provision", 22)
    most("provision/backup", 5)
    most("keystore/azure", 28)
    most("daemon", 37)
    most("client", 8)
    most("provision/azure", 14)
}

FNR == 1 { end_file(); file = FILENAME; files++; ours = file ~ /^src\// }
{ lines = FNR }
length > widest && !/https?:/ { wrong(length " columns") }
/^[a-zA-Z].*\(/ { head = $0 }
/^\{$/ { start = FNR }
/^\}$/ && start {
    size = FNR - start + 1
    sizes[++functions] = size
    over40 += size > 40
    start = 0
    sub("\\(.*", "", head)
    if (size > longest_function)
        wrong(size " lines, longer than " longest_function ": " head)
    sub(".*[ *]", "", head)
    if (ours && ++named && head !~ /_/ && head != "main") {
        short_names++
        if (short_names <= 40)
            short = short "  " file ": " head "\n"
    }
}
function wrong(what) { print file ":" FNR ": " what; failed = 1 }
function end_file(   folder) {
    total += lines
    if (ours)
        src_lines += lines
    if (file ~ /^src\/.*\.c$/) {
        folder = file
        sub("/[^/]*$", "", folder)
        in_folder[folder]++
        lengths[++sources] = lines
        vaults += folder ~ /\/azure$/ # which have bounds of their own
    }
    if (lines > longest_file && file !~ /^src\/signengine/) {
        print file ": " lines " lines, longer than " longest_file
        failed = 1
    }
    lines = 0
}
function sort(list, n,   i, j, t) {
    for (i = 2; i <= n; i++)
        for (j = i; j > 1 && list[j - 1] > list[j]; j--) {
            t = list[j]; list[j] = list[j - 1]; list[j - 1] = t
        }
}
END {
    end_file()
    sort(sizes, functions)
    sort(lengths, sources)
    for (folder in bound)
        if (in_folder[folder] > bound[folder]) {
            print folder ": " in_folder[folder] " .c files, more than " bound[folder]
            failed = 1
        }
    if (sources - vaults > 340 || lengths[int((sources + 1) / 2)] < 200) {
        print "src: more than 340 .c files beside those of vaults, or a median below 200 lines"
        failed = 1
    }
    if (short_names * 100 > named) {
        printf "src: %d of %d functions have a name of one word, more than 1 %%\n%s", short_names, named, short
        failed = 1
    }
    print "src: " src_lines " lines; " sources " .c files, median " lengths[int((sources + 1) / 2)] " lines; " \
        named " functions, " short_names + 0 " with a name of one word"
    print "all: " files " files, " total " lines; " functions " functions, median " sizes[int((functions + 1) / 2)] \
        " lines, 90% within " sizes[int((functions * 9 + 9) / 10)] ", " over40 + 0 " over 40, longest " sizes[functions]
    exit failed || !functions
}'
