SHELL_TESTS += \
	tests/interop/cms.sh \
	tests/interop/key.sh
