/* SPDX-License-Identifier: Apache-2.0 */
/* What se_check() says of keys on tokens: how they do their work, what they lack, and which replica
 * does not serve. */
#include <stdio.h>

#include "tests/token/places.h"

#define SIGNER(name, algorithm)                                                                    \
    "<descriptor name='" name "'><type algorithm='" algorithm "' key='k'/></descriptor>"
#define FIELDS(name, hash)                                                                         \
    "<descriptor name='" name                                                                      \
    "'><type algorithm='AES/CBC/PKCS7Padding' key='k' asymCipher='RSA/ECB/OAEPWith" hash           \
    "AndMGF1Padding'/></descriptor>"
#define BOTH FIELDS("Fields", "SHA-384") SIGNER("Files", "SHA256withRSA")

/* Rows as "DESCRIPTOR STATUS [warning] MECHANISM|", and the last text that was not empty. */
struct rows {
    char text[1000], why[1000];
    se_status status;
};

static void take(void *arg, const se_check_row *row)
{
    struct rows *rows = arg;
    size_t used = strlen(rows->text);

    snprintf(rows->text + used, sizeof rows->text - used, "%s %s%s %s|", row->descriptor,
             se_status_name(row->status), row->warning ? " warning" : "", row->mechanism);
    if (*row->text)
        snprintf(rows->why, sizeof rows->why, "%s", row->text);
}

static struct rows check(bool probe)
{
    se_check_options options = SE_CHECK_OPTIONS_INIT;
    struct rows rows = { .text = "" };
    se_error err = SE_ERROR_INIT;
    se_engine *engine;

    assert_status(SE_OK, se_open(&engine, file_of("engine.xml"), NULL, &err), &err);
    options.probe = probe;
    rows.status = se_check(engine, take, &rows, &options, NULL);
    se_close(&engine);
    return rows;
}

static void assert_rows(const struct rows *rows, se_status status, const char *text)
{
    assert_string_equal(rows->text, text);
    assert_int_equal(rows->status, status);
}

static void assert_why(const struct rows *rows, const char *text)
{
    if (!strstr(rows->why, text))
        fail_msg("'%s' is not in: %s", text, rows->why);
}

static void a_probe_says_how(void **state)
{
    struct rows rows;

    (void)state;
    configure_for(FIELDS("Sha1", "SHA-1") BOTH SIGNER("Pss", "SHA256withRSAandMGF1"), FIRST);
    rows = check(true);
    assert_rows(&rows, SE_OK,
                "Sha1 ok CKM_RSA_PKCS_OAEP|Fields ok CKM_RSA_X_509 + OAEP in software|Files ok "
                "CKM_RSA_PKCS|Pss ok CKM_RSA_PKCS_PSS|");
    rows = check(false);
    assert_rows(&rows, SE_OK, "Sha1 ok |Fields ok |Files ok |Pss ok |");
}

static void refuse(CK_MECHANISM_TYPE first, CK_MECHANISM_TYPE second)
{
    shim->refused[0] = first;
    shim->refused[1] = second;
    shim->refusal = CKR_MECHANISM_INVALID;
}

static void what_a_token_lacks_is_named(void **state)
{
    struct rows rows;

    (void)state;
    configure_for(SIGNER("Files", "SHA256withRSA"), FIRST);
    refuse(CKM_RSA_PKCS, 0);
    rows = check(true);
    assert_rows(&rows, SE_OK, "Files ok CKM_RSA_X_509 + PKCS #1 padding in software|");
    refuse(CKM_RSA_PKCS, CKM_RSA_X_509);
    rows = check(true);
    assert_rows(&rows, SE_ERR_KEY, "Files key |");
    assert_why(&rows, "neither CKM_RSA_PKCS nor CKM_RSA_X_509");
    configure_for(FIELDS("Fields", "SHA-384"), FIRST);
    refuse(CKM_RSA_X_509, 0);
    rows = check(true);
    assert_rows(&rows, SE_ERR_KEY, "Fields key |");
    assert_why(&rows, "neither CKM_RSA_PKCS_OAEP with SHA-384 and MGF1 over SHA-384");
}

static void each_replica_is_probed(void **state)
{
    struct rows rows;

    (void)state;
    configure_for(BOTH, FIRST SECOND IN_FILE);
    rows = check(true);
    assert_rows(
        &rows, SE_OK,
        "Fields ok CKM_RSA_X_509 + OAEP in software, software|Files ok CKM_RSA_PKCS, software|");
    refuse(CKM_RSA_PKCS, CKM_RSA_X_509);
    rows = check(true);
    assert_rows(&rows, SE_OK,
                "Fields ok warning CKM_RSA_X_509 + OAEP in software, software|Files ok warning "
                "CKM_RSA_PKCS, software|");
    assert_why(&rows, "replica 1 (line 4): ");
    assert_why(&rows, "neither CKM_RSA_PKCS nor CKM_RSA_X_509");
}

static void a_replica_that_is_away_is_a_warning(void **state)
{
    struct rows rows;

    (void)state;
    configure(FIRST SECOND NO_FILE);
    set_away(CKR_DEVICE_REMOVED);
    rows = check(false);
    assert_rows(&rows, SE_OK, "Files ok warning |");
    assert_why(&rows, "replica 1 (line 4): ");
    assert_why(&rows, "CKR_DEVICE_REMOVED");
    assert_why(&rows, "; replica 3 (line 6): ");
    configure(FIRST NO_FILE);
    set_away(CKR_DEVICE_REMOVED);
    rows = check(true);
    assert_rows(&rows, SE_ERR_UNAVAILABLE, "Files unavailable |");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_probe_says_how),
        cmocka_unit_test(what_a_token_lacks_is_named),
        cmocka_unit_test(each_replica_is_probed),
        cmocka_unit_test(a_replica_that_is_away_is_a_warning),
    };

    return cmocka_run_group_tests(tests, places_fill, fixture_drop);
}
