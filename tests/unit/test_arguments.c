/* SPDX-License-Identifier: Apache-2.0 */
/* NULL where none may be is SE_ERR_USAGE, in every function that is exported, and never a crash;
 * and an se_error tells the last call. */
#include <string.h>

#include "signengine-history.h"
#include "signengine-mail.h"
#include "signengine.h"
#include "tests/unit/unit.h"

static int any;
static se_engine *const engine = (se_engine *)&any; /* nobody gets as far as to use it */
static se_history *const history = (se_history *)&any;
static const se_verifier *const verifier = (const se_verifier *)&any;
static const se_bytes bytes = { "x", 1 }, nowhere = { NULL, 1 };

static ptrdiff_t read_nothing(void *arg, void *data, size_t size)
{
    (void)arg;
    (void)data;
    (void)size;
    return 0;
}
static int write_nothing(void *arg, const void *data, size_t size)
{
    (void)arg;
    (void)data;
    (void)size;
    return 0;
}
static const se_source source = { read_nothing, NULL, 0 }, no_source = { NULL, NULL, 0 };
static const se_sink sink = { write_nothing, NULL }, no_sink = { NULL, NULL };

static void hear_row(void *arg, const se_check_row *row)
{
    (void)arg;
    (void)row;
}
static void hear_property(void *arg, const char *item, const char *property, const char *value)
{
    (void)arg;
    (void)item;
    (void)property;
    (void)value;
}
static void hear_difference(void *arg, const char *item, const char *property, const char *before,
                            const char *after)
{
    (void)arg;
    (void)item;
    (void)property;
    (void)before;
    (void)after;
}
static bool hear_entry(void *arg, const se_history_entry *entry)
{
    (void)arg;
    (void)entry;
    return true;
}

/* The call refuses `name`, whatever the error and the output held before. */
#define REFUSED(name_, call_)                                                                      \
    do {                                                                                           \
        se_error e = { SE_ERR_CRYPTO, 1, "old", "old" };                                           \
        assert_int_equal((call_), SE_ERR_USAGE);                                                   \
        assert_int_equal(e.status, SE_ERR_USAGE);                                                  \
        assert_non_null(strstr(e.text, "'" name_ "' is NULL"));                                    \
    } while (0)

static void opening(void **state)
{
    se_engine *out = engine;
    char print[65] = "x";

    (void)state;
    REFUSED("out", se_open(NULL, "x", NULL, &e));
    REFUSED("path", se_open(&out, NULL, NULL, &e));
    assert_null(out);
    assert_int_equal(se_open(NULL, NULL, NULL, NULL), SE_ERR_USAGE);
    REFUSED("out", se_fingerprint(NULL, engine, &e));
    REFUSED("engine", se_fingerprint(print, NULL, &e));
    assert_string_equal(print, "");
    REFUSED("engine", se_describe(NULL, hear_property, NULL, &e));
    REFUSED("fn", se_describe(engine, NULL, NULL, &e));
    REFUSED("engine", se_reload(NULL, &e));
    REFUSED("out", se_hold(NULL, engine, &e));
    out = engine;
    REFUSED("engine", se_hold(&out, NULL, &e));
    assert_null(out);
    REFUSED("before", se_config_diff(NULL, engine, hear_difference, NULL, &e));
    REFUSED("after", se_config_diff(engine, NULL, hear_difference, NULL, &e));
    REFUSED("fn", se_config_diff(engine, engine, NULL, NULL, &e));
    REFUSED("engine", se_check(NULL, hear_row, NULL, NULL, &e));
    REFUSED("fn", se_check(engine, NULL, NULL, NULL, &e));
    se_close(NULL);
    se_close(&out);
}

