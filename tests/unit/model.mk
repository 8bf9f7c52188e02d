# the model

UNIT_TESTS += tests/unit/test_base64
tests_unit_test_base64_SOURCES = tests/unit/test_base64.c tests/unit/unit.h
tests_unit_test_base64_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_base64_LDADD   = $(CORE_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_model_algorithm
tests_unit_test_model_algorithm_SOURCES = tests/unit/test_model_algorithm.c tests/unit/folder.h tests/unit/model.h tests/unit/unit.h
tests_unit_test_model_algorithm_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_model_algorithm_LDADD   = $(CORE_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_model_config
tests_unit_test_model_config_SOURCES = tests/unit/test_model_config.c tests/unit/folder.h tests/unit/model.h tests/unit/unit.h
tests_unit_test_model_config_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_model_config_LDADD   = $(CORE_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_model_describe
tests_unit_test_model_describe_SOURCES = tests/unit/test_model_describe.c tests/unit/folder.h tests/unit/model.h tests/unit/unit.h
tests_unit_test_model_describe_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_model_describe_LDADD   = $(CORE_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_model_diff
tests_unit_test_model_diff_SOURCES = tests/unit/test_model_diff.c tests/unit/folder.h tests/unit/model.h tests/unit/unit.h
tests_unit_test_model_diff_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_model_diff_LDADD   = $(CORE_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_model_keyref
tests_unit_test_model_keyref_SOURCES = tests/unit/test_model_keyref.c tests/unit/folder.h tests/unit/model.h tests/unit/unit.h
tests_unit_test_model_keyref_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_model_keyref_LDADD   = $(CORE_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_model_load
tests_unit_test_model_load_SOURCES = tests/unit/test_model_load.c tests/unit/folder.h tests/unit/model.h tests/unit/unit.h
tests_unit_test_model_load_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_model_load_LDADD   = $(CORE_LIBS) $(CMOCKA_LIBS)

MEMORY_SEARCHES += tests/unit/test_model_memory
tests_unit_test_model_memory_SOURCES = tests/unit/test_model_memory.c tests/unit/needle.c tests/unit/needle.h tests/unit/folder.h tests/unit/model.h tests/unit/unit.h
tests_unit_test_model_memory_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_model_memory_LDADD   = $(CORE_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_model_oom
tests_unit_test_model_oom_SOURCES = tests/unit/test_model_oom.c tests/unit/folder.h tests/unit/model.h tests/unit/unit.h
tests_unit_test_model_oom_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=malloc,--wrap=calloc,--wrap=strdup,--wrap=strndup,--wrap=vasprintf,--wrap=__vasprintf_chk
tests_unit_test_model_oom_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_model_oom_LDADD   = $(CORE_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_model_pins
tests_unit_test_model_pins_SOURCES = tests/unit/test_model_pins.c tests/unit/folder.h tests/unit/model.h tests/unit/unit.h
tests_unit_test_model_pins_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_model_pins_LDADD   = $(CORE_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_model_pins_text
tests_unit_test_model_pins_text_SOURCES = tests/unit/test_model_pins_text.c tests/unit/folder.h tests/unit/model.h tests/unit/unit.h
tests_unit_test_model_pins_text_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_model_pins_text_LDADD   = $(CORE_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_model_encoding
tests_unit_test_model_encoding_SOURCES = tests/unit/test_model_encoding.c tests/unit/model.h tests/unit/unit.h
tests_unit_test_model_encoding_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_model_encoding_LDADD   = $(CORE_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_model_scan
tests_unit_test_model_scan_SOURCES = tests/unit/test_model_scan.c tests/unit/folder.h tests/unit/model.h tests/unit/unit.h
tests_unit_test_model_scan_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_model_scan_LDADD   = $(CORE_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_model_schema
tests_unit_test_model_schema_SOURCES = tests/unit/test_model_schema.c tests/unit/folder.h tests/unit/model.h tests/unit/unit.h
tests_unit_test_model_schema_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_model_schema_LDADD   = $(CORE_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_model_vectors
tests_unit_test_model_vectors_SOURCES = tests/unit/test_model_vectors.c tests/unit/folder.h tests/unit/model.h tests/unit/unit.h
tests_unit_test_model_vectors_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_model_vectors_LDADD   = $(CORE_LIBS) $(CMOCKA_LIBS)

UNIT_TESTS += tests/unit/test_model_xml
tests_unit_test_model_xml_SOURCES = tests/unit/test_model_xml.c tests/unit/folder.h tests/unit/model.h tests/unit/unit.h
tests_unit_test_model_xml_CFLAGS  = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_unit_test_model_xml_LDADD   = $(CORE_LIBS) $(CMOCKA_LIBS)

EXTRA_DIST += tests/vectors/config
