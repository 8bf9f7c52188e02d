/* SPDX-License-Identifier: Apache-2.0 */
/* Versions of a descriptor, before, at and after the time when the next one takes over. */
#include <stdio.h>
#include <time.h>

#include "base/clock.h"
#include "base/stream.h"
#include "tests/unit/folder.h"
#include "tests/unit/maker.h"
#include "tests/unit/unit.h"

/* ---- the clock of the engine ---- */

static int64_t now;

int64_t __wrap_clock_seconds(void);

int64_t __wrap_clock_seconds(void)
{
    return now;
}

/* ---- two versions, of which the second waits ---- */

#define OAEP "asymCipher='RSA/ECB/OAEPWithSHA-256AndMGF1Padding'"

static const char configuration[] =
    "<engineSignEncrypt><descriptors>"
    "<descriptor name='Files' version='1'><type algorithm='SHA256withRSA' key='one'/></descriptor>"
    "<descriptor name='Files' version='2' from='%s'><type algorithm='SHA256withRSA' key='two'/>"
    "</descriptor>"
    "<descriptor name='Fields' version='1'><type algorithm='AES/GCM/NoPadding' " OAEP
    " key='one'/></descriptor>"
    "<descriptor name='Fields' version='2' from='%s'><type algorithm='AES/GCM/NoPadding' " OAEP
    " key='two'/></descriptor>"
    "<descriptor name='Jwe' version='1'><type algorithm='AES/GCM/NoPadding' result='JWE' " OAEP
    " key='one'/></descriptor>"
    "<descriptor name='Jwe' version='2' from='%s'><type algorithm='AES/GCM/NoPadding' "
    "result='JWE' " OAEP " key='two'/></descriptor>"
    "<descriptor name='Last' version='1' until='%s'><type algorithm='SHA256withRSA' key='one'/>"
    "</descriptor>"
    "</descriptors><keys>"
    "<key name='one'><type name='pem' locationValue='one.pem'/></key>"
    "<key name='two'><type name='pem' locationValue='two.pem'/></key>"
    "</keys><access><allow name='both' operations='sign verify'><user name='root'/>"
    "<descriptor name='Files' version='1'/><descriptor name='Files' version='2'/></allow></access>"
    "</engineSignEncrypt>";

/* Yesterday's file: it lacks version 2. */
static const char older[] =
    "<engineSignEncrypt><descriptors>"
    "<descriptor name='Files'><type algorithm='SHA256withRSA' key='one'/></descriptor>"
    "<descriptor name='Other'><type algorithm='SHA256withRSA' key='other'/></descriptor>"
    "<descriptor name='Fields'><type algorithm='AES/GCM/NoPadding' " OAEP " key='one'/>"
    "</descriptor>"
    "<descriptor name='Jwe'><type algorithm='AES/GCM/NoPadding' result='JWE' " OAEP
    " key='one'/></descriptor>"
    "</descriptors><keys>"
    "<key name='one'><type name='pem' locationValue='one.pem'/></key>"
    "<key name='other'><type name='pem' locationValue='other.pem'/></key>"
    "</keys></engineSignEncrypt>";

enum { DAY = 24 * 60 * 60, WAIT = DAY + 1000 };
static const se_bytes content = { "some content", 12 };

struct trial {
    se_engine *engine, *older;
    int64_t from;
    se_error err;
};

static void trial_close(struct trial *t)
{
    se_close(&t->engine);
    se_close(&t->older);
}
AUTO_KIND(trial, struct trial, trial_close(p))

static void trial_open(struct trial *t)
{
    const struct certificate_wish signer = { .subject = "signer" }, other = { .subject = "other" };
    char text[sizeof configuration + 4 * TIME_TEXT_ROOM], from[TIME_TEXT_ROOM];

    *t = (struct trial){ .err = SE_ERROR_INIT };
    now = time(NULL);
    t->from = now + WAIT;
    (void)time_format(from, TIME_RFC3339, t->from);
    (void)snprintf(text, sizeof text, configuration, from, from, from, from);
    make("engine.xml", text, 0600);
    make("older.xml", older, 0600);
    make_signer("one.pem", "RSA-2048", &signer);
    make_signer("two.pem", "RSA-2048", &signer);
    make_signer("other.pem", "RSA-2048", &other);
    assert_int_equal(chmod("one.pem", 0600) | chmod("two.pem", 0600), 0);
    assert_status(SE_OK, se_open(&t->engine, "engine.xml", NULL, &t->err), &t->err);
    assert_status(SE_OK, se_open(&t->older, "older.xml", NULL, &t->err), &t->err);
}

