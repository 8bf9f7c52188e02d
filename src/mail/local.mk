libse_mail_la_SOURCES += \
	src/mail/address.c \
	src/mail/boundary.c src/mail/boundary.h \
	src/mail/content_type.c src/mail/content_type.h \
	src/mail/entity.c src/mail/entity.h \
	src/mail/header.c src/mail/header.h \
	src/mail/inside.c src/mail/inside.h \
	src/mail/leaf.c src/mail/leaf.h \
	src/mail/intake.c src/mail/intake.h \
	src/mail/levels.c src/mail/levels.h \
	src/mail/mailbox.c src/mail/mailbox.h \
	src/mail/message.c src/mail/message.h \
	src/mail/mime.c src/mail/mime.h \
	src/mail/outlet.c src/mail/outlet.h \
	src/mail/protect.c src/mail/protect.h \
	src/mail/quoted_printable.c src/mail/quoted_printable.h \
	src/mail/readings.c src/mail/readings.h \
	src/mail/safe.c src/mail/safe.h \
	src/mail/sign.c \
	src/mail/transfer.c src/mail/transfer.h \
	src/mail/verify.c
