/* SPDX-License-Identifier: Apache-2.0 */
/* Keys made on a token that refuses something on the way: nothing half-made stays, and what was
 * there is still there. */
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "provision/provision.h"
#include "tests/token/fixture.h"

static struct shim *shim;

static int fill(void **state)
{
    if (fixture_make(state))
        return -1;
    make_token("lab");
    make_certificate("coming", "rsa:2048", "");
    run("cat coming.key coming.pem >coming.bundle");
    return 0;
}

/* The rows that a report got. */
struct rows {
    size_t keys, slots;
    struct {
        char label[32], id[64], subject[64];
        bool private, certificate, may_sign, may_decrypt;
    } key[8];
};

static void keep_key(void *arg, const struct key_row *row)
{
    struct rows *rows = arg;

    assert_true(rows->keys < 8);
    (void)snprintf(rows->key[rows->keys].label, 32, "%s", row->label);
    (void)snprintf(rows->key[rows->keys].id, 64, "%s", row->id);
    (void)snprintf(rows->key[rows->keys].subject, 64, "%s", row->subject);
    rows->key[rows->keys].private = row->has_private;
    rows->key[rows->keys].certificate = row->has_certificate;
    rows->key[rows->keys].may_sign = row->may_sign;
    rows->key[rows->keys].may_decrypt = row->may_decrypt;
    rows->keys++;
}

static void keep_slot(void *arg, const struct slot_row *row)
{
    (void)row;
    ((struct rows *)arg)->slots++;
}

static void keep_nothing(void *arg, const struct slot_row *row)
{
    (void)arg;
    (void)row;
}

static void count_key(void *arg, const struct key_row *row)
{
    (void)row;
    ++*(size_t *)arg;
}

static struct provision_report report_to(struct rows *rows)
{
    *rows = (struct rows){ .keys = 0 };
    return (struct provision_report){ keep_slot, keep_key, rows };
}

static struct target *target_of(const char *module, const char *token, const char *alias)
{
    const struct target_location place = { module, "", "", token, "", "", alias };
    se_error err = SE_ERROR_INIT;
    se_buf pin = SE_BUF_INIT;
    struct target *target;

    assert_status(SE_OK, target_direct(&target, &place, &err), &err);
    assert_status(SE_OK, buf_copy(&pin, text_bytes(PIN), &err), &err);
    target_set_pin(target, &pin);
    return target;
}

/* Through the shim, which lies about nothing yet. */
static struct target *target_at(const char *token, const char *alias)
{
    return target_of(ref_through_shim(&shim, token, alias)->location, token, alias);
}

static struct rows listed(const char *token)
{
    AUTO(target) target = target_of(softhsm, token, "");
    se_error err = SE_ERROR_INIT;
    struct rows rows;
    const struct provision_report report = report_to(&rows);

    assert_status(SE_OK, provision_list(target, 0, &report, &err), &err);
    return rows;
}

static const struct provision_profile ec = {
    .type = "ec:P-256", .subject = "", .usage = "sign", .days = 100
};

static se_status generate(struct target *target, const struct provision_profile *wish,
                          se_error *err)
{
    struct rows rows;
    const struct provision_report report = report_to(&rows);
    se_status st = provision_generate(target, wish, &report, err);

    assert_int_equal(rows.keys, st == SE_OK);
    return st;
}

static void a_key_whose_certificate_is_refused_goes_again(void **state)
{
    AUTO(target) target = target_at("lab", "half");
    se_error err = SE_ERROR_INIT;

    (void)state;
    shim->create = CKR_DEVICE_MEMORY;
    shim->create_class = CKO_CERTIFICATE;
    assert_status(SE_ERR_UNAVAILABLE, generate(target, &ec, &err), &err);
    assert_non_null(strstr(err.text, "the token does not take the certificate: CKR_DEVICE_MEMORY"));
    assert_int_equal(listed("lab").keys, 0);
}

static void a_key_that_does_not_sign_goes_again(void **state)
{
    AUTO(target) target = target_at("lab", "half");
    se_error err = SE_ERROR_INIT;

    (void)state;
    shim->sign = CKR_FUNCTION_FAILED;
    assert_status(SE_ERR_UNAVAILABLE, generate(target, &ec, &err), &err);
    assert_non_null(strstr(err.text, "CKR_FUNCTION_FAILED"));
    assert_int_equal(listed("lab").keys, 0);
}

static void a_pair_without_a_common_id_goes_again(void **state)
{
    AUTO(target) target = target_at("lab", "half");
    se_error err = SE_ERROR_INIT;

    (void)state;
    shim->set = CKR_ATTRIBUTE_READ_ONLY;
    assert_status(SE_ERR_STORE, generate(target, &ec, &err), &err);
    assert_non_null(strstr(err.text, "CKA_ID"));
    assert_int_equal(listed("lab").keys, 0);
}

