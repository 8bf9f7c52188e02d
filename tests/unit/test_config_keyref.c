/* SPDX-License-Identifier: Apache-2.0 */
/* Where a PIN comes from. */
#include "config/pins.h"
#include "tests/unit/config.h"

/* A configuration with one key, which has these attributes. */
static struct config *configured(const char *attributes)
{
    AUTO(writer) text = { 0 };
    struct config *config = NULL;
    struct config_options options = { .pin_key = "pin.key" };
    AUTO(se_buf) copy = SE_BUF_INIT;
    se_error err = SE_ERROR_INIT;

    writer_format(&text,
                  ROOT("", "<key name='k'><type name='HSM' locationValue='m' alias='a' %s/></key>"),
                  attributes);
    assert_status(SE_OK, buf_copy(&copy, buf_bytes(&text.buf), &err), &err);
    assert_status(SE_OK, config_parse(&config, &copy, "engine.xml", &options, &err), &err);
    return config;
}

static void assert_pin(const char *attributes, const char *expected)
{
    AUTO(config) config = configured(attributes);
    AUTO(se_buf) pin = SE_BUF_INIT;
    se_error err = SE_ERROR_INIT;

    assert_status(SE_OK, keyref_pin(&pin, &config->keys[0].replicas[0], &err), &err);
    assert_int_equal(pin.size, strlen(expected));
    assert_string_equal(pin.data ? (char *)pin.data : "", expected);
}

static void assert_no_pin(const char *attributes, const char *why)
{
    AUTO(config) config = configured(attributes);
    AUTO(se_buf) pin = SE_BUF_INIT;
    se_error err = SE_ERROR_INIT;

    assert_status(SE_ERR_ACCESS, keyref_pin(&pin, &config->keys[0].replicas[0], &err), &err);
    assert_string_equal(err.text, why);
    assert_null(pin.data);
}

static void plain_pins(void **state)
{
    (void)state;
    assert_pin("", "");
    assert_pin("pin=''", "");
    assert_pin("pin='12&#x33;4 &lt;&quot;'", "1234 <\"");
    assert_pin("pin.encrypted='plain &amp; simple'", "plain & simple");
}

static void scrambled_pins(void **state)
{
    AUTO(se_buf) value = SE_BUF_INIT;
    AUTO(writer) attribute = { 0 };
    se_error err = SE_ERROR_INIT;

    (void)state;
    assert_status(SE_OK, pins_scramble(&value, text_bytes("geheim"), "pin.key", &err), &err);
    writer_format(&attribute, "pin.encrypted='%s'", (char *)value.data);
    assert_pin(writer_string(&attribute), "geheim");
    assert_int_equal(unlink("pin.key"), 0);
    assert_no_pin(writer_string(&attribute),
                  "the key that scrambles PINs: cannot read 'pin.key': No such file or directory");
}

static void pins_from_the_environment(void **state)
{
    (void)state;
    assert_int_equal(setenv("SIGNENGINE_TEST_PIN", "12 34\n", 1), 0);
    assert_pin("pin.source='env:SIGNENGINE_TEST_PIN'", "12 34\n");
    assert_int_equal(setenv("SIGNENGINE_TEST_PIN", "", 1), 0);
    assert_no_pin("pin.source='env:SIGNENGINE_TEST_PIN'",
                  "pin.source: the environment variable 'SIGNENGINE_TEST_PIN' is empty");
    assert_int_equal(unsetenv("SIGNENGINE_TEST_PIN"), 0);
    assert_no_pin("pin.source='env:SIGNENGINE_TEST_PIN'",
                  "pin.source: the environment variable 'SIGNENGINE_TEST_PIN' is not set");
}

static void one_line_end_of_a_file_is_dropped(void **state)
{
    static const struct {
        const char *text, *pin;
    } rows[] = { { "1234", "1234" },   { "1234\n", "1234" },   { "1234\r\n", "1234" },
                 { "1234\r", "1234" }, { " 1234 ", " 1234 " }, { "12 34\n", "12 34" } };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        make_text("the.pin", rows[i].text, 0600);
        assert_pin("pin.source='file:the.pin'", rows[i].pin);
    }
}

static void files_are_absolute_or_beside_the_configuration(void **state)
{
    AUTO(writer) attribute = { 0 };

    (void)state;
    make_text("the.pin", "1234", 0444);
    writer_format(&attribute, "pin.source='file:%s/the.pin'", folder);
    assert_pin(writer_string(&attribute), "1234");
    assert_pin("pin.source='file:./the.pin'", "1234");
}

