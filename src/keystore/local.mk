# SPDX-License-Identifier: Apache-2.0
libse_core_la_SOURCES += \
	src/keystore/bundle.c src/keystore/bundle.h \
	src/keystore/configured_certificate.c \
	src/keystore/keystore.h \
	src/keystore/keystores.c \
	src/keystore/password.c src/keystore/password.h \
	src/keystore/pem.c src/keystore/pem.h \
	src/keystore/pkcs12.c src/keystore/pkcs12.h

include src/keystore/azure/local.mk
include src/keystore/pkcs11/local.mk
