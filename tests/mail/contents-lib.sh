# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# What contents.sh and contents-campaign.sh share.
#
#   contents_sign NAME     before/NAME is signed as signed/NAME; what it can't sign it refuses with 65, and the name goes to `refused`
#   contents_compare       Python, GMime and mailparser (if it is there) find in signed/ what they find in before/: parts, names, bytes

contents_sign() {
    try signengine mail sign --again --sender alice@example.org "before/$1" -o "signed/$1"
    case ${status:?} in
    0) ;;
    65)
        echo "$1" >>refused
        [ ! -e "signed/$1" ] || fail "$1 was refused, and something was written"
        grep -q '^signengine: ' "${err:?}" || fail "$1 was refused without a message"
        ;;
    *) fail "$1: status $status" ;;
    esac
}

# shellcheck disable=SC2317 # called by accepts
contents_read() {
    find before signed -name '*.eml' | sort >names
    python3 "${top_srcdir:?}/tests/mail/readers/contents.py" <names >answers || return 1
    if command -v node >/dev/null && node -e 'require("mailparser")' 2>/dev/null; then
        node "$top_srcdir/tests/mail/readers/contents.js" <names >>answers || return 1
    fi
    python3 "$top_srcdir/tests/mail/readers/compare_contents.py" <answers
}

contents_compare() { accepts contents_read; }
