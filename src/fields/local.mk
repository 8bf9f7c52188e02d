libse_core_la_SOURCES += \
	src/fields/aes.c src/fields/aes.h \
	src/fields/cms_envelope.c src/fields/cms_envelope.h \
	src/fields/cms_envelope_asn1.c src/fields/cms_envelope_asn1.h \
	src/fields/cms_envelope_read.c \
	src/fields/container.c src/fields/container.h \
	src/fields/envelope.h \
	src/fields/envelopes.c \
	src/fields/jwe.c \
	src/fields/jwe_header.c src/fields/jwe_header.h \
	src/fields/nx02.c src/fields/nx02.h \
	src/fields/nx02_head.c \
	src/fields/rsa_oaep.c
