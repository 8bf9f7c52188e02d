/* SPDX-License-Identifier: Apache-2.0 */
/* Certificate and private key behind an alias: found, matched, chained, and every way in which they
 * are not there. */
#include <openssl/x509v3.h>
#include <stdio.h>

#include "keystore/pkcs11/object.h"
#include "keystore/pkcs11/token.h"
#include "tests/token/fixture.h"

static int fill(void **state)
{
    if (fixture_make(state))
        return -1;
    make_token("lab");
    put_pair("lab", "rsa", "rsa:2048", "01");
    put_pair("lab", "ec", "ec:P-256", "02");
    return 0;
}

static void a_pair_is_found_by_its_label(void **state)
{
    struct key *rsa = opens(ref_to("lab", "rsa"), PART_SIGN),
               *ec = opens(ref_to("lab", "ec"), PART_SIGN);

    (void)state;
    assert_int_equal(key_family(rsa->private), FAMILY_RSA);
    assert_int_equal(key_family(ec->private), FAMILY_EC);
    key_unref(rsa);
    key_unref(ec);
}

static void a_certificate_needs_no_pin(void **state)
{
    struct shim *shim;
    struct keyref *ref = ref_through_shim(&shim, "lab", "rsa");
    struct key *key;

    (void)state;
    ref_pin(ref, "");
    key = opens(ref, PART_CERTIFICATE);
    assert_null(key->private);
    assert_non_null(key->certificate);
    assert_int_equal(shim->logins, 0);
    key_unref(key);
}

static void a_missing_alias_lists_what_is_there(void **state)
{
    (void)state;
    refuses(SE_ERR_KEY, ref_to("lab", "nix"), PART_SIGN, "token 'lab' in slot ", softhsm,
            "no certificate 'nix'; there is ", "certificate 'rsa'", "certificate 'ec'",
            "private key 'rsa'", "private key 'ec'", NULL);
    refuses(SE_ERR_KEY, ref_to("lab", "nix"), PART_CERTIFICATE,
            "no certificate 'nix'; there is certificate '", NULL);
}

static void a_token_may_find_one_thing_at_a_time(void **state)
{
    struct shim *shim;
    struct keyref *ref = ref_through_shim(&shim, "lab", "nix");

    (void)state;
    shim->found_at_once = 1;
    refuses(SE_ERR_KEY, ref, PART_SIGN, "certificate 'rsa'", "certificate 'ec'",
            "private key 'rsa'", "private key 'ec'", NULL);
}

static void an_empty_token_says_so(void **state)
{
    (void)state;
    make_token("empty");
    refuses(SE_ERR_KEY, ref_to("empty", "rsa"), PART_SIGN, "no certificate 'rsa'; there is nothing",
            NULL);
    refuses(SE_ERR_KEY, ref_to("empty", "rsa"), PART_CERTIFICATE,
            "there is nothing to be seen without a login", NULL);
}

static void a_key_without_certificate_says_what_to_do(void **state)
{
    (void)state;
    make_certificate("bare", "ec:P-256", "");
    put_key("lab", "bare", "bare", "03");
    refuses(
        SE_ERR_KEY, ref_to("lab", "bare"), PART_SIGN,
        "private key 'bare' has no certificate of that label: name one with certificate=", NULL);
}

static void a_configured_certificate_stands_in(void **state)
{
    struct keyref *ref = ref_to("lab", "bare");
    struct key *key;

    (void)state;
    ref->certificate = file_of("bare.pem");
    key = opens(ref, PART_SIGN);
    assert_non_null(key->private);
    key_unref(key);
    ref->certificate = file_of("ec.pem");
    refuses(SE_ERR_KEY, ref, PART_SIGN,
            "private key 'bare' and its certificate do not belong together", NULL);
    ref->certificate = file_of("absent.pem");
    refuses(SE_ERR_KEY, ref, PART_SIGN, "absent.pem", NULL);
}

static void a_certificate_without_key_lists_what_is_there(void **state)
{
    (void)state;
    make_certificate("paper", "ec:P-256", "");
    put_certificate("lab", "paper", "paper", "04");
    refuses(SE_ERR_KEY, ref_to("lab", "paper"), PART_SIGN,
            "no private key 'paper', nor one with the certificate's CKA_ID; there is ",
            "private key 'rsa'", NULL);
    key_unref(opens(ref_to("lab", "paper"), PART_CERTIFICATE));
}

/* NSS labels certificates only. */
static void a_key_is_found_by_the_certificates_id(void **state)
{
    struct key *key;

    (void)state;
    make_certificate("byid", "ec:P-256", "");
    put_key("lab", "byid", "some other label", "05");
    put_certificate("lab", "byid", "byid", "05");
    key = opens(ref_to("lab", "byid"), PART_SIGN);
    assert_non_null(key->private);
    key_unref(key);
}

