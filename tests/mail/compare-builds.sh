#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# compare-builds.sh OLD NEW FOLDER: signs every message below FOLDER with the commands OLD and NEW, and lets both verify what each of them
# signed, and what openssl signed.  From fields are given an address that the certificate names, and keep their name.  Prints every
# difference, and counts.
old=$(realpath "$1") new=$(realpath "$2") folder=$(realpath "$3")
top_builddir=${top_builddir-$PWD} top_srcdir=${top_srcdir-$(cd "$(dirname "$0")/../.." && pwd)}
export top_builddir top_srcdir
. "$top_srcdir/tests/lib/harness.sh"
. "$top_srcdir/tests/mail/mail-lib.sh"
needs openssl python3

mail_certificates
mail_configuration
answer() { # COMMAND...: status, and the text of a refusal, of which the line in a source file is left out
    answered=0
    "$@" >answer.out 2>answer.err || answered=$?
}
compare() { # WHAT FILE ARGUMENTS...
    what=$1 file=$2
    shift 2
    answer "$old" mail "$@"
    before=$answered
    answer "$new" mail "$@"
    counted=$((counted + 1))
    [ "$before" = "$answered" ] || echo "$file: $what: $before, now $answered: $(head -n 1 answer.err)"
}
counted=0 messages=0
setup python3 "$top_srcdir/tests/mail/collect.py" "$folder"
cp "$out" names
while read -r number name; do
    messages=$((messages + 1))
    compare sign "$name" sign --again "$number.eml" -o signed.eml
    if [ "$answered" = 0 ]; then
        compare verify "$name" verify signed.eml
        compare 'sign, protected' "$name" sign --again --protect-headers "$number.eml" -o signed.eml
        compare 'verify, protected' "$name" verify signed.eml
    fi
    if openssl cms -sign -in "$number.eml" -signer alice.pem -inkey alice.key -from alice@example.org -out signed.eml 2>/dev/null; then
        compare "verify what openssl signed" "$name" verify signed.eml
    fi
    compare 'verify as it is' "$name" verify "$number.eml"
done <names
cases=1
echo "$messages messages, $counted comparisons"
