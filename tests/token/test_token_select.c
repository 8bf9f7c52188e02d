/* SPDX-License-Identifier: Apache-2.0 */
/* Which module, which token: every way to say it, and every way to be wrong about it. */
#include <stdio.h>

#include "keystore/pkcs11/token.h"
#include "tests/token/fixture.h"

static int fill(void **state)
{
    if (fixture_make(state))
        return -1;
    make_token("one");
    make_token("two");
    put_pair("one", "a", "ec:P-256", "01");
    put_pair("two", "b", "ec:P-256", "01");
    put_pair("one", "both", "ec:P-256", "02");
    put_key("two", "both", "both", "02");
    put_certificate("two", "both", "both", "02");
    return 0;
}

static void refuses_at(struct keyref *ref, const char *location, const char *text, const char *more)
{
    ref->location = location;
    refuses(SE_ERR_STORE, ref, PART_CERTIFICATE, text, more, NULL);
}

static void missing_modules_list_what_was_tried(void **state)
{
    struct keyref *ref = ref_to("one", "a");

    (void)state;
    refuses_at(ref, "/nowhere/libp11", "tried '/nowhere/libp11', '/nowhere/libp11.so'",
               "no PKCS #11 module '/nowhere/libp11'");
    refuses_at(ref, "nosuchmodule",
               P11_MODULE_PATH "/nosuchmodule.so', '" P11_MODULE_PATH "/libnosuchmodule.so'",
               "'libnosuchmodule.so' on the loader's path");
    refuses_at(ref, "", "no PKCS #11 module is named", "locationValue");
    refuses_at(ref, "/usr", "tried '/usr', '/usr.so'", "");
}

static void files_that_are_no_modules_are_told_apart(void **state)
{
    struct keyref *ref = ref_to("one", "a");

    (void)state;
    refuses_at(ref, "/etc/passwd", "'/etc/passwd' is not a PKCS #11 module", "invalid ELF header");
    refuses_at(ref, "libcrypto.so.3", "is not a PKCS #11 module: it has no C_GetFunctionList",
               "/libcrypto.so.3'");
}

static char *without_extension(void)
{
    static char path[4096];

    snprintf(path, sizeof path, "%.*s", (int)(strlen(softhsm) - 3), softhsm);
    return path;
}

static void a_module_is_found_with_and_without_extension(void **state)
{
    struct module *with, *without, *bare;
    se_error err = SE_ERROR_INIT;

    (void)state;
    assert_status(SE_OK, module_open(&with, softhsm, "", &err), &err);
    assert_status(SE_OK, module_open(&without, without_extension(), "", &err), &err);
    assert_ptr_equal(with, without);
    module_close(without);
    module_close(with);
    /* every p11-kit has this one in its folder */
    assert_status(SE_OK, module_open(&bare, "p11-kit-client", "", &err), &err);
    module_close(bare);
}

static void a_module_is_initialised_once(void **state)
{
    struct keyref *ref = ref_to("one", "a");
    struct key *key = opens(ref, PART_CERTIFICATE);
    struct module *module;
    se_error err = SE_ERROR_INIT;

    (void)state;
    assert_status(SE_OK, module_open(&module, softhsm, "", &err), &err);
    ref->init_args = "configdir='/'";
    refuses(SE_ERR_STORE, ref, PART_CERTIFICATE, "in use with other initArgs", softhsm, NULL);
    module_close(module);
    key_unref(key);
}

static struct slots load_slots(struct module *module)
{
    se_error err = SE_ERROR_INIT;
    struct slots slots;

    assert_status(SE_OK, slots_load(&slots, module, &err), &err);
    assert_int_equal(slots.count, 3); /* SoftHSM always shows one more, not initialised */
    return slots;
}

static const struct slot *slot_of(const struct slots *slots, const char *label, size_t *index)
{
    for (*index = 0; *index < slots->count; ++*index)
        if (!strcmp(slots->list[*index].label, label))
            return &slots->list[*index];
    fail_msg("no slot '%s'", label);
    return NULL;
}

static void finds(struct module *module, const struct keyref *ref, CK_SLOT_ID wanted)
{
    se_error err = SE_ERROR_INIT;
    CK_SLOT_ID slot = wanted + 1;

    assert_status(SE_OK, token_select(&slot, module, ref, &err), &err);
    assert_int_equal(slot, wanted);
    key_unref(opens(ref, PART_SIGN));
}

static void a_token_is_found_in_four_ways_and_by_itself(void **state)
{
    struct keyref *by_label = ref_to("two", "b"), *by_id = ref_to(NULL, "b"),
                  *by_serial = ref_to(NULL, "b"), *by_index = ref_to(NULL, "b");
    struct module *module;
    size_t index;

    (void)state;
    assert_int_equal(module_open(&module, softhsm, "", NULL), SE_OK);
    AUTO(slots) slots = load_slots(module);
    const struct slot *two = slot_of(&slots, "two", &index);
    by_id->has_slot = true;
    by_id->slot = two->id;
    by_serial->token_serial = two->serial;
    by_index->has_slot_index = true;
    by_index->slot_index = index;
    finds(module, by_label, two->id);
    finds(module, by_id, two->id);
    finds(module, by_serial, two->id);
    finds(module, by_index, two->id);
    finds(module, ref_to(NULL, "b"), two->id);
    finds(module, ref_to(NULL, "a"), slot_of(&slots, "one", &index)->id);
    module_close(module);
}

