/* SPDX-License-Identifier: Apache-2.0 */
/*
 * No PIN stays in memory: after use the heap, the stacks and everything else that the process can
 * write to are searched for it. The needle exists masked only, so that the search does not find
 * itself, and a child process writes the configuration.
 */
#include "config/pin_extract.h"
#include "config/pins.h"
#include "tests/unit/config.h"
#include "tests/unit/needle.h"

static void write_config(const char *attribute, const char *value)
{
    AUTO(writer) text = { 0 };

    writer_format(
        &text,
        ROOT("<descriptor name='d'><type algorithm='SHA-256' key='k'/></descriptor>",
             "<key name='k'>\n<type name='HSM' locationValue='m' alias='a' %s='%s'/>\n</key>\n"),
        attribute, value);
    make_file("engine.xml", text.buf.data, text.buf.size, 0600);
}

static void write_plain(const char *pin)
{
    write_config("pin", pin);
}

static void write_escaped(const char *pin)
{
    AUTO(writer) escaped = { 0 };

    for (; *pin; pin++)
        writer_format(&escaped, *pin % 2 ? "&#x%x;" : "%c", (unsigned)*pin);
    write_config("pin", writer_string(&escaped));
}

static void write_plain_under_encrypted(const char *pin)
{
    write_config("pin.encrypted", pin);
}

static void write_scrambled(const char *pin)
{
    AUTO(se_buf) value = SE_BUF_INIT;

    if (pins_scramble(&value, text_bytes(pin), "pin.key", NULL))
        _exit(1);
    write_config("pin.encrypted", (char *)value.data);
}

static void write_file(const char *pin)
{
    make_text("the.pin", pin, 0600);
    write_config("pin.source", "file:the.pin");
}

static void write_misspelled(const char *pin)
{
    write_config("pin.encripted", pin);
}

static void write_malformed(const char *pin)
{
    AUTO(writer) value = { 0 };

    writer_format(&value, "%s&", pin);
    write_config("pin", writer_string(&value));
}

/* Uses the PIN of the configuration as a store would. */
static void use(bool in_config)
{
    AUTO(config) config = NULL;
    AUTO(se_buf) pin = SE_BUF_INIT;
    se_error err = SE_ERROR_INIT;

    assert_status(SE_OK, config_load(&config, "engine.xml", NULL, &err), &err);
    assert_int_equal(pieces_in_memory() > 0, in_config);
    assert_status(SE_OK, keyref_pin(&pin, &config->keys[0].replicas[0], &err), &err);
    assert_int_equal(pin.size, NEEDLE);
    assert_true(pieces_in_memory() > 0); /* the search finds what is there */
}

static void assert_gone(void (*write)(const char *pin), bool in_config)
{
    in_child(write);
    assert_int_equal(pieces_in_memory(), 0);
    use(in_config);
    assert_int_equal(pieces_in_memory(), 0);
}

static void plain_pins_leave_nothing(void **state)
{
    (void)state;
    assert_gone(write_plain, true);
    assert_gone(write_plain_under_encrypted, true);
}

static void escaped_pins_leave_nothing(void **state)
{
    (void)state;
    assert_gone(write_escaped, true);
}

static void scrambled_pins_leave_nothing(void **state)
{
    (void)state;
    assert_gone(write_scrambled, false);
}

static void pins_in_files_leave_nothing(void **state)
{
    (void)state;
    assert_gone(write_file, false);
}

static void refused_configurations_leave_nothing(void **state)
{
    static void (*const writers[])(const char *) = { write_misspelled, write_malformed };
    AUTO(config) config = NULL;
    se_error err = SE_ERROR_INIT, other = SE_ERROR_INIT;

    (void)state;
    in_child(writers[0]);
    assert_status(SE_ERR_CONFIG, config_load(&config, "engine.xml", NULL, &err), &err);
    in_child(writers[1]);
    assert_status(SE_ERR_CONFIG, config_load(&config, "engine.xml", NULL, &other), &other);
    assert_int_equal(pieces_in_memory(), 0);
}

static void scrambling_in_place_leaves_nothing(void **state)
{
    AUTO(se_buf) text = SE_BUF_INIT;
    AUTO(se_buf) out = SE_BUF_INIT;
    se_error err = SE_ERROR_INIT;
    size_t count;

    (void)state;
    in_child(write_plain_under_encrypted);
    assert_status(SE_OK, file_read(&text, "engine.xml", 1 << 20, &err), &err);
    assert_status(SE_OK, pins_scramble_text(&out, &count, buf_bytes(&text), "pin.key", &err), &err);
    assert_int_equal(count, 1);
    se_buf_free(&text);
    assert_int_equal(pieces_in_memory(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(plain_pins_leave_nothing),
        IN_FOLDER(escaped_pins_leave_nothing),
        IN_FOLDER(scrambled_pins_leave_nothing),
        IN_FOLDER(pins_in_files_leave_nothing),
        IN_FOLDER(refused_configurations_leave_nothing),
        IN_FOLDER(scrambling_in_place_leaves_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
