# SPDX-License-Identifier: Apache-2.0
if HAVE_CMOCKA
TOKEN_TESTS =
check_PROGRAMS += $(TOKEN_TESTS)
TESTS += $(TOKEN_TESTS)

check_LTLIBRARIES += tests/token/libfixture.la
tests_token_libfixture_la_SOURCES = \
	tests/token/control.c \
	tests/token/control.h \
	tests/token/fixture.c \
	tests/token/fixture.h \
	tests/token/judge.c \
	tests/token/judge.h \
	tests/token/works.c \
	tests/token/works.h
tests_token_libfixture_la_CPPFLAGS = $(AM_CPPFLAGS) -DSHIM='"$(abs_top_builddir)/tests/lib/.libs/shim.so"'
tests_token_libfixture_la_CFLAGS   = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_token_libfixture_la_LIBADD   = $(CORE_LIBS) $(CMOCKA_LIBS)

TOKEN_TESTS += tests/token/test_shim
tests_token_test_shim_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_token_test_shim_LDADD  = tests/token/libfixture.la

TOKEN_TESTS += tests/token/test_token_select
tests_token_test_token_select_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_token_test_token_select_LDADD  = tests/token/libfixture.la

TOKEN_TESTS += tests/token/test_keypair
tests_token_test_keypair_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_token_test_keypair_LDADD  = tests/token/libfixture.la

TOKEN_TESTS += tests/token/test_login
tests_token_test_login_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_token_test_login_LDADD  = tests/token/libfixture.la

TOKEN_TESTS += tests/token/test_wrong_pin
tests_token_test_wrong_pin_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_token_test_wrong_pin_LDADD  = tests/token/libfixture.la

TOKEN_TESTS += tests/token/test_sign
tests_token_test_sign_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_token_test_sign_LDADD  = tests/token/libfixture.la

TOKEN_TESTS += tests/token/test_decrypt
tests_token_test_decrypt_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_token_test_decrypt_LDADD  = tests/token/libfixture.la

TOKEN_TESTS += tests/token/test_undecryptable
tests_token_test_undecryptable_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_token_test_undecryptable_LDADD  = tests/token/libfixture.la

TOKEN_TESTS += tests/token/test_fallback
tests_token_test_fallback_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_token_test_fallback_LDADD  = tests/token/libfixture.la

# run by the shell tests, each on a token of another make
check_PROGRAMS += tests/token/fields tests/token/mechanisms tests/token/restarts
tests_token_fields_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_token_fields_LDADD  = tests/token/libfixture.la
tests_token_mechanisms_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_token_mechanisms_LDADD  = tests/token/libfixture.la
tests_token_restarts_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_token_restarts_LDADD  = tests/token/libfixture.la
SHELL_TESTS += \
	tests/token/faults.sh \
	tests/token/names.sh \
	tests/token/backup-nss.sh \
	tests/token/backup-opencryptoki.sh \
	tests/token/nss.sh \
	tests/token/opencryptoki.sh \
	tests/token/p11-server.sh \
	tests/token/rights.sh \
	tests/token/softhsm.sh \
	tests/token/tpm.sh \
	tests/token/wrong-pin.sh
EXTRA_DIST += tests/token/backups.sh tests/token/keys.sh

TOKEN_TESTS += tests/token/test_deadline
tests_token_test_deadline_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_token_test_deadline_LDADD  = tests/token/libfixture.la

TOKEN_TESTS += tests/token/test_pool
tests_token_test_pool_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_token_test_pool_LDADD  = tests/token/libfixture.la

TOKEN_TESTS += tests/token/test_idle
tests_token_test_idle_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_token_test_idle_LDADD  = tests/token/libfixture.la

TOKEN_TESTS += tests/token/test_recovery
tests_token_test_recovery_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_token_test_recovery_LDADD  = tests/token/libfixture.la

TOKEN_TESTS += tests/token/test_fault
tests_token_test_fault_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_token_test_fault_LDADD  = tests/token/libfixture.la

TOKEN_TESTS += tests/token/test_campaign
tests_token_test_campaign_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_token_test_campaign_LDADD  = tests/token/libfixture.la
dist_noinst_SCRIPTS += tests/token/campaign.sh

TOKEN_TESTS += tests/token/test_server
tests_token_test_server_SOURCES = tests/token/test_server.c tests/token/server.c tests/token/server.h
tests_token_test_server_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_token_test_server_LDADD   = tests/token/libfixture.la

TOKEN_TESTS += tests/token/test_replicas
tests_token_test_replicas_SOURCES = tests/token/test_replicas.c tests/token/places.c tests/token/places.h
tests_token_test_replicas_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_token_test_replicas_LDADD   = tests/token/libfixture.la

TOKEN_TESTS += tests/token/test_check
tests_token_test_check_SOURCES = tests/token/test_check.c tests/token/places.c tests/token/places.h
tests_token_test_check_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_token_test_check_LDADD   = tests/token/libfixture.la

TOKEN_TESTS += tests/token/test_replica_servers
tests_token_test_replica_servers_SOURCES = tests/token/test_replica_servers.c tests/token/server.c tests/token/server.h
tests_token_test_replica_servers_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_token_test_replica_servers_LDADD   = tests/token/libfixture.la

TOKEN_TESTS += tests/token/test_session_handles
tests_token_test_session_handles_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_token_test_session_handles_LDADD  = tests/token/libfixture.la

TOKEN_TESTS += tests/token/test_neighbours
tests_token_test_neighbours_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_token_test_neighbours_LDADD  = tests/token/libfixture.la

TOKEN_TESTS += tests/token/test_fork
tests_token_test_fork_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_token_test_fork_LDADD  = tests/token/libfixture.la

TOKEN_TESTS += tests/token/test_provision
tests_token_test_provision_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_token_test_provision_LDADD  = libse-provision.la tests/token/libfixture.la

MEMORY_SEARCHES += tests/token/test_secrets
tests_token_test_secrets_SOURCES = tests/token/test_secrets.c tests/unit/needle.c tests/unit/needle.h
tests_token_test_secrets_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_token_test_secrets_LDADD   = tests/token/libfixture.la
endif
