# SPDX-License-Identifier: Apache-2.0
libse_core_la_SOURCES += \
	src/xmldsig/algorithms.c src/xmldsig/algorithms.h \
	src/xmldsig/c14n.c src/xmldsig/c14n.h \
	src/xmldsig/config.c src/xmldsig/config.h \
	src/xmldsig/read.c src/xmldsig/read.h \
	src/xmldsig/sign.c src/xmldsig/sign.h \
	src/xmldsig/tree.c src/xmldsig/tree.h \
	src/xmldsig/verify.c src/xmldsig/verify.h \
	src/xmldsig/xmldsig.h
