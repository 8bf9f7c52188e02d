# SPDX-License-Identifier: Apache-2.0
SHELL_TESTS += \
	tests/zip/archives.sh \
	tests/zip/attacks.sh \
	tests/zip/containers.sh \
	tests/zip/jarsigner.sh \
	tests/zip/kill.sh \
	tests/zip/output.sh \
	tests/zip/sealed.sh \
	tests/zip/sign.sh \
	tests/zip/tidy.sh \
	tests/zip/timestamp.sh \
	tests/zip/writers.sh
EXTRA_DIST += tests/zip/Containers.java tests/zip/Corpus.java tests/zip/Jarsigner.java tests/zip/Readers.java tests/zip/archives.py tests/zip/attacks tests/zip/attacks.py tests/zip/containers.py tests/zip/corpus-campaign.sh tests/zip/corpus.py tests/zip/jarsigner-lib.sh tests/zip/stamps.py
BIG_TESTS += tests/zip/big.sh tests/zip/big-java.sh

# run by containers.sh
check_PROGRAMS += tests/zip/verdicts
tests_zip_verdicts_LDADD = $(CORE_LIBS)
