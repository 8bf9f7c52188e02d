# SPDX-License-Identifier: Apache-2.0
# what reads milter.conf, without libmilter
MILTER_CONF = \
	src/milter/conf.c src/milter/conf.h \
	src/milter/peers.c src/milter/peers.h \
	src/milter/rules.c src/milter/rules.h \
	src/milter/sender.c src/milter/sender.h

# a process of its own beside the MTA
if HAVE_MILTER
sbin_PROGRAMS += signengine-milter
signengine_milter_CPPFLAGS = $(AM_CPPFLAGS) -DSYSCONFDIR='"$(sysconfdir)"'
signengine_milter_SOURCES = $(MILTER_CONF) \
	src/milter/report.c src/milter/report.h \
	src/milter/main.c \
	src/milter/message.c src/milter/message.h \
	src/milter/service.c src/milter/service.h \
	src/milter/session.c src/milter/session.h \
	src/milter/socket.c src/milter/socket.h \
	src/milter/watch.c src/milter/watch.h
signengine_milter_LDFLAGS = $(AM_LDFLAGS) $(SE_PIE)
signengine_milter_LDADD = libse-audit.la $(HISTORY_LIBS) $(MAIL_LIBS) $(CORE_LIBS) -lmilter $(JANSSON_LIBS)
dist_man_MANS += doc/signengine-milter.8
dist_examples_DATA += conf/milter.conf conf/signengine-milter.service
endif
EXTRA_DIST += doc/signengine-milter.8 conf/milter.conf conf/signengine-milter.service
