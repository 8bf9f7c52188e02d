#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# contents-campaign.sh FOLDER: contents.sh with every message below FOLDER, in a build folder.  mailparser takes part after
# "npm install mailparser" in a folder whose node_modules is named by NODE_PATH.  Prints every difference, what was refused, and counts.
folder=$(realpath "$1")
top_builddir=${top_builddir-$PWD} top_srcdir=${top_srcdir-$(cd "$(dirname "$0")/../.." && pwd)}
export top_builddir top_srcdir
. "$top_srcdir/tests/lib/harness.sh"
. "$top_srcdir/tests/mail/mail-lib.sh"
. "$top_srcdir/tests/mail/contents-lib.sh"
needs openssl python3

mail_certificates
mail_configuration
mkdir before signed
: >refused
cd before
setup python3 "$top_srcdir/tests/mail/collect.py" "$folder"
cd ..
cp "$out" list
while read -r number name; do
    contents_sign "$number.eml"
    [ "$status" = 0 ] || echo "$name ($number.eml): $(head -n 1 "$err")"
done <list
contents_compare
cat "$out"
echo "$(wc -l <list) messages, $(wc -l <refused) refused"
