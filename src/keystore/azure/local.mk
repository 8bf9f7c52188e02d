# SPDX-License-Identifier: Apache-2.0
libse_core_la_SOURCES += \
	src/keystore/azure/advice.c \
	src/keystore/azure/answer.c src/keystore/azure/answer.h \
	src/keystore/azure/answer_secret.c \
	src/keystore/azure/assertion.c src/keystore/azure/assertion.h \
	src/keystore/azure/challenge.c src/keystore/azure/challenge.h \
	src/keystore/azure/credential.c src/keystore/azure/credential.h \
	src/keystore/azure/environment.c \
	src/keystore/azure/failure.c \
	src/keystore/azure/flight.c \
	src/keystore/azure/guid.c src/keystore/azure/guid.h \
	src/keystore/azure/hsm_role.c src/keystore/azure/hsm_role.h \
	src/keystore/azure/http.c src/keystore/azure/http.h \
	src/keystore/azure/http_pool.c src/keystore/azure/http_pool.h \
	src/keystore/azure/identity.c src/keystore/azure/identity.h \
	src/keystore/azure/jwk.c src/keystore/azure/jwk.h \
	src/keystore/azure/key.c src/keystore/azure/key.h \
	src/keystore/azure/login.c src/keystore/azure/login.h src/keystore/azure/login_state.h \
	src/keystore/azure/login_failure.c \
	src/keystore/azure/objects.c src/keystore/azure/objects.h \
	src/keystore/azure/place.c src/keystore/azure/place.h \
	src/keystore/azure/principal.c src/keystore/azure/principal.h \
	src/keystore/azure/secret.c src/keystore/azure/secret.h \
	src/keystore/azure/service_error.c src/keystore/azure/service_error.h \
	src/keystore/azure/store.c \
	src/keystore/azure/throttle.c src/keystore/azure/throttle.h \
	src/keystore/azure/vault.c src/keystore/azure/vault.h \
	src/keystore/azure/workload.c
