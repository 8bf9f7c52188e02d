/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"
#include "zip/digest.h"
#include "zip/manifest.h"

static se_status read_all(size_t *sections, const char *text, se_error *err)
{
    AUTO(section_reader) reader = { .file = "M", .text = text_bytes(text) };
    struct section section;
    se_status st = section_read_first(&section, &reader, "Manifest-Version", err);

    while (!st && section.raw.size)
        st = section_read_next(&section, &reader, err);
    *sections = reader.count;
    return st;
}

static void assert_sections(size_t expected, const char *text)
{
    se_error err = SE_ERROR_INIT;
    size_t sections;

    assert_status(SE_OK, read_all(&sections, text, &err), &err);
    assert_int_equal(sections, expected);
}

static void assert_refused(const char *why, const char *text)
{
    se_error err = SE_ERROR_INIT;
    size_t sections;

    assert_status(SE_ERR_FORMAT, read_all(&sections, text, &err), &err);
    assert_non_null(strstr(err.text, why));
}

#define MAIN "Manifest-Version: 1.0\r\n"

static void either_line_end_is_read(void **state)
{
    (void)state;
    assert_sections(1, MAIN);
    assert_sections(1, MAIN "\r\n");
    assert_sections(2, MAIN "\r\nName: a\r\n");
    assert_sections(3, "Manifest-Version: 1.0\nX: y\n\nName: a\n\nName: b\n\n");
}

static void what_readers_understand_differently_is_refused(void **state)
{
    (void)state;
    assert_refused("does not begin with", "");
    assert_refused("does not begin with", "Signature-Version: 1.0\r\n");
    assert_refused("does not begin with", "Manifest-Version: 2.0\r\n");
    assert_refused("empty line", "\r\n" MAIN);
    assert_refused("empty line", MAIN "\r\n\r\nName: a\r\n");
    assert_refused("M:2: the last line", MAIN "X: y");
    assert_refused("begin with its Name", MAIN "\r\nX: y\r\n");
    assert_refused("begin with its Name", MAIN "\r\nName: \r\n");
    assert_refused("Name in the main", MAIN "Name: a\r\n");
    assert_refused("has already", MAIN "X: y\r\nx: z\r\n");
    assert_refused("no attribute", MAIN "X:y\r\n");
    assert_refused("not one", MAIN "X Y: z\r\n");
    assert_refused("not one", MAIN ": z\r\n");
    assert_refused("continues nothing", " " MAIN);
    assert_refused("continues nothing", MAIN "\r\n y\r\n");
    assert_refused("empty continuation", MAIN "X: y\r\n \r\n");
    assert_refused("carriage return", MAIN "X: y\rZ: z\r\n");
}

static void sections_are_taken_as_they_stand(void **state)
{
    const char text[] =
        MAIN "\r\nName: a-\r\n long-\r\n name\r\nX-Y: 1\r\n  2\r\n\r\nName: b\r\n\r\n";
    AUTO(section_reader) reader = { .file = "M", .text = text_bytes(text) };
    se_error err = SE_ERROR_INIT;
    struct section section;

    (void)state;
    assert_status(SE_OK, section_read_first(&section, &reader, "Manifest-Version", &err), &err);
    assert_int_equal(section.raw.size, strlen(MAIN "\r\n"));
    assert_status(SE_OK, section_read_next(&section, &reader, &err), &err);
    assert_string_equal(section.name, "a-long-name");
    assert_string_equal(section_get(&section, "x-y"), "1 2");
    assert_null(section_get(&section, "Name"));
    assert_ptr_equal(section.raw.data, text + strlen(MAIN "\r\n"));
    assert_int_equal(section.raw.size,
                     strlen("Name: a-\r\n long-\r\n name\r\nX-Y: 1\r\n  2\r\n\r\n"));
    assert_status(SE_OK, section_read_again(&section, &reader, section.raw, &err), &err);
    assert_string_equal(section.name, "a-long-name");
}

static void lines_are_72_bytes_at_most(void **state)
{
    AUTO(writer) w = { 0 };
    char value[200];

    (void)state;
    memset(value, 'v', sizeof value - 1);
    value[199] = '\0';
    attribute_write(&w, "Name", value);
    assert_int_equal(strcspn(writer_string(&w), "\r"), 72);
    assert_int_equal(strcspn(writer_string(&w) + 74, "\r"), 72);
    assert_int_equal(w.buf.size, strlen("Name: ") + 199 + 2 * 3 + 2);
}