static void signing(void **state)
{
    se_signer signer = { .version = 1 };
    se_buf out = { (unsigned char *)&any, 4 };

    (void)state;
    REFUSED("out", se_find_signer(NULL, engine, "x", NULL, &e));
    REFUSED("engine", se_find_signer(&signer, NULL, "x", NULL, &e));
    assert_int_equal(signer.version, 0);
    REFUSED("descriptor", se_find_signer(&signer, engine, NULL, NULL, &e));
    REFUSED("out", se_sign(NULL, engine, "x", bytes, NULL, &e));
    REFUSED("engine", se_sign(&out, NULL, "x", bytes, NULL, &e));
    assert_null(out.data);
    REFUSED("descriptor", se_sign(&out, engine, NULL, bytes, NULL, &e));
    REFUSED("in", se_sign(&out, engine, "x", nowhere, NULL, &e));
    REFUSED("out", se_sign_stream(NULL, engine, "x", &source, NULL, &e));
    REFUSED("out", se_sign_stream(&no_sink, engine, "x", &source, NULL, &e));
    REFUSED("engine", se_sign_stream(&sink, NULL, "x", &source, NULL, &e));
    REFUSED("descriptor", se_sign_stream(&sink, engine, NULL, &source, NULL, &e));
    REFUSED("in", se_sign_stream(&sink, engine, "x", NULL, NULL, &e));
    REFUSED("in", se_sign_stream(&sink, engine, "x", &no_source, NULL, &e));
    REFUSED("out", se_config_sign(NULL, engine, "x", 0, bytes, NULL, &e));
    REFUSED("engine", se_config_sign(&out, NULL, "x", 0, bytes, NULL, &e));
    REFUSED("descriptor", se_config_sign(&out, engine, NULL, 0, bytes, NULL, &e));
    REFUSED("config", se_config_sign(&out, engine, "x", 0, nowhere, NULL, &e));
}

static void verifying(void **state)
{
    se_signer signer = { .version = 1 };
    se_verifier *out;

    (void)state;
    REFUSED("engine", se_verify(NULL, NULL, "x", bytes, NULL, &e));
    REFUSED("descriptor", se_verify(NULL, engine, NULL, bytes, NULL, &e));
    REFUSED("in", se_verify(NULL, engine, "x", nowhere, NULL, &e));
    REFUSED("engine", se_verify_stream(&signer, NULL, "x", &source, NULL, &e));
    assert_int_equal(signer.version, 0);
    REFUSED("descriptor", se_verify_stream(NULL, engine, NULL, &source, NULL, &e));
    REFUSED("in", se_verify_stream(NULL, engine, "x", NULL, NULL, &e));
    REFUSED("in", se_verify_stream(NULL, engine, "x", &no_source, NULL, &e));
    REFUSED("config", se_config_verify(NULL, nowhere, NULL, "x", NULL, &e));
    REFUSED("trust", se_config_verify(NULL, bytes, NULL, NULL, NULL, &e));
    REFUSED("out", se_verifier_open(NULL, engine, "x", 0, &e));
    REFUSED("engine", se_verifier_open(&out, NULL, "x", 0, &e));
    REFUSED("descriptor", se_verifier_open(&out, engine, NULL, 0, &e));
    REFUSED("out", se_verifier_read(NULL, bytes, "x", &e));
    REFUSED("certificate", se_verifier_read(&out, nowhere, "x", &e));
    REFUSED("algorithm", se_verifier_read(&out, bytes, NULL, &e));
    REFUSED("verifier", se_verifier_check(NULL, bytes, bytes, &e));
    REFUSED("in", se_verifier_check(verifier, nowhere, bytes, &e));
    REFUSED("signature", se_verifier_check(verifier, bytes, nowhere, &e));
    se_verifier_signer(NULL, NULL);
    signer.version = 1;
    se_verifier_signer(&signer, NULL);
    assert_int_equal(signer.version, 0);
    assert_null(se_verifier_certificate(NULL).data);
    assert_null(se_verifier_key(NULL).data);
    se_verifier_close(NULL);
    assert_false(se_is_container(nowhere));
}

