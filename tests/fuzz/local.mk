# SPDX-License-Identifier: Apache-2.0
# Fuzz targets.  To add one: tests/fuzz/fuzz_NAME.c with LLVMFuzzerTestOneInput(), its name in FUZZ_TARGETS, and at least one input in
# tests/fuzz/corpus/NAME/.  "make check" runs the corpus and some thousand mutations of it; with --enable-fuzzing the targets are
# libFuzzer's, for tests/fuzz/campaign.sh.
FUZZ_TARGETS =
FUZZ_TARGETS += tests/fuzz/fuzz_azure_answer
FUZZ_TARGETS += tests/fuzz/fuzz_azure_challenge
FUZZ_TARGETS += tests/fuzz/fuzz_backup
tests_fuzz_fuzz_backup_LDADD = libse-provision.la $(LDADD)
FUZZ_TARGETS += tests/fuzz/fuzz_blob
FUZZ_TARGETS += tests/fuzz/fuzz_c14n
FUZZ_TARGETS += tests/fuzz/fuzz_cms
FUZZ_TARGETS += tests/fuzz/fuzz_config
FUZZ_TARGETS += tests/fuzz/fuzz_container
FUZZ_TARGETS += tests/fuzz/fuzz_crl
FUZZ_TARGETS += tests/fuzz/fuzz_envelope
FUZZ_TARGETS += tests/fuzz/fuzz_evidence
FUZZ_TARGETS += tests/fuzz/fuzz_gate
tests_fuzz_fuzz_gate_SOURCES = tests/fuzz/fuzz_gate.c src/daemon/gate.c src/daemon/gate.h
FUZZ_TARGETS += tests/fuzz/fuzz_identity
tests_fuzz_fuzz_identity_SOURCES = tests/fuzz/fuzz_identity.c src/daemon/identity.c src/daemon/identity.h src/daemon/peer.h
FUZZ_TARGETS += tests/fuzz/fuzz_history_proof
FUZZ_TARGETS += tests/fuzz/fuzz_history_checkpoint
FUZZ_TARGETS += tests/fuzz/fuzz_jwe
FUZZ_TARGETS += tests/fuzz/fuzz_jws
FUZZ_TARGETS += tests/fuzz/fuzz_mail
FUZZ_TARGETS += tests/fuzz/fuzz_manifest
FUZZ_TARGETS += tests/fuzz/fuzz_milter_conf
tests_fuzz_fuzz_milter_conf_SOURCES = tests/fuzz/fuzz_milter_conf.c $(MILTER_CONF)
FUZZ_TARGETS += tests/fuzz/fuzz_nx02
FUZZ_TARGETS += tests/fuzz/fuzz_ocsp
FUZZ_TARGETS += tests/fuzz/fuzz_operation
tests_fuzz_fuzz_operation_SOURCES = tests/fuzz/fuzz_operation.c $(DAEMON_OPERATIONS)
FUZZ_TARGETS += tests/fuzz/fuzz_settings
tests_fuzz_fuzz_settings_SOURCES = tests/fuzz/fuzz_settings.c src/daemon/settings.c src/daemon/settings.h
FUZZ_TARGETS += tests/fuzz/fuzz_target
tests_fuzz_fuzz_target_SOURCES = tests/fuzz/fuzz_target.c src/daemon/target.c src/daemon/target.h
FUZZ_TARGETS += tests/fuzz/fuzz_xml
FUZZ_TARGETS += tests/fuzz/fuzz_signature_file
FUZZ_TARGETS += tests/fuzz/fuzz_stamp
FUZZ_TARGETS += tests/fuzz/fuzz_zip

if FUZZING
LDADD = $(FUZZ_ENGINE) libse-audit.la $(HISTORY_LIBS) $(MAIL_LIBS) $(CORE_LIBS) $(YAJL_LIBS)
noinst_PROGRAMS += $(FUZZ_TARGETS)
else
LDADD = tests/fuzz/libdriver.la libse-audit.la $(HISTORY_LIBS) $(MAIL_LIBS) $(CORE_LIBS) $(YAJL_LIBS)
check_LTLIBRARIES += tests/fuzz/libdriver.la
tests_fuzz_libdriver_la_SOURCES = tests/fuzz/driver.c
check_PROGRAMS += $(FUZZ_TARGETS) tests/fuzz/broken
TESTS += $(FUZZ_TARGETS)
SHELL_TESTS += tests/fuzz/test-driver.sh
endif
EXTRA_DIST += tests/fuzz/corpus tests/fuzz/envelope.h tests/fuzz/revocation.h
dist_noinst_SCRIPTS += tests/fuzz/campaign.sh
