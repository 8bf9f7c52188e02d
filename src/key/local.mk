libse_core_la_SOURCES += \
	src/key/addresses.c \
	src/key/bridge.h \
	src/key/certificate.c src/key/certificate.h \
	src/key/crypto.c src/key/crypto.h \
	src/key/key.c src/key/key.h \
	src/key/operate.c src/key/operate.h \
	src/key/identifier.c src/key/identifier.h \
	src/key/kit.c src/key/kit.h \
	src/key/pem_text.c src/key/pem_text.h \
	src/key/profile.c src/key/profile.h \
	src/key/remote.c src/key/remote.h \
	src/key/remote_cipher.c \
	src/key/remote_sign.c \
	src/key/rules.c