static void jose(void **state)
{
    static const char *const names[] = { "x", NULL };
    se_jws item = { bytes, nowhere, { (unsigned char *)&any, 4 }, SE_OK, 1 };
    se_buf out = { (unsigned char *)&any, 4 };

    (void)state;
    REFUSED("out", se_jws_sign(NULL, engine, "x", bytes, NULL, &e));
    REFUSED("engine", se_jws_sign(&out, NULL, "x", bytes, NULL, &e));
    assert_null(out.data);
    REFUSED("descriptor", se_jws_sign(&out, engine, NULL, bytes, NULL, &e));
    REFUSED("payload", se_jws_sign(&out, engine, "x", nowhere, NULL, &e));
    REFUSED("payload", se_jws_verify(NULL, engine, "x", bytes, NULL, &e));
    REFUSED("engine", se_jws_verify(&out, NULL, "x", bytes, NULL, &e));
    REFUSED("descriptor", se_jws_verify(&out, engine, NULL, bytes, NULL, &e));
    REFUSED("jws", se_jws_verify(&out, engine, "x", nowhere, NULL, &e));
    REFUSED("list", se_jws_verify_many(NULL, 1, engine, "x", NULL, &e));
    REFUSED("engine", se_jws_verify_many(&item, 1, NULL, "x", NULL, &e));
    assert_null(item.out.data);
    assert_int_equal(item.status, SE_ERR_USAGE);
    assert_int_equal(item.version, 0);
    REFUSED("descriptor", se_jws_verify_many(&item, 1, engine, NULL, NULL, &e));
    REFUSED("out", se_jwt_sign(NULL, engine, "x", bytes, NULL, &e));
    REFUSED("engine", se_jwt_sign(&out, NULL, "x", bytes, NULL, &e));
    REFUSED("descriptor", se_jwt_sign(&out, engine, NULL, bytes, NULL, &e));
    REFUSED("claims", se_jwt_sign(&out, engine, "x", nowhere, NULL, &e));
    REFUSED("claims", se_jwt_verify(NULL, engine, "x", bytes, NULL, &e));
    REFUSED("engine", se_jwt_verify(&out, NULL, "x", bytes, NULL, &e));
    REFUSED("descriptor", se_jwt_verify(&out, engine, NULL, bytes, NULL, &e));
    REFUSED("token", se_jwt_verify(&out, engine, "x", nowhere, NULL, &e));
    REFUSED("out", se_jwks(NULL, engine, names, 1, NULL, &e));
    REFUSED("engine", se_jwks(&out, NULL, names, 1, NULL, &e));
    REFUSED("descriptors", se_jwks(&out, engine, NULL, 1, NULL, &e));
    assert_int_equal(se_jwks(&out, engine, names, 2, NULL, NULL), SE_ERR_USAGE);
}

static void evidence(void **state)
{
    static const se_evidence_file nameless = { NULL, NULL }, sourceless = { "x", &no_source };
    const se_evidence_params params = SE_EVIDENCE_PARAMS_INIT;
    const se_evidence_verify_params trust = SE_EVIDENCE_VERIFY_PARAMS_INIT;
    se_evidence record = { &sourceless, 1, bytes, { (unsigned char *)&any, 4 } };
    const se_evidence empty = { NULL, 0, bytes, SE_BUF_INIT },
                      missing = { NULL, 1, bytes, SE_BUF_INIT },
                      unnamed = { &nameless, 1, bytes, SE_BUF_INIT },
                      no_der = { &sourceless, 1, nowhere, SE_BUF_INIT };

    (void)state;
    REFUSED("records", se_evidence_make(NULL, 1, &params, &e));
    REFUSED("params", se_evidence_make(&record, 1, NULL, &e));
    assert_null(record.made.data);
    assert_int_equal(se_evidence_make(&record, 1, &params, NULL), SE_ERR_USAGE);
    assert_int_equal(se_evidence_make(&record, 0, &params, NULL), SE_ERR_USAGE);
    REFUSED("records", se_evidence_renew(NULL, 1, &params, &trust, &e));
    REFUSED("params", se_evidence_renew(&record, 1, NULL, &trust, &e));
    REFUSED("trust", se_evidence_renew(&record, 1, &params, NULL, &e));
    REFUSED("record", se_evidence_verify(NULL, &trust, NULL, NULL, &e));
    REFUSED("params", se_evidence_verify(&record, NULL, NULL, NULL, &e));
    REFUSED("der", se_evidence_verify(&no_der, &trust, NULL, NULL, &e));
    REFUSED("files", se_evidence_verify(&missing, &trust, NULL, NULL, &e));
    assert_int_equal(se_evidence_verify(&empty, &trust, NULL, NULL, NULL), SE_ERR_USAGE);
    assert_int_equal(se_evidence_verify(&unnamed, &trust, NULL, NULL, NULL), SE_ERR_USAGE);
    assert_int_equal(se_evidence_verify(&record, &trust, NULL, NULL, NULL), SE_ERR_USAGE);
}

