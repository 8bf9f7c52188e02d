# SPDX-License-Identifier: Apache-2.0
libse_core_la_SOURCES += \
	src/keystore/azure/answer.c src/keystore/azure/answer.h \
	src/keystore/azure/answer_secret.c \
	src/keystore/azure/assertion.c src/keystore/azure/assertion.h \
	src/keystore/azure/challenge.c src/keystore/azure/challenge.h \
	src/keystore/azure/credential.c src/keystore/azure/credential.h \
	src/keystore/azure/environment.c \
	src/keystore/azure/failure.c \
	src/keystore/azure/flight.c \
	src/keystore/azure/identity.c src/keystore/azure/identity.h \
	src/keystore/azure/jwk.c src/keystore/azure/jwk.h \
	src/keystore/azure/login.c src/keystore/azure/login.h src/keystore/azure/login_state.h \
	src/keystore/azure/login_failure.c \
	src/keystore/azure/secret.c src/keystore/azure/secret.h \
	src/keystore/azure/service_error.c src/keystore/azure/service_error.h \
	src/keystore/azure/workload.c
