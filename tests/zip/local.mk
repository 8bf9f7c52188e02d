SHELL_TESTS += \
	tests/zip/archives.sh \
	tests/zip/sealed.sh \
	tests/zip/sign.sh
EXTRA_DIST += tests/zip/Readers.java tests/zip/archives.py
