/* SPDX-License-Identifier: Apache-2.0 */
/* Key files that are rewritten: what is not ours stays, and what fails leaves the file as it was.
 */
#include <openssl/pem.h>

#include "crypto/crypto.h"
#include "keystore/pkcs12.h"
#include "provision/provision.h"
#include "tests/unit/folder.h"

#define PIN "pin of the file"

static size_t rows;

static void count_key(void *arg, const struct key_row *row)
{
    (void)arg;
    assert_true(*row->label && *row->type);
    rows++;
}

static const struct provision_report report = { NULL, count_key, NULL };
static const struct provision_profile wish = {
    .type = "ec:P-256", .subject = "", .usage = "sign", .days = 100
};
static const struct provision_profile asked = {
    .type = "", .subject = "", .usage = "sign", .days = 100
};
static const struct provision_profile forced = {
    .type = "ec:P-384", .subject = "", .usage = "sign", .days = 100, .force = true
};

static struct target *target_at(const char *file, const char *alias, const char *pin)
{
    const struct target_location place = { "", "", "", "", "", file, alias };
    se_error err = SE_ERROR_INIT;
    se_buf buf = SE_BUF_INIT;
    struct target *target;

    assert_status(SE_OK, target_direct(&target, &place, &err), &err);
    assert_status(SE_OK, buf_copy(&buf, text_bytes(pin), &err), &err);
    target_set_pin(target, &buf);
    return target;
}

static void generates(se_status status, const char *file, const char *alias,
                      const struct provision_profile *what)
{
    AUTO(target) target = target_at(file, alias, PIN);
    se_error err = SE_ERROR_INIT;

    rows = 0;
    assert_status(status, provision_generate(target, what, &report, &err), &err);
    assert_int_equal(rows, !status);
}

static size_t keys_in(const char *file)
{
    AUTO(target) target = target_at(file, "", PIN);
    se_error err = SE_ERROR_INIT;

    rows = 0;
    assert_status(SE_OK, provision_list(target, 0, &report, &err), &err);
    return rows;
}

/* All bags of the file, by kind. */
static size_t bags_in(const char *file, int nid)
{
    AUTO(se_buf) content = SE_BUF_INIT;
    se_buf pin = { (unsigned char *)PIN, strlen(PIN) };
    AUTO(pkcs12_file) pkcs12 = { .bags = NULL };
    se_error err = SE_ERROR_INIT;
    size_t count = 0;

    assert_status(SE_OK, file_read(&content, file, 1 << 20, &err), &err);
    assert_status(SE_OK, pkcs12_read(&pkcs12, buf_bytes(&content), &pin, &err), &err);
    for (int i = 0; i < sk_PKCS12_SAFEBAG_num(pkcs12.bags); i++)
        count += PKCS12_SAFEBAG_get_nid(sk_PKCS12_SAFEBAG_value(pkcs12.bags, i)) == nid;
    return count;
}

/* A PKCS #12 with a secret in it, as Java writes them. */
static void make_secret(const char *file)
{
    STACK_OF(PKCS12_SAFEBAG) *bags = NULL;
    STACK_OF(PKCS7) *safes = NULL;
    PKCS12 *pkcs12;
    FILE *out = fopen(file, "we");

    assert_non_null(
        PKCS12_add_secret(&bags, NID_id_aes256_wrap, (const unsigned char *)"0123456789", 10));
    assert_int_equal(PKCS12_add_safe(&safes, bags, NID_aes_256_cbc, 1000, PIN), 1);
    assert_non_null(pkcs12 = PKCS12_add_safes(safes, 0));
    assert_int_equal(PKCS12_set_mac(pkcs12, PIN, -1, NULL, 0, 1000, NULL), 1);
    assert_int_equal(i2d_PKCS12_fp(out, pkcs12), 1);
    fclose(out);
    PKCS12_free(pkcs12);
    sk_PKCS7_pop_free(safes, PKCS7_free);
    sk_PKCS12_SAFEBAG_pop_free(bags, PKCS12_SAFEBAG_free);
}