/* ---- which version did it ---- */

static se_status sign_content(se_buf *out, struct trial *t, const se_sign_params *params)
{
    return se_sign(out, t->engine, "Files", content, params, &t->err);
}

static unsigned signing_version(struct trial *t, const se_sign_params *params)
{
    AUTO(se_buf) signature = SE_BUF_INIT;
    se_verify_params verify = SE_VERIFY_PARAMS_INIT;
    se_signer signer, found;

    assert_status(SE_OK, sign_content(&signature, t, params), &t->err);
    verify.signature = buf_bytes(&signature);
    assert_status(SE_OK, se_verify(&signer, t->engine, "Files", content, &verify, &t->err),
                  &t->err);
    assert_status(SE_OK, se_find_signer(&found, t->engine, "Files", params, &t->err), &t->err);
    assert_int_equal(found.version, signer.version);
    return signer.version;
}

static void encrypt_content(se_buf *out, struct trial *t, const char *descriptor)
{
    assert_status(SE_OK, se_encrypt(out, t->engine, descriptor, content, NULL, &t->err), &t->err);
}

/* Decrypts with one version at a time. */
static unsigned version_of(struct trial *t, const char *descriptor, const se_buf *value)
{
    unsigned found = 0;

    for (unsigned version = 1; version <= 2; version++) {
        AUTO(se_buf) plain = SE_BUF_INIT;
        se_field_params params = SE_FIELD_PARAMS_INIT;

        params.version = version;
        if (!se_decrypt(&plain, t->engine, descriptor, buf_bytes(value), &params, NULL))
            found = found * 10 + version;
    }
    return found;
}

static unsigned encrypting_version(struct trial *t)
{
    AUTO(se_buf) value = SE_BUF_INIT;

    encrypt_content(&value, t, "Fields");
    return version_of(t, "Fields", &value);
}

/* ---- the switch ---- */

static void a_running_engine_switches_by_the_clock(void **state)
{
    AUTO(trial) t;
    se_verifier *verifier;
    se_signer signer;

    (void)state;
    trial_open(&t);
    for (int64_t at = -1; at <= 1; at++) {
        const unsigned current = at < 0 ? 1 : 2;

        now = t.from + at;
        assert_int_equal(signing_version(&t, NULL), current);
        assert_int_equal(encrypting_version(&t), current);
        assert_status(SE_OK, se_verifier_open(&verifier, t.engine, "Files", 0, &t.err), &t.err);
        se_verifier_signer(&signer, verifier);
        assert_int_equal(signer.version, current);
        se_verifier_close(&verifier);
    }
    now = t.from - 1; /* a clock that is set back */
    assert_int_equal(signing_version(&t, NULL), 1);
}

static void what_has_begun_goes_on_with_its_version(void **state)
{
    AUTO(trial) t;
    se_sign_params params = SE_SIGN_PARAMS_INIT;

    (void)state;
    trial_open(&t);
    params.begun = t.from - 1;
    now = t.from + 10;
    assert_int_equal(signing_version(&t, &params), 1);
    params.begun = t.from;
    assert_int_equal(signing_version(&t, &params), 2);
    params.begun = -1;
    assert_int_equal(se_find_signer(&(se_signer){ .version = 0 }, t.engine, "Files", &params, NULL),
                     SE_ERR_USAGE);
}

/* The signingTime is what is said, not what decides. */
static void the_signing_time_does_not_choose_the_version(void **state)
{
    AUTO(trial) t;
    se_sign_params params = SE_SIGN_PARAMS_INIT;

    (void)state;
    trial_open(&t);
    params.time = t.from + 1;
    assert_int_equal(signing_version(&t, &params), 1);
}

