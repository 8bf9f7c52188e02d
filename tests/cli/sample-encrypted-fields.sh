#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# samples/encrypted-fields as its README has it: compiled against the library and SQLite, run, with readers while the key is changed.
. "${top_srcdir:?}/tests/lib/harness.sh"
needs "${CC%% *}"
# shellcheck disable=SC2086 # words
echo "#include <sqlite3.h>" | $CC -E - >"$out" 2>"$err" || skip "libsqlite3-dev is not installed"

setup cp -r "$top_srcdir/samples/encrypted-fields" sample
setup chmod -R u+w sample
cd sample
echo 'a good password' >pin
chmod 600 pin
accepts signengine -c engineSignEncrypt.xml key generate fieldsV1 --subject "/CN=fields 1"
# shellcheck disable=SC2086 # words
accepts $CC ${sanitize-} -Wall -Wextra -Werror -I"$top_srcdir/src" -o fields fields.c -L"${top_builddir:?}/.libs" -lsignengine -lsqlite3
LD_LIBRARY_PATH="$top_builddir/.libs"
export LD_LIBRARY_PATH
fields() { ./fields engineSignEncrypt.xml people.db "$@"; }

accepts fields fill 2000
accepts fields show 7
says 'row 7: 055433'
accepts fields swap 7 8
others_refuse fields show 8
says 'moved to another context'
accepts fields verify
says '1998 good, 2 refused'
accepts fields swap 7 8
accepts fields verify
says '2000 good, 0 refused'

setup sed -i -e '/<!--/d' -e '/-->/d' engineSignEncrypt.xml
accepts signengine -c engineSignEncrypt.xml key generate fieldsV2 --subject "/CN=fields 2"
accepts fields verify
says '2000 good, 0 refused'
fields rotate >rotated &
while kill -0 $! 2>/dev/null; do
    accepts fields verify
    says '2000 good, 0 refused'
done
wait $! || fail "the rotation: status $?"
[ "$(cat rotated)" = '2000 re-keyed, 0 were under the newest key already, 0 refused' ] || fail "$(cat rotated)"
accepts fields rotate
says '0 re-keyed, 2000 were under the newest key already, 0 refused'
accepts fields show 7
says 'row 7: 055433'
if command -v sqlite3 >/dev/null; then
    sqlite3 -separator "$(printf '\t')" people.db 'SELECT id, pin FROM person' >exported
    accepts signengine -c engineSignEncrypt.xml decrypt --lines --key-column row --context table=person --context column=pin exported
    says "$(printf '7\t055433')"
fi
