SHELL_TESTS += \
	tests/interop/cms.sh
