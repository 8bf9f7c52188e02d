libse_core_la_SOURCES += \
	src/store/bundle.c src/store/bundle.h \
	src/store/naming.c src/store/naming.h \
	src/store/password.c src/store/password.h \
	src/store/pbmac1.c src/store/pbmac1.h \
	src/store/pem.c src/store/pem.h \
	src/store/pkcs12.c src/store/pkcs12.h \
	src/store/store.h \
	src/store/stores.c

include src/store/pkcs11/local.mk
