/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"
#include "config/versions.h"
#include "tests/unit/config.h"

#define KEY(name) "<key name='" name "'><type name='pem' locationValue='" name ".pem'/></key>\n"
#define KEYS      KEY("a") KEY("b") KEY("c")

/* A version of X with the attributes `when`. */
#define DESCRIPTOR_VERSION(number, key, when)                                                      \
    "<descriptor name='X' version='" number "' " when "><type algorithm='SHA256withRSA' key='" key \
    "'/></descriptor>\n"

/* Seconds of 2026-12-24T00:00:00Z, when most things happen, and after it. */
enum { XMAS = 1798070400, MOST = INT32_MAX };
#define AT_XMAS "2026-12-24T00:00:00Z"
#define LATER   "2026-12-25T00:00:00Z"

static const char plain[] = ROOT(DESCRIPTOR_VERSION("1", "a", "") DESCRIPTOR_VERSION("3", "c", "")
                                     DESCRIPTOR_VERSION("2", "b", ""),
                                 KEYS);
static const char waiting[] =
    ROOT(DESCRIPTOR_VERSION("1", "a", "") DESCRIPTOR_VERSION("2", "b", "from='" AT_XMAS "'"),
         KEY("a") KEY("b"));
static const char handed[] =
    ROOT(DESCRIPTOR_VERSION("1", "a", "until='" AT_XMAS "'")
             DESCRIPTOR_VERSION("2", "b", "from='" AT_XMAS "' until='" LATER "'"),
         KEY("a") KEY("b"));
static const char gap[] = ROOT(DESCRIPTOR_VERSION("1", "a", "until='" AT_XMAS "'")
                                   DESCRIPTOR_VERSION("2", "b", "from='" LATER "'"),
                               KEY("a") KEY("b"));
static const char idle[] =
    ROOT(DESCRIPTOR_VERSION("1", "a", "") DESCRIPTOR_VERSION("2", "b", "signs='false'"),
         KEY("a") KEY("b"));
static const char none[] = ROOT(DESCRIPTOR_VERSION("1", "a", "signs='false'"), KEY("a"));
static const char back[] =
    ROOT(DESCRIPTOR_VERSION("1", "a", "")
             DESCRIPTOR_VERSION("2", "b", "from='" AT_XMAS "' until='" LATER "'")
                 DESCRIPTOR_VERSION("3", "c", "from='" AT_XMAS "' signs='true'"),
         KEYS);
static const char offset[] =
    ROOT(DESCRIPTOR_VERSION("1", "a", "")
             DESCRIPTOR_VERSION("2", "b", "from='2026-12-24T01:30:00+01:30'"),
         KEY("a") KEY("b"));

enum { DAY = 24 * 60 * 60 };

static const struct {
    const char *config;
    unsigned asked, least;
    int64_t time;
    unsigned version; /* 0: refused */
    const char *text;
} cases[] = {
    { plain, 0, 0, XMAS, 3, NULL },
    { plain, 2, 0, XMAS, 2, NULL }, /* an older one that is asked for */
    { plain, 0, 2, XMAS, 3, NULL },
    { plain, 0, 4, XMAS, 0, "descriptor 'X' has no version 4 in 'conf/engine.xml', but 1, 3, 2" },

    { waiting, 0, 0, 1, 1, NULL },
    { waiting, 0, 0, XMAS - 1, 1, NULL },
    { waiting, 0, 0, XMAS, 2, NULL },
    { waiting, 0, 0, MOST, 2, NULL },
    { waiting, 1, 0, XMAS, 1, NULL },
    { waiting, 2, 0, XMAS - 1, 0,
      "descriptor 'X': version 2 signs from 2026-12-24T00:00:00Z on; now it is version 1 that "
      "signs" },
    { waiting, 2, 0, XMAS, 2, NULL },
    { waiting, 0, 2, XMAS - 1, 2, NULL }, /* others are ahead */
    { waiting, 2, 2, XMAS - 1, 2, NULL },
    { waiting, 0, 1, XMAS - 1, 1, NULL },

    { handed, 0, 0, XMAS - 1, 1, NULL },
    { handed, 0, 0, XMAS, 2, NULL },
    { handed, 0, 0, XMAS + DAY - 1, 2, NULL },
    { handed, 0, 0, XMAS + DAY, 0,
      "descriptor 'X': version 2 signed until 2026-12-25T00:00:00Z; now there is none that signs" },
    { handed, 1, 0, XMAS, 0,
      "descriptor 'X': version 1 signed until 2026-12-24T00:00:00Z; now it is version 2 that "
      "signs" },
    { handed, 0, 2, XMAS + DAY, 0,
      "descriptor 'X': version 2 signed until 2026-12-25T00:00:00Z; now there is none that signs" },

    { gap, 0, 0, XMAS, 0,
      "descriptor 'X': version 2 signs from 2026-12-25T00:00:00Z on; now there is none that "
      "signs" },
    { gap, 0, 2, XMAS, 2, NULL },
    { gap, 0, 0, XMAS + DAY, 2, NULL },

    { idle, 0, 0, XMAS, 1, NULL },
    { idle, 2, 0, XMAS, 0,
      "descriptor 'X': version 2 only verifies: it has signs=\"false\"; now it is version 1 that "
      "signs" },
    { idle, 0, 2, XMAS, 0,
      "descriptor 'X': version 2 only verifies: it has signs=\"false\"; now it is version 1 that "
      "signs" },
    { none, 0, 0, XMAS, 0,
      "descriptor 'X': version 1 only verifies: it has signs=\"false\"; now there is none that "
      "signs" },

    { back, 0, 0, XMAS - 1, 1, NULL },
    { back, 0, 0, XMAS, 3, NULL }, /* the same `from`: the higher one */

    { offset, 0, 0, XMAS - 1, 1, NULL },
    { offset, 0, 0, XMAS, 2, NULL },
};

