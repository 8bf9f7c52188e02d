# SPDX-License-Identifier: Apache-2.0
libse_core_la_SOURCES += \
	src/keystore/pkcs11/call.c src/keystore/pkcs11/call.h \
	src/keystore/pkcs11/ckr.c src/keystore/pkcs11/ckr.h \
	src/keystore/pkcs11/decrypt.c src/keystore/pkcs11/decrypt.h \
	src/keystore/pkcs11/key.c src/keystore/pkcs11/key.h \
	src/keystore/pkcs11/keypair.c src/keystore/pkcs11/keypair.h \
	src/keystore/pkcs11/login.c \
	src/keystore/pkcs11/module.c src/keystore/pkcs11/module.h \
	src/keystore/pkcs11/object.c src/keystore/pkcs11/object.h \
	src/keystore/pkcs11/pin_blocklist.c src/keystore/pkcs11/pin_blocklist.h \
	src/keystore/pkcs11/recovery.c src/keystore/pkcs11/recovery.h \
	src/keystore/pkcs11/rsa_padding.c src/keystore/pkcs11/rsa_padding.h \
	src/keystore/pkcs11/session.c src/keystore/pkcs11/session.h \
	src/keystore/pkcs11/sign.c src/keystore/pkcs11/sign.h \
	src/keystore/pkcs11/store.c \
	src/keystore/pkcs11/token.c src/keystore/pkcs11/token.h
