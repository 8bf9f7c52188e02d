# SPDX-License-Identifier: Apache-2.0
libse_core_la_SOURCES += \
	src/crypto/algorithm_id.c src/crypto/algorithm_id.h \
	src/crypto/cert_info.c src/crypto/cert_info.h \
	src/crypto/cert_path.c src/crypto/cert_path.h \
	src/crypto/cert_policy.c \
	src/crypto/certificate.c src/crypto/certificate.h \
	src/crypto/content_digest.c src/crypto/content_digest.h \
	src/crypto/crl.c src/crypto/crl.h \
	src/crypto/crypto.c src/crypto/crypto.h \
	src/crypto/key.c src/crypto/key.h \
	src/crypto/ocsp.c src/crypto/ocsp.h \
	src/crypto/openssl.c \
	src/crypto/pem.c src/crypto/pem.h \
	src/crypto/pkey_ops.c src/crypto/pkey_ops.h \
	src/crypto/provider.c src/crypto/provider.h \
	src/crypto/provider_asymcipher.c \
	src/crypto/provider_keymgmt.c src/crypto/provider_keymgmt.h \
	src/crypto/provider_signature.c \
	src/crypto/raw_signature.c src/crypto/raw_signature.h \
	src/crypto/revocation.c src/crypto/revocation.h \
	src/crypto/revocation_report.c src/crypto/revocation_report.h \
	src/crypto/signature.h
