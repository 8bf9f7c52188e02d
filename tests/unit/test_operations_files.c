/* SPDX-License-Identifier: Apache-2.0 */
/* Zips, containers, mail and histories, as the daemon answers them: jansson reads the answers. */
#include <stdio.h>
#include <zlib.h>

#include "base/base64.h"
#include "base/reader.h"
#include "tests/unit/operations.h"

static const char configuration[] =
    "<engineSignEncrypt><descriptors>"
    "<descriptor name='ZipSigner'><type algorithm='SHA256withRSA' key='one'/></descriptor>"
    "<descriptor name='ObjectHistorySigner'><type algorithm='SHA-256' key='seal'/>"
    "</descriptor>"
    "<descriptor name='Mail'><type algorithm='SHA256withRSA' key='mail'/></descriptor>"
    "<descriptor name='Container'><type algorithm='AES/GCM/NoPadding' key='one' "
    "asymCipher='RSA/ECB/OAEPWithSHA-256AndMGF1Padding'/></descriptor>"
    "</descriptors><keys>"
    "<key name='one'><type name='pem' locationValue='one.pem'/></key>"
    "<key name='seal'><type name='pem' locationValue='seal.pem'/></key>"
    "<key name='mail'><type name='pem' locationValue='mail.pem'/></key>"
    "</keys></engineSignEncrypt>";

static void opened(struct trial *t, const struct history_setting *settings, size_t count)
{
    make_signer("one.pem", "RSA-2048", &(struct certificate_wish){ .subject = "one" });
    make_signer(
        "seal.pem", "P-256",
        &(struct certificate_wish){ .subject = "seal", .usage = "critical,digitalSignature" });
    make_signer(
        "mail.pem", "RSA-2048",
        &(struct certificate_wish){ .subject = "mail", .alt_name = "email:ann@example.org" });
    trial_open(t, configuration, settings, count);
}

/* ---- zips ---- */

static void put_little(struct writer *w, uint32_t number, size_t bytes)
{
    for (; bytes--; number >>= 8)
        writer_put(w, &(unsigned char){ (unsigned char)number }, 1);
}

/* What local header and central directory have in common (APPNOTE 4.3.7). */
static void put_facts(struct writer *w, const char *name, se_bytes content)
{
    put_little(w, 10, 2);
    put_little(w, 0, 4);
    put_little(w, 0x21 << 16, 4); /* the first day of 1980 */
    put_little(w, (uint32_t)crc32(0, content.data, (uInt)content.size), 4);
    put_little(w, (uint32_t)content.size, 4);
    put_little(w, (uint32_t)content.size, 4);
    put_little(w, (uint32_t)strlen(name), 2);
    put_little(w, 0, 2);
}

/* One stored entry. */
static void make_zip(struct writer *w, const char *name, se_bytes content)
{
    uint32_t directory, size;

    put_little(w, 0x04034b50, 4);
    put_facts(w, name, content);
    writer_text(w, name);
    writer_put(w, content.data, content.size);
    directory = (uint32_t)w->buf.size;
    put_little(w, 0x02014b50, 4);
    put_little(w, 20, 2);
    put_facts(w, name, content);
    put_little(w, 0, 6);
    put_little(w, 0, 4);
    put_little(w, 0, 4);
    writer_text(w, name);
    size = (uint32_t)w->buf.size - directory;
    put_little(w, 0x06054b50, 4);
    put_little(w, 0, 4);
    put_little(w, 1, 2);
    put_little(w, 1, 2);
    put_little(w, size, 4);
    put_little(w, directory, 4);
    put_little(w, 0, 2);
}

static void zips_are_signed_and_verified(void **state)
{
    struct trial t;
    AUTO(writer) zip = { 0 };
    AUTO(se_buf) signed_zip = SE_BUF_INIT;
    const json_t *list;

    (void)state;
    opened(&t, NULL, 0);
    make_zip(&zip, "a.xml", text_bytes("<a/>"));
    assert_asked(SE_ERR_REJECTED, &t,
                 ask(&t, D "ZipSigner/zip/verify", MEDIA_OCTETS, buf_bytes(&zip.buf)));
    assert_asked(
        SE_OK, &t,
        ask(&t, D "ZipSigner/zip/sign?signatureName=ME&tag=t1", MEDIA_OCTETS, buf_bytes(&zip.buf)));
    assert_int_equal(t.answer.media, MEDIA_OCTETS);
    signed_zip = buf_move(&t.body);
    assert_asked(SE_OK, &t,
                 ask(&t, D "ZipSigner/zip/verify", MEDIA_OCTETS, buf_bytes(&signed_zip)));
    {
        AUTO(json) json = answered(&t);

        list = json_object_get(json, "signatures");
        assert_int_equal(json_array_size(list), 1);
        assert_string_equal(text_of(json_array_get(list, 0), "name"), "META-INF/ME.RSA");
        assert_string_equal(text_of(json_array_get(list, 0), "subject"), "CN=one");
        list = json_object_get(json, "entries");
        assert_int_equal(json_array_size(list), 4);
        assert_string_equal(text_of(json_array_get(list, 3), "name"), "a.xml");
        assert_string_equal(text_of(json_array_get(list, 3), "state"), "signed");
    }
    *(char *)memmem(signed_zip.data, signed_zip.size, "<a/>", 4) = '>';
    assert_asked(SE_ERR_FORMAT, &t,
                 ask(&t, D "ZipSigner/zip/verify", MEDIA_OCTETS, buf_bytes(&signed_zip)));
    assert_string_equal(t.err.text, "the zip: 'a.xml' is damaged: its checksum differs");
    assert_asked(SE_ERR_FORMAT, &t,
                 ask(&t, D "ZipSigner/zip/sign", MEDIA_OCTETS, text_bytes("no zip")));
    assert_asked(SE_ERR_USAGE, &t,
                 ask(&t, D "ZipSigner/zip/sign?tag=%20", MEDIA_OCTETS, buf_bytes(&zip.buf)));
    trial_close(&t);
    assert_int_equal(names_here(false), 4); /* no file of a call is left */
}

