# SPDX-License-Identifier: Apache-2.0
# not part of the library: only the command (and its tests) make keys, and only they need libp11 and libgfshare
noinst_LTLIBRARIES += libse-provision.la
libse_provision_la_SOURCES = \
	src/provision/keystores.c \
	src/provision/azure/backup.c \
	src/provision/azure/certificates.c \
	src/provision/azure/deleted.c \
	src/provision/azure/hsm_backup.c \
	src/provision/azure/keys.c \
	src/provision/azure/keystore.c src/provision/azure/keystore.h \
	src/provision/azure/listing.c \
	src/provision/azure/modes.c \
	src/provision/azure/next_version.c src/provision/azure/next_version.h \
	src/provision/azure/pending.c src/provision/azure/pending.h \
	src/provision/azure/policy.c src/provision/azure/policy.h \
	src/provision/azure/roles.c \
	src/provision/azure/rotate.c \
	src/provision/azure/session.c src/provision/azure/session.h \
	src/provision/backup/backup_cms.c src/provision/backup/backup_cms.h \
	src/provision/backup/backup_file.c src/provision/backup/backup_file.h \
	src/provision/backup/key_shares.c src/provision/backup/key_shares.h \
	src/provision/backup/wrapped_file.c src/provision/backup/wrapped_file.h \
	src/provision/backup/wrapped_key.c src/provision/backup/wrapped_key.h \
	src/provision/cert_profile.c src/provision/cert_profile.h \
	src/provision/file_keystore.c src/provision/file_keystore.h \
	src/provision/import.c src/provision/import.h \
	src/provision/key_backup.c src/provision/key_backup.h \
	src/provision/key_restore.c \
	src/provision/keystore.h \
	src/provision/listing.c src/provision/listing.h \
	src/provision/pem_keystore.c \
	src/provision/pkcs12_keystore.c \
	src/provision/provision.c src/provision/provision.h \
	src/provision/recovery.c src/provision/recovery.h \
	src/provision/rotation.c \
	src/provision/target.c src/provision/target.h \
	src/provision/target_certificate.c src/provision/target_certificate.h \
	src/provision/token_create.c \
	src/provision/token_init.c \
	src/provision/token_keystore.c src/provision/token_keystore.h \
	src/provision/token_public_key.c \
	src/provision/token_template.c src/provision/token_template.h \
	src/provision/token_unwrap.c \
	src/provision/token_wrap.c src/provision/token_wrap.h \
	src/provision/vault_admin.h \
	src/provision/x509_build.c src/provision/x509_build.h
libse_provision_la_LIBADD = $(P11_LIBS) $(GFSHARE_LIBS)
