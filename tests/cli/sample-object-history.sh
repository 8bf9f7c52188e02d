#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# samples/object-history as its README has it.
. "${top_srcdir:?}/tests/lib/harness.sh"
needs sqlite3 "${CC%% *}"

setup cp -r "$top_srcdir/samples/object-history" sample
setup chmod -R u+w sample
cd sample
echo 'a good password' >pin
chmod 600 pin
accepts signengine -c engineSignEncrypt.xml key generate historyV1 --subject "/CN=Sample history"
accepts signengine -c engineSignEncrypt.xml history create --store sqlite:history.db
# shellcheck disable=SC2086 # words
accepts $CC ${sanitize-} -Wall -Wextra -Werror -I"$top_srcdir/src" -o history history.c -L"${top_builddir:?}/.libs" -lsignengine-history -lsignengine
LD_LIBRARY_PATH="$top_builddir/.libs"
export LD_LIBRARY_PATH
accepts ./history engineSignEncrypt.xml sqlite:history.db card/4711 ordered produced handed-over
says '3 entries and 4 seals are good'
accepts sqlite3 history.db "UPDATE entry SET payload = 'lost' WHERE payload = CAST('produced' AS BLOB)"
try ./history engineSignEncrypt.xml sqlite:history.db card/4711
[ "$status" = 1 ] || fail "status $status"
says 'changed: entry 2:'