static void containers_come_back(void **state)
{
    static const char context[] = "?context=%7B%22a%22:%22b%22%7D";
    struct trial t;
    AUTO(se_buf) container = SE_BUF_INIT;
    char path[80];

    (void)state;
    opened(&t, NULL, 0);
    (void)snprintf(path, sizeof path, D "Container/zip/encrypt%s", context);
    assert_asked(SE_OK, &t, ask(&t, path, MEDIA_OCTETS, text_bytes("plain")));
    container = buf_move(&t.body);
    assert_true(se_is_container(buf_bytes(&container)));
    (void)snprintf(path, sizeof path, D "Container/zip/decrypt%s", context);
    assert_asked(SE_OK, &t, ask(&t, path, MEDIA_OCTETS, buf_bytes(&container)));
    assert_string_equal(answer_text(&t), "plain");
    assert_asked(SE_ERR_REJECTED, &t,
                 ask(&t, D "Container/zip/decrypt", MEDIA_OCTETS, buf_bytes(&container)));
    assert_null(t.body.data);
    container.data[container.size - 1] ^= 1;
    assert_asked(SE_ERR_REJECTED, &t, ask(&t, path, MEDIA_OCTETS, buf_bytes(&container)));
    assert_null(t.body.data);
    trial_close(&t);
}

/* ---- mail ---- */

static void mail_is_signed_and_verified(void **state)
{
    static const char message[] = "From: Ann <ann@example.org>\r\nTo: bob@example.org\r\n"
                                  "Subject: hello\r\nDate: Tue, 1 Dec 2026 10:00:00 +0000\r\n"
                                  "Message-ID: <1@example.org>\r\n\r\nHello\r\n";
    struct trial t;
    AUTO(se_buf) mail = SE_BUF_INIT;

    (void)state;
    opened(&t, NULL, 0);
    assert_asked(SE_OK, &t, ask(&t, D "Mail/mail/sign", MEDIA_MAIL, text_bytes(message)));
    assert_int_equal(t.answer.media, MEDIA_MAIL);
    mail = buf_move(&t.body);
    assert_asked(SE_OK, &t, ask(&t, D "Mail/mail/verify", MEDIA_MAIL, buf_bytes(&mail)));
    {
        AUTO(json) json = answered(&t);

        assert_string_equal(text_of(json, "address"), "ann@example.org");
        assert_string_equal(text_of(json, "subject"), "CN=mail");
        assert_true(json_is_false(json_object_get(json, "opaque")));
    }
    *(char *)memmem(mail.data, mail.size, "Hello", 5) = 'J';
    assert_asked(SE_ERR_REJECTED, &t, ask(&t, D "Mail/mail/verify", MEDIA_MAIL, buf_bytes(&mail)));
    assert_asked(
        SE_ERR_POLICY, &t,
        ask(&t, D "Mail/mail/sign?sender=bob@example.org", MEDIA_MAIL, text_bytes(message)));
    trial_close(&t);
}

/* ---- histories ---- */

static const struct history_setting settings[] = {
    { "cards", "sqlite:cards.db", NULL, NULL },
    { "absent", "sqlite:absent.db", NULL, NULL },
    { "other", "sqlite:cards.db", "other", NULL },
    { "mistaken", "oracle:cards", NULL, NULL },
};

static void opened_history(struct trial *t)
{
    opened(t, settings, sizeof settings / sizeof *settings);
    assert_status(SE_OK, se_history_create(t->engine, "sqlite:cards.db", NULL, &t->err), &t->err);
    t->request.caller = "uid:1000";
    t->request.idempotency_key = "k1";
}

