/* SPDX-License-Identifier: Apache-2.0 */
/*
 * No plaintext stays in memory, neither of a body nor of an answer: all that the process can write
 * to is searched for it. The needle exists masked only, and a child process writes the bodies.
 */
#include "base/base64.h"
#include "tests/unit/needle.h"
#include "tests/unit/operations.h"

static const char configuration[] =
    "<engineSignEncrypt><descriptors>"
    "<descriptor name='Fields'><type algorithm='AES/GCM/NoPadding' key='one' "
    "asymCipher='RSA/ECB/OAEPWithSHA-256AndMGF1Padding'/></descriptor>"
    "</descriptors><keys>"
    "<key name='one'><type name='pem' locationValue='one.pem'/></key>"
    "</keys></engineSignEncrypt>";

static void write_body(const char *name, const char *format, const char *secret)
{
    AUTO(writer) text = { 0 };
    const char *mark = strchr(format, '@');

    writer_put(&text, format, (size_t)(mark - format));
    writer_text(&text, secret);
    writer_text(&text, mark + 1);
    make(name, writer_string(&text), 0600);
}

/* In context and value, with an escape, so that yajl has to copy it; and base64, which is another
 * text. */
static void write_bodies(const char *needle)
{
    AUTO(se_buf) text = SE_BUF_INIT;

    if (base64_encode(&text, text_bytes(needle), NULL))
        _exit(1);
    write_body("escaped", "{\"value\":\"\\n@\\t\"}", needle);
    write_body("context", "{\"value\":\"x\",\"context\":{\"\\t@\":\"\"}}", needle);
    write_body("broken", "{\"value\":\"\\n@\",", needle);
    write_body("encrypt", "{\"items\":[{\"content\":\"@\"},{\"content\":\"\"}]}",
               (char *)text.data);
    write_body("plain", "@", needle);
}

static void read_body(se_buf *out, const char *name)
{
    se_error err = SE_ERROR_INIT;

    assert_status(SE_OK, file_read(out, name, 65536, &err), &err);
}

static void ask_with(struct trial *t, const char *path, const char *name, se_status expected)
{
    AUTO(se_buf) body = SE_BUF_INIT;

    read_body(&body, name);
    assert_asked(expected, t, ask(t, path, MEDIA_JSON, buf_bytes(&body)));
}

#define F D "Fields/"

static void nothing_stays_of_a_body(void **state)
{
    static const struct {
        const char *name, *path;
        se_status status;
    } cases[] = {
        { "escaped", F "decrypt", SE_ERR_FORMAT },
        { "context", F "decrypt", SE_ERR_FORMAT },
        { "broken", F "decrypt", SE_ERR_FORMAT },
        { "encrypt", F "encrypt", SE_OK },
    };
    struct trial t;

    (void)state;
    make_signer("one.pem", "RSA-2048", &(struct certificate_wish){ .subject = "one" });
    trial_open(&t, configuration, NULL, 0);
    in_child(write_bodies);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ask_with(&t, cases[i].path, cases[i].name, cases[i].status);
        if (pieces_in_memory())
            fail_msg("%s: %zu pieces", cases[i].name, pieces_in_memory());
    }
    trial_close(&t);
}

static void nothing_stays_of_an_answer(void **state)
{
    struct trial t;
    AUTO(se_buf) plain = SE_BUF_INIT;
    AUTO(se_buf) value = SE_BUF_INIT;

    (void)state;
    make_signer("one.pem", "RSA-2048", &(struct certificate_wish){ .subject = "one" });
    trial_open(&t, configuration, NULL, 0);
    in_child(write_bodies);
    read_body(&plain, "plain");
    assert_asked(SE_OK, &t, ask(&t, F "encrypt", MEDIA_OCTETS, buf_bytes(&plain)));
    value = buf_move(&t.body);
    assert_true(pieces_in_memory() > 0); /* the search finds what is there */
    se_buf_free(&plain);
    assert_int_equal(pieces_in_memory(), 0);
    assert_asked(SE_OK, &t, ask(&t, F "decrypt", MEDIA_OCTETS, buf_bytes(&value)));
    assert_true(pieces_in_memory() > 0);
    se_buf_free(&t.body);
    assert_int_equal(pieces_in_memory(), 0);
    trial_close(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(nothing_stays_of_a_body),
        IN_FOLDER(nothing_stays_of_an_answer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
