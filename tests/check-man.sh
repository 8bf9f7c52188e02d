#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What there is, is documented: every public function in the page of its library, every command of the help in signengine.1 and, with its
# options, in the page of its first word (signengine-config.1).  And mandoc finds the pages clean.
set -eu
cd "${top_srcdir:?}"
failed=0
page=$(mktemp)
trap 'rm -f "$page"' EXIT

ls doc/*.[1-8] >/dev/null 2>&1 || { echo "SKIPPED: there are no manual pages"; exit 77; }
command -v mandoc >/dev/null || { echo "SKIPPED: mandoc is not installed"; exit 77; }

bad() {
    echo "$*"
    failed=1
}

# open_page NAME: the page as a reader sees it
open_page() {
    name=$1
    : >"$page"
    [ ! -e "doc/$name" ] || mandoc -T utf8 -O width=200 "doc/$name" | col -bx >"$page"
}

# tells WORD: the open page has it, and not as a part of a longer word
tells() {
    grep -q -E -e "(^|[^a-zA-Z0-9_-])$1([^a-zA-Z0-9_-]|$)" "$page" || bad "doc/$name does not tell $1"
}

signengine() {
    "${top_builddir:?}/signengine" "$@" </dev/null
}

options() { # from a help text
    grep -o -E -e '^  .{4}--[a-z][a-z-]*' | grep -o -e '--.*' | sort -u
}

check_library() { # NAME of its header
    open_page "lib$1.3"
    for function in $(${CC:-cc} -E -Isrc "src/$1.h" | awk -v header="src/$1.h\"" '/^#/ { ours = index($0, header); next } ours' |
        grep -o '\bse_[a-z0-9_]*(' | tr -d '(' | sort -u); do
        tells "$function"
    done
}

tells_command() {
    open_page signengine.1
    tells "$1"
}

check_command() { # NAME, of one word or two
    open_page signengine.1
    tells "$1"
    open_page "signengine-${1%% *}.1"
    tells "$1"
    # shellcheck disable=SC2086 # two words are two arguments
    for option in $(signengine $1 --help | sed '/^Options of all commands:/,$d' | options); do
        tells "$option"
    done
}

mandoc -T lint -W warning doc/*.[1-8] || failed=1
for header in signengine signengine-history signengine-mail; do check_library $header; done

open_page signengine.1
for option in $(signengine --help | options); do
    tells "$option"
done

signengine --help | sed -n '/^Commands:/,/^$/s/^  \([a-z][a-z ]*[a-z]\)  .*/\1/p' >"$page.commands"
trap 'rm -f "$page" "$page.commands"' EXIT
while read -r command; do
    case $command in
    help | version) tells_command "$command" ;; # what there is to say of them fits in a line
    *) check_command "$command" ;;
    esac
done <"$page.commands"
count=$(wc -l <"$page.commands")
[ "$count" -ge 6 ] || bad "only $count commands found in the help"
exit "$failed"
