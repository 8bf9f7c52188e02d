# SPDX-License-Identifier: Apache-2.0
if HAVE_CMOCKA
UNIT_TESTS =
check_PROGRAMS += $(UNIT_TESTS)
TESTS += $(UNIT_TESTS)

UNIT_TESTS += tests/unit/test_azure_place
tests_unit_test_azure_place_SOURCES = tests/unit/test_azure_place.c tests/unit/unit.h
tests_unit_test_azure_place_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_azure_place_LDADD   = $(CORE_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_azure_throttle
tests_unit_test_azure_throttle_SOURCES = tests/unit/test_azure_throttle.c tests/unit/unit.h
tests_unit_test_azure_throttle_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_azure_throttle_LDADD   = $(CORE_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_azure_http
tests_unit_test_azure_http_SOURCES = tests/unit/test_azure_http.c tests/unit/https.c tests/unit/https.h tests/unit/tls_server.c tests/unit/tls_server.h tests/unit/maker.c tests/unit/maker.h tests/unit/folder.h tests/unit/unit.h
# libcurl asks the test's own name server
tests_unit_test_azure_http_LDFLAGS = $(AM_LDFLAGS) -Wl,--export-dynamic-symbol=getaddrinfo
tests_unit_test_azure_http_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_azure_http_LDADD   = $(CORE_LIBS) -lssl $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_azure_http_pool
tests_unit_test_azure_http_pool_SOURCES = tests/unit/test_azure_http_pool.c tests/unit/https.c tests/unit/https.h tests/unit/tls_server.c tests/unit/tls_server.h tests/unit/maker.c tests/unit/maker.h tests/unit/folder.h tests/unit/unit.h
# libcurl asks the test's own name server
tests_unit_test_azure_http_pool_LDFLAGS = $(AM_LDFLAGS) -Wl,--export-dynamic-symbol=getaddrinfo
tests_unit_test_azure_http_pool_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_azure_http_pool_LDADD   = $(CORE_LIBS) -lssl $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_audit_record
tests_unit_test_audit_record_SOURCES = tests/unit/test_audit_record.c tests/unit/unit.h
tests_unit_test_audit_record_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_audit_record_LDADD   = libse-audit.la $(CORE_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_audit_file
tests_unit_test_audit_file_SOURCES = tests/unit/test_audit_file.c tests/unit/audit.h tests/unit/folder.h tests/unit/unit.h
tests_unit_test_audit_file_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_audit_file_LDADD   = libse-audit.la $(CORE_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_audit_datagram
tests_unit_test_audit_datagram_SOURCES = tests/unit/test_audit_datagram.c tests/unit/audit.h tests/unit/folder.h tests/unit/unit.h
tests_unit_test_audit_datagram_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_audit_datagram_LDADD   = libse-audit.la $(CORE_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_breaker
tests_unit_test_breaker_SOURCES = tests/unit/test_breaker.c tests/unit/unit.h
tests_unit_test_breaker_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_breaker_LDADD   = $(CORE_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_buf
tests_unit_test_buf_SOURCES = tests/unit/test_buf.c tests/unit/unit.h
tests_unit_test_buf_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_buf_LDADD   = $(CORE_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_arguments
tests_unit_test_arguments_SOURCES = tests/unit/test_arguments.c tests/unit/unit.h
tests_unit_test_arguments_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_arguments_LDADD   = $(HISTORY_LIBS) $(MAIL_LIBS) $(CORE_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_error
tests_unit_test_error_SOURCES = tests/unit/test_error.c tests/unit/unit.h
tests_unit_test_error_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_error_LDADD   = $(CORE_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_file
tests_unit_test_file_SOURCES = tests/unit/test_file.c tests/unit/folder.h tests/unit/unit.h
tests_unit_test_file_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_file_LDADD   = $(CORE_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_parallel
tests_unit_test_parallel_SOURCES = tests/unit/test_parallel.c tests/unit/unit.h
tests_unit_test_parallel_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_parallel_LDADD   = $(CORE_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_timed_call
tests_unit_test_timed_call_SOURCES = tests/unit/test_timed_call.c tests/unit/unit.h
tests_unit_test_timed_call_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_timed_call_LDADD   = $(CORE_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_metric
tests_unit_test_metric_SOURCES = tests/unit/test_metric.c tests/unit/unit.h
tests_unit_test_metric_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_metric_LDADD   = $(CORE_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_mail
tests_unit_test_mail_SOURCES = tests/unit/test_mail.c tests/unit/unit.h
tests_unit_test_mail_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_mail_LDADD   = $(MAIL_LIBS) $(CORE_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_mail_entity
tests_unit_test_mail_entity_SOURCES = tests/unit/test_mail_entity.c tests/unit/unit.h
tests_unit_test_mail_entity_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_mail_entity_LDADD   = $(MAIL_LIBS) $(CORE_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_mail_readings
tests_unit_test_mail_readings_SOURCES = tests/unit/test_mail_readings.c tests/unit/unit.h
tests_unit_test_mail_readings_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_mail_readings_LDADD   = $(MAIL_LIBS) $(CORE_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_mail_safe
tests_unit_test_mail_safe_SOURCES = tests/unit/test_mail_safe.c tests/unit/unit.h
tests_unit_test_mail_safe_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_mail_safe_LDADD   = $(MAIL_LIBS) $(CORE_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_mail_transfer
tests_unit_test_mail_transfer_SOURCES = tests/unit/test_mail_transfer.c tests/unit/unit.h
tests_unit_test_mail_transfer_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_mail_transfer_LDADD   = $(MAIL_LIBS) $(CORE_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_milter_conf
tests_unit_test_milter_conf_SOURCES = tests/unit/test_milter_conf.c $(MILTER_CONF) tests/unit/unit.h
tests_unit_test_milter_conf_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_milter_conf_LDADD   = libse-audit.la $(MAIL_LIBS) $(CORE_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_json_read
tests_unit_test_json_read_SOURCES = tests/unit/test_json_read.c src/daemon/json_parse.c src/daemon/json_read.c tests/unit/unit.h
tests_unit_test_json_read_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_json_read_LDADD   = $(CORE_LIBS) $(YAJL_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_json_write
tests_unit_test_json_write_SOURCES = tests/unit/test_json_write.c tests/unit/unit.h
tests_unit_test_json_write_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_json_write_LDADD   = $(CORE_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_operations
tests_unit_test_operations_SOURCES = tests/unit/test_operations.c $(DAEMON_OPERATIONS) tests/unit/operations.h tests/unit/maker.c tests/unit/maker.h tests/unit/folder.h tests/unit/unit.h
tests_unit_test_operations_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_operations_LDADD   = $(DAEMON_OPERATIONS_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_operations_fields
tests_unit_test_operations_fields_SOURCES = tests/unit/test_operations_fields.c $(DAEMON_OPERATIONS) tests/unit/operations.h tests/unit/maker.c tests/unit/maker.h tests/unit/folder.h tests/unit/unit.h
tests_unit_test_operations_fields_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_operations_fields_LDADD   = $(DAEMON_OPERATIONS_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_operations_files
tests_unit_test_operations_files_SOURCES = tests/unit/test_operations_files.c $(DAEMON_OPERATIONS) tests/unit/operations.h tests/unit/maker.c tests/unit/maker.h tests/unit/folder.h tests/unit/unit.h
tests_unit_test_operations_files_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_operations_files_LDADD   = $(DAEMON_OPERATIONS_LIBS) $(CMOCKA_LIBS)

MEMORY_SEARCHES += tests/unit/test_operations_memory
tests_unit_test_operations_memory_SOURCES = tests/unit/test_operations_memory.c $(DAEMON_OPERATIONS) tests/unit/operations.h tests/unit/needle.c tests/unit/needle.h tests/unit/maker.c tests/unit/maker.h tests/unit/folder.h tests/unit/unit.h
tests_unit_test_operations_memory_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_operations_memory_LDADD   = $(DAEMON_OPERATIONS_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_options
tests_unit_test_options_SOURCES = tests/unit/test_options.c tests/unit/unit.h
tests_unit_test_options_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_options_LDADD   = $(CORE_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_output
tests_unit_test_output_SOURCES = tests/unit/test_output.c tests/unit/folder.h tests/unit/unit.h
tests_unit_test_output_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=sync_file_range -Wl,--wrap=open -Wl,--wrap=fsync
tests_unit_test_output_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_output_LDADD   = $(CORE_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_stream
tests_unit_test_stream_SOURCES = tests/unit/test_stream.c tests/unit/unit.h
tests_unit_test_stream_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_stream_LDADD   = $(CORE_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_text
tests_unit_test_text_SOURCES = tests/unit/test_text.c tests/unit/unit.h
tests_unit_test_text_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_text_LDADD   = $(CORE_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_armor
tests_unit_test_armor_SOURCES = tests/unit/test_armor.c tests/unit/unit.h
tests_unit_test_armor_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_armor_LDADD   = $(CORE_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_attached
tests_unit_test_attached_SOURCES = tests/unit/test_attached.c tests/unit/unit.h
tests_unit_test_attached_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_attached_LDADD   = $(CORE_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_container
tests_unit_test_container_SOURCES = tests/unit/test_container.c tests/unit/container.h tests/unit/maker.c tests/unit/maker.h tests/unit/folder.h tests/unit/unit.h
tests_unit_test_container_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_container_LDADD   = $(CORE_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_container_damage
tests_unit_test_container_damage_SOURCES = tests/unit/test_container_damage.c tests/unit/container.h tests/unit/maker.c tests/unit/maker.h tests/unit/folder.h tests/unit/unit.h
tests_unit_test_container_damage_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_container_damage_LDADD   = $(CORE_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_container_file
tests_unit_test_container_file_SOURCES = tests/unit/test_container_file.c tests/unit/container.h tests/unit/maker.c tests/unit/maker.h tests/unit/folder.h tests/unit/unit.h
tests_unit_test_container_file_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_container_file_LDADD   = $(CORE_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_signer
tests_unit_test_signer_SOURCES = tests/unit/test_signer.c tests/unit/maker.c tests/unit/maker.h tests/unit/folder.h tests/unit/unit.h
tests_unit_test_signer_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_signer_LDADD   = $(CORE_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_jose
tests_unit_test_jose_SOURCES = tests/unit/test_jose.c tests/unit/maker.c tests/unit/maker.h tests/unit/folder.h tests/unit/unit.h
tests_unit_test_jose_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_jose_LDADD   = $(CORE_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_access
tests_unit_test_access_SOURCES = tests/unit/test_access.c tests/unit/access.h tests/unit/folder.h tests/unit/unit.h
tests_unit_test_access_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=getpwnam_r,--wrap=getgrnam_r
tests_unit_test_access_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_access_LDADD   = $(CORE_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_access_certificate
tests_unit_test_access_certificate_SOURCES = tests/unit/test_access_certificate.c tests/unit/access.h tests/unit/maker.c tests/unit/maker.h tests/unit/folder.h tests/unit/unit.h
tests_unit_test_access_certificate_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_access_certificate_LDADD   = $(CORE_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_versions
tests_unit_test_versions_SOURCES = tests/unit/test_versions.c tests/unit/maker.c tests/unit/maker.h tests/unit/folder.h tests/unit/unit.h
tests_unit_test_versions_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=clock_seconds
tests_unit_test_versions_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_versions_LDADD   = $(CORE_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_version_events
tests_unit_test_version_events_SOURCES = tests/unit/test_version_events.c tests/unit/config.h tests/unit/maker.c tests/unit/maker.h tests/unit/folder.h tests/unit/unit.h
tests_unit_test_version_events_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=clock_seconds
tests_unit_test_version_events_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_version_events_LDADD   = $(MAIL_LIBS) $(CORE_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_engine
tests_unit_test_engine_SOURCES = tests/unit/test_engine.c tests/unit/maker.c tests/unit/maker.h tests/unit/folder.h tests/unit/unit.h
tests_unit_test_engine_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_engine_LDADD   = $(CORE_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_reload
tests_unit_test_reload_SOURCES = tests/unit/test_reload.c tests/unit/reload.h tests/unit/config.h tests/unit/maker.c tests/unit/maker.h tests/unit/folder.h tests/unit/unit.h
tests_unit_test_reload_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_reload_LDADD   = $(CORE_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_renewal
tests_unit_test_renewal_SOURCES = tests/unit/test_renewal.c tests/unit/reload.h tests/unit/config.h tests/unit/maker.c tests/unit/maker.h tests/unit/folder.h tests/unit/unit.h
tests_unit_test_renewal_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_renewal_LDADD   = $(CORE_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_reload_watch
tests_unit_test_reload_watch_SOURCES = tests/unit/test_reload_watch.c tests/unit/reload.h tests/unit/config.h tests/unit/maker.c tests/unit/maker.h tests/unit/folder.h tests/unit/unit.h
tests_unit_test_reload_watch_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_reload_watch_LDADD   = $(CORE_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_events
tests_unit_test_events_SOURCES = tests/unit/test_events.c tests/unit/events.h tests/unit/maker.c tests/unit/maker.h tests/unit/folder.h tests/unit/unit.h
tests_unit_test_events_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_events_LDADD   = $(CORE_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_event_tags
tests_unit_test_event_tags_SOURCES = tests/unit/test_event_tags.c tests/unit/events.h tests/unit/maker.c tests/unit/maker.h tests/unit/folder.h tests/unit/unit.h
tests_unit_test_event_tags_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_event_tags_LDADD   = $(MAIL_LIBS) $(CORE_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_given_digest
tests_unit_test_given_digest_SOURCES = tests/unit/test_given_digest.c tests/unit/maker.c tests/unit/maker.h tests/unit/folder.h tests/unit/unit.h
tests_unit_test_given_digest_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_given_digest_LDADD   = $(CORE_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_fields
tests_unit_test_fields_SOURCES = tests/unit/test_fields.c tests/unit/maker.c tests/unit/maker.h tests/unit/folder.h tests/unit/unit.h
tests_unit_test_fields_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_fields_LDADD   = $(CORE_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_fields_damage
tests_unit_test_fields_damage_SOURCES = tests/unit/test_fields_damage.c tests/unit/maker.c tests/unit/maker.h tests/unit/folder.h tests/unit/unit.h
tests_unit_test_fields_damage_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_fields_damage_LDADD   = $(CORE_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_aead
tests_unit_test_aead_SOURCES = tests/unit/test_aead.c tests/unit/unit.h
tests_unit_test_aead_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_aead_LDADD   = $(CORE_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_data_key_cache
tests_unit_test_data_key_cache_SOURCES = tests/unit/test_data_key_cache.c tests/unit/unit.h
tests_unit_test_data_key_cache_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_data_key_cache_LDADD   = $(CORE_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_evidence_tree
tests_unit_test_evidence_tree_SOURCES = tests/unit/test_evidence_tree.c tests/unit/unit.h
tests_unit_test_evidence_tree_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_evidence_tree_LDADD   = $(CORE_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_evidence_record
tests_unit_test_evidence_record_SOURCES = tests/unit/test_evidence_record.c tests/unit/unit.h
tests_unit_test_evidence_record_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_evidence_record_LDADD   = $(CORE_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_oaep
tests_unit_test_oaep_SOURCES = tests/unit/test_oaep.c tests/unit/maker.c tests/unit/maker.h tests/unit/unit.h
tests_unit_test_oaep_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_oaep_LDADD   = $(CORE_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_remote
tests_unit_test_remote_SOURCES = tests/unit/test_remote.c tests/unit/maker.c tests/unit/maker.h tests/unit/unit.h
tests_unit_test_remote_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_remote_LDADD   = $(CORE_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_remote_cipher
tests_unit_test_remote_cipher_SOURCES = tests/unit/test_remote_cipher.c tests/unit/maker.c tests/unit/maker.h tests/unit/unit.h
tests_unit_test_remote_cipher_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_remote_cipher_LDADD   = $(CORE_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_rules
tests_unit_test_rules_SOURCES = tests/unit/test_rules.c tests/unit/maker.c tests/unit/maker.h tests/unit/unit.h
tests_unit_test_rules_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_rules_LDADD   = $(CORE_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_xml_threads
tests_unit_test_xml_threads_SOURCES = tests/unit/test_xml_threads.c tests/unit/maker.c tests/unit/maker.h tests/unit/folder.h tests/unit/unit.h
tests_unit_test_xml_threads_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_xml_threads_LDADD   = $(CORE_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_pkcs11
tests_unit_test_pkcs11_SOURCES = tests/unit/test_pkcs11.c tests/unit/unit.h
tests_unit_test_pkcs11_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_pkcs11_LDADD   = $(CORE_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_azure_answer
tests_unit_test_azure_answer_SOURCES = tests/unit/test_azure_answer.c tests/unit/azure_vectors.h tests/unit/unit.h
tests_unit_test_azure_answer_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_azure_answer_LDADD   = $(CORE_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_azure_answer_secret
tests_unit_test_azure_answer_secret_SOURCES = tests/unit/test_azure_answer_secret.c tests/unit/azure_vectors.h tests/unit/unit.h
tests_unit_test_azure_answer_secret_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_azure_answer_secret_LDADD   = $(CORE_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_azure_failure
tests_unit_test_azure_failure_SOURCES = tests/unit/test_azure_failure.c tests/unit/azure_vectors.h tests/unit/unit.h
tests_unit_test_azure_failure_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_azure_failure_LDADD   = $(CORE_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_azure_challenge
tests_unit_test_azure_challenge_SOURCES = tests/unit/test_azure_challenge.c tests/unit/azure_vectors.h tests/unit/unit.h
tests_unit_test_azure_challenge_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_azure_challenge_LDADD   = $(CORE_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_azure_jwk
tests_unit_test_azure_jwk_SOURCES = tests/unit/test_azure_jwk.c tests/unit/azure_vectors.h tests/unit/maker.c tests/unit/maker.h tests/unit/unit.h
tests_unit_test_azure_jwk_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_azure_jwk_LDADD   = $(CORE_LIBS) $(CMOCKA_LIBS)

MEMORY_SEARCHES += tests/unit/test_azure_answer_memory
tests_unit_test_azure_answer_memory_SOURCES = tests/unit/test_azure_answer_memory.c tests/unit/needle.c tests/unit/needle.h tests/unit/folder.h tests/unit/unit.h
tests_unit_test_azure_answer_memory_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_azure_answer_memory_LDADD   = $(CORE_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_azure_recorded
tests_unit_test_azure_recorded_SOURCES = tests/unit/test_azure_recorded.c tests/unit/azure_vectors.h tests/unit/unit.h
tests_unit_test_azure_recorded_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_azure_recorded_LDADD   = $(CORE_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_zip_archive_writer
tests_unit_test_zip_archive_writer_SOURCES = tests/unit/test_zip_archive_writer.c tests/unit/folder.h tests/unit/unit.h
tests_unit_test_zip_archive_writer_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_zip_archive_writer_LDADD   = $(CORE_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_zip_workers
tests_unit_test_zip_workers_SOURCES = tests/unit/test_zip_workers.c tests/unit/unit.h
tests_unit_test_zip_workers_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_zip_workers_LDADD   = $(CORE_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_zip_manifest
tests_unit_test_zip_manifest_SOURCES = tests/unit/test_zip_manifest.c tests/unit/unit.h
tests_unit_test_zip_manifest_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_zip_manifest_LDADD   = $(CORE_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_zip_names
tests_unit_test_zip_names_SOURCES = tests/unit/test_zip_names.c tests/unit/unit.h
tests_unit_test_zip_names_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_zip_names_LDADD   = $(CORE_LIBS) $(CMOCKA_LIBS)

include tests/unit/config.mk
UNIT_TESTS += tests/unit/test_provision_subject
tests_unit_test_provision_subject_SOURCES = tests/unit/test_provision_subject.c tests/unit/unit.h
tests_unit_test_provision_subject_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_provision_subject_LDADD   = libse-provision.la $(CORE_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_provision_x509_build
tests_unit_test_provision_x509_build_SOURCES = tests/unit/test_provision_x509_build.c tests/unit/unit.h
tests_unit_test_provision_x509_build_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_provision_x509_build_LDADD   = libse-provision.la $(CORE_LIBS) $(CMOCKA_LIBS)

MEMORY_SEARCHES += tests/unit/test_key_backup
tests_unit_test_key_backup_SOURCES = tests/unit/test_key_backup.c tests/unit/maker.c tests/unit/maker.h tests/unit/needle.c tests/unit/needle.h tests/unit/folder.h tests/unit/unit.h
tests_unit_test_key_backup_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_key_backup_LDADD   = libse-provision.la $(CORE_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_key_shares
tests_unit_test_key_shares_SOURCES = tests/unit/test_key_shares.c tests/unit/folder.h tests/unit/unit.h
tests_unit_test_key_shares_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_key_shares_LDADD   = libse-provision.la $(CORE_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_provision_file
tests_unit_test_provision_file_SOURCES = tests/unit/test_provision_file.c tests/unit/folder.h tests/unit/unit.h
tests_unit_test_provision_file_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_provision_file_LDADD   = libse-provision.la $(CORE_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_azure_assertion
tests_unit_test_azure_assertion_SOURCES = tests/unit/test_azure_assertion.c tests/unit/azure_fake.c tests/unit/azure_fake.h tests/unit/maker.c tests/unit/maker.h tests/unit/folder.h tests/unit/unit.h
tests_unit_test_azure_assertion_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_azure_assertion_LDADD   = $(CORE_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_azure_identity
tests_unit_test_azure_identity_SOURCES = tests/unit/test_azure_identity.c tests/unit/azure_fake.c tests/unit/azure_fake.h tests/unit/folder.h tests/unit/unit.h
tests_unit_test_azure_identity_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=clock_monotonic_ms -Wl,--wrap=nanosleep -Wl,--wrap=open
tests_unit_test_azure_identity_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_azure_identity_LDADD   = $(CORE_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_azure_flight
tests_unit_test_azure_flight_SOURCES = tests/unit/test_azure_flight.c tests/unit/azure_fake.c tests/unit/azure_fake.h tests/unit/azure_login.h tests/unit/unit.h
tests_unit_test_azure_flight_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_azure_flight_LDADD   = $(CORE_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_azure_login
tests_unit_test_azure_login_SOURCES = tests/unit/test_azure_login.c tests/unit/azure_fake.c tests/unit/azure_fake.h tests/unit/azure_login.h tests/unit/unit.h
tests_unit_test_azure_login_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_azure_login_LDADD   = $(CORE_LIBS) $(CMOCKA_LIBS)

MEMORY_SEARCHES += tests/unit/test_azure_login_memory
tests_unit_test_azure_login_memory_SOURCES = tests/unit/test_azure_login_memory.c tests/unit/azure_fake.c tests/unit/azure_fake.h tests/unit/needle.c tests/unit/needle.h tests/unit/unit.h
tests_unit_test_azure_login_memory_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_azure_login_memory_LDADD   = $(CORE_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_daemon_body
tests_unit_test_daemon_body_SOURCES = tests/unit/test_daemon_body.c src/daemon/body.c src/daemon/body.h src/daemon/failure.c src/daemon/failure.h src/daemon/line_source.c src/daemon/line_source.h src/daemon/sealed_file.c src/daemon/sealed_file.h tests/unit/folder.h tests/unit/unit.h
tests_unit_test_daemon_body_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_daemon_body_LDADD   = $(CORE_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_daemon_gate
tests_unit_test_daemon_gate_SOURCES = tests/unit/test_daemon_gate.c src/daemon/gate.c src/daemon/gate.h tests/unit/unit.h
tests_unit_test_daemon_gate_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_daemon_gate_LDADD   = $(CORE_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_daemon_identity
tests_unit_test_daemon_identity_SOURCES = tests/unit/test_daemon_identity.c src/daemon/identity.c src/daemon/identity.h src/daemon/peer.h tests/unit/folder.h tests/unit/maker.c tests/unit/maker.h tests/unit/unit.h
tests_unit_test_daemon_identity_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_daemon_identity_LDADD   = $(CORE_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_daemon_jobs
tests_unit_test_daemon_jobs_SOURCES = tests/unit/test_daemon_jobs.c src/daemon/jobs.c src/daemon/jobs.h tests/unit/unit.h
tests_unit_test_daemon_jobs_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_daemon_jobs_LDADD   = $(CORE_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_daemon_keys
tests_unit_test_daemon_keys_SOURCES = tests/unit/test_daemon_keys.c src/daemon/keys.c src/daemon/keys.h src/daemon/log.h tests/unit/unit.h
tests_unit_test_daemon_keys_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_daemon_keys_LDADD   = $(CORE_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_daemon_limits
tests_unit_test_daemon_limits_SOURCES = tests/unit/test_daemon_limits.c src/daemon/limits.c src/daemon/limits.h tests/unit/unit.h
tests_unit_test_daemon_limits_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_daemon_limits_LDADD   = $(CORE_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_daemon_settings
tests_unit_test_daemon_settings_SOURCES = tests/unit/test_daemon_settings.c src/daemon/settings.c src/daemon/settings.h tests/unit/unit.h
tests_unit_test_daemon_settings_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_daemon_settings_LDADD   = libse-audit.la $(CORE_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_daemon_target
tests_unit_test_daemon_target_SOURCES = tests/unit/test_daemon_target.c src/daemon/target.c src/daemon/target.h tests/unit/unit.h
tests_unit_test_daemon_target_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_daemon_target_LDADD   = $(CORE_LIBS) $(CMOCKA_LIBS)
endif