static void the_time_decides_which_version_signs(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AUTO(config) config = parsed(cases[i].config);
        const struct version_wish wish = { .version = cases[i].asked,
                                           .least = cases[i].least,
                                           .time = cases[i].time };
        const struct descriptor *d;
        se_error err = SE_ERROR_INIT;
        se_status st = config_version(&d, config, "X", &wish, &err);

        if ((d ? d->version : 0) != cases[i].version)
            fail_msg("case %zu: version %u, %s", i + 1, d ? d->version : 0, err.text);
        if (cases[i].version) {
            assert_status(SE_OK, st, &err);
            continue;
        }
        assert_string_equal(err.text, cases[i].text);
        assert_status(strstr(err.text, "no version") ? SE_ERR_NO_DESCRIPTOR : SE_ERR_POLICY, st,
                      &err);
    }
}

static const struct descriptor *version_of(const struct config *config, unsigned version)
{
    const struct descriptor *d;
    se_error err = SE_ERROR_INIT;

    assert_status(SE_OK, config_descriptor(&d, config, "X", version, &err), &err);
    return d;
}

static void a_version_waits_is_current_gets_older_and_ends(void **state)
{
    AUTO(config) two = parsed(waiting);
    AUTO(config) ends = parsed(handed);
    AUTO(config) still = parsed(idle);

    (void)state;
    assert_int_equal(version_state(two, version_of(two, 2), XMAS - 1), SE_VERSION_WAITS);
    assert_int_equal(version_state(two, version_of(two, 1), XMAS - 1), SE_VERSION_CURRENT);
    assert_int_equal(version_state(two, version_of(two, 2), XMAS), SE_VERSION_CURRENT);
    assert_int_equal(version_state(two, version_of(two, 1), XMAS), SE_VERSION_OLDER);
    assert_int_equal(version_state(ends, version_of(ends, 1), XMAS), SE_VERSION_ENDED);
    assert_int_equal(version_state(still, version_of(still, 2), XMAS), SE_VERSION_VERIFIES);
    assert_int_equal(version_state(still, version_of(still, 1), XMAS), SE_VERSION_CURRENT);
}

/* ---- what the file may say ---- */

