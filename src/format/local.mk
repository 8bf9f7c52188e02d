libse_core_la_SOURCES += \
	src/format/armor.c src/format/armor.h \
	src/format/attached.c src/format/attached.h \
	src/format/cms.h \
	src/format/cms_sign.c \
	src/format/cms_verify.c \
	src/format/format.h \
	src/format/formats.c \
	src/format/padding.c src/format/padding.h \
	src/format/raw.c src/format/raw.h \
	src/format/signer_info.c src/format/signer_info.h \
	src/format/sink_bio.c src/format/sink_bio.h \
	src/format/trust.c src/format/trust.h
