# SPDX-License-Identifier: Apache-2.0
# signengined
SHELL_TESTS += \
	tests/daemon/audit.sh \
	tests/daemon/bounds.sh \
	tests/daemon/client.sh \
	tests/daemon/clients.sh \
	tests/daemon/cluster-sample.sh \
	tests/daemon/cluster.sh \
	tests/daemon/crowd.sh \
	tests/daemon/heads.sh \
	tests/daemon/identity.sh \
	tests/daemon/life.sh \
	tests/daemon/metrics.sh \
	tests/daemon/monitoring.sh \
	tests/daemon/openapi.sh \
	tests/daemon/reload-history.sh \
	tests/daemon/reload-watch.sh \
	tests/daemon/revocation.sh \
	tests/daemon/signed-config.sh \
	tests/daemon/reload.sh \
	tests/daemon/sample.sh \
	tests/daemon/streams.sh \
	tests/daemon/tls.sh \
	tests/daemon/tomcat.sh \
	tests/daemon/versions.sh
EXTRA_DIST += \
	tests/daemon/append.py \
	tests/daemon/asking.py \
	tests/daemon/audited.py \
	tests/daemon/client.py \
	tests/daemon/clients.py \
	tests/daemon/clients.table \
	tests/daemon/cluster.py \
	tests/daemon/crowd-lib.sh \
	tests/daemon/crowd.py \
	tests/daemon/daemon-lib.sh \
	tests/daemon/heads.py \
	tests/daemon/hold.py \
	tests/daemon/identity.py \
	tests/daemon/journal.py \
	tests/daemon/load-campaign.sh \
	tests/daemon/load.py \
	tests/daemon/monitoring.py \
	tests/daemon/rules_test.yml \
	tests/daemon/slow.py \
	tests/daemon/soak-campaign.sh \
	tests/daemon/soak.py \
	tests/daemon/streams-campaign.sh \
	tests/daemon/streams-lib.sh \
	tests/daemon/streams.py \
	tests/daemon/tls.py \
	tests/daemon/tomcat/ForgetfulListener.java \
	tests/daemon/tomcat/LoadServlet.java \
	tests/daemon/tomcat/NeighbourServlet.java
# others' tools judge the API's document, and the document the answers
EXTRA_DIST += \
	tests/daemon/answers.mjs \
	tests/daemon/curl.sh \
	tests/daemon/openapi-lib.sh \
	tests/daemon/package.json \
	tests/daemon/package-lock.json \
	tests/daemon/trial.yaml

# the daemon's core with operations that take their time, fail, and say who asks
if HAVE_DAEMON
check_PROGRAMS += tests/daemon/trial
tests_daemon_trial_SOURCES  = tests/daemon/trial.c $(DAEMON_CORE) src/daemon/body.c src/daemon/failure.c src/daemon/histories.c src/daemon/sealed_file.c src/daemon/target.c
tests_daemon_trial_CPPFLAGS = $(DAEMON_CPPFLAGS)
tests_daemon_trial_CFLAGS   = $(AM_CFLAGS) $(MICROHTTPD_CFLAGS) $(GNUTLS_CFLAGS)
tests_daemon_trial_LDFLAGS  = $(AM_LDFLAGS) $(SE_PIE)
tests_daemon_trial_LDADD    = $(DAEMON_LIBS)
endif
