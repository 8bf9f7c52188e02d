SHELL_TESTS += \
	tests/zip/sign.sh