static void a_failed_replacement_keeps_the_old_key(void **state)
{
    AUTO(target) target = target_at("lab", "old");
    struct provision_profile wish = ec;
    se_error err = SE_ERROR_INIT;
    struct rows before, after;

    (void)state;
    assert_status(SE_OK, generate(target, &ec, &err), &err);
    before = listed("lab");
    assert_int_equal(before.keys, 1);
    assert_status(SE_ERR_IO, generate(target, &ec, &err), &err);

    wish.force = true;
    for (int i = 0; i < 2; i++) {
        shim->create = i ? CKR_OK : CKR_DEVICE_MEMORY;
        shim->create_class = CKO_CERTIFICATE;
        shim->destroy = i ? CKR_ACTION_PROHIBITED : CKR_OK;
        err = (se_error)SE_ERROR_INIT;
        assert_status(i ? SE_ERR_KEY : SE_ERR_UNAVAILABLE, generate(target, &wish, &err), &err);
        after = listed("lab");
        assert_int_equal(after.keys, 1);
        assert_string_equal(after.key[0].id, before.key[0].id);
        assert_true(after.key[0].private && after.key[0].certificate);
    }
    err = (se_error)SE_ERROR_INIT;
    assert_status(SE_OK, generate(target, &wish, &err), &err);
    after = listed("lab");
    assert_int_equal(after.keys, 1);
    assert_string_not_equal(after.key[0].id, before.key[0].id);
    assert_status(SE_OK, provision_delete(target, NULL, &err), &err);
    assert_int_equal(listed("lab").keys, 0);
}

static se_status import(struct target *target, se_error *err)
{
    AUTO(se_buf) file = SE_BUF_INIT;
    AUTO(se_buf) none = SE_BUF_INIT;
    struct provision_import how = { .name = "file", .password = &none, .usage = "" };
    struct rows rows;
    const struct provision_report report = report_to(&rows);

    assert_status(SE_OK, file_read(&file, file_of("coming.bundle"), 100000, err), err);
    how.file = buf_bytes(&file);
    return provision_import(target, &how, &report, err);
}

static void an_import_comes_whole_or_not_at_all(void **state)
{
    static const CK_OBJECT_CLASS classes[] = { CKO_PRIVATE_KEY, CKO_PUBLIC_KEY, CKO_CERTIFICATE };
    AUTO(target) target = target_at("lab", "coming");
    se_error err = SE_ERROR_INIT;

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        shim->create = CKR_TEMPLATE_INCONSISTENT;
        shim->create_class = classes[i];
        err = (se_error)SE_ERROR_INIT;
        assert_status(SE_ERR_STORE, import(target, &err), &err);
        assert_int_equal(listed("lab").keys, 0);
    }
    shim->create = CKR_OK;
    for (int i = 0; i < 2; i++) { /* it does not sign as it should */
        shim->sign = i ? CKR_OK : CKR_FUNCTION_FAILED;
        shim->sign_short = i ? 1 : 0;
        err = (se_error)SE_ERROR_INIT;
        assert_status(i ? SE_ERR_CRYPTO : SE_ERR_UNAVAILABLE, import(target, &err), &err);
        assert_int_equal(listed("lab").keys, 0);
    }
    shim->sign_short = 0;
    err = (se_error)SE_ERROR_INIT;
    assert_status(SE_OK, import(target, &err), &err);
    assert_int_equal(listed("lab").keys, 1);
    assert_status(SE_OK, provision_delete(target, NULL, &err), &err);
}

static void a_key_for_encryption_signs_its_certificate_only(void **state)
{
    AUTO(target) target = target_at("lab", "encrypts");
    const struct provision_profile wish = {
        .type = "rsa:2048", .subject = "", .usage = "encrypt", .days = 1
    };
    se_error err = SE_ERROR_INIT;
    struct rows rows;

    (void)state;
    assert_status(SE_OK, generate(target, &wish, &err), &err);
    rows = listed("lab");
    assert_true(rows.key[0].may_decrypt);
    assert_false(rows.key[0].may_sign);
    assert_status(SE_OK, provision_delete(target, NULL, &err), &err);
}

static void a_token_may_have_ids_of_its_own(void **state)
{
    AUTO(target) target = target_at("lab", "own");
    se_error err = SE_ERROR_INIT;
    struct rows rows;

    (void)state;
    shim->own_ids = true;
    shim->set = CKR_ATTRIBUTE_READ_ONLY;
    assert_status(SE_OK, generate(target, &ec, &err), &err);
    rows = listed("lab");
    assert_int_equal(rows.keys, 1);
    assert_string_equal(rows.key[0].id, "42");
    assert_true(rows.key[0].certificate);
    assert_status(SE_OK, provision_delete(target, NULL, &err), &err);
}

/* NSS gives private keys no label: the certificate has it, and its CKA_ID leads to them. */
static void a_key_without_label_is_found_by_its_certificate(void **state)
{
    AUTO(target) target = target_at("lab", "nss");
    AUTO(se_buf) request = SE_BUF_INIT;
    const struct provision_profile wish = { .type = "", .subject = "", .usage = "sign" };
    se_error err = SE_ERROR_INIT;

    (void)state;
    make_certificate("nss", "ec:P-384", "");
    put_key("lab", "nss", "", "0a");
    put_certificate("lab", "nss", "nss", "0a");
    assert_status(SE_OK, provision_request(&request, target, &wish, &err), &err);
    assert_non_null(strstr((char *)request.data, "BEGIN CERTIFICATE REQUEST"));
    assert_status(SE_OK, provision_delete(target, NULL, &err), &err);
    assert_int_equal(listed("lab").keys, 0);
}