static void unknown_bags_survive(void **state)
{
    AUTO(target) target = NULL;
    se_error err = SE_ERROR_INIT;

    (void)state;
    make_secret("store.p12");
    generates(SE_OK, "store.p12", "one", &wish);
    generates(SE_OK, "store.p12", "two", &wish);
    generates(SE_OK, "store.p12", "ONE", &forced);
    assert_int_equal(bags_in("store.p12", NID_secretBag), 1);
    assert_int_equal(bags_in("store.p12", NID_pkcs8ShroudedKeyBag), 2);
    assert_int_equal(bags_in("store.p12", NID_certBag), 2);
    target = target_at("store.p12", "two", PIN);
    assert_status(SE_OK, provision_delete(target, NULL, &err), &err);
    assert_int_equal(bags_in("store.p12", NID_secretBag), 1);
    assert_int_equal(bags_in("store.p12", NID_pkcs8ShroudedKeyBag), 1);
    assert_int_equal(bags_in("store.p12", NID_certBag), 1);
}

static void the_last_key_takes_the_file_with_it(void **state)
{
    static const char *const files[] = { "a.p12", "a.pem" };

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        AUTO(target) target = NULL;
        se_error err = SE_ERROR_INIT;

        generates(SE_OK, files[i], "one", &wish);
        assert_int_equal(mode_of(files[i]) & 07777, 0600);
        target = target_at(files[i], "one", PIN);
        assert_status(SE_OK, provision_delete(target, NULL, &err), &err);
        assert_int_not_equal(access(files[i], F_OK), 0);
    }
    assert_int_equal(names_here(false), 0);
}

static void force_replaces_one_key(void **state)
{
    static const char *const files[] = { "a.p12", "a.pem" };

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        generates(SE_OK, files[i], "one", &wish);
        generates(SE_ERR_IO, files[i], "one", &wish);
        generates(SE_OK, files[i], "one", &forced);
        assert_int_equal(keys_in(files[i]), 1);
    }
    generates(SE_OK, "a.p12", "two", &forced);
    assert_int_equal(keys_in("a.p12"), 2);
}

static void a_wrong_pin_changes_nothing(void **state)
{
    static const char *const files[] = { "a.p12", "a.pem" };

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        AUTO(target) target = NULL;
        AUTO(se_buf) before = SE_BUF_INIT;
        AUTO(se_buf) after = SE_BUF_INIT;
        se_error err = SE_ERROR_INIT;

        generates(SE_OK, files[i], "one", &wish);
        assert_status(SE_OK, file_read(&before, files[i], 100000, &err), &err);
        target = target_at(files[i], "one", "another pin");
        assert_status(SE_ERR_ACCESS, provision_generate(target, &forced, &report, &err), &err);
        assert_null(strstr(err.text, "another pin"));
        err = (se_error)SE_ERROR_INIT;
        assert_status(SE_ERR_ACCESS, provision_delete(target, NULL, &err), &err);
        err = (se_error)SE_ERROR_INIT;
        assert_status(SE_OK, file_read(&after, files[i], 100000, &err), &err);
        assert_int_equal(before.size, after.size);
        assert_memory_equal(before.data, after.data, before.size);
    }
}

/* Rewriting them would lose what a PEM file holds besides. */
static void pem_with_more_in_it_is_left_alone(void **state)
{
    static const char more[] = "-----BEGIN DH PARAMETERS-----\nAAAA\n-----END DH PARAMETERS-----\n";
    AUTO(se_buf) before = SE_BUF_INIT;
    AUTO(target) target = NULL;
    se_error err = SE_ERROR_INIT;
    FILE *file;

    (void)state;
    generates(SE_OK, "a.pem", "one", &wish);
    file = fopen("a.pem", "ae");
    fputs(more, file);
    fclose(file);
    assert_status(SE_OK, file_read(&before, "a.pem", 100000, &err), &err);
    generates(SE_ERR_STORE, "a.pem", "one", &forced);
    target = target_at("a.pem", "one", PIN);
    assert_status(SE_ERR_STORE, provision_delete(target, NULL, &err), &err);
    assert_non_null(strstr(err.text, "3 PEM blocks, not 2"));
    assert_holds("a.pem", (char *)before.data);
    /* whoever only signs with it may */
    err = (se_error)SE_ERROR_INIT;
    se_buf_free(&before);
    assert_status(SE_OK, provision_request(&before, target, &asked, &err), &err);
}

