SHELL_TESTS += tests/history/sqlite.sh
if HAVE_POSTGRESQL
SHELL_TESTS += tests/history/postgresql.sh
endif
EXTRA_DIST += tests/history/manipulations.sh tests/history/postgresql.sh tests/history/server.sh
