# SPDX-License-Identifier: Apache-2.0
include_HEADERS = src/signengine.h src/signengine-history.h src/signengine-mail.h

# What the libraries, the programs and their tests are made of, nothing hidden.  All have a copy of `base` of their own.
noinst_LTLIBRARIES += libse-base.la libse-core.la libse-history.la libse-mail.la
libse_base_la_SOURCES    =
libse_core_la_SOURCES    = src/signengine.h
libse_history_la_SOURCES = src/signengine-history.h
libse_mail_la_SOURCES    = src/signengine-mail.h

CORE_LIBS    = libse-core.la libse-base.la $(CRYPTO_LIBS) $(XML_LIBS) $(P11KIT_LIBS) $(JANSSON_LIBS) $(ZLIB_LIBS) $(UNISTRING_LIBS) -ldl -lpthread
HISTORY_LIBS = libse-history.la $(CRYPTO_LIBS) $(SQLITE_LIBS) $(PQ_LIBS)
MAIL_LIBS    = libse-mail.la $(GMIME_LIBS)

# The libraries show what their headers declare.  A worker that is stuck in foreign code (base/timed_call.h) must find its own code when it
# returns: nodelete.
LIBRARY_LDFLAGS = $(BIND_NOW) -Wl,-z,nodelete -version-info 0:0:0 -no-undefined
lib_LTLIBRARIES += libsignengine.la libsignengine-history.la libsignengine-mail.la
libsignengine_la_SOURCES =
libsignengine_la_LIBADD  = $(CORE_LIBS)
libsignengine_la_LDFLAGS = $(LIBRARY_LDFLAGS) -Wl,--version-script=$(srcdir)/src/libsignengine.map
EXTRA_libsignengine_la_DEPENDENCIES = src/libsignengine.map
libsignengine_history_la_SOURCES =
libsignengine_history_la_LIBADD  = $(HISTORY_LIBS) libse-base.la libsignengine.la -lpthread
libsignengine_history_la_LDFLAGS = $(LIBRARY_LDFLAGS) -Wl,--version-script=$(srcdir)/src/libsignengine-history.map
EXTRA_libsignengine_history_la_DEPENDENCIES = src/libsignengine-history.map
libsignengine_mail_la_SOURCES =
libsignengine_mail_la_LIBADD  = $(MAIL_LIBS) libse-base.la libsignengine.la -lpthread
libsignengine_mail_la_LDFLAGS = $(LIBRARY_LDFLAGS) -Wl,--version-script=$(srcdir)/src/libsignengine-mail.map
EXTRA_libsignengine_mail_la_DEPENDENCIES = src/libsignengine-mail.map
EXTRA_DIST += src/libsignengine.map src/libsignengine-history.map src/libsignengine-mail.map

include src/base/local.mk
include src/config/local.mk
include src/crypto/local.mk
include src/libcurl/local.mk
include src/keystore/local.mk
include src/cms/local.mk
include src/xmldsig/local.mk
include src/fields/local.mk
include src/jose/local.mk
include src/evidence/local.mk
include src/engine/local.mk
include src/zip/local.mk
include src/history/local.mk
include src/mail/local.mk
include src/audit/local.mk
include src/provision/local.mk
include src/client/local.mk
include src/cli/local.mk
include src/milter/local.mk
include src/daemon/local.mk
include src/daemon/operations.mk
