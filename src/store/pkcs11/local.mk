libse_core_la_SOURCES += \
	src/store/pkcs11/find.c \
	src/store/pkcs11/handles.c src/store/pkcs11/handles.h \
	src/store/pkcs11/heal.c src/store/pkcs11/heal.h \
	src/store/pkcs11/held.c src/store/pkcs11/held.h \
	src/store/pkcs11/key.c src/store/pkcs11/key.h \
	src/store/pkcs11/late.c src/store/pkcs11/late.h \
	src/store/pkcs11/login.c \
	src/store/pkcs11/match.c src/store/pkcs11/match.h \
	src/store/pkcs11/meant.c src/store/pkcs11/meant.h \
	src/store/pkcs11/module.c src/store/pkcs11/module.h \
	src/store/pkcs11/modules.c src/store/pkcs11/modules.h \
	src/store/pkcs11/modulepath.c src/store/pkcs11/modulepath.h \
	src/store/pkcs11/object.c src/store/pkcs11/object.h \
	src/store/pkcs11/open.c \
	src/store/pkcs11/pair.c src/store/pkcs11/pair.h \
	src/store/pkcs11/pin_memory.c src/store/pkcs11/pin_memory.h \
	src/store/pkcs11/pool.c src/store/pkcs11/pool.h \
	src/store/pkcs11/rawrsa.c src/store/pkcs11/rawrsa.h \
	src/store/pkcs11/refusal.c src/store/pkcs11/refusal.h \
	src/store/pkcs11/revive.c \
	src/store/pkcs11/rv.c src/store/pkcs11/rv.h \
	src/store/pkcs11/session.c src/store/pkcs11/session.h \
	src/store/pkcs11/sign.c src/store/pkcs11/sign.h \
	src/store/pkcs11/slot.c src/store/pkcs11/slot.h \
	src/store/pkcs11/token.c src/store/pkcs11/token.h \
	src/store/pkcs11/tokenkey.c src/store/pkcs11/tokenkey.h \
	src/store/pkcs11/unwrap.c src/store/pkcs11/unwrap.h
