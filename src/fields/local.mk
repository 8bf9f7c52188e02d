# SPDX-License-Identifier: Apache-2.0
libse_core_la_SOURCES += \
	src/fields/aead.c src/fields/aead.h \
	src/fields/cms_envelope.c src/fields/cms_envelope.h \
	src/fields/cms_envelope_read.c \
	src/fields/container.c src/fields/container.h \
	src/fields/envelope.c src/fields/envelope.h \
	src/fields/formats.c \
	src/fields/jwe.c \
	src/fields/nx02.c src/fields/nx02.h \
	src/fields/rsa_oaep.c
