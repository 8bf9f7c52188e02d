# A test is a program (rows in tests/unit, tests/fuzz) or a shell script:
#   SHELL_TESTS += tests/cli/something.sh
# Exit status: 0 passed, 77 skipped, 99 could not be set up, anything else failed.

SHELL_TESTS =
TEST_EXTENSIONS = .sh
SH_LOG_COMPILER = $(SHELL)

# what tests see of the build; a sanitizer's finding must not look like a refusal of ours
AM_TESTS_ENVIRONMENT = \
	top_srcdir='$(abs_top_srcdir)'; export top_srcdir; \
	top_builddir='$(abs_top_builddir)'; export top_builddir; \
	CC='$(CC)'; export CC; \
	lint_cflags='$(CRYPTO_CFLAGS) $(XML_CFLAGS) $(P11KIT_CFLAGS) $(P11_CFLAGS) $(JANSSON_CFLAGS) $(CMOCKA_CFLAGS)'; export lint_cflags; \
	ASAN_OPTIONS=exitcode=99; export ASAN_OPTIONS; \
	UBSAN_OPTIONS=exitcode=99:print_stacktrace=1; export UBSAN_OPTIONS; \
	TSAN_OPTIONS=exitcode=99; export TSAN_OPTIONS;

# lints
LINTS = \
	tests/check-calls.sh \
	tests/check-format.sh \
	tests/check-headers.sh \
	tests/check-layers.sh \
	tests/check-shell.sh \
	tests/check-size.sh \
	tests/check-words.sh
SHELL_TESTS += $(LINTS)
EXTRA_DIST += tests/check-calls.allow

SHELL_TESTS += tests/lib/test-harness.sh
EXTRA_DIST += tests/lib/harness.sh

include tests/unit/local.mk

TESTS += $(SHELL_TESTS)
dist_check_SCRIPTS += $(SHELL_TESTS)
