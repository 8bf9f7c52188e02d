SHELL_TESTS += \
	tests/mail/corpus.sh \
	tests/mail/hostile.sh \
	tests/mail/java.sh \
	tests/mail/mail.sh \
	tests/mail/milter.sh \
	tests/mail/nested.sh \
	tests/mail/postfix.sh \
	tests/mail/sample.sh \
	tests/mail/timestamp.sh
BIG_TESTS += tests/mail/big.sh
EXTRA_DIST += tests/mail/corpus.py tests/mail/mail-lib.sh tests/mail/postfix-lib.sh tests/mail/milter.py tests/mail/smtp.py tests/mail/stamp.py