static void encrypting(void **state)
{
    se_buf out;
    se_field field = { bytes, { NULL, 0 }, { (unsigned char *)&any, 4 }, SE_OK, true };
    const se_pair pair = { bytes, nowhere };

    (void)state;
    REFUSED("out", se_encrypt(NULL, engine, "x", bytes, NULL, &e));
    REFUSED("engine", se_encrypt(&out, NULL, "x", bytes, NULL, &e));
    REFUSED("descriptor", se_encrypt(&out, engine, NULL, bytes, NULL, &e));
    REFUSED("in", se_encrypt(&out, engine, "x", nowhere, NULL, &e));
    REFUSED("out", se_decrypt(NULL, engine, "x", bytes, NULL, &e));
    REFUSED("engine", se_decrypt(&out, NULL, "x", bytes, NULL, &e));
    REFUSED("descriptor", se_decrypt(&out, engine, NULL, bytes, NULL, &e));
    REFUSED("in", se_decrypt(&out, engine, "x", nowhere, NULL, &e));
    REFUSED("fields", se_encrypt_many(NULL, 1, engine, "x", NULL, &e));
    REFUSED("engine", se_encrypt_many(&field, 1, NULL, "x", NULL, &e));
    assert_null(field.out.data);
    assert_int_equal(field.status, SE_ERR_USAGE);
    assert_false(field.kept);
    REFUSED("descriptor", se_encrypt_many(&field, 1, engine, NULL, NULL, &e));
    REFUSED("fields", se_decrypt_many(NULL, 1, engine, "x", NULL, &e));
    REFUSED("engine", se_decrypt_many(&field, 1, NULL, "x", NULL, &e));
    REFUSED("descriptor", se_decrypt_many(&field, 1, engine, NULL, NULL, &e));
    REFUSED("fields", se_rekey_many(NULL, 1, engine, "x", NULL, &e));
    REFUSED("engine", se_rekey_many(&field, 1, NULL, "x", NULL, &e));
    REFUSED("descriptor", se_rekey_many(&field, 1, engine, NULL, NULL, &e));
    REFUSED("out", se_context(NULL, NULL, 0, &e));
    REFUSED("pairs", se_context(&out, NULL, 1, &e));
    assert_int_equal(se_context(&out, &pair, 1, NULL), SE_ERR_USAGE);
    REFUSED("out", se_scramble_pin(NULL, bytes, "x", &e));
    REFUSED("pin", se_scramble_pin(&out, nowhere, "x", &e));
    REFUSED("pin_key", se_scramble_pin(&out, bytes, NULL, &e));
    {
        size_t count = 1;

        REFUSED("out", se_scramble_pins(NULL, &count, bytes, "x", &e));
        REFUSED("count", se_scramble_pins(&out, NULL, bytes, "x", &e));
        REFUSED("config", se_scramble_pins(&out, &count, nowhere, "x", &e));
        REFUSED("pin_key", se_scramble_pins(&out, &count, bytes, NULL, &e));
        assert_int_equal(count, 0);
    }
    se_buf_free(NULL);
}

