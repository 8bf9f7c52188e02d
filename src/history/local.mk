libse_history_la_SOURCES += \
	src/history/address.c \
	src/history/care.c \
	src/history/commit.c \
	src/history/diagnose.c \
	src/history/entry.c src/history/entry.h \
	src/history/findings.c src/history/findings.h \
	src/history/group.c src/history/group.h \
	src/history/hash.c src/history/hash.h \
	src/history/head.c \
	src/history/history.h \
	src/history/lookup.c \
	src/history/moment.c \
	src/history/nodes.c \
	src/history/note.c \
	src/history/open.c \
	src/history/path.c \
	src/history/proof.c src/history/proof.h \
	src/history/queue.c \
	src/history/read.c \
	src/history/seal.c src/history/seal.h \
	src/history/sealing.c \
	src/history/sqlite.c src/history/sqlite.h \
	src/history/sqlite_read.c \
	src/history/sqlite_schema.c \
	src/history/sqlite_write.c \
	src/history/database.h \
	src/history/databases.c \
	src/history/survey.c \
	src/history/together.c \
	src/history/tree.c src/history/tree.h \
	src/history/verification.h \
	src/history/verified.c \
	src/history/verify.c \
	src/history/walk.c src/history/walk.h \
	src/history/walk_seal.c

if HAVE_POSTGRESQL
libse_history_la_SOURCES += \
	src/history/postgres.c src/history/postgres.h \
	src/history/postgres_read.c \
	src/history/postgres_schema.c \
	src/history/postgres_write.c
AM_CPPFLAGS += -DHAVE_POSTGRESQL
endif
