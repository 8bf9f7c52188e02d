# SPDX-License-Identifier: Apache-2.0
libse_core_la_SOURCES += \
	src/engine/access.c \
	src/engine/access_identity.c src/engine/access_identity.h \
	src/engine/api_call.c \
	src/engine/batch.c src/engine/batch.h \
	src/engine/batch_decrypt.c \
	src/engine/check.c \
	src/engine/check_dates.c src/engine/check_dates.h \
	src/engine/check_row.c src/engine/check_row.h \
	src/engine/container.c \
	src/engine/current_version.c \
	src/engine/data_key_cache.c src/engine/data_key_cache.h \
	src/engine/decrypt.c \
	src/engine/encrypt.c \
	src/engine/engine.c src/engine/engine.h \
	src/engine/evidence.c \
	src/engine/event.c src/engine/event.h \
	src/engine/failover.c src/engine/failover.h \
	src/engine/fields.h \
	src/engine/http_request.c src/engine/http_request.h \
	src/engine/jose.c \
	src/engine/key_cache.c \
	src/engine/loading.c \
	src/engine/origin.c \
	src/engine/probe.c src/engine/probe.h \
	src/engine/revocation_fetch.c src/engine/revocation_fetch.h \
	src/engine/revocation_policy.c src/engine/revocation_policy.h \
	src/engine/sign.c \
	src/engine/signed_config.c src/engine/signed_config.h \
	src/engine/signing.h \
	src/engine/timestamp.c src/engine/timestamp.h \
	src/engine/trust_store.c src/engine/trust_store.h \
	src/engine/verifier.c \
	src/engine/verify.c