#define H "/v1/histories/"
#define TWO                                                                                        \
    "{\"entries\":[{\"object\":\"card 7\",\"payload\":\"QUJD\"},"                                  \
    "{\"object\":\"\\u0000\",\"payload\":\"\"}]}"

static void entries_are_appended_once(void **state)
{
    struct trial t;

    (void)state;
    opened_history(&t);
    for (int again = 0; again < 2; again++) {
        assert_asked(SE_OK, &t, ask_json(&t, H "cards/entries", TWO));
        assert_int_equal(t.answer.status, 201);
        assert_int_equal(t.answer.items, 2);
        assert_int_equal(t.answer.first, 1);
        {
            AUTO(json) json = answered(&t);

            assert_int_equal(json_integer_value(json_object_get(json, "first")), 1);
            assert_int_equal(json_integer_value(json_object_get(json, "count")), 2);
            assert_int_equal(json_is_true(json_object_get(json, "repeated")), again);
        }
    }
    assert_asked(
        SE_ERR_POLICY, &t,
        ask_json(&t, H "cards/entries", "{\"entries\":[{\"object\":\"c\",\"payload\":\"\"}]}"));
    t.request.caller = "uid:1001";
    assert_asked(SE_OK, &t, ask_json(&t, H "cards/entries", TWO));
    assert_int_equal(t.answer.first, 3);
    trial_close(&t);
}

static void entries_are_read(void **state)
{
    struct trial t;
    se_history_proof proof = { .seq = 0 };

    (void)state;
    opened_history(&t);
    assert_asked(SE_OK, &t, ask_json(&t, H "cards/entries", TWO));
    assert_asked(SE_OK, &t, ask_get(&t, H "cards/entries/1"));
    {
        AUTO(json) json = answered(&t);

        assert_int_equal(json_integer_value(json_object_get(json, "entry")), 1);
        assert_string_equal(text_of(json, "object"), "card 7");
        assert_string_equal(text_of(json, "payload"), "QUJD");
        assert_true(json_is_false(json_object_get(json, "erased")));
        assert_non_null(strchr(text_of(json, "time"), 'Z'));
    }
    assert_asked(SE_OK, &t, ask_get(&t, H "cards/head"));
    assert_int_equal(t.answer.media, MEDIA_TEXT);
    assert_non_null(strstr(answer_text(&t), "\n2\n"));
    assert_asked(SE_OK, &t, ask_get(&t, H "cards/entries/2/proof"));
    assert_status(
        SE_OK, se_history_verify_proof(&proof, buf_bytes(&t.body), (se_bytes){ NULL, 0 }, &t.err),
        &t.err);
    assert_int_equal(proof.seq, 2);
    se_history_proof_free(&proof);
    trial_close(&t);
}

static void what_is_not_there_is_not_found(void **state)
{
    static const char *const paths[] = {
        H "cards/entries/1", H "cards/entries/0",
        H "cards/entries/x", H "cards/entries/99/proof",
        H "none/head",       H "cards/entries/18446744073709551616",
        H "CARDS/head",      H "other/head",
        H "other/entries/1",
    };
    struct trial t;

    (void)state;
    opened_history(&t);
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        if (ask_get(&t, paths[i]) != SE_ERR_NO_DESCRIPTOR)
            fail_msg("%s: %s: %s", paths[i], se_status_name(t.err.status), t.err.text);
    assert_asked(SE_ERR_NO_DESCRIPTOR, &t, ask_json(&t, H "none/entries", TWO));
    assert_asked(SE_ERR_FORMAT, &t, ask_json(&t, H "cards/entries", "{}"));
    assert_asked(
        SE_ERR_FORMAT, &t,
        ask_json(&t, H "cards/entries", "{\"entries\":[{\"object\":\"\",\"payload\":\"\"}]}"));
    assert_string_equal(t.err.text, "entries[0].object: 0 bytes; it has 1 to 1,000");
    assert_asked(SE_ERR_NO_DESCRIPTOR, &t, ask_json(&t, H "other/entries", TWO));
    assert_string_equal(t.err.text, "history 'other': its chain has not been made");
    /* its store is not there; it is tried again when it is */
    assert_true(ask_get(&t, H "absent/head") != SE_OK);
    assert_non_null(strstr(t.err.text, "history 'absent': "));
    assert_status(SE_OK, se_history_create(t.engine, "sqlite:absent.db", NULL, &t.err), &t.err);
    assert_asked(SE_OK, &t, ask_get(&t, H "absent/head"));
    /* the settings' fault, and not the caller's */
    assert_asked(SE_ERR_CONFIG, &t, ask_get(&t, H "mistaken/head"));
    trial_close(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(zips_are_signed_and_verified),
        IN_FOLDER(containers_come_back),
        IN_FOLDER(mail_is_signed_and_verified),
        IN_FOLDER(entries_are_appended_once),
        IN_FOLDER(entries_are_read),
        IN_FOLDER(what_is_not_there_is_not_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
