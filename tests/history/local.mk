SHELL_TESTS += tests/history/crash.sh tests/history/sqlite.sh
if HAVE_POSTGRESQL
SHELL_TESTS += tests/history/outage.sh tests/history/postgresql.sh
endif
EXTRA_DIST += tests/history/manipulations.sh tests/history/outage.sh tests/history/postgresql.sh tests/history/read.py tests/history/server.sh

# run by the shell tests
check_PROGRAMS += tests/history/append
tests_history_append_LDADD = libse-core.la
