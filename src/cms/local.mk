# SPDX-License-Identifier: Apache-2.0
libse_core_la_SOURCES += \
	src/cms/cms.h \
	src/cms/cms_sign.c \
	src/cms/cms_split.c src/cms/cms_split.h \
	src/cms/cms_verify.c \
	src/cms/revocation_info.c src/cms/revocation_info.h \
	src/cms/signer_info.c src/cms/signer_info.h \
	src/cms/tsp.c src/cms/tsp.h
