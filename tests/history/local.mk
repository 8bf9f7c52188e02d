# SPDX-License-Identifier: Apache-2.0
SHELL_TESTS += tests/history/care.sh tests/history/clocks.sh tests/history/crash.sh tests/history/export.sh tests/history/idempotency.sh tests/history/notify.sh tests/history/sqlite.sh tests/history/tables.sh tests/history/trust.sh tests/history/vectors.sh
if HAVE_POSTGRESQL
SHELL_TESTS += tests/history/outage.sh tests/history/pooled.sh tests/history/postgresql.sh tests/history/tables_postgresql.sh
endif
EXTRA_DIST += tests/history/bytes.sh tests/history/crashes.sh tests/history/idempotency_postgresql.sh tests/history/manipulations.sh tests/history/outage.sh tests/history/pooled.sh tests/history/postgresql.sh tests/history/read.py tests/history/server.sh tests/history/tables_postgresql.sh tests/history/vectors.sh tests/vectors/history

# run by the shell tests
check_PROGRAMS += tests/history/append
tests_history_append_LDADD = $(HISTORY_LIBS) $(CORE_LIBS)

if HAVE_CMOCKA
UNIT_TESTS += tests/history/test_tree
tests_history_test_tree_SOURCES = tests/history/test_tree.c tests/unit/unit.h
tests_history_test_tree_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_history_test_tree_LDADD   = $(HISTORY_LIBS) $(CORE_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/history/test_append
tests_history_test_append_SOURCES = tests/history/test_append.c tests/history/years.c tests/history/years.h tests/unit/maker.c tests/unit/maker.h tests/unit/folder.h tests/unit/unit.h
tests_history_test_append_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_history_test_append_LDADD   = $(HISTORY_LIBS) $(CORE_LIBS) $(CMOCKA_LIBS)

ANY_STORE = tests/history/any_store.c tests/history/any_store.h tests/unit/maker.c tests/unit/maker.h tests/unit/folder.h tests/unit/unit.h
UNIT_TESTS += tests/history/test_idempotency tests/history/test_idempotency_group
tests_history_test_idempotency_SOURCES = tests/history/test_idempotency.c $(ANY_STORE)
tests_history_test_idempotency_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(PQ_CFLAGS)
tests_history_test_idempotency_LDADD   = $(HISTORY_LIBS) $(CORE_LIBS) $(CMOCKA_LIBS) $(PQ_LIBS)
tests_history_test_idempotency_group_SOURCES = tests/history/test_idempotency_group.c $(ANY_STORE)
tests_history_test_idempotency_group_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS) $(PQ_CFLAGS)
tests_history_test_idempotency_group_LDADD   = $(HISTORY_LIBS) $(CORE_LIBS) $(CMOCKA_LIBS) $(PQ_LIBS)

UNIT_TESTS += tests/history/test_verify
tests_history_test_verify_SOURCES = tests/history/test_verify.c tests/history/years.c tests/history/years.h tests/unit/maker.c tests/unit/maker.h tests/unit/folder.h tests/unit/unit.h
tests_history_test_verify_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_history_test_verify_LDADD   = $(HISTORY_LIBS) $(CORE_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/history/test_vectors
tests_history_test_vectors_SOURCES = tests/history/test_vectors.c tests/unit/unit.h
tests_history_test_vectors_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_history_test_vectors_LDADD   = $(HISTORY_LIBS) $(CORE_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/history/test_bytes
tests_history_test_bytes_SOURCES = tests/history/test_bytes.c tests/history/bytes.h tests/history/bytes_sqlite.c tests/unit/maker.c tests/unit/maker.h tests/unit/folder.h tests/unit/unit.h
tests_history_test_bytes_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_history_test_bytes_LDADD   = $(HISTORY_LIBS) $(CORE_LIBS) $(CMOCKA_LIBS)
if HAVE_POSTGRESQL
tests_history_test_bytes_SOURCES += tests/history/bytes_postgres.c
tests_history_test_bytes_CFLAGS  += $(PQ_CFLAGS)
tests_history_test_bytes_LDADD   += $(PQ_LIBS)
SHELL_TESTS += tests/history/bytes.sh tests/history/idempotency_postgresql.sh
endif
endif
