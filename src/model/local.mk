libse_core_la_SOURCES += \
	src/model/algorithm.c src/model/algorithm.h \
	src/model/canonical.c \
	src/model/config.c src/model/config.h \
	src/model/describe.c src/model/describe.h \
	src/model/diff.c src/model/diff.h \
	src/model/encoding.c src/model/encoding.h \
	src/model/exposure.c src/model/exposure.h \
	src/model/files.c src/model/files.h \
	src/model/findings.c src/model/findings.h \
	src/model/keyref.c \
	src/model/lift.c src/model/lift.h \
	src/model/load.c src/model/load.h \
	src/model/load_algorithm.c \
	src/model/load_descriptor.c \
	src/model/load_store.c \
	src/model/load_token.c \
	src/model/pin_key.c src/model/pin_key.h \
	src/model/pins.c src/model/pins.h \
	src/model/pins_text.c \
	src/model/rules.c src/model/rules.h \
	src/model/scan.c src/model/scan.h \
	src/model/scan_scope.c src/model/scan_scope.h \
	src/model/schema.c src/model/schema.h \
	src/model/scramble.c src/model/scramble.h \
	src/model/structure.c src/model/structure.h \
	src/model/text_block.c src/model/text_block.h \
	src/model/token_uri.c src/model/token_uri.h \
	src/model/uses.c src/model/uses.h \
	src/model/xml.c src/model/xml.h
nodist_libse_core_la_SOURCES = src/model/schema_text.c

# the schema as an array, so that the library needs no file of its own at run time
src/model/schema_text.c: schemas/engineSignEncrypt.xsd
	$(AM_V_GEN)$(MKDIR_P) $(@D) && { \
	echo '#include "model/schema.h"'; \
	echo 'const unsigned char schema_text[] = {'; \
	od -An -v -tx1 $(srcdir)/schemas/engineSignEncrypt.xsd | sed 's/\([0-9a-f][0-9a-f]\)/0x\1,/g'; \
	echo '};'; \
	echo 'const unsigned schema_size = sizeof schema_text;'; \
	} >$@.tmp && mv $@.tmp $@
CLEANFILES += src/model/schema_text.c

schemadir = $(pkgdatadir)/schemas
dist_schema_DATA = schemas/engineSignEncrypt.xsd

# an example to copy; what runs is the operator's own
examplesdir = $(docdir)/examples
dist_examples_DATA = conf/engineSignEncrypt.xml
dist_doc_DATA = doc/formats.md
