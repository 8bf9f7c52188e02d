# SPDX-License-Identifier: Apache-2.0
# For programs only.  history_sink.c comes along, and with it SQLite and libpq, where a program names it.
noinst_LTLIBRARIES += libse-audit.la
libse_audit_la_SOURCES = \
	src/audit/audit.c src/audit/audit.h \
	src/audit/datagram_sink.c \
	src/audit/file_sink.c \
	src/audit/history_sink.c \
	src/audit/record.c src/audit/record.h \
	src/audit/sink.c src/audit/sink.h \
	src/audit/sink_text.c
dist_examples_DATA += conf/signengine.logrotate
