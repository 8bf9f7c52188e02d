libse_core_la_SOURCES += \
	src/xmldsig/c14n.c src/xmldsig/c14n.h \
	src/xmldsig/config.c src/xmldsig/config.h \
	src/xmldsig/digest.c src/xmldsig/digest.h \
	src/xmldsig/find.c src/xmldsig/find.h \
	src/xmldsig/make.c src/xmldsig/make.h \
	src/xmldsig/names.c src/xmldsig/names.h \
	src/xmldsig/read.c src/xmldsig/read.h \
	src/xmldsig/sign.c \
	src/xmldsig/tree.c src/xmldsig/tree.h \
	src/xmldsig/value.c src/xmldsig/value.h \
	src/xmldsig/verify.c src/xmldsig/verify.h \
	src/xmldsig/xmldsig.h
