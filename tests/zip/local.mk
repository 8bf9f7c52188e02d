SHELL_TESTS += \
	tests/zip/archives.sh \
	tests/zip/attacks.sh \
	tests/zip/early.sh \
	tests/zip/jarsigner.sh \
	tests/zip/kill.sh \
	tests/zip/sealed.sh \
	tests/zip/sign.sh \
	tests/zip/timestamp.sh
EXTRA_DIST += tests/zip/Jarsigner.java tests/zip/Readers.java tests/zip/archives.py tests/zip/attacks tests/zip/attacks.py tests/zip/jarsigner-lib.sh tests/zip/stamps.py
BIG_TESTS += tests/zip/big.sh tests/zip/big-java.sh
