#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# No paths of a machine, no unfinished business, no blanks at line ends.  Test data may hold anything.  A file that a page names is there.
set -eu
cd "${top_srcdir:?}"
failed=0

files() {
    if [ -e .git ] && git rev-parse --git-dir >/dev/null 2>&1; then
        git ls-files
    else # a tarball, or no git
        find .ci src tests doc python completion samples schemas conf debian -type f 2>/dev/null
        ls -- *.md NEWS configure.ac Makefile.am packages.txt signengine.pc.in
    fi | grep -v -e '^tests/vectors/' -e '^tests/fuzz/corpus/'
}

forbid() { # REASON PATTERN
    if files | tr '\n' '\0' | xargs -0 grep -nIE -e "$2" /dev/null; then
        echo "^ $1"
        failed=1
    fi
}

[ "$(files | wc -l)" -gt 20 ] || { echo "no files found"; exit 1; }
forbid 'unfinished' '\b(T[O]DO|F[I]XME|X[X]X)\b'
forbid 'a path of one machine' '(/work[/]|/home[/][a-z]|/tmp[/]wt|/tmp[/]build)'
forbid 'blanks at the end of the line' '[[:blank:]]$'
forbid 'a carriage return' "$(printf '\r')"
forbid 'a conflict' '^(<<<[<]<<<|>>>[>]>>>)'
for named in $(grep -ohE '`(src|tests|samples|doc|debian|conf)/[a-z0-9_/-]+\.(sh|[ch]|py|md|xml|conf)`' -- *.md doc/*.md | tr -d '`' | sort -u); do
    [ -e "$named" ] || { echo "a page names $named, which is not there" && failed=1; }
done
exit "$failed"