static void two_keys_of_one_name_are_told_apart_by_nobody(void **state)
{
    AUTO(target) target = target_at("lab", "twin");
    AUTO(se_buf) request = SE_BUF_INIT;
    const struct provision_profile wish = { .type = "", .subject = "", .usage = "sign" };
    se_error err = SE_ERROR_INIT;

    (void)state;
    make_certificate("twin1", "ec:P-256", "");
    make_certificate("twin2", "ec:P-256", "");
    put_key("lab", "twin1", "twin", "0b");
    put_key("lab", "twin2", "twin", "0c");
    assert_status(SE_ERR_KEY, provision_request(&request, target, &wish, &err), &err);
    assert_non_null(strstr(err.text, "there are 2 private keys of that label"));
    err = (se_error)SE_ERROR_INIT;
    assert_status(SE_ERR_KEY, provision_delete(target, NULL, &err), &err);
    assert_int_equal(listed("lab").keys, 2);
    run("pkcs11-tool --module %s --token-label lab --login --pin 1234 --delete-object --type "
        "privkey --id 0b",
        softhsm);
    run("pkcs11-tool --module %s --token-label lab --login --pin 1234 --delete-object --type "
        "pubkey --id 0b",
        softhsm);
    err = (se_error)SE_ERROR_INIT;
    assert_status(SE_OK, provision_delete(target, NULL, &err), &err);
    assert_int_equal(listed("lab").keys, 0);
}

/* More than a search for one name ever takes. */
static void a_long_list_is_told_in_full(void **state)
{
    AUTO(target) target = NULL;
    se_error err = SE_ERROR_INIT;
    struct provision_report report = { NULL, NULL, NULL };
    size_t count = 0;

    (void)state;
    make_token("full");
    make_certificate("many", "ec:P-256", "");
    for (int i = 0; i < 66; i++) {
        char label[16], id[8];

        (void)snprintf(label, sizeof label, "many%d", i);
        (void)snprintf(id, sizeof id, "%04x", i);
        put_certificate("full", "many", label, id);
    }
    target = target_of(softhsm, "full", "");
    report = (struct provision_report){ keep_nothing, count_key, &count };
    assert_status(SE_OK, provision_list(target, 0, &report, &err), &err);
    assert_int_equal(count, 66);
}

/* libp11 waits for ever when C_OpenSession fails: it must not be asked then. */
static void a_token_that_opens_no_session_is_no_endless_wait(void **state)
{
    AUTO(target) target = target_at("fresh", "");
    AUTO(se_buf) so_pin = SE_BUF_INIT;
    se_error err = SE_ERROR_INIT;
    struct rows rows;
    const struct provision_report report = report_to(&rows);

    (void)state;
    assert_status(SE_OK, buf_copy(&so_pin, text_bytes("12345678"), &err), &err);
    shim->open = CKR_SESSION_COUNT;
    (void)alarm(60);
    assert_status(SE_ERR_UNAVAILABLE, provision_init(target, &so_pin, false, NULL, &report, &err),
                  &err);
    assert_non_null(strstr(err.text, "CKR_SESSION_COUNT"));
    assert_non_null(strstr(err.text, "run it again with --force"));
    assert_int_equal(rows.slots, 0);

    shim->open = CKR_OK;
    err = (se_error)SE_ERROR_INIT;
    assert_status(SE_ERR_IO, provision_init(target, &so_pin, false, NULL, &report, &err), &err);
    err = (se_error)SE_ERROR_INIT;
    assert_status(SE_OK, provision_init(target, &so_pin, true, NULL, &report, &err), &err);
    assert_int_equal(rows.slots, 1);
    (void)alarm(0);
    assert_int_equal(listed("fresh").keys, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_whose_certificate_is_refused_goes_again),
        cmocka_unit_test(a_key_that_does_not_sign_goes_again),
        cmocka_unit_test(a_pair_without_a_common_id_goes_again),
        cmocka_unit_test(a_failed_replacement_keeps_the_old_key),
        cmocka_unit_test(an_import_comes_whole_or_not_at_all),
        cmocka_unit_test(a_key_for_encryption_signs_its_certificate_only),
        cmocka_unit_test(a_token_may_have_ids_of_its_own),
        cmocka_unit_test(a_key_without_label_is_found_by_its_certificate),
        cmocka_unit_test(two_keys_of_one_name_are_told_apart_by_nobody),
        cmocka_unit_test(a_long_list_is_told_in_full),
        cmocka_unit_test(a_token_that_opens_no_session_is_no_endless_wait),
    };

    return cmocka_run_group_tests(tests, fill, fixture_drop);
}
