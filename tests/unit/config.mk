# SPDX-License-Identifier: Apache-2.0
# the configuration

UNIT_TESTS += tests/unit/test_base64
tests_unit_test_base64_SOURCES = tests/unit/test_base64.c tests/unit/unit.h
tests_unit_test_base64_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_base64_LDADD   = $(CORE_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_config_algorithm
tests_unit_test_config_algorithm_SOURCES = tests/unit/test_config_algorithm.c tests/unit/folder.h tests/unit/config.h tests/unit/unit.h
tests_unit_test_config_algorithm_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_config_algorithm_LDADD   = $(CORE_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_config_lookup
tests_unit_test_config_lookup_SOURCES = tests/unit/test_config_lookup.c tests/unit/folder.h tests/unit/config.h tests/unit/unit.h
tests_unit_test_config_lookup_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_config_lookup_LDADD   = $(CORE_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_config_versions
tests_unit_test_config_versions_SOURCES = tests/unit/test_config_versions.c tests/unit/folder.h tests/unit/config.h tests/unit/unit.h
tests_unit_test_config_versions_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_config_versions_LDADD   = $(CORE_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_config_describe
tests_unit_test_config_describe_SOURCES = tests/unit/test_config_describe.c tests/unit/folder.h tests/unit/config.h tests/unit/unit.h
tests_unit_test_config_describe_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_config_describe_LDADD   = $(CORE_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_config_diff
tests_unit_test_config_diff_SOURCES = tests/unit/test_config_diff.c tests/unit/folder.h tests/unit/config.h tests/unit/unit.h
tests_unit_test_config_diff_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_config_diff_LDADD   = $(CORE_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_config_keyref
tests_unit_test_config_keyref_SOURCES = tests/unit/test_config_keyref.c tests/unit/folder.h tests/unit/config.h tests/unit/unit.h
tests_unit_test_config_keyref_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_config_keyref_LDADD   = $(CORE_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_config_load
tests_unit_test_config_load_SOURCES = tests/unit/test_config_load.c tests/unit/folder.h tests/unit/config.h tests/unit/unit.h
tests_unit_test_config_load_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_config_load_LDADD   = $(CORE_LIBS) $(CMOCKA_LIBS)

MEMORY_SEARCHES += tests/unit/test_config_memory
tests_unit_test_config_memory_SOURCES = tests/unit/test_config_memory.c tests/unit/needle.c tests/unit/needle.h tests/unit/folder.h tests/unit/config.h tests/unit/unit.h
tests_unit_test_config_memory_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_config_memory_LDADD   = $(CORE_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_config_oom
tests_unit_test_config_oom_SOURCES = tests/unit/test_config_oom.c tests/unit/folder.h tests/unit/config.h tests/unit/unit.h
tests_unit_test_config_oom_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=malloc,--wrap=calloc,--wrap=strdup,--wrap=strndup,--wrap=vasprintf,--wrap=__vasprintf_chk
tests_unit_test_config_oom_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_config_oom_LDADD   = $(CORE_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_config_pins
tests_unit_test_config_pins_SOURCES = tests/unit/test_config_pins.c tests/unit/folder.h tests/unit/config.h tests/unit/unit.h
tests_unit_test_config_pins_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_config_pins_LDADD   = $(CORE_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_config_pins_text
tests_unit_test_config_pins_text_SOURCES = tests/unit/test_config_pins_text.c tests/unit/folder.h tests/unit/config.h tests/unit/unit.h
tests_unit_test_config_pins_text_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_config_pins_text_LDADD   = $(CORE_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_config_encoding
tests_unit_test_config_encoding_SOURCES = tests/unit/test_config_encoding.c tests/unit/config.h tests/unit/unit.h
tests_unit_test_config_encoding_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_config_encoding_LDADD   = $(CORE_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_config_scan
tests_unit_test_config_scan_SOURCES = tests/unit/test_config_scan.c tests/unit/folder.h tests/unit/config.h tests/unit/unit.h
tests_unit_test_config_scan_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_config_scan_LDADD   = $(CORE_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_config_schema
tests_unit_test_config_schema_SOURCES = tests/unit/test_config_schema.c tests/unit/folder.h tests/unit/config.h tests/unit/unit.h
tests_unit_test_config_schema_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_config_schema_LDADD   = $(CORE_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_config_vectors
tests_unit_test_config_vectors_SOURCES = tests/unit/test_config_vectors.c tests/unit/folder.h tests/unit/config.h tests/unit/unit.h
tests_unit_test_config_vectors_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_config_vectors_LDADD   = $(CORE_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_config_xml
tests_unit_test_config_xml_SOURCES = tests/unit/test_config_xml.c tests/unit/folder.h tests/unit/config.h tests/unit/unit.h
tests_unit_test_config_xml_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_config_xml_LDADD   = $(CORE_LIBS) $(CMOCKA_LIBS)

EXTRA_DIST += tests/vectors/config
