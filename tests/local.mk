# SPDX-License-Identifier: Apache-2.0
# A test is a program (rows in tests/unit, tests/fuzz) or a shell script:
#   SHELL_TESTS += tests/cli/something.sh
# Exit status: 0 passed, 77 skipped, 99 could not be set up, anything else failed.

SHELL_TESTS =
# files of 5 GB and lines of 2 GB, a minute each: "make check-big"
BIG_TESTS =
TEST_EXTENSIONS = .sh

# What tests see of the build.  The judges are Debian's (packages.txt), before others of their names.  A sanitizer's finding must not look
# like a refusal of ours.
AM_TESTS_ENVIRONMENT = \
	PATH="/usr/sbin:/usr/bin:/sbin:/bin:$$PATH"; export PATH; \
	top_srcdir='$(abs_top_srcdir)'; export top_srcdir; \
	top_builddir='$(abs_top_builddir)'; export top_builddir; \
	CC='$(CC)'; export CC; \
	SE_HARDENING='$(SE_HARDENING)'; export SE_HARDENING; \
	MEMCHECK='$(MEMCHECK)'; export MEMCHECK; \
	lint_cflags='$(CRYPTO_CFLAGS) $(XML_CFLAGS) $(P11KIT_CFLAGS) $(P11_CFLAGS) $(JANSSON_CFLAGS) $(GMIME_CFLAGS) $(PQ_CFLAGS) $(ZLIB_CFLAGS) $(CMOCKA_CFLAGS)'; export lint_cflags; \
	sanitize='$(SE_SANITIZE)'; export sanitize; \
	ASAN_OPTIONS=exitcode=99; export ASAN_OPTIONS; \
	LSAN_OPTIONS=exitcode=99:print_suppressions=0:suppressions='$(abs_top_srcdir)/tests/lib/lsan.supp'; export LSAN_OPTIONS; \
	UBSAN_OPTIONS=exitcode=99:print_stacktrace=1; export UBSAN_OPTIONS; \
	TSAN_OPTIONS=exitcode=99:die_after_fork=0:suppressions='$(abs_top_srcdir)/tests/lib/tsan.supp'; export TSAN_OPTIONS;

# no test takes five minutes; one that hangs must not hold up the others
LIMIT = 300
LOG_COMPILER = timeout $(LIMIT)
SH_LOG_COMPILER = timeout $(LIMIT) $(SHELL)

# lints
LINTS = \
	tests/check-calls.sh \
	tests/check-circles.sh \
	tests/check-exports.sh \
	tests/check-faults.sh \
	tests/check-format.sh \
	tests/check-hardening.sh \
	tests/check-headers.sh \
	tests/check-layers.sh \
	tests/check-man.sh \
	tests/check-shell.sh \
	tests/check-size.sh \
	tests/check-speed.sh \
	tests/check-words.sh
EXTRA_DIST += tests/check-calls.allow

# what has nothing more to find in another build
RUN_ONCE = $(LINTS) tests/install/abi.sh tests/install/grown-structs.sh tests/install/packaging.sh tests/install/pages.sh tests/install/test-install.sh tests/lib/test-harness.sh tests/lib/test-run.sh
# what takes longest comes first, so that none of it is alone at the end
TESTS += $(SHELL_TESTS) $(MEMORY_SEARCHES) $(RUN_ONCE)
dist_check_SCRIPTS += $(RUN_ONCE)

# the tests' own tools
EXTRA_DIST += tests/install/pages.py
EXTRA_DIST += tests/packages.txt tests/lib/find-library.sh tests/lib/harness.sh tests/lib/lsan.supp tests/lib/opencryptoki.sh tests/lib/tpm.sh tests/lib/tsan.supp tests/lib/valgrind.supp
check_PROGRAMS += tests/lib/maxrss
tests_lib_maxrss_LDADD =
dist_noinst_SCRIPTS += tests/run.sh tests/lib/packages.sh

# what searches the whole process for PINs: under valgrind that would be a search of valgrind, and take hours
MEMORY_SEARCHES =

include tests/lib/local.mk
include tests/unit/local.mk
include tests/fuzz/local.mk
include tests/bench/local.mk
include tests/zip/local.mk
include tests/mail/local.mk
include tests/interop/local.mk
include tests/history/local.mk
include tests/token/local.mk
include tests/cli/local.mk
include tests/azure/local.mk
include tests/daemon/local.mk
include tests/keylife/local.mk
include tests/jose/local.mk
include tests/bindings/local.mk

check_PROGRAMS += $(MEMORY_SEARCHES)
dist_check_SCRIPTS += $(SHELL_TESTS) $(BIG_TESTS)

.PHONY: check-big check-code check-unit memcheck
check-big:
	$(MAKE) $(AM_MAKEFLAGS) check TESTS='$(BIG_TESTS)'

# what needs nothing that has to be started: packages are built with it
check-unit:
	$(MAKE) $(AM_MAKEFLAGS) check TESTS='$(UNIT_TESTS)'

# what there is to find with other builds of the code
check-code:
	$(MAKE) $(AM_MAKEFLAGS) check RUN_ONCE=

VALGRIND = valgrind -q --error-exitcode=99 --fair-sched=try --leak-check=full --show-leak-kinds=definite,indirect --errors-for-leak-kinds=definite,indirect \
	--child-silent-after-fork=yes --suppressions=$(abs_top_srcdir)/tests/lib/valgrind.supp
memcheck:
	FUZZ_RUNS=100 TIME_FACTOR=5 $(MAKE) $(AM_MAKEFLAGS) check RUN_ONCE= MEMORY_SEARCHES= MEMCHECK='$(abs_top_builddir)/libtool --mode=execute $(VALGRIND)' \
		LOG_COMPILER='timeout 1200 $(abs_top_builddir)/libtool --mode=execute $(VALGRIND)' SH_LOG_COMPILER='timeout 1200 $(SHELL)'