static void other_files_are_never_overwritten(void **state)
{
    static const char *const texts[] = { "<engineSignEncrypt/>", "hello", "\x30 looks like DER",
                                         "-----BEGIN NOTHING-----\n-----END NOTHING-----\n" };

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        make("file", texts[i], 0644);
        generates(SE_ERR_STORE, "file", "one", &forced);
        assert_holds("file", texts[i]);
        assert_int_equal(unlink("file"), 0);
    }
}

static void a_link_stays_a_link(void **state)
{
    (void)state;
    generates(SE_OK, "real.p12", "one", &wish);
    assert_int_equal(chmod("real.p12", 0640), 0);
    assert_int_equal(symlink("real.p12", "link.p12"), 0);
    generates(SE_OK, "link.p12", "two", &wish);
    assert_true(S_ISLNK(mode_of("link.p12")));
    assert_int_equal(mode_of("real.p12") & 07777, 0640);
    assert_int_equal(keys_in("real.p12"), 2);
}

static se_status generate_here(se_error *err)
{
    AUTO(target) target = target_at("a.p12", "two", PIN);

    return provision_generate(target, &wish, &report, err);
}

static void a_folder_that_is_closed_is_told(void **state)
{
    se_error err = SE_ERROR_INIT;

    (void)state;
    generates(SE_OK, "a.p12", "one", &wish);
    assert_int_equal(chmod("a.p12", 0644), 0);
    assert_int_equal(chmod(".", 0555), 0);
    assert_status(SE_ERR_ACCESS, as_nobody(generate_here, &err), &err);
    assert_int_equal(chmod(".", 0700), 0);
    assert_int_equal(keys_in("a.p12"), 1);
    assert_int_equal(names_here(false), 1);
}

static void targets_say_what_they_miss(void **state)
{
    static const struct {
        struct target_location place;
        const char *words;
    } cases[] = {
        { { "", "", "", "", "", "", "" }, "name one of them" },
        { { "m", "", "", "", "", "f.p12", "" }, "name one of them" },
        { { "m", "", "x", "", "", "", "" }, "slot 'x'" },
        { { "m", "", "99999999999999999999999", "", "", "", "" }, "slot '9" },
        { { "", "", "", "", "", "new", "" }, "a new file ends in" },
        { { "", "", "", "", "", "new.p13", "" }, "a new file ends in" },
        { { "", "", "", "", "", "a.p12/new", "" }, "a new file ends in" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AUTO(target) target = NULL;
        se_error err = SE_ERROR_INIT;

        assert_status(SE_ERR_USAGE, target_direct(&target, &cases[i].place, &err), &err);
        assert_null(target);
        if (!strstr(err.text, cases[i].words))
            fail_msg("'%s' does not hold '%s'", err.text, cases[i].words);
    }
    target_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(unknown_bags_survive),
        IN_FOLDER(the_last_key_takes_the_file_with_it),
        IN_FOLDER(force_replaces_one_key),
        IN_FOLDER(a_wrong_pin_changes_nothing),
        IN_FOLDER(pem_with_more_in_it_is_left_alone),
        IN_FOLDER(other_files_are_never_overwritten),
        IN_FOLDER(a_link_stays_a_link),
        IN_FOLDER(a_folder_that_is_closed_is_told),
        IN_FOLDER(targets_say_what_they_miss),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
