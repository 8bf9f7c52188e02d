# SPDX-License-Identifier: Apache-2.0
# the PKCS #11 module of the tests' own, in front of another one: shim.h, and script.c for its file
check_LTLIBRARIES += tests/lib/shim.la
tests_lib_shim_la_SOURCES = \
	tests/lib/shim/calls.c \
	tests/lib/shim/calls.h \
	tests/lib/shim/fault.c \
	tests/lib/shim/fault.h \
	tests/lib/shim/names.c \
	tests/lib/shim/names.h \
	tests/lib/shim/replay.c \
	tests/lib/shim/replay.h \
	tests/lib/shim/script.c \
	tests/lib/shim/script.h \
	tests/lib/shim/shim.c \
	tests/lib/shim/shim.h
tests_lib_shim_la_LDFLAGS = $(AM_LDFLAGS) -module -avoid-version -shared -rpath /nowhere
tests_lib_shim_la_LIBADD  = -ldl -lpthread

# what tests have fetched, once for each build folder
EXTRA_DIST += tests/lib/authority.py tests/lib/debian-source.sh tests/lib/npm.sh tests/lib/responder.py tests/lib/serving.py
clean-local:
	rm -rf tests/lib/sources
