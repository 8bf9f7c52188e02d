include_HEADERS = src/signengine.h

# everything, nothing hidden: what unit tests, fuzzers and the command link with
noinst_LTLIBRARIES += libse-core.la
libse_core_la_SOURCES = src/signengine.h
libse_core_la_LIBADD  = $(CRYPTO_LIBS) $(XML_LIBS) $(P11KIT_LIBS) $(JANSSON_LIBS) $(ZLIB_LIBS) -ldl -lpthread

# the library: the same, behind the version script
lib_LTLIBRARIES += libsignengine.la
libsignengine_la_SOURCES =
libsignengine_la_LIBADD  = libse-core.la
# a worker that is stuck in foreign code (base/guard.h) must find its own code when it returns
libsignengine_la_LDFLAGS = $(BIND_NOW) -Wl,-z,nodelete -version-info 0:0:0 -no-undefined -Wl,--version-script=$(srcdir)/src/libsignengine.map
EXTRA_libsignengine_la_DEPENDENCIES = src/libsignengine.map
EXTRA_DIST += src/libsignengine.map

include src/base/local.mk
include src/model/local.mk
include src/key/local.mk
include src/store/local.mk
include src/format/local.mk
include src/engine/local.mk
include src/zip/local.mk
include src/history/local.mk
include src/mail/local.mk
include src/provision/local.mk
include src/cli/local.mk
include src/milter/local.mk