static void what_others_use_already_may_be_used(void **state)
{
    AUTO(trial) t;
    AUTO(se_buf) signature = SE_BUF_INIT;
    se_sign_params params = SE_SIGN_PARAMS_INIT;

    (void)state;
    trial_open(&t);
    params.least = 1;
    assert_int_equal(signing_version(&t, &params), 1);
    params.least = 2;
    assert_int_equal(signing_version(&t, &params), 2);
    params.version = 2;
    assert_int_equal(signing_version(&t, &params), 2);
    params.least = 3;
    params.version = 0;
    assert_status(SE_ERR_NO_DESCRIPTOR, sign_content(&signature, &t, &params), &t.err);
}

static void a_version_that_waits_or_has_ended_does_nothing_new(void **state)
{
    AUTO(trial) t;
    AUTO(se_buf) out = SE_BUF_INIT;
    se_sign_params params = SE_SIGN_PARAMS_INIT;
    se_field_params field = SE_FIELD_PARAMS_INIT;

    (void)state;
    trial_open(&t);
    params.version = field.version = 2;
    assert_status(SE_ERR_POLICY, sign_content(&out, &t, &params), &t.err);
    assert_non_null(strstr(t.err.text, "descriptor 'Files': version 2 signs from "));
    assert_non_null(strstr(t.err.text, "; now it is version 1 that signs"));
    assert_status(SE_ERR_POLICY, se_encrypt(&out, t.engine, "Fields", content, &field, &t.err),
                  &t.err);
    assert_non_null(strstr(t.err.text, "version 2 encrypts from "));
    assert_null(out.data);
    now = t.from;
    assert_status(SE_ERR_POLICY, se_sign(&out, t.engine, "Last", content, NULL, &t.err), &t.err);
    assert_non_null(strstr(t.err.text, "descriptor 'Last': version 1 signed until "));
    assert_non_null(strstr(t.err.text, "; now there is none that signs"));
}

/* ---- values from where the clock is ahead ---- */

static void what_a_newer_version_has_made_is_read_and_kept(void **state)
{
    AUTO(trial) t;

    (void)state;
    trial_open(&t);
    for (int jwe = 0; jwe < 2; jwe++) {
        const char *descriptor = jwe ? "Jwe" : "Fields";
        AUTO(se_buf) newer = SE_BUF_INIT;
        AUTO(se_buf) old = SE_BUF_INIT;
        se_field_params params = SE_FIELD_PARAMS_INIT;

        now = t.from - 1;
        encrypt_content(&old, &t, descriptor);
        now = t.from;
        encrypt_content(&newer, &t, descriptor);
        now = t.from - 1;
        for (unsigned version = 0; version < 2; version++) {
            se_field fields[] = { { .in = buf_bytes(&newer) }, { .in = buf_bytes(&old) } };

            params.version = version;
            assert_status(SE_OK, se_rekey_many(fields, 2, t.engine, descriptor, &params, &t.err),
                          &t.err);
            assert_int_equal(fields[0].kept, !version);
            assert_int_equal(version_of(&t, descriptor, &fields[0].out), version ? 1 : 2);
            assert_true(fields[1].kept);
            se_buf_free(&fields[0].out);
            se_buf_free(&fields[1].out);
        }
    }
}

/* ---- a version that is not configured ---- */

static void a_value_of_a_missing_version_says_so(void **state)
{
    AUTO(trial) t;
    AUTO(se_buf) known = SE_BUF_INIT;
    AUTO(se_buf) value = SE_BUF_INIT;
    AUTO(se_buf) jwe = SE_BUF_INIT;
    AUTO(se_buf) out = SE_BUF_INIT;

    (void)state;
    trial_open(&t);
    encrypt_content(&known, &t, "Fields");
    now = t.from;
    encrypt_content(&value, &t, "Fields");
    encrypt_content(&jwe, &t, "Jwe");
    assert_status(SE_ERR_NO_DESCRIPTOR,
                  se_decrypt(&out, t.older, "Fields", buf_bytes(&value), NULL, &t.err), &t.err);
    assert_string_equal(t.err.text, "descriptor 'Fields': the value was made with version 2 of "
                                    "'Fields', which is not configured here, but 1");
    assert_status(SE_ERR_NO_DESCRIPTOR,
                  se_decrypt(&out, t.older, "Jwe", buf_bytes(&jwe), NULL, &t.err), &t.err);
    assert_non_null(strstr(t.err.text, "was made for the key with the kid "));
    assert_null(out.data);

    /* the others of a batch, and those that come after, do not suffer */
    {
        se_field fields[] = { { .in = buf_bytes(&value) },
                              { .in = buf_bytes(&known) },
                              { .in = buf_bytes(&value) } };

        assert_int_equal(se_decrypt_many(fields, 3, t.older, "Fields", NULL, NULL),
                         SE_ERR_NO_DESCRIPTOR);
        assert_int_equal(fields[0].status, SE_ERR_NO_DESCRIPTOR);
        assert_int_equal(fields[1].status, SE_OK);
        assert_int_equal(fields[2].status, SE_ERR_NO_DESCRIPTOR);
        se_buf_free(&fields[1].out);
    }
}

