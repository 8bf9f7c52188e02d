SHELL_TESTS += \
	tests/cli/sample-sign-file.sh
