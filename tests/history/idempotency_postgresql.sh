#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Idempotency keys in PostgreSQL, by the tests that SQLite's have to pass.
. "${top_srcdir:?}/tests/lib/harness.sh"
needs psql
. "$top_srcdir/tests/history/server.sh"

server_make
export STORE="$store"
accepts "$top_builddir/tests/history/test_idempotency"
accepts "$top_builddir/tests/history/test_idempotency_group"
