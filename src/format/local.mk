libse_core_la_SOURCES += \
	src/format/aes.c src/format/aes.h \
	src/format/armor.c src/format/armor.h \
	src/format/attached.c src/format/attached.h \
	src/format/blob.c \
	src/format/cms.h \
	src/format/cms_envelope.c src/format/cms_envelope.h \
	src/format/cms_envelope_asn1.c src/format/cms_envelope_asn1.h \
	src/format/cms_envelope_read.c \
	src/format/cms_sign.c \
	src/format/cms_verify.c \
	src/format/container.c src/format/container.h \
	src/format/envelope.h \
	src/format/envelopes.c \
	src/format/format.h \
	src/format/formats.c \
	src/format/jwe.c \
	src/format/jwe_header.c src/format/jwe_header.h \
	src/format/nx02.c src/format/nx02.h \
	src/format/nx02_head.c \
	src/format/padding.c src/format/padding.h \
	src/format/raw.c src/format/raw.h \
	src/format/signer_info.c src/format/signer_info.h \
	src/format/signing_certificate.c src/format/signing_certificate.h \
	src/format/sink_bio.c src/format/sink_bio.h \
	src/format/stamp.c src/format/stamp.h \
	src/format/trust.c src/format/trust.h \
	src/format/xmlc14n.c src/format/xmlc14n.h \
	src/format/xmldsig.h \
	src/format/xmldsig_config.c src/format/xmldsig_config.h \
	src/format/xmldsig_digest.c src/format/xmldsig_digest.h \
	src/format/xmldsig_find.c src/format/xmldsig_find.h \
	src/format/xmldsig_make.c src/format/xmldsig_make.h \
	src/format/xmldsig_names.c src/format/xmldsig_names.h \
	src/format/xmldsig_read.c src/format/xmldsig_read.h \
	src/format/xmldsig_sign.c \
	src/format/xmldsig_value.c src/format/xmldsig_value.h \
	src/format/xmldsig_verify.c src/format/xmldsig_verify.h \
	src/format/xmltree.c src/format/xmltree.h