/* What the version is asked for by its number is not that. */
static void a_value_of_another_version_than_asked_for_is_refused(void **state)
{
    AUTO(trial) t;
    se_field_params params = SE_FIELD_PARAMS_INIT;

    (void)state;
    trial_open(&t);
    now = t.from;
    params.version = 1;
    for (int jwe = 0; jwe < 2; jwe++) {
        const char *descriptor = jwe ? "Jwe" : "Fields";
        AUTO(se_buf) value = SE_BUF_INIT;
        AUTO(se_buf) out = SE_BUF_INIT;

        encrypt_content(&value, &t, descriptor);
        assert_status(SE_ERR_REJECTED,
                      se_decrypt(&out, t.engine, descriptor, buf_bytes(&value), &params, &t.err),
                      &t.err);
    }
}

static void a_container_of_a_missing_version_says_so(void **state)
{
    AUTO(trial) t;

    (void)state;
    trial_open(&t);
    make("plain", "content", 0600);
    now = t.from;
    assert_status(SE_OK,
                  se_container_encrypt_file("sealed", t.engine, "Fields", "plain", NULL, &t.err),
                  &t.err);
    assert_status(SE_ERR_NO_DESCRIPTOR,
                  se_container_decrypt_file("out", t.older, "Fields", "sealed", NULL, &t.err),
                  &t.err);
    assert_non_null(strstr(t.err.text, "was made with version 2 of 'Fields', which is not "));
    assert_int_equal(access("out", F_OK), -1);
    now = t.from - 1; /* of a version that waits, it is read */
    assert_status(SE_OK,
                  se_container_decrypt_file("out", t.engine, "Fields", "sealed", NULL, &t.err),
                  &t.err);
}

/* By its certificate: the same name with another key.  A stranger is a stranger. */
static void a_signature_of_a_missing_version_is_not_called_bad(void **state)
{
    static const se_accept accepts[] = { SE_ACCEPT_VERSIONS, SE_ACCEPT_CERTIFICATES };
    AUTO(trial) t;
    AUTO(se_buf) signature = SE_BUF_INIT;
    AUTO(se_buf) others = SE_BUF_INIT;
    se_verify_params params = SE_VERIFY_PARAMS_INIT;

    (void)state;
    trial_open(&t);
    now = t.from;
    assert_status(SE_OK, sign_content(&signature, &t, NULL), &t.err);
    assert_status(SE_OK, se_sign(&others, t.older, "Other", content, NULL, &t.err), &t.err);
    for (size_t i = 0; i < 2; i++) {
        params.accept = accepts[i];
        params.signature = buf_bytes(&signature);
        assert_status(SE_ERR_NO_DESCRIPTOR,
                      se_verify(NULL, t.older, "Files", content, &params, &t.err), &t.err);
        assert_non_null(strstr(t.err.text, "a certificate of the same name as that of version 1"));
        params.signature = buf_bytes(&others);
        assert_status(SE_ERR_REJECTED, se_verify(NULL, t.older, "Files", content, &params, &t.err),
                      &t.err);
    }
}

