SHELL_TESTS += \
	tests/mail/mail.sh
EXTRA_DIST += tests/mail/mail-lib.sh
