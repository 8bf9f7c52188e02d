libse_core_la_SOURCES += \
	src/zip/container.c
