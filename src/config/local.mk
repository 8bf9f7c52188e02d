libse_core_la_SOURCES += \
	src/config/algorithm.c src/config/algorithm.h \
	src/config/canonical.c \
	src/config/config.c src/config/config.h \
	src/config/describe.c src/config/describe.h \
	src/config/diff.c src/config/diff.h \
	src/config/encoding.c src/config/encoding.h \
	src/config/exposure.c src/config/exposure.h \
	src/config/files.c src/config/files.h \
	src/config/findings.c src/config/findings.h \
	src/config/grammar.c src/config/grammar.h \
	src/config/keyref.c \
	src/config/load.c src/config/load.h \
	src/config/load_algorithm.c \
	src/config/load_descriptor.c \
	src/config/load_store.c \
	src/config/load_token.c \
	src/config/pin_extract.c src/config/pin_extract.h \
	src/config/pin_key.c src/config/pin_key.h \
	src/config/pins.c src/config/pins.h \
	src/config/pins_text.c \
	src/config/policy.c src/config/policy.h \
	src/config/rules.c src/config/rules.h \
	src/config/scan.c src/config/scan.h \
	src/config/scan_scope.c src/config/scan_scope.h \
	src/config/schema.c src/config/schema.h \
	src/config/scramble.c src/config/scramble.h \
	src/config/text_block.c src/config/text_block.h \
	src/config/token_uri.c src/config/token_uri.h \
	src/config/xml.c src/config/xml.h
nodist_libse_core_la_SOURCES = src/config/schema_text.c

# the schema as an array, so that the library needs no file of its own at run time
src/config/schema_text.c: schemas/engineSignEncrypt.xsd
	$(AM_V_GEN)$(MKDIR_P) $(@D) && { \
	echo '#include "config/schema.h"'; \
	echo 'const unsigned char schema_text[] = {'; \
	od -An -v -tx1 $(srcdir)/schemas/engineSignEncrypt.xsd | sed 's/\([0-9a-f][0-9a-f]\)/0x\1,/g'; \
	echo '};'; \
	echo 'const unsigned schema_size = sizeof schema_text;'; \
	} >$@.tmp && mv $@.tmp $@
CLEANFILES += src/config/schema_text.c

schemadir = $(pkgdatadir)/schemas
dist_schema_DATA = schemas/engineSignEncrypt.xsd

# an example to copy; what runs is the operator's own
examplesdir = $(docdir)/examples
dist_examples_DATA = conf/engineSignEncrypt.xml
dist_doc_DATA = doc/formats.md
