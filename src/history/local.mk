# SPDX-License-Identifier: Apache-2.0
libse_history_la_SOURCES += \
	src/history/checkpoint.c \
	src/history/findings.c src/history/findings.h \
	src/history/group_commit.c \
	src/history/history.c src/history/history.h \
	src/history/idempotency.c \
	src/history/maintenance.c \
	src/history/proof.c \
	src/history/read.c \
	src/history/signed_note.c src/history/signed_note.h \
	src/history/sqlite.c src/history/sqlite.h \
	src/history/sqlite_rows.c \
	src/history/sqlite_schema.c \
	src/history/store.h \
	src/history/subtree.c src/history/subtree.h \
	src/history/tree.c src/history/tree.h \
	src/history/verification.h \
	src/history/verify.c \
	src/history/verify_checkpoint.c \
	src/history/verify_parallel.c \
	src/history/verify_scan.c

if HAVE_POSTGRESQL
libse_history_la_SOURCES += \
	src/history/postgres.c src/history/postgres.h \
	src/history/postgres_keys.c \
	src/history/postgres_rows.c \
	src/history/postgres_schema.c
AM_CPPFLAGS += -DHAVE_POSTGRESQL
endif
