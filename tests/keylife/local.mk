# SPDX-License-Identifier: Apache-2.0
# Keys that are rotated and renewed while they are used.
check_PROGRAMS += tests/keylife/worker
tests_keylife_worker_SOURCES = tests/keylife/worker.c
tests_keylife_worker_LDADD   = $(HISTORY_LIBS) $(MAIL_LIBS) $(CORE_LIBS)
SHELL_TESTS += \
	tests/keylife/load-pkcs12.sh \
	tests/keylife/load-softhsm.sh \
	tests/keylife/load-vault.sh
EXTRA_DIST += tests/keylife/load.sh
