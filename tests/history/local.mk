SHELL_TESTS += tests/history/sqlite.sh
EXTRA_DIST += tests/history/manipulations.sh
