# The command line is one, and three programs do the work: only who works on histories loads SQLite and libpq, only who works on mail loads
# GMime.  All link everything of ours statically: `key` works on the stores themselves, which libsignengine does not export, and a process
# must not have two tables of PKCS #11 modules.
CLI_SOURCES = \
	src/cli/cli.c src/cli/cli.h \
	src/cli/command_names.c \
	src/cli/commands.c src/cli/commands.h \
	src/cli/descriptor.c src/cli/descriptor.h \
	src/cli/help.c \
	src/cli/json.c src/cli/json.h \
	src/cli/main.c \
	src/cli/options.c src/cli/options.h \
	src/cli/program.c src/cli/program.h \
	src/cli/signer.c src/cli/signer.h \
	src/cli/stream.c src/cli/stream.h
CLI_CPPFLAGS = $(AM_CPPFLAGS) -DSYSCONFDIR='"$(sysconfdir)"' -DLIBEXECDIR='"$(libexecdir)"'
CLI_LIBS     = $(CORE_LIBS)

bin_PROGRAMS += signengine
signengine_CPPFLAGS = $(CLI_CPPFLAGS)
signengine_SOURCES = $(CLI_SOURCES) \
	src/cli/check_table.c src/cli/check_table.h \
	src/cli/checkpoint.c src/cli/checkpoint.h \
	src/cli/cmd_check.c \
	src/cli/cmd_config.c \
	src/cli/cmd_config_sign.c \
	src/cli/cmd_container.c \
	src/cli/cmd_encrypt.c \
	src/cli/cmd_key.c \
	src/cli/cmd_key_make.c \
	src/cli/cmd_pin.c \
	src/cli/cmd_rekey.c \
	src/cli/cmd_sign.c \
	src/cli/cmd_verify.c \
	src/cli/cmd_zip.c \
	src/cli/consent.c src/cli/consent.h \
	src/cli/field.c src/cli/field.h \
	src/cli/key_consent.c src/cli/key_consent.h \
	src/cli/linejob.c src/cli/linejob.h \
	src/cli/lines.c src/cli/lines.h \
	src/cli/place.c src/cli/place.h \
	src/cli/secret.c src/cli/secret.h \
	src/cli/sensed.c src/cli/sensed.h \
	src/cli/signengine.c
signengine_LDFLAGS = $(AM_LDFLAGS) $(SE_PIE)
signengine_LDADD = libse-provision.la $(CLI_LIBS)

cmddir = $(libexecdir)/signengine
cmd_PROGRAMS = signengine-history signengine-mail
signengine_history_CPPFLAGS = $(CLI_CPPFLAGS)
signengine_history_SOURCES = $(CLI_SOURCES) \
	src/cli/cmd_history.c \
	src/cli/cmd_history_care.c \
	src/cli/cmd_history_export.c \
	src/cli/cmd_history_read.c \
	src/cli/cmd_history_verify.c \
	src/cli/consent.c src/cli/consent.h \
	src/cli/entry.c src/cli/entry.h \
	src/cli/history.c src/cli/history.h \
	src/cli/lines.c src/cli/lines.h \
	src/cli/signengine_history.c
signengine_history_LDFLAGS = $(AM_LDFLAGS) $(SE_PIE)
signengine_history_LDADD = $(HISTORY_LIBS) $(CLI_LIBS)

signengine_mail_CPPFLAGS = $(CLI_CPPFLAGS)
signengine_mail_SOURCES = $(CLI_SOURCES) \
	src/cli/cmd_mail_sign.c \
	src/cli/cmd_mail_verify.c \
	src/cli/sendmail.c src/cli/sendmail.h \
	src/cli/signengine_mail.c
signengine_mail_LDFLAGS = $(AM_LDFLAGS) $(SE_PIE)
signengine_mail_LDADD = $(MAIL_LIBS) $(CLI_LIBS)
dist_schema_DATA += schemas/historyExport.xsd