static void zips(void **state)
{
    (void)state;
    REFUSED("out", se_container_encrypt_stream(NULL, engine, "x", &source, NULL, &e));
    REFUSED("engine", se_container_encrypt_stream(&sink, NULL, "x", &source, NULL, &e));
    REFUSED("descriptor", se_container_encrypt_stream(&sink, engine, NULL, &source, NULL, &e));
    REFUSED("in", se_container_encrypt_stream(&sink, engine, "x", NULL, NULL, &e));
    REFUSED("out", se_container_decrypt_stream(&no_sink, engine, "x", &source, NULL, &e));
    REFUSED("engine", se_container_decrypt_stream(&sink, NULL, "x", &source, NULL, &e));
    REFUSED("descriptor", se_container_decrypt_stream(&sink, engine, NULL, &source, NULL, &e));
    REFUSED("in", se_container_decrypt_stream(&sink, engine, "x", &no_source, NULL, &e));
    REFUSED("out", se_container_encrypt_file(NULL, engine, "x", "x", NULL, &e));
    REFUSED("engine", se_container_encrypt_file("x", NULL, "x", "x", NULL, &e));
    REFUSED("descriptor", se_container_encrypt_file("x", engine, NULL, "x", NULL, &e));
    REFUSED("in", se_container_encrypt_file("x", engine, "x", NULL, NULL, &e));
    REFUSED("out", se_container_decrypt_file(NULL, engine, "x", "x", NULL, &e));
    REFUSED("engine", se_container_decrypt_file("x", NULL, "x", "x", NULL, &e));
    REFUSED("descriptor", se_container_decrypt_file("x", engine, NULL, "x", NULL, &e));
    REFUSED("in", se_container_decrypt_file("x", engine, "x", NULL, NULL, &e));
    REFUSED("engine", se_zip_sign("x", NULL, "x", "x", NULL, &e));
    REFUSED("descriptor", se_zip_sign("x", engine, NULL, "x", NULL, &e));
    REFUSED("in", se_zip_sign("x", engine, "x", NULL, NULL, &e));
    REFUSED("engine", se_zip_verify(NULL, "x", "x", NULL, &e));
    REFUSED("descriptor", se_zip_verify(engine, NULL, "x", NULL, &e));
    REFUSED("path", se_zip_verify(engine, "x", NULL, NULL, &e));
}

static void mail(void **state)
{
    se_buf out;

    (void)state;
    REFUSED("out", se_mail_sign(NULL, NULL, engine, "x", &source, NULL, &e));
    REFUSED("engine", se_mail_sign(&sink, NULL, NULL, "x", &source, NULL, &e));
    REFUSED("descriptor", se_mail_sign(&sink, NULL, engine, NULL, &source, NULL, &e));
    REFUSED("in", se_mail_sign(&sink, NULL, engine, "x", NULL, NULL, &e));
    REFUSED("engine", se_mail_verify(NULL, NULL, "x", &source, NULL, &e));
    REFUSED("descriptor", se_mail_verify(NULL, engine, NULL, &source, NULL, &e));
    REFUSED("in", se_mail_verify(NULL, engine, "x", &no_source, NULL, &e));
    REFUSED("out", se_mail_address(NULL, "x", &e));
    REFUSED("from", se_mail_address(&out, NULL, &e));
}

static bool hear_chain(void *arg, const se_history_chain *chain)
{
    (void)arg;
    (void)chain;
    return true;
}

