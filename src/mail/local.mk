# SPDX-License-Identifier: Apache-2.0
libse_mail_la_SOURCES += \
	src/mail/address.c src/mail/address.h \
	src/mail/boundary.c src/mail/boundary.h \
	src/mail/header_protection.c src/mail/header_protection.h \
	src/mail/line_reader.c src/mail/line_reader.h \
	src/mail/media_type.c src/mail/media_type.h \
	src/mail/message.c src/mail/message.h \
	src/mail/mime_canon.c src/mail/mime_canon.h \
	src/mail/mime_writer.c src/mail/mime_writer.h \
	src/mail/part_body.c src/mail/part_body.h \
	src/mail/readings.c src/mail/readings.h \
	src/mail/sign.c \
	src/mail/smtp_safe.c src/mail/smtp_safe.h \
	src/mail/transfer_encoding.c src/mail/transfer_encoding.h \
	src/mail/verify.c
