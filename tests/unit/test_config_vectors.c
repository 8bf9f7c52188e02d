/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/vectors/config/CASE/{engine.xml,expected}: what is found in a configuration, line by line,
 * and if nothing forbids it, what the engine understands.
 */
#include "tests/unit/config.h"

static const char *vectors;

/* Findings, then properties; *refused says whether it was. */
static void outcome(struct writer *out, const char *path, bool *refused)
{
    struct config_options options = { .report = put_finding, .report_arg = out };
    AUTO(config) config = NULL;
    AUTO(se_buf) text = SE_BUF_INIT;
    se_error err = SE_ERROR_INIT;
    se_status st;

    assert_status(SE_OK, file_read(&text, path, 1 << 20, &err), &err);
    st = config_parse(&config, &text, "engine.xml", &options, &err);
    assert_true(st == SE_OK || st == SE_ERR_CONFIG);
    assert_int_equal(config != NULL, st == SE_OK);
    if (config)
        config_describe(config, put_property, out);
    *refused = st != SE_OK;
}

static void check_case(const char *name, size_t *bad)
{
    AUTO(writer) input = { 0 };
    AUTO(writer) output = { 0 };
    AUTO(writer) got = { 0 };
    AUTO(se_buf) expected = SE_BUF_INIT;
    se_error err = SE_ERROR_INIT;
    bool refused = false;

    writer_format(&input, "%s/%s/engine.xml", vectors, name);
    writer_format(&output, "%s/%s/expected", vectors, name);
    outcome(&got, writer_string(&input), &refused);
    assert_status(SE_OK, file_read(&expected, writer_string(&output), 1 << 20, &err), &err);
    if (strcmp(writer_string(&got), (char *)expected.data) != 0)
        fail_msg("%s:\n--- expected\n%s--- got\n%s", name, (char *)expected.data,
                 writer_string(&got));
    *bad += refused;
}

static int is_case(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static void every_vector_is_as_expected(void **state)
{
    struct dirent **names = NULL;
    int count = scandir(vectors, &names, is_case, alphasort);
    size_t bad = 0;

    (void)state;
    for (int i = 0; i < count; i++) {
        check_case(names[i]->d_name, &bad);
        free(names[i]);
    }
    free(names);
    /* a loop over nothing must not pass */
    assert_true(bad >= 70);
    assert_true(count - (int)bad >= 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_vector_is_as_expected),
    };
    const char *top = getenv("top_srcdir");
    char path[4096];

    (void)snprintf(path, sizeof path, "%s/tests/vectors/config", top ? top : ".");
    vectors = path;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