/* The second certificate is another key's: `kind` says how that is found out. */
static void mismatched(const char *name, const char *kind, const char *id)
{
    char other[40];

    snprintf(other, sizeof other, "%s-other", name);
    make_certificate(name, kind, "");
    make_certificate(other, kind, "");
    put_key("lab", name, name, id);
    put_certificate("lab", other, name, id);
    refuses(SE_ERR_KEY, ref_to("lab", name), PART_SIGN, "private key '", name,
            "' and its certificate do not belong together", NULL);
}

static void a_certificate_of_another_key_is_refused(void **state)
{
    struct shim *shim;
    struct keyref *ref = ref_through_shim(&shim, "lab", "wrong-rsa");

    (void)state;
    mismatched("wrong-rsa", "rsa:2048", "06");
    mismatched("wrong-ec", "ec:P-256", "07");
    shim->hidden = CKA_MODULUS; /* leaves the probe signature */
    refuses(SE_ERR_KEY, ref, PART_SIGN, "do not belong together", NULL);
    make_certificate("wrong-type", "ec:P-256", "");
    put_key("lab", "ec", "wrong-type", "08");
    put_certificate("lab", "rsa", "wrong-type", "08");
    refuses(SE_ERR_KEY, ref_to("lab", "wrong-type"), PART_SIGN, "do not belong together", NULL);
}

static void a_match_is_found_out_by_a_signature_if_by_nothing_else(void **state)
{
    struct shim *shim;
    struct keyref *rsa = ref_through_shim(&shim, "lab", "rsa"),
                  *ec = ref_through_shim(&shim, "lab", "ec");

    (void)state;
    shim->hidden = CKA_MODULUS;
    key_unref(opens(rsa, PART_SIGN));
    assert_int_equal(shim->signatures, 1);
    shim->hidden = CKA_EC_POINT;
    key_unref(opens(ec, PART_SIGN));
    assert_int_equal(shim->signatures, 2);
    shim->hidden = 0;
    key_unref(opens(rsa, PART_SIGN));
    key_unref(opens(ec, PART_SIGN));
    assert_int_equal(shim->signatures, 2);
}

static void of_several_certificates_the_last_to_expire_that_fits_is_taken(void **state)
{
    struct key *key;
    char *subject;

    (void)state;
    make_certificate("old", "ec:P-256", "-subj /CN=old -days 10");
    run("cp old.key new.key; cp old.key newest.key");
    make_certificate("new", "ec:P-256", "-days 20");
    make_certificate("alien", "ec:P-256", "-days 3000");
    put_key("lab", "old", "several", "0a");
    put_certificate("lab", "old", "several", "0a");
    put_certificate("lab", "new", "several", "0b");
    put_certificate("lab", "alien", "several", "0c");
    key = opens(ref_to("lab", "several"), PART_SIGN);
    subject = X509_NAME_oneline(X509_get_subject_name(key->certificate), NULL, 0);
    assert_string_equal(subject, "/CN=new");
    OPENSSL_free(subject);
    key_unref(key);
}

static void the_chain_is_read_from_the_token(void **state)
{
    struct key *key;

    (void)state;
    make_certificate("root", "ec:P-256", "-addext basicConstraints=critical,CA:TRUE");
    make_certificate("middle", "ec:P-256",
                     "-CA root.pem -CAkey root.key -addext basicConstraints=critical,CA:TRUE");
    make_certificate("leaf", "rsa:2048", "-CA middle.pem -CAkey middle.key");
    put_key("lab", "leaf", "leaf", "10");
    put_certificate("lab", "leaf", "leaf", "10");
    put_certificate("lab", "middle", "ca 1", "11");
    put_certificate("lab", "root", "ca 2", "12");
    key = opens(ref_to("lab", "leaf"), PART_SIGN);
    assert_int_equal(sk_X509_num(key->chain), 2);
    assert_int_equal(X509_check_issued(sk_X509_value(key->chain, 0), key->certificate), X509_V_OK);
    assert_int_equal(X509_check_issued(sk_X509_value(key->chain, 1), sk_X509_value(key->chain, 0)),
                     X509_V_OK);
    key_unref(key);
    key = opens(ref_to("lab", "leaf"), PART_CERTIFICATE);
    assert_int_equal(sk_X509_num(key->chain), 2);
    key_unref(key);
    key = opens(ref_to("lab", "rsa"), PART_SIGN);
    assert_null(key->chain);
    key_unref(key);
}

