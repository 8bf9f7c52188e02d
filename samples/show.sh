# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# What the samples' scripts print:
#
#   step TEXT      a heading
#   show CMD...    the command as you would type it, and then its output

step() { printf '\n== %s\n' "$*"; }

show() {
    printf '$'
    for word; do
        case $word in
        *[!A-Za-z0-9_./:=@-]*) printf " '%s'" "$word" ;;
        *) printf ' %s' "$word" ;;
        esac
    done
    echo
    "$@"
}
