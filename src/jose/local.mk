# SPDX-License-Identifier: Apache-2.0
libse_core_la_SOURCES += \
	src/jose/header.c src/jose/header.h \
	src/jose/jwk.c src/jose/jwk.h \
	src/jose/jws.c src/jose/jws.h \
	src/jose/jws_value.c src/jose/jws_value.h \
	src/jose/jwt.c src/jose/jwt.h
