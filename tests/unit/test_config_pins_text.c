/* SPDX-License-Identifier: Apache-2.0 */
#include "config/pin_extract.h"
#include "config/pins.h"
#include "tests/unit/config.h"

static const char key_file[] = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n";

static se_buf rewritten(const char *text, size_t expected)
{
    se_buf out = SE_BUF_INIT;
    se_error err = SE_ERROR_INIT;
    size_t count = 99;

    assert_status(SE_OK, pins_scramble_text(&out, &count, text_bytes(text), "pin.key", &err), &err);
    assert_int_equal(count, expected);
    return out;
}

static void assert_refused(se_status status, const char *why, const char *text)
{
    AUTO(se_buf) out = SE_BUF_INIT;
    se_error err = SE_ERROR_INIT;
    size_t count = 99;

    assert_status(status, pins_scramble_text(&out, &count, text_bytes(text), "pin.key", &err),
                  &err);
    assert_string_equal(err.text, why);
    assert_null(out.data);
    assert_int_equal(count, 0);
}

/* `before` and `after` stand around the one value that was scrambled, and the value reveals `pin`.
 */
static void assert_rewritten(const char *before, const char *value, const char *after,
                             const char *pin)
{
    AUTO(writer) text = { 0 };
    AUTO(se_buf) out = SE_BUF_INIT;
    AUTO(se_buf) revealed = SE_BUF_INIT;
    se_error err = SE_ERROR_INIT;
    size_t head = strlen(before), tail = strlen(after);

    writer_format(&text, "%s%s%s", before, value, after);
    out = rewritten(writer_string(&text), 1);
    assert_memory_equal(out.data, before, head);
    assert_string_equal((char *)out.data + out.size - tail, after);
    out.data[out.size - tail] = '\0';
    assert_status(SE_OK, pins_reveal(&revealed, (char *)out.data + head, "pin.key", &err), &err);
    assert_string_equal((char *)revealed.data, pin);
}

static void only_the_plain_value_changes(void **state)
{
    (void)state;
    assert_rewritten("<a>\n <type\tpin.encrypted  = \"", "1234",
                     "\"  alias='x'/>\r\n <!-- pin.encrypted=\"5\" --></a>\n", "1234");
    assert_rewritten("<a b='1' pin.encrypted='", "1234", "'/>", "1234");
    assert_rewritten("\xEF\xBB\xBF<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<a pin.encrypted='",
                     "1234", "'></a>", "1234");
    assert_rewritten(
        "<a><![CDATA[ <x pin.encrypted='1'/> ]]><?pi pin.encrypted='2'?><b pin='3' pin.encrypted='",
        "1234", "'/></a>", "1234");
}

static void entities_are_understood(void **state)
{
    (void)state;
    assert_rewritten("<a pin.encrypted='", "&lt;&gt;&amp;&quot;&apos;", "'/>", "<>&\"'");
    assert_rewritten("<a pin.encrypted='", "&#x31;&#50;&#x1F600;\t\xC3\xA4", "'/>",
                     "12\xF0\x9F\x98\x80 \xC3\xA4");
    assert_rewritten("<a pin.encrypted=\"", "it's", "\"/>", "it's");
}

static void other_values_stay_as_they_are(void **state)
{
    static const char *const texts[] = {
        "<a pin='1234'/>",
        "<a pin.encrypted=''/>",
        "<a pin.source='env:PIN'/>",
        "<a Pin.encrypted='1234' x:pin.encrypted='1234' pin.encrypte='1234'/>",
        "<a/>",
    };

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        AUTO(se_buf) out = rewritten(texts[i], 0);

        assert_string_equal((char *)out.data, texts[i]);
        assert_int_equal(out.size, strlen(texts[i]));
    }
    assert_int_not_equal(access("pin.key", F_OK), 0);
}

static void a_second_run_changes_nothing(void **state)
{
    AUTO(se_buf) first = rewritten("<a pin.encrypted='1'><b pin.encrypted='2'/></a>", 2);
    AUTO(se_buf) second = rewritten((char *)first.data, 0);

    (void)state;
    assert_string_equal((char *)first.data, (char *)second.data);
}

static void values_of_another_key_are_not_mixed(void **state)
{
    AUTO(se_buf) value = SE_BUF_INIT;
    AUTO(writer) text = { 0 };
    se_error err = SE_ERROR_INIT;

    (void)state;
    assert_status(SE_OK, pins_scramble(&value, text_bytes("1"), "other.key", &err), &err);
    writer_format(&text, "<a pin.encrypted='%s'><b pin.encrypted='2'/></a>", (char *)value.data);
    assert_refused(SE_ERR_ACCESS,
                   "the key that scrambles PINs: cannot read 'pin.key': No such file or directory",
                   writer_string(&text));
    assert_int_not_equal(access("pin.key", F_OK), 0);
    make_text("pin.key", key_file, 0600);
    assert_refused(SE_ERR_ACCESS,
                   "the PIN can't be unscrambled with 'pin.key': not scrambled with this key, or "
                   "altered since",
                   writer_string(&text));
}

static void what_is_no_xml_is_refused_with_its_line(void **state)
{
    (void)state;
    assert_refused(SE_ERR_CONFIG, "line 1: the file is empty", "");
    assert_refused(SE_ERR_CONFIG, "line 2: not UTF-8: save the file as UTF-8", "<a>\n\xE4</a>");
    assert_refused(SE_ERR_CONFIG, "line 2: malformed tag <b>: a value must be in quotes",
                   "<a>\n<b pin.encrypted=1234/></a>");
    assert_refused(SE_ERR_CONFIG,
                   "line 3: the value of 'pin.encrypted' holds a '&' that must be written &amp;, "
                   "or an unknown entity",
                   "<a>\n<b\npin.encrypted='a&b'/></a>");
    assert_refused(SE_ERR_CONFIG,
                   "line 1: a DOCTYPE is not allowed: it can declare entities that read other "
                   "files or fill the memory",
                   "<!DOCTYPE a><a pin.encrypted='1'/>");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(only_the_plain_value_changes),
        IN_FOLDER(entities_are_understood),
        IN_FOLDER(other_values_stay_as_they_are),
        IN_FOLDER(a_second_run_changes_nothing),
        IN_FOLDER(values_of_another_key_are_not_mixed),
        IN_FOLDER(what_is_no_xml_is_refused_with_its_line),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