static void times_have_a_zone_and_are_in_the_calendar(void **state)
{
    static const struct {
        const char *text;
        int64_t time; /* -1: it is none */
    } times[] = {
        { AT_XMAS, XMAS },
        { "2026-12-24T01:00:00+01:00", XMAS },
        { "2026-12-23T18:30:00-05:30", XMAS },
        { "2024-02-29T00:00:00Z", 1709164800 },
        { "1970-01-01T00:00:00Z", 0 },
        { "9999-12-31T23:59:59Z", 253402300799 },
        { "2026-02-29T00:00:00Z", -1 },
        { "2026-02-30T00:00:00Z", -1 },
        { "2026-13-01T00:00:00Z", -1 },
        { "2026-00-01T00:00:00Z", -1 },
        { "2026-12-24T24:00:00Z", -1 },
        { "2026-12-24T23:59:60Z", -1 },
        { "2026-12-24T00:00:00", -1 },
        { "2026-12-24T00:00:00z", -1 },
        { "2026-12-24 00:00:00Z", -1 },
        { "2026-12-24", -1 },
        { "2026-12-24T00:00:00.5Z", -1 },
        { "2026-12-24T00:00:00+24:00", -1 },
        { "2026-12-24T00:00:00+01:60", -1 },
        { "2026-12-24T00:00:00+0100", -1 },
        { "2026-12-24T00:00:00+01:00 ", -1 },
        { " 2026-12-24T00:00:00Z", -1 },
        { "26-12-24T00:00:00Z", -1 },
        { "+2026-1-24T00:00:00Z", -1 },
        { "1969-12-31T23:59:59Z", -1 },
        { "", -1 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        int64_t time;
        bool parsed = time_parse(&time, times[i].text);

        if (parsed != (times[i].time >= 0) || (parsed && time != times[i].time))
            fail_msg("'%s': %d, %jd", times[i].text, parsed, (intmax_t)time);
    }
}

static void a_bad_time_is_told_with_a_good_one(void **state)
{
    static const struct {
        const char *when, *finding;
    } bad[] = {
        { "from='tomorrow'", "3: 'from' must be a time with its zone, like 2026-12-24T00:00:00Z or "
                             "2026-12-24T01:00:00+01:00, not 'tomorrow'\n" },
        { "until='2026-12-24'",
          "3: 'until' must be a time with its zone, like 2026-12-24T00:00:00Z or "
          "2026-12-24T01:00:00+01:00, not '2026-12-24'\n" },
        { "signs='no'", "3: 'signs' must be true or false, not 'no'\n" },
        { "from='" AT_XMAS "' until='" AT_XMAS "'",
          "3: 'until' is not after 'from': version 1 of 'X' would never sign\n" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        AUTO(writer) text = { 0 };
        AUTO(writer) findings = { 0 };
        struct config *config = NULL;

        writer_format(&text,
                      "<engineSignEncrypt>\n<descriptors>\n<descriptor name='X' %s><type "
                      "algorithm='SHA256withRSA' key='a'/></descriptor>\n</descriptors>\n"
                      "<keys>\n" KEY("a") "</keys>\n</engineSignEncrypt>\n",
                      bad[i].when);
        assert_int_equal(parse_text(&config, writer_string(&text), &findings, NULL), SE_ERR_CONFIG);
        assert_string_equal(writer_string(&findings), bad[i].finding);
    }
}

/* One canonical form for one meaning. */
static void times_are_part_of_the_canonical_form(void **state)
{
    AUTO(config) config = parsed(
        ROOT(DESCRIPTOR_VERSION("1", "a",
                                "from='2026-12-24T01:00:00+01:00' until='" LATER "' signs='false'")
                 DESCRIPTOR_VERSION("2", "b", "signs='true' from=''"),
             KEY("a") KEY("b")));
    AUTO(se_buf) canonical = SE_BUF_INIT;
    se_error err = SE_ERROR_INIT;

    (void)state;
    assert_status(SE_OK, config_canonical(&canonical, config, &err), &err);
    assert_non_null(strstr((const char *)canonical.data,
                           "descriptor X:1\tkey\ta\n"
                           "descriptor X:1\talgorithm\tSHA256withRSA\n"
                           "descriptor X:1\tfrom\t2026-12-24T00:00:00Z\n"
                           "descriptor X:1\tuntil\t2026-12-25T00:00:00Z\n"
                           "descriptor X:1\tsigns\tfalse\n"
                           "descriptor X:2\tkey\tb\n"
                           "descriptor X:2\talgorithm\tSHA256withRSA\n"
                           "key a\t"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_time_decides_which_version_signs),
        cmocka_unit_test(a_version_waits_is_current_gets_older_and_ends),
        cmocka_unit_test(times_have_a_zone_and_are_in_the_calendar),
        cmocka_unit_test(a_bad_time_is_told_with_a_good_one),
        cmocka_unit_test(times_are_part_of_the_canonical_form),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
