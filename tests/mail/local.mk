# SPDX-License-Identifier: Apache-2.0
SHELL_TESTS += \
	tests/mail/contents.sh \
	tests/mail/corpus.sh \
	tests/mail/hostile.sh \
	tests/mail/java.sh \
	tests/mail/mail.sh \
	tests/mail/milter.sh \
	tests/mail/nested.sh \
	tests/mail/postfix.sh \
	tests/mail/postfix-tricks.sh \
	tests/mail/readers.sh \
	tests/mail/sample.sh \
	tests/mail/timestamp.sh
BIG_TESTS += tests/mail/big.sh
EXTRA_DIST += tests/mail/compare-builds.sh tests/mail/readers-lib.sh tests/mail/readers-campaign.sh tests/mail/readers/shapes.py tests/mail/readers/compare.py \
	tests/mail/readers/python.py tests/mail/readers/perl.pl tests/mail/readers/Mail.java tests/mail/readers/node.js tests/mail/readers/mutt.py
EXTRA_DIST += tests/mail/contents-lib.sh tests/mail/contents-campaign.sh tests/mail/collect.py tests/mail/odd.py tests/mail/readers/gmime.py \
	tests/mail/readers/contents.py tests/mail/readers/contents.js tests/mail/readers/compare_contents.py
EXTRA_DIST += tests/mail/corpus.py tests/mail/mail-lib.sh tests/mail/postfix-lib.sh tests/mail/milter.py tests/mail/smtp.py tests/mail/stamp.py tests/mail/tricks.py