static void files_that_do_not_hold_a_pin(void **state)
{
    static const struct {
        const char *text, *why;
    } edited[] = {
        { "1234\n\n",
          "pin.source: './edited' has more than one line: the PIN must be the only one" },
        { "1234\n5678",
          "pin.source: './edited' has more than one line: the PIN must be the only one" },
        { "1234\r5678\r",
          "pin.source: './edited' has more than one line: the PIN must be the only one" },
        { "\r\n1234\r\n",
          "pin.source: './edited' has more than one line: the PIN must be the only one" },
        { "\xef\xbb\xbf"
          "1234\n",
          "pin.source: './edited' begins with the byte order mark of UTF-8: save it without one, "
          "as UTF-8" },
        { "\xef\xbb\xbf", "pin.source: './edited' begins with the byte order mark of UTF-8: save "
                          "it without one, as UTF-8" },
        { "\xff\xfe"
          "1",
          "pin.source: './edited' begins with the byte order mark of UTF-16: save it without one, "
          "as UTF-8" },
        { "1234 \n", "pin.source: the line in './edited' ends with a blank: take it away, or if it "
                     "is part of the PIN, the line end behind it" },
        { "\t1234\r\n", "pin.source: the line in './edited' begins with a blank: take it away, or "
                        "if it is part of the PIN, the line end behind it" },
    };

    (void)state;
    assert_no_pin("pin.source='file:none'",
                  "pin.source: cannot read './none': No such file or directory");
    assert_no_pin("pin.source='file:.'", "pin.source: cannot read './.': Is a directory");
    make_text("empty", "\n", 0600);
    assert_no_pin("pin.source='file:empty'", "pin.source: './empty' is empty");
    make_file("nul",
              "12\0"
              "34",
              5, 0600);
    assert_no_pin("pin.source='file:nul'", "pin.source: './nul' holds a NUL byte");
    for (size_t i = 0; i < sizeof edited / sizeof *edited; i++) {
        make_text("edited", edited[i].text, 0600);
        assert_no_pin("pin.source='file:edited'", edited[i].why);
    }
    make_text("open", "1234", 0606);
    assert_no_pin("pin.source='file:open'",
                  "pin.source: './open' has mode 0606: others may change it");
    assert_int_equal(truncate("empty", 4097), 0);
    assert_no_pin("pin.source='file:empty'",
                  "pin.source: './empty' has 4097 bytes, more than 4096");
}

static void credentials_of_systemd(void **state)
{
    (void)state;
    make_text("hsm-pin", "1234\n", 0400);
    assert_int_equal(setenv("CREDENTIALS_DIRECTORY", folder, 1), 0);
    assert_pin("pin.source='credential:hsm-pin'", "1234");
    assert_int_equal(setenv("CREDENTIALS_DIRECTORY", ".", 1), 0);
    assert_no_pin("pin.source='credential:other'",
                  "pin.source: cannot read './other': No such file or directory");
    assert_int_equal(unsetenv("CREDENTIALS_DIRECTORY"), 0);
    assert_no_pin("pin.source='credential:hsm-pin'",
                  "pin.source: no credential 'hsm-pin': $CREDENTIALS_DIRECTORY is not set");
}

/* keyrefs are also made by those who manage tokens */
static void a_source_of_no_known_kind_is_refused(void **state)
{
    struct keyref ref = { .pin_source = "1234", .pin_scrambled = "" };
    AUTO(se_buf) pin = SE_BUF_INIT;
    se_error err = SE_ERROR_INIT;

    (void)state;
    assert_status(SE_ERR_CONFIG, keyref_pin(&pin, &ref, &err), &err);
    assert_string_equal(err.text, "pin.source must be env:NAME, file:PATH or credential:NAME");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(plain_pins),
        IN_FOLDER(scrambled_pins),
        IN_FOLDER(pins_from_the_environment),
        IN_FOLDER(one_line_end_of_a_file_is_dropped),
        IN_FOLDER(files_are_absolute_or_beside_the_configuration),
        IN_FOLDER(files_that_do_not_hold_a_pin),
        IN_FOLDER(credentials_of_systemd),
        IN_FOLDER(a_source_of_no_known_kind_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
