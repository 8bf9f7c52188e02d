# SPDX-License-Identifier: Apache-2.0
libse_core_la_SOURCES += \
	src/zip/archive.c src/zip/archive.h \
	src/zip/archive_open.c \
	src/zip/archive_writer.c src/zip/archive_writer.h \
	src/zip/central_dir.c \
	src/zip/digest.c src/zip/digest.h \
	src/zip/entry_reader.c src/zip/entry_reader.h \
	src/zip/eocd.c \
	src/zip/extra_field.c src/zip/extra_field.h \
	src/zip/local_header.c \
	src/zip/manifest.c src/zip/manifest.h \
	src/zip/manifest_index.c src/zip/manifest_index.h \
	src/zip/name_collision.c \
	src/zip/records.h \
	src/zip/sign.c \
	src/zip/signature.c src/zip/signature.h \
	src/zip/tidy.c src/zip/tidy.h \
	src/zip/verify.c \
	src/zip/workers.c src/zip/workers.h
