# SPDX-License-Identifier: Apache-2.0
# signengined
SHELL_TESTS += \
	tests/daemon/audit.sh \
	tests/daemon/bounds.sh \
	tests/daemon/client.sh \
	tests/daemon/crowd.sh \
	tests/daemon/heads.sh \
	tests/daemon/identity.sh \
	tests/daemon/life.sh \
	tests/daemon/metrics.sh \
	tests/daemon/openapi.sh \
	tests/daemon/reload.sh \
	tests/daemon/sample.sh \
	tests/daemon/tls.sh
EXTRA_DIST += \
	tests/daemon/append.py \
	tests/daemon/audited.py \
	tests/daemon/client.py \
	tests/daemon/crowd-lib.sh \
	tests/daemon/crowd.py \
	tests/daemon/daemon-lib.sh \
	tests/daemon/heads.py \
	tests/daemon/hold.py \
	tests/daemon/identity.py \
	tests/daemon/journal.py \
	tests/daemon/load-campaign.sh \
	tests/daemon/load.py \
	tests/daemon/slow.py \
	tests/daemon/tls.py
# others' tools judge the API's document, and the document the answers
EXTRA_DIST += \
	tests/daemon/answers.mjs \
	tests/daemon/openapi-lib.sh \
	tests/daemon/package.json \
	tests/daemon/package-lock.json

# the daemon's core with operations that take their time, fail, and say who asks
if HAVE_DAEMON
check_PROGRAMS += tests/daemon/trial
tests_daemon_trial_SOURCES  = tests/daemon/trial.c $(DAEMON_CORE) src/daemon/histories.c src/daemon/target.c
tests_daemon_trial_CPPFLAGS = $(DAEMON_CPPFLAGS)
tests_daemon_trial_CFLAGS   = $(AM_CFLAGS) $(MICROHTTPD_CFLAGS) $(GNUTLS_CFLAGS)
tests_daemon_trial_LDFLAGS  = $(AM_LDFLAGS) $(SE_PIE)
tests_daemon_trial_LDADD    = $(DAEMON_LIBS)
endif
