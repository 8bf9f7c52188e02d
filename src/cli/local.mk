# SPDX-License-Identifier: Apache-2.0
# The command line is one, and three programs do the work: only the one for histories loads SQLite and libpq, only the one for mail loads
# GMime.  All link everything of ours statically: `key` works on the stores themselves, which libsignengine does not export, and a process
# must not have two tables of PKCS #11 modules.
CLI_SOURCES = \
	src/cli/cli.c src/cli/cli.h \
	src/cli/command_names.c \
	src/cli/commands.c src/cli/commands.h \
	src/cli/common_options.c src/cli/common_options.h \
	src/cli/complete.c src/cli/complete.h \
	src/cli/html_report.c src/cli/html_report.h \
	src/cli/main.c \
	src/cli/options.c src/cli/options.h \
	src/cli/print_signer.c src/cli/print_signer.h \
	src/cli/recording.c src/cli/recording.h \
	src/cli/secret.c src/cli/secret.h \
	src/cli/service.c src/cli/service.h \
	src/cli/spawn.c src/cli/spawn.h \
	src/cli/stream.c src/cli/stream.h
CLI_CPPFLAGS = $(AM_CPPFLAGS) -DSYSCONFDIR='"$(sysconfdir)"' -DLIBEXECDIR='"$(libexecdir)"'
CLI_LIBS     = libse-client.la libse-audit.la $(CORE_LIBS)

bin_PROGRAMS += signengine
signengine_CPPFLAGS = $(CLI_CPPFLAGS)
signengine_SOURCES = $(CLI_SOURCES) \
	src/cli/check_table.c src/cli/check_table.h \
	src/cli/check_watch.c src/cli/check_watch.h \
	src/cli/cmd_access.c \
	src/cli/cmd_check.c \
	src/cli/cmd_config.c \
	src/cli/cmd_encrypt.c \
	src/cli/cmd_evidence.c \
	src/cli/cmd_key.c \
	src/cli/cmd_key_backup.c \
	src/cli/cmd_key_hsm.c \
	src/cli/cmd_jws.c \
	src/cli/cmd_jwt.c \
	src/cli/cmd_key_list.c \
	src/cli/cmd_key_vault.c \
	src/cli/cmd_rekey.c \
	src/cli/cmd_retire.c \
	src/cli/cmd_rotate.c src/cli/rotating.c src/cli/rotating.h \
	src/cli/cmd_sign.c \
	src/cli/cmd_verify.c \
	src/cli/cmd_zip.c \
	src/cli/cmd_zip_encrypt.c \
	src/cli/config_change.c src/cli/config_change.h \
	src/cli/field_lines.c src/cli/field_lines.h \
	src/cli/input_probe.c src/cli/input_probe.h \
	src/cli/key_target.c src/cli/key_target.h \
	src/cli/print_access.c src/cli/print_access.h \
	src/cli/signengine.c \
	src/cli/traces.c src/cli/traces.h \
	src/cli/vault_report.c src/cli/vault_report.h
signengine_LDFLAGS = $(AM_LDFLAGS) $(SE_PIE)
signengine_LDADD = libse-provision.la $(CLI_LIBS)

cmddir = $(libexecdir)/signengine
cmd_PROGRAMS = signengine-history signengine-mail
signengine_history_CPPFLAGS = $(CLI_CPPFLAGS)
signengine_history_SOURCES = $(CLI_SOURCES) \
	src/cli/cmd_history.c \
	src/cli/cmd_history_export.c \
	src/cli/cmd_history_maintenance.c \
	src/cli/cmd_history_read.c \
	src/cli/cmd_history_verify.c \
	src/cli/history_session.c src/cli/history_session.h \
	src/cli/print_entry.c src/cli/print_entry.h
signengine_history_LDFLAGS = $(AM_LDFLAGS) $(SE_PIE)
signengine_history_LDADD = libse-audit.la $(HISTORY_LIBS) $(CLI_LIBS)

signengine_mail_CPPFLAGS = $(CLI_CPPFLAGS)
signengine_mail_SOURCES = $(CLI_SOURCES) \
	src/cli/cmd_mail.c \
	src/cli/cmd_mail_signers.c
signengine_mail_LDFLAGS = $(AM_LDFLAGS) $(SE_PIE)
signengine_mail_LDADD = $(MAIL_LIBS) $(CLI_LIBS)
dist_schema_DATA += schemas/historyExport.xsd

dist_examples_DATA += conf/signengine-check.service conf/signengine-check.timer conf/signengine.sysusers conf/signengine.tmpfiles