/* 33 letters of two bytes: the 33rd would begin at byte 71 */
static void letters_are_not_cut(void **state)
{
    AUTO(writer) w = { 0 };
    char value[101] = "x";

    (void)state;
    for (size_t i = 1; i < 99; i += 2)
        memcpy(value + i, "\303\274", 3);
    attribute_write(&w, "Name", value);
    assert_int_equal(strcspn(writer_string(&w), "\r"), 71);
    assert_int_equal((unsigned char)w.buf.data[74], 0xc3);
}

static void digests_are_known_by_name(void **state)
{
    (void)state;
    assert_int_equal(digest_find("SHA-384")->size, 48);
    assert_null(digest_find("SHA-1"));
    assert_null(digest_find("SHA1"));
}

static void every_digest_that_is_there_has_to_fit(void **state)
{
    struct attribute attributes[] = {
        { "SHA-256-Digest", "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=" },
        { "SHA-512-Digest", "wrong" },
        { "SHA1-Digest", "whatever" },
    };
    struct section section = { .attributes = attributes, .count = 1 };
    se_error err = SE_ERROR_INIT;
    bool match, wanted[DIGEST_KINDS];

    (void)state;
    assert_status(
        SE_OK, digests_match_bytes(&match, &section, "-Digest", text_bytes("hello"), &err), &err);
    assert_true(match);
    section.count = 2;
    assert_status(
        SE_OK, digests_match_bytes(&match, &section, "-Digest", text_bytes("hello"), &err), &err);
    assert_false(match);
    section.attributes = attributes + 2;
    section.count = 1;
    assert_false(digests_find_stated(wanted, &section, "-Digest"));
}

static void assert_jar_name(enum jar_name kind, bool plain, const char *name)
{
    assert_int_equal(jar_name_kind(name), kind);
    if (kind)
        assert_int_equal(jar_name_is_plain(name), plain);
}

static void files_of_a_signature_are_known_in_any_case(void **state)
{
    (void)state;
    assert_jar_name(JAR_MANIFEST, true, "META-INF/MANIFEST.MF");
    assert_jar_name(JAR_MANIFEST, false, "META-INF/Manifest.MF");
    assert_jar_name(JAR_MANIFEST, false, "meta-inf/MANIFEST.MF");
    assert_jar_name(JAR_SIGNATURE_FILE, true, "META-INF/a.SF");
    assert_jar_name(JAR_BLOCK, false, "META-INF/A.rsa");
    assert_jar_name(JAR_BLOCK, true, "META-INF/A.B.EC");
    assert_jar_name(JAR_FOREIGN, true, "META-INF/A.DSA");
    assert_jar_name(JAR_FOREIGN, true, "META-INF/SIG-A");
    assert_jar_name(JAR_OTHER, false, "META-INF/");
    assert_jar_name(JAR_OTHER, false, "META-INF/a.txt");
    assert_jar_name(JAR_OTHER, false, "META-INF/deeper/A.SF");
    assert_jar_name(JAR_OTHER, false, "META-INF/SF");
    assert_jar_name(JAR_OTHER, false, "x/META-INF/MANIFEST.MF");
    assert_jar_name(JAR_OTHER, false, "MANIFEST.MF");
}

static void assert_stem(const char *expected, const char *alias)
{
    char stem[JAR_STEM_MOST + 1];

    jar_name_make_stem(stem, alias);
    assert_string_equal(stem, expected);
}

static void signatures_are_named_as_jarsigner_names_them(void **state)
{
    (void)state;
    assert_stem("CONFIGZI", "configZipSignerCertificateV1");
    assert_stem("MY_KEY-N", "my key-name");
    assert_stem("A_B", "a.b");
    assert_stem("_BER", "\303\274ber");
    assert_stem("", "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(either_line_end_is_read),
        cmocka_unit_test(what_readers_understand_differently_is_refused),
        cmocka_unit_test(sections_are_taken_as_they_stand),
        cmocka_unit_test(lines_are_72_bytes_at_most),
        cmocka_unit_test(letters_are_not_cut),
        cmocka_unit_test(digests_are_known_by_name),
        cmocka_unit_test(every_digest_that_is_there_has_to_fit),
        cmocka_unit_test(files_of_a_signature_are_known_in_any_case),
        cmocka_unit_test(signatures_are_named_as_jarsigner_names_them),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
