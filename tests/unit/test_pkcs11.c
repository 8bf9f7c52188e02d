/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of the PKCS #11 store that need no token. */
#include <stdio.h>

#include "keystore/pkcs11/object.h"
#include "keystore/pkcs11/pin_blocklist.h"
#include "tests/unit/unit.h"

static const char *text(const char *in, size_t size, size_t room)
{
    static char out[64];

    memset(out, 'x', sizeof out);
    token_text(out, room, (const CK_UTF8CHAR *)in, size);
    return out;
}

static void texts_lose_their_padding(void **state)
{
    (void)state;
    assert_string_equal(text("lab     ", 8, 64), "lab");
    assert_string_equal(text("lab\0\0\0\0\0", 8, 64), "lab");
    assert_string_equal(text("two words \0", 11, 64), "two words");
    assert_string_equal(text("        ", 8, 64), "");
    assert_string_equal(text("", 0, 64), "");
    assert_string_equal(text("12345678", 8, 9), "12345678");
}

static void texts_are_utf8_in_the_end(void **state)
{
    (void)state;
    assert_string_equal(text("Schl\xc3\xbcssel", 10, 64), "Schl\xc3\xbcssel");
    assert_string_equal(text("Schl\xfcssel", 9, 64), "Schl?ssel");
    assert_string_equal(text("cut \xc3", 5, 64), "cut ?");
    assert_string_equal(text("\xff\xfe\xfd", 3, 64), "???");
    /* no half character at the end of the room */
    assert_string_equal(text("abc\xc3\xbc", 5, 5), "abc");
    assert_string_equal(text("abcdef", 6, 4), "abc");
}

static const char *slot_words(const struct slot *slot)
{
    static char out[200];
    AUTO(writer) w = { 0 };

    slot_text(&w, slot);
    snprintf(out, sizeof out, "%s", writer_string(&w));
    return out;
}

static void slots_are_described(void **state)
{
    (void)state;
    assert_string_equal(
        slot_words(&(struct slot){
            .id = 7, .flags = CKF_TOKEN_INITIALIZED, .label = "lab", .serial = "8f" }),
        "slot 7 'lab' serial 8f");
    assert_string_equal(slot_words(&(struct slot){ .id = 7, .label = "lab" }),
                        "slot 7 (not initialised)");
    assert_string_equal(slot_words(&(struct slot){ .id = 7, .rv = CKR_DEVICE_ERROR }),
                        "slot 7 (CKR_DEVICE_ERROR)");
}

static void return_values_have_names_and_meanings(void **state)
{
    se_error err = SE_ERROR_INIT;

    (void)state;
    assert_string_equal(ckr_name(CKR_PIN_INCORRECT), "CKR_PIN_INCORRECT");
    assert_string_equal(ckr_name(0xdeadbeef), "an unknown CKR");
    assert_int_equal(ckr_status(CKR_PIN_LOCKED), SE_ERR_ACCESS);
    assert_int_equal(ckr_status(CKR_DEVICE_REMOVED), SE_ERR_UNAVAILABLE);
    assert_int_equal(ckr_status(CKR_TOKEN_NOT_PRESENT), SE_ERR_UNAVAILABLE);
    assert_int_equal(ckr_status(CKR_GENERAL_ERROR), SE_ERR_UNAVAILABLE);
    assert_int_equal(ckr_status(CKR_MECHANISM_INVALID), SE_ERR_KEY);
    assert_int_equal(ckr_status(CKR_HOST_MEMORY), SE_ERR_MEMORY);
    assert_int_equal(ckr_status(0xdeadbeef), SE_ERR_STORE);
    assert_int_equal(ckr_error(&err, CKR_PIN_LOCKED, "cannot %s", "log in"), SE_ERR_ACCESS);
    assert_string_equal(err.text, "cannot log in: CKR_PIN_LOCKED (0xa4)");
}

static void lost_sessions_are_told_from_refusals(void **state)
{
    (void)state;
    assert_true(ckr_breaks_session(CKR_SESSION_HANDLE_INVALID));
    assert_true(ckr_breaks_session(CKR_USER_NOT_LOGGED_IN));
    assert_true(ckr_breaks_session(CKR_OPERATION_ACTIVE));
    assert_true(ckr_breaks_session(CKR_BUFFER_TOO_SMALL));
    assert_true(ckr_breaks_session(0xdeadbeef));
    assert_false(ckr_breaks_session(CKR_OK));
    assert_false(ckr_breaks_session(CKR_PIN_INCORRECT));
    assert_false(ckr_breaks_session(CKR_MECHANISM_INVALID));
    assert_false(ckr_breaks_session(CKR_ATTRIBUTE_TYPE_INVALID));
}

static struct refusal refusal_of(const char *path, const char *serial, const char *pin)
{
    const struct module module = { .path = (char *)path };
    struct slot slot = { .label = "lab" };
    struct refusal r;

    snprintf(slot.serial, sizeof slot.serial, "%s", serial);
    assert_true(refused_pin_make(&r, &module, &slot, text_bytes(pin)));
    return r;
}

static bool refused(const char *path, const char *serial, const char *pin)
{
    struct refusal r = refusal_of(path, serial, pin);

    return pin_blocklist_has(&r);
}

static void a_refusal_is_of_one_pin_and_one_token(void **state)
{
    struct refusal r = refusal_of("/m.so", "1", "1234");

    (void)state;
    assert_false(refused("/m.so", "1", "1234"));
    pin_blocklist_add(&r);
    pin_blocklist_add(&r);
    assert_true(refused("/m.so", "1", "1234"));
    assert_false(refused("/m.so", "1", "1235"));
    assert_false(refused("/m.so", "1", "12345"));
    assert_false(refused("/m.so", "2", "1234"));
    assert_false(refused("/n.so", "1", "1234"));
    assert_false(refused("/m.so", "11", "234"));
}

static void many_refusals_push_the_oldest_out(void **state)
{
    struct refusal first = refusal_of("/m.so", "9", "first"), r;
    char pin[20];

    (void)state;
    pin_blocklist_add(&first);
    for (int i = 0; i < 63; i++) {
        snprintf(pin, sizeof pin, "pin %d", i);
        r = refusal_of("/m.so", "9", pin);
        pin_blocklist_add(&r);
    }
    assert_true(pin_blocklist_has(&first));
    r = refusal_of("/m.so", "9", "last");
    pin_blocklist_add(&r);
    assert_false(pin_blocklist_has(&first));
    assert_true(refused("/m.so", "9", "last"));
    assert_true(refused("/m.so", "9", "pin 0"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_lose_their_padding),
        cmocka_unit_test(texts_are_utf8_in_the_end),
        cmocka_unit_test(slots_are_described),
        cmocka_unit_test(return_values_have_names_and_meanings),
        cmocka_unit_test(lost_sessions_are_told_from_refusals),
        cmocka_unit_test(a_refusal_is_of_one_pin_and_one_token),
        cmocka_unit_test(many_refusals_push_the_oldest_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
