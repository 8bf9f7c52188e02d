# SPDX-License-Identifier: Apache-2.0
libse_core_la_SOURCES += \
	src/evidence/hash_tree.c src/evidence/hash_tree.h \
	src/evidence/evidence.h \
	src/evidence/syntax.c src/evidence/syntax.h \
	src/evidence/verify.c
