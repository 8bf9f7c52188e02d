# not part of the library: only the command (and its tests) make keys, and only they need libp11
noinst_LTLIBRARIES += libse-provision.la
libse_provision_la_SOURCES = \
	src/provision/answer.c src/provision/answer.h \
	src/provision/certify.c src/provision/certify.h \
	src/provision/filing.c src/provision/filing.h \
	src/provision/incoming.c src/provision/incoming.h \
	src/provision/p11.c src/provision/p11.h \
	src/provision/pem_shelf.c \
	src/provision/pkcs12_shelf.c \
	src/provision/provision.c src/provision/provision.h \
	src/provision/row.c src/provision/row.h \
	src/provision/shelf.c src/provision/shelf.h \
	src/provision/subject.c src/provision/subject.h \
	src/provision/target.c src/provision/target.h \
	src/provision/template.c src/provision/template.h \
	src/provision/token_certificate.c \
	src/provision/token_init.c \
	src/provision/token_list.c \
	src/provision/token_make.c \
	src/provision/token_own.c \
	src/provision/token_public.c \
	src/provision/token_shelf.c src/provision/token_shelf.h \
	src/provision/token_slots.c src/provision/token_slots.h \
	src/provision/wish.c src/provision/wish.h
libse_provision_la_LIBADD = $(P11_LIBS)