static void an_xml_signature_of_a_missing_version_is_not_called_bad(void **state)
{
    AUTO(trial) t;
    AUTO(se_buf) document = SE_BUF_INIT;
    se_sign_params params = SE_SIGN_PARAMS_INIT;
    se_verify_params verify = SE_VERIFY_PARAMS_INIT;

    (void)state;
    trial_open(&t);
    now = t.from;
    params.form = SE_FORM_XML;
    verify.form = SE_FORM_XML;
    assert_status(SE_OK, se_sign(&document, t.engine, "Files", text_bytes("<a/>"), &params, &t.err),
                  &t.err);
    assert_status(SE_ERR_NO_DESCRIPTOR,
                  se_verify(NULL, t.older, "Files", buf_bytes(&document), &verify, &t.err), &t.err);
    assert_status(SE_OK, se_verify(NULL, t.engine, "Files", buf_bytes(&document), &verify, &t.err),
                  &t.err);
}

/* ---- what check says ---- */

static void put_row(void *arg, const se_check_row *row)
{
    writer_format(arg, "%s:%u %s %s %s\n", row->descriptor, row->version,
                  se_version_state_name(row->state),
                  row->status    ? "failed"
                  : row->warning ? "warning"
                                 : "ok",
                  row->text);
}

static const char *checked(struct writer *w, struct trial *t)
{
    writer_free(w);
    *w = (struct writer){ 0 };
    (void)!se_check(t->engine, put_row, w, NULL, &t->err);
    return writer_string(w);
}

static void check_says_what_waits_and_what_ends(void **state)
{
    AUTO(trial) t;
    AUTO(writer) w = { 0 };
    const char *text;

    (void)state;
    trial_open(&t);
    text = checked(&w, &t);
    assert_non_null(strstr(text, "Files:1 current ok \n"));
    assert_non_null(strstr(text, "Files:2 waits ok version 2 waits for 20"));
    assert_non_null(strstr(text, "Z (1 day)\n"));
    assert_non_null(strstr(text, "Last:1 current warning version 1 ends on 20"));
    assert_non_null(strstr(text, "Z (1 day) without a successor\n"));
    now = t.from;
    text = checked(&w, &t);
    assert_non_null(strstr(text, "Files:1 older ok \n"));
    assert_non_null(strstr(text, "Files:2 current ok \n"));
    assert_non_null(strstr(text, "Last:1 ended failed version 1 ended on 20"));
    assert_non_null(strstr(text, ", and no other signs now\n"));
}

/* ---- rows that allow single versions ---- */

static void a_row_with_several_versions_allows_the_current_one(void **state)
{
    AUTO(trial) t;
    se_access *access;
    se_access_row row;
    se_caller caller = SE_CALLER_INIT;
    se_use use = SE_USE_INIT;

    (void)state;
    trial_open(&t);
    assert_status(SE_OK, se_access_open(&access, t.engine, NULL, NULL, &t.err), &t.err);
    caller.has_uid = true;
    use.operation = "sign";
    use.descriptor = "Files";
    assert_status(SE_OK, se_access_decide(&row, access, &caller, &use, &t.err), &t.err);
    assert_int_equal(row.version, 1);
    now = t.from;
    assert_status(SE_OK, se_access_decide(&row, access, &caller, &use, &t.err), &t.err);
    assert_int_equal(row.version, 2);
    se_access_close(&access);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(a_running_engine_switches_by_the_clock),
        IN_FOLDER(what_has_begun_goes_on_with_its_version),
        IN_FOLDER(the_signing_time_does_not_choose_the_version),
        IN_FOLDER(what_others_use_already_may_be_used),
        IN_FOLDER(a_version_that_waits_or_has_ended_does_nothing_new),
        IN_FOLDER(what_a_newer_version_has_made_is_read_and_kept),
        IN_FOLDER(a_value_of_a_missing_version_says_so),
        IN_FOLDER(a_value_of_another_version_than_asked_for_is_refused),
        IN_FOLDER(a_container_of_a_missing_version_says_so),
        IN_FOLDER(a_signature_of_a_missing_version_is_not_called_bad),
        IN_FOLDER(an_xml_signature_of_a_missing_version_is_not_called_bad),
        IN_FOLDER(check_says_what_waits_and_what_ends),
        IN_FOLDER(a_row_with_several_versions_allows_the_current_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
