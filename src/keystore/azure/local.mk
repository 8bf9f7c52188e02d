# SPDX-License-Identifier: Apache-2.0
libse_core_la_SOURCES += \
	src/keystore/azure/answer.c src/keystore/azure/answer.h \
	src/keystore/azure/answer_secret.c \
	src/keystore/azure/challenge.c src/keystore/azure/challenge.h \
	src/keystore/azure/failure.c \
	src/keystore/azure/jwk.c src/keystore/azure/jwk.h \
	src/keystore/azure/login_failure.c \
	src/keystore/azure/service_error.c src/keystore/azure/service_error.h