/* An attribute of the private key `label`, set by the token's own means. */
static void set_flag(const char *label, CK_ATTRIBUTE_TYPE type, CK_BBOOL value)
{
    struct keyref *ref = ref_to("lab", label);
    struct query query = query_class(&class_private);
    CK_ATTRIBUTE change = { type, &value, sizeof value };
    AUTO(module) module = NULL;
    AUTO(token) token = NULL;
    AUTO(session) session = { 0 };
    se_error err = SE_ERROR_INIT;
    struct objects found;
    CK_OBJECT_HANDLE changed;
    CK_SLOT_ID slot;

    assert_status(SE_OK, module_open(&module, softhsm, "", &err), &err);
    assert_status(SE_OK, token_select(&slot, module, ref, &err), &err);
    assert_status(SE_OK, token_open(&token, module, slot, &err), &err);
    assert_status(SE_OK, session_open(&session, module, slot, CKF_RW_SESSION, &err), &err);
    assert_status(SE_OK, token_login(token, &session, ref, &err), &err);
    query_add(&query, CKA_LABEL, text_bytes(label));
    assert_status(SE_OK, object_find(&found, &session, &query, &err), &err);
    assert_int_equal(found.count, 1);
    assert_int_equal(
        session.calls->C_CopyObject(session.handle, found.list[0], &change, 1, &changed), CKR_OK);
    assert_int_equal(session.calls->C_DestroyObject(session.handle, found.list[0]), CKR_OK);
}

static void a_key_that_may_not_sign_is_refused(void **state)
{
    (void)state;
    put_pair("lab", "decrypt-rsa", "rsa:2048", "20");
    put_pair("lab", "derive-ec", "ec:P-256", "21");
    set_flag("decrypt-rsa", CKA_SIGN, CK_FALSE);
    set_flag("derive-ec", CKA_SIGN, CK_FALSE);
    refuses(SE_ERR_KEY, ref_to("lab", "decrypt-rsa"), PART_SIGN,
            "private key 'decrypt-rsa' may not sign (CKA_SIGN is false)", NULL);
    refuses(SE_ERR_KEY, ref_to("lab", "derive-ec"), PART_SIGN,
            "private key 'derive-ec' may not sign (CKA_SIGN is false)", NULL);
    key_unref(opens(ref_to("lab", "decrypt-rsa"), PART_CERTIFICATE));
    key_unref(opens(ref_to("lab", "decrypt-rsa"), PART_DECRYPT));
}

static void a_key_that_may_not_decrypt_is_refused(void **state)
{
    (void)state;
    put_pair("lab", "sign-rsa", "rsa:2048", "22");
    set_flag("sign-rsa", CKA_DECRYPT, CK_FALSE);
    refuses(SE_ERR_KEY, ref_to("lab", "sign-rsa"), PART_DECRYPT,
            "private key 'sign-rsa' may not decrypt (CKA_DECRYPT is false)", NULL);
    key_unref(opens(ref_to("lab", "sign-rsa"), PART_SIGN));
}

static void a_key_of_an_unknown_kind_is_refused(void **state)
{
    (void)state;
    run("openssl genpkey -quiet -algorithm ED25519 -out edwards.key");
    make_certificate("edwards", "ed:25519", "");
    put_certificate("lab", "edwards", "edwards", "22");
    put_key("lab", "ec", "edwards", "22");
    refuses(SE_ERR_KEY, ref_to("lab", "edwards"), PART_SIGN,
            "type ED25519, and only RSA and EC keys are served", NULL);
}

static void a_token_that_can_not_be_searched_is_told(void **state)
{
    struct shim *shim;
    struct keyref *ref = ref_through_shim(&shim, "lab", "rsa");

    (void)state;
    shim->find = CKR_DEVICE_REMOVED;
    refuses(SE_ERR_UNAVAILABLE, ref, PART_SIGN,
            "cannot search the token: CKR_DEVICE_REMOVED (0x32)", NULL);
    shim->find = CKR_VENDOR_DEFINED + 7;
    refuses(SE_ERR_STORE, ref, PART_SIGN, "cannot search the token: an unknown CKR (0x80000007)",
            NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pair_is_found_by_its_label),
        cmocka_unit_test(a_certificate_needs_no_pin),
        cmocka_unit_test(a_missing_alias_lists_what_is_there),
        cmocka_unit_test(a_token_may_find_one_thing_at_a_time),
        cmocka_unit_test(an_empty_token_says_so),
        cmocka_unit_test(a_key_without_certificate_says_what_to_do),
        cmocka_unit_test(a_configured_certificate_stands_in),
        cmocka_unit_test(a_certificate_without_key_lists_what_is_there),
        cmocka_unit_test(a_key_is_found_by_the_certificates_id),
        cmocka_unit_test(a_certificate_of_another_key_is_refused),
        cmocka_unit_test(a_match_is_found_out_by_a_signature_if_by_nothing_else),
        cmocka_unit_test(of_several_certificates_the_last_to_expire_that_fits_is_taken),
        cmocka_unit_test(the_chain_is_read_from_the_token),
        cmocka_unit_test(a_key_that_may_not_sign_is_refused),
        cmocka_unit_test(a_key_that_may_not_decrypt_is_refused),
        cmocka_unit_test(a_key_of_an_unknown_kind_is_refused),
        cmocka_unit_test(a_token_that_can_not_be_searched_is_told),
    };

    return cmocka_run_group_tests(tests, fill, fixture_drop);
}
