libse_core_la_SOURCES += \
	src/keystore/pkcs11/find.c \
	src/keystore/pkcs11/handles.c src/keystore/pkcs11/handles.h \
	src/keystore/pkcs11/heal.c src/keystore/pkcs11/heal.h \
	src/keystore/pkcs11/held.c src/keystore/pkcs11/held.h \
	src/keystore/pkcs11/key.c src/keystore/pkcs11/key.h \
	src/keystore/pkcs11/late.c src/keystore/pkcs11/late.h \
	src/keystore/pkcs11/login.c \
	src/keystore/pkcs11/match.c src/keystore/pkcs11/match.h \
	src/keystore/pkcs11/meant.c src/keystore/pkcs11/meant.h \
	src/keystore/pkcs11/module.c src/keystore/pkcs11/module.h \
	src/keystore/pkcs11/modules.c src/keystore/pkcs11/modules.h \
	src/keystore/pkcs11/modulepath.c src/keystore/pkcs11/modulepath.h \
	src/keystore/pkcs11/object.c src/keystore/pkcs11/object.h \
	src/keystore/pkcs11/open.c \
	src/keystore/pkcs11/pair.c src/keystore/pkcs11/pair.h \
	src/keystore/pkcs11/pin_memory.c src/keystore/pkcs11/pin_memory.h \
	src/keystore/pkcs11/pool.c src/keystore/pkcs11/pool.h \
	src/keystore/pkcs11/rawrsa.c src/keystore/pkcs11/rawrsa.h \
	src/keystore/pkcs11/refusal.c src/keystore/pkcs11/refusal.h \
	src/keystore/pkcs11/revive.c \
	src/keystore/pkcs11/rv.c src/keystore/pkcs11/rv.h \
	src/keystore/pkcs11/session.c src/keystore/pkcs11/session.h \
	src/keystore/pkcs11/sign.c src/keystore/pkcs11/sign.h \
	src/keystore/pkcs11/slot.c src/keystore/pkcs11/slot.h \
	src/keystore/pkcs11/token.c src/keystore/pkcs11/token.h \
	src/keystore/pkcs11/tokenkey.c src/keystore/pkcs11/tokenkey.h \
	src/keystore/pkcs11/unwrap.c src/keystore/pkcs11/unwrap.h
