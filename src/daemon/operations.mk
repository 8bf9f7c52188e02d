# SPDX-License-Identifier: Apache-2.0
# what the daemon does for a caller, without HTTP
DAEMON_OPERATIONS = \
	src/daemon/body.c src/daemon/body.h \
	src/daemon/failure.c src/daemon/failure.h \
	src/daemon/histories.c src/daemon/histories.h \
	src/daemon/json_parse.c src/daemon/json_parse.h \
	src/daemon/json_read.c src/daemon/json_read.h \
	src/daemon/line_source.c src/daemon/line_source.h \
	src/daemon/op.c src/daemon/op.h \
	src/daemon/op_fields.c \
	src/daemon/op_history.c \
	src/daemon/op_jose.c \
	src/daemon/op_mail.c \
	src/daemon/op_service.c \
	src/daemon/op_signature.c \
	src/daemon/op_zip.c \
	src/daemon/operation.h \
	src/daemon/routes.c \
	src/daemon/sealed_file.c src/daemon/sealed_file.h \
	src/daemon/target.c src/daemon/target.h
DAEMON_OPERATIONS_LIBS = $(HISTORY_LIBS) $(MAIL_LIBS) $(CORE_LIBS) $(YAJL_LIBS)

if HAVE_DAEMON
dist_examples_DATA += doc/openapi.yaml
endif
EXTRA_DIST += doc/openapi.yaml