static void all_that_is_said_must_fit(void **state)
{
    struct keyref *ref = ref_to("one", "a");
    struct module *module;
    size_t index;

    (void)state;
    assert_int_equal(module_open(&module, softhsm, "", NULL), SE_OK);
    AUTO(slots) slots = load_slots(module);
    ref->has_slot = true;
    ref->slot = slot_of(&slots, "two", &index)->id;
    refuses(SE_ERR_STORE, ref, PART_SIGN, "no token with slot ", ", tokenLabel 'one'",
            "there is slot ", " 'two' serial ", NULL);
    module_close(module);
}

static void missing_tokens_list_what_is_there(void **state)
{
    struct keyref *label = ref_to("three", "a"), *slot = ref_to(NULL, "a"),
                  *serial = ref_to(NULL, "a"), *index = ref_to(NULL, "a");

    (void)state;
    slot->has_slot = index->has_slot_index = true;
    slot->slot = 77777;
    index->slot_index = 9;
    serial->token_serial = "0badcafe";
    refuses(SE_ERR_STORE, label, PART_SIGN, "no token with tokenLabel 'three' in '", softhsm,
            " 'one' serial ", " 'two' serial ", NULL);
    refuses(SE_ERR_STORE, slot, PART_SIGN, "no token with slot 77777 in", " 'one' serial ",
            "(not initialised)", NULL);
    refuses(SE_ERR_STORE, index, PART_SIGN, "no token with slotIndex 9 in", " 'two' serial ", NULL);
    refuses(SE_ERR_STORE, serial, PART_SIGN, "no token with tokenSerial '0badcafe' in",
            " 'one' serial ", NULL);
}

static void an_alias_on_two_tokens_is_not_chosen_from(void **state)
{
    (void)state;
    refuses(SE_ERR_STORE, ref_to(NULL, "both"), PART_SIGN, "several tokens of '", "hold 'both'",
            " 'one' serial ", " 'two' serial ", "choose by slot, tokenLabel or tokenSerial", NULL);
    key_unref(opens(ref_to("two", "both"), PART_SIGN));
}

static void an_alias_on_no_token_is_not_guessed(void **state)
{
    (void)state;
    refuses(SE_ERR_STORE, ref_to(NULL, "neither"), PART_SIGN, "none of the tokens",
            "shows 'neither' without a login", "'one'", "'two'", NULL);
}

static void a_token_that_is_not_initialised_says_so(void **state)
{
    struct keyref *ref = ref_to(NULL, "a");

    (void)state;
    ref->has_slot_index = true;
    ref->slot_index = 2;
    refuses(SE_ERR_ACCESS, ref, PART_CERTIFICATE, "is not initialised", NULL);
}

static void a_token_that_is_away_may_come_back(void **state)
{
    struct shim *shim;
    struct keyref *ref = ref_through_shim(&shim, NULL, "a");

    (void)state;
    shim->token_info = CKR_DEVICE_ERROR;
    ref->has_slot_index = true;
    refuses(SE_ERR_UNAVAILABLE, ref, PART_CERTIFICATE, "CKR_DEVICE_ERROR (0x30)", NULL);
    shim->token_info = CKR_OK;
    shim->open = CKR_DEVICE_REMOVED;
    refuses(SE_ERR_UNAVAILABLE, ref, PART_CERTIFICATE,
            "cannot open a session: CKR_DEVICE_REMOVED (0x32)", NULL);
}

/* As SoftHSM shows it while another process logs in; the module is in use, and can't start anew. */
static void a_token_that_is_just_written_is_waited_for(void **state)
{
    struct shim *shim;
    struct keyref *ref = ref_through_shim(&shim, "one", "a"), *other = ref_to("two", "b");
    struct key *in_use;

    (void)state;
    other->location = ref->location;
    in_use = opens(other, PART_SIGN);
    for (unsigned times = 1; times < 24; times++) { /* each look asks all three slots */
        shim->blank_times = times;
        key_unref(opens(ref, PART_SIGN));
        assert_int_equal(shim->blank_times, 0);
    }
    assert_int_equal(shim->initialized, 1);
    key_unref(in_use);
}

/* Selected, opened, logged in to: it may be written to at each of these. */
static void a_token_is_waited_for_at_each_look(void **state)
{
    struct shim *shim;

    (void)state;
    for (unsigned after = 0; after < 5; after++) {
        struct keyref *ref = ref_through_shim(&shim, "one", "a");

        shim->blank_after = after;
        shim->blank_times = 1;
        key_unref(opens(ref, PART_SIGN));
        assert_int_equal(shim->blank_times, 0);
    }
}

static void a_token_that_came_after_the_start_is_found(void **state)
{
    struct shim *shim;
    struct keyref *ref = ref_through_shim(&shim, "one", "a");

    (void)state;
    shim->blank_starts = 1;
    key_unref(opens(ref, PART_SIGN));
    assert_int_equal(shim->initialized, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(missing_modules_list_what_was_tried),
        cmocka_unit_test(files_that_are_no_modules_are_told_apart),
        cmocka_unit_test(a_module_is_found_with_and_without_extension),
        cmocka_unit_test(a_module_is_initialised_once),
        cmocka_unit_test(a_token_is_found_in_four_ways_and_by_itself),
        cmocka_unit_test(all_that_is_said_must_fit),
        cmocka_unit_test(missing_tokens_list_what_is_there),
        cmocka_unit_test(an_alias_on_two_tokens_is_not_chosen_from),
        cmocka_unit_test(an_alias_on_no_token_is_not_guessed),
        cmocka_unit_test(a_token_that_is_not_initialised_says_so),
        cmocka_unit_test(a_token_that_is_away_may_come_back),
        cmocka_unit_test(a_token_that_is_just_written_is_waited_for),
        cmocka_unit_test(a_token_is_waited_for_at_each_look),
        cmocka_unit_test(a_token_that_came_after_the_start_is_found),
    };

    return cmocka_run_group_tests(tests, fill, fixture_drop);
}
