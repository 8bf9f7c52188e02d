# SPDX-License-Identifier: Apache-2.0
libse_core_la_SOURCES += \
	src/config/access.h \
	src/config/algorithm.c src/config/algorithm.h \
	src/config/canonical.c src/config/canonical.h \
	src/config/cert_names.c src/config/cert_names.h \
	src/config/config.c src/config/config.h \
	src/config/diff.c src/config/diff.h \
	src/config/edit.c src/config/edit.h \
	src/config/element.c src/config/element.h \
	src/config/encoding.c src/config/encoding.h \
	src/config/files.c src/config/files.h src/config/pin_source.h \
	src/config/findings.c src/config/findings.h \
	src/config/grammar.c src/config/grammar.h \
	src/config/grammar_values.c src/config/grammar_values.h \
	src/config/load.c src/config/load.h \
	src/config/load_access.c \
	src/config/load_descriptor.c \
	src/config/load_key.c \
	src/config/load_pin.c \
	src/config/load_vault.c \
	src/config/pin_extract.c src/config/pin_extract.h \
	src/config/pins.c src/config/pins.h \
	src/config/policy.c src/config/policy.h \
	src/config/scan.c src/config/scan.h \
	src/config/token_uri.c src/config/token_uri.h \
	src/config/versions.c src/config/versions.h \
	src/config/xml.c src/config/xml.h

schemadir = $(pkgdatadir)/schemas
dist_schema_DATA = schemas/engineSignEncrypt.xsd

# an example to copy; what runs is the operator's own
examplesdir = $(docdir)/examples
dist_examples_DATA = conf/engineSignEncrypt.xml
dist_doc_DATA = doc/formats.md
