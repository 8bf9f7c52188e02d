#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Bytes that are changed in PostgreSQL, $BYTES of them.
. "${top_srcdir:?}/tests/lib/harness.sh"
needs psql
. "$top_srcdir/tests/history/server.sh"

server_make
export STORE="$store" BYTES="${BYTES-100}"
accepts "$top_builddir/tests/history/test_bytes"