static void histories(void **state)
{
    se_history *out;
    se_history_report report;
    se_history_appended appended = { .first = 1 };
    se_history_proof proof = { .seq = 1 };
    se_buf buf = SE_BUF_INIT;
    uint64_t number = 1;

    (void)state;
    REFUSED("engine", se_history_create(NULL, "x", NULL, &e));
    REFUSED("store", se_history_create(engine, NULL, NULL, &e));
    REFUSED("out", se_history_open(NULL, engine, "x", NULL, &e));
    REFUSED("engine", se_history_open(&out, NULL, "x", NULL, &e));
    REFUSED("store", se_history_open(&out, engine, NULL, NULL, &e));
    REFUSED("store", se_history_chains(NULL, hear_chain, NULL, &e));
    REFUSED("fn", se_history_chains("x", NULL, NULL, &e));
    REFUSED("history", se_history_append(&number, NULL, bytes, bytes, &e));
    REFUSED("object", se_history_append(NULL, history, nowhere, bytes, &e));
    REFUSED("payload", se_history_append(NULL, history, bytes, nowhere, &e));
    assert_int_equal(number, 0);
    REFUSED("history", se_history_append_many(&appended, NULL, NULL, 0, NULL, &e));
    assert_int_equal(appended.first, 0);
    REFUSED("records", se_history_append_many(NULL, history, NULL, 1, NULL, &e));
    REFUSED("out", se_history_head(NULL, history, &e));
    REFUSED("history", se_history_head(&buf, NULL, &e));
    REFUSED("history", se_history_verify(NULL, NULL, NULL, &e));
    REFUSED("history", se_history_erase(NULL, 1, &e));
    REFUSED("history", se_history_prune(NULL, NULL, 1, &e));
    REFUSED("history", se_history_resign(NULL, &e));
    REFUSED("history", se_history_end(NULL, &e));
    REFUSED("history", se_history_read(NULL, NULL, hear_entry, NULL, &e));
    REFUSED("fn", se_history_read(history, NULL, NULL, NULL, &e));
    REFUSED("report", se_history_export(NULL, &buf, history, NULL, hear_entry, NULL, &e));
    REFUSED("seal", se_history_export(&report, NULL, history, NULL, hear_entry, NULL, &e));
    REFUSED("history", se_history_export(&report, &buf, NULL, NULL, hear_entry, NULL, &e));
    REFUSED("fn", se_history_export(&report, &buf, history, NULL, NULL, NULL, &e));
    REFUSED("out", se_history_prove(NULL, history, 1, &e));
    REFUSED("history", se_history_prove(&buf, NULL, 1, &e));
    REFUSED("out", se_history_verify_proof(NULL, bytes, bytes, &e));
    REFUSED("proof", se_history_verify_proof(&proof, nowhere, bytes, &e));
    assert_int_equal(proof.seq, 0);
    REFUSED("certificate", se_history_verify_proof(&proof, bytes, nowhere, &e));
    se_history_proof_free(NULL);
    se_history_close(NULL);
}

static void an_error_tells_the_last_call(void **state)
{
    se_error err = SE_ERROR_INIT;
    se_buf out = SE_BUF_INIT;
    se_engine *opened;

    (void)state;
    assert_int_not_equal(se_open(&opened, "/nonexistent/one.xml", NULL, &err), SE_OK);
    assert_non_null(strstr(err.text, "one.xml"));
    assert_int_not_equal(se_open(&opened, "/nonexistent/two.xml", NULL, &err), SE_OK);
    assert_non_null(strstr(err.text, "two.xml"));
    assert_int_equal(se_mail_address(&out, "a@example.org, b@example.org", &err), SE_ERR_FORMAT);
    assert_int_equal(err.status, SE_ERR_FORMAT);
    assert_int_equal(se_mail_address(&out, "a@example.org", &err), SE_OK);
    assert_int_equal(err.status, SE_OK);
    assert_string_equal(err.text, "");
    se_buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(opening),   cmocka_unit_test(signing),
        cmocka_unit_test(verifying), cmocka_unit_test(jose),
        cmocka_unit_test(evidence),  cmocka_unit_test(encrypting),
        cmocka_unit_test(zips),      cmocka_unit_test(mail),
        cmocka_unit_test(histories), cmocka_unit_test(an_error_tells_the_last_call),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
