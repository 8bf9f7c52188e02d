# SPDX-License-Identifier: Apache-2.0
# everything between the socket and operation.h
DAEMON_CORE = \
	src/daemon/acceptor.c src/daemon/acceptor.h \
	src/daemon/connections.c src/daemon/connections.h \
	src/daemon/exchange.c src/daemon/exchange.h \
	src/daemon/exchange_work.c \
	src/daemon/gate.c src/daemon/gate.h \
	src/daemon/generation.c src/daemon/generation.h \
	src/daemon/http.c src/daemon/http.h \
	src/daemon/identity.c src/daemon/identity.h \
	src/daemon/jobs.c src/daemon/jobs.h \
	src/daemon/keys.c src/daemon/keys.h \
	src/daemon/limits.c src/daemon/limits.h \
	src/daemon/listener.c src/daemon/listener.h \
	src/daemon/log.h \
	src/daemon/main.c \
	src/daemon/metrics.c src/daemon/metrics.h \
	src/daemon/peer.c src/daemon/peer.h \
	src/daemon/record.c src/daemon/record.h \
	src/daemon/service.c src/daemon/service.h \
	src/daemon/settings.c src/daemon/settings.h \
	src/daemon/tls.c src/daemon/tls.h \
	src/daemon/uses.c src/daemon/uses.h

DAEMON_CPPFLAGS = $(AM_CPPFLAGS) -DSYSCONFDIR='"$(sysconfdir)"'
DAEMON_LIBS     = libse-audit.la $(DAEMON_OPERATIONS_LIBS) $(MICROHTTPD_LIBS) $(GNUTLS_LIBS) -lpthread

DAEMON_EXAMPLES = \
	conf/signengine.dashboard.json \
	conf/signengine.rules.yml \
	conf/signengined.conf \
	conf/signengined.service \
	conf/signengined.socket \
	doc/monitoring.md

# one process has the keys
if HAVE_DAEMON
sbin_PROGRAMS += signengined
signengined_SOURCES  = $(DAEMON_CORE) $(DAEMON_OPERATIONS)
signengined_CPPFLAGS = $(DAEMON_CPPFLAGS)
signengined_CFLAGS   = $(AM_CFLAGS) $(MICROHTTPD_CFLAGS) $(GNUTLS_CFLAGS)
signengined_LDFLAGS  = $(AM_LDFLAGS) $(SE_PIE)
signengined_LDADD    = $(DAEMON_LIBS)
dist_man_MANS += doc/signengined.8
dist_examples_DATA += $(DAEMON_EXAMPLES)
endif
EXTRA_DIST += doc/signengined.8 $(DAEMON_EXAMPLES)
