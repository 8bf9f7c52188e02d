/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/config.h"

#define KEY(name) "<key name='" name "'><type name='pem' locationValue='" name ".pem'/></key>\n"

static const char two_versions[] = ROOT(
    "<descriptor name='FileSigner' version='2'><type algorithm='SHA256withRSA' "
    "key='newer'/></descriptor>\n"
    "<descriptor name='FileSigner'><type algorithm='SHA256withRSA' key='older'/></descriptor>\n",
    KEY("older") KEY("newer"));

static void the_highest_version_is_meant_when_none_is_named(void **state)
{
    AUTO(config) config = parsed(two_versions);
    const struct descriptor *d;
    se_error err = SE_ERROR_INIT;

    (void)state;
    assert_status(SE_OK, config_descriptor(&d, config, "FileSigner", 0, &err), &err);
    assert_int_equal(d->version, 2);
    assert_string_equal(d->key->name, "newer");
    assert_status(SE_OK, config_descriptor(&d, config, "FileSigner", 1, &err), &err);
    assert_int_equal(d->version, 1);
    assert_string_equal(d->key->name, "older");
}

static void a_missing_descriptor_is_told_with_what_is_there(void **state)
{
    AUTO(config) config = parsed(two_versions);
    const struct descriptor *d;
    se_error err = SE_ERROR_INIT, other = SE_ERROR_INIT, version = SE_ERROR_INIT;

    (void)state;
    assert_status(SE_ERR_NO_DESCRIPTOR, config_descriptor(&d, config, "FileSinger", 0, &err), &err);
    assert_null(d);
    assert_string_equal(
        err.text, "no descriptor 'FileSinger' in 'conf/engine.xml'; did you mean 'FileSigner'?");
    assert_status(SE_ERR_NO_DESCRIPTOR, config_descriptor(&d, config, "EncryptedFields", 0, &other),
                  &other);
    assert_string_equal(
        other.text,
        "no descriptor 'EncryptedFields' in 'conf/engine.xml'; there are: 'FileSigner'");
    assert_status(SE_ERR_NO_DESCRIPTOR, config_descriptor(&d, config, "FileSigner", 3, &version),
                  &version);
    assert_string_equal(version.text,
                        "descriptor 'FileSigner' has no version 3 in 'conf/engine.xml', but 2, 1");
}

static void keys_are_found_by_name(void **state)
{
    AUTO(config) config = parsed(two_versions);
    const struct key_entry *key;
    se_error err = SE_ERROR_INIT;

    (void)state;
    assert_status(SE_OK, config_key(&key, config, "newer", &err), &err);
    assert_int_equal(key->count, 1);
    assert_string_equal(key->replicas[0].store, "pem");
    assert_string_equal(key->replicas[0].location, "conf/newer.pem");
    assert_status(SE_ERR_CONFIG, config_key(&key, config, "olde", &err), &err);
    assert_string_equal(err.text, "no key 'olde'; did you mean 'older'?");
}

static void nothing_is_released_twice_or_missed(void **state)
{
    (void)state;
    config_free(NULL);
}

static void a_held_keyref_outlives_its_configuration(void **state)
{
    struct config *config = parsed(two_versions);
    AUTO(keyref) ref = keyref_hold(&config->keys[0].replicas[0]);

    (void)state;
    config_free(config);
    assert_string_equal(ref->store, "pem");
}

/* A target has one of its own, and functions have some on their stack. */
static void a_held_keyref_outlives_what_it_is_a_copy_of(void **state)
{
    struct keyref ref = { .store = "pem", .alias = "a" };
    struct keyref copy;
    const struct keyref *first, *second, *of_copy;

    (void)state;
    assert_int_equal(buf_copy(&ref.pin, text_bytes("1234"), NULL), SE_OK);
    first = keyref_hold(&ref);
    assert_ptr_not_equal(first, &ref);
    second = keyref_hold(first);
    assert_ptr_equal(second, first);
    copy = *first;
    of_copy = keyref_hold(&copy);
    assert_ptr_not_equal(of_copy, first);
    keyref_release(first);
    se_buf_free(&ref.pin);
    memset(&ref, 0, sizeof ref);
    assert_string_equal(second->alias, "a");
    assert_string_equal((const char *)second->pin.data, "1234");
    keyref_release(second);
    memset(&copy, 0, sizeof copy);
    assert_string_equal((const char *)of_copy->pin.data, "1234");
    keyref_release(of_copy);
    keyref_release(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_highest_version_is_meant_when_none_is_named),
        cmocka_unit_test(a_missing_descriptor_is_told_with_what_is_there),
        cmocka_unit_test(keys_are_found_by_name),
        cmocka_unit_test(nothing_is_released_twice_or_missed),
        cmocka_unit_test(a_held_keyref_outlives_its_configuration),
        cmocka_unit_test(a_held_keyref_outlives_what_it_is_a_copy_of),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
