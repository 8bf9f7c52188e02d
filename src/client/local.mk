# SPDX-License-Identifier: Apache-2.0
# signengined, asked by the command
noinst_LTLIBRARIES += libse-client.la
libse_client_la_SOURCES = \
	src/client/call.c src/client/call.h \
	src/client/client.h \
	src/client/connection.c src/client/connection.h \
	src/client/fields.c \
	src/client/files.c \
	src/client/history.c \
	src/client/signatures.c
