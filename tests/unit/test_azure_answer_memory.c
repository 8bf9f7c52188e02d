/* SPDX-License-Identifier: Apache-2.0 */
/*
 * No token and no decrypted value stays in memory, whatever else the answer has: all that the
 * process can write to is searched for it.  The needle exists masked only, so that the search does
 * not find itself, and a child process writes the answer.
 */
#include "base/base64.h"
#include "base/file.h"
#include "keystore/azure/answer.h"
#include "tests/unit/folder.h"
#include "tests/unit/needle.h"

AUTO_KIND(made_answer, struct http_answer, writer_free(&p->body))

static void write_answer(const char *format, const char *secret)
{
    AUTO(writer) text = { .room = 0 };
    const char *mark = strchr(format, '@');

    writer_put(&text, format, (size_t)(mark - format));
    writer_text(&text, secret);
    writer_text(&text, mark + 1);
    (void)unlink("answer.json");
    make("answer.json", writer_string(&text), 0600);
}

static void write_token(const char *needle)
{
    write_answer("{\"token_type\":\"Bearer\",\"expires_in\":3599,\"access_token\":\"@\"}", needle);
}

static void write_refresh_token(const char *needle)
{
    write_answer("{\"access_token\":\"t\",\"expires_in\":3599,\"token_type\":\"Bearer\","
                 "\"refresh_token\":\"@\"}",
                 needle);
}

static void write_useless_token(const char *needle)
{
    write_answer("{\"access_token\":\"@\",\"token_type\":\"Bearer\"}", needle);
}

static void write_broken_token(const char *needle)
{
    write_answer("{\"access_token\":\"@\",\"token_type\":\"Bearer\"", needle);
}

static void write_value(const char *needle)
{
    AUTO(se_buf) value = SE_BUF_INIT;

    if (base64url_encode(&value, text_bytes(needle), NULL))
        _exit(1);
    write_answer("{\"kid\":\"https://v/keys/k/1\",\"value\":\"@\"}", (char *)value.data);
}

static void read_answer(struct http_answer *out)
{
    AUTO(se_buf) body = SE_BUF_INIT;
    se_error err = SE_ERROR_INIT;

    *out = (struct http_answer){ .status = 200 };
    assert_status(SE_OK, file_read(&body, "answer.json", 65536, &err), &err);
    writer_put(&out->body, body.data, body.size);
}

/* Both take in what was written, and say how much of the needle there was in memory meanwhile. */
static size_t use_token(se_status expected)
{
    AUTO(made_answer) answer = { .status = 0 };
    AUTO(token_answer) token = { .lifetime = 0 };
    se_error err = SE_ERROR_INIT;

    read_answer(&answer);
    assert_status(expected, answer_token(&token, &answer, &err), &err);
    return pieces_in_memory();
}

static size_t use_value(se_status expected)
{
    AUTO(made_answer) answer = { .status = 0 };
    AUTO(se_buf) value = SE_BUF_INIT;
    se_error err = SE_ERROR_INIT;

    read_answer(&answer);
    assert_status(expected, answer_secret_value(&value, &answer, "https://v/keys/k/1", &err), &err);
    return pieces_in_memory();
}

/*
 * First with what is no secret: when a function of another library is called for the first time,
 * the dynamic linker looks it up and leaves what vector registers held on the stack.
 */
static void assert_gone(size_t (*use)(se_status expected), void (*write)(const char *needle),
                        se_status expected)
{
    write("as-long-as-the-needle-is");
    assert_int_equal(use(expected), 0);
    in_child(write);
    assert_int_equal(pieces_in_memory(), 0);
    assert_true(use(expected) > 0); /* the search finds what is there */
    assert_int_equal(pieces_in_memory(), 0);
}

static void tokens_are_wiped(void **state)
{
    (void)state;
    assert_gone(use_token, write_token, SE_OK);
    assert_gone(use_token, write_refresh_token, SE_OK);
    assert_gone(use_token, write_useless_token, SE_ERR_STORE);
    assert_gone(use_token, write_broken_token, SE_ERR_STORE);
}

static void values_are_wiped(void **state)
{
    (void)state;
    assert_gone(use_value, write_value, SE_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(tokens_are_wiped),
        IN_FOLDER(values_are_wiped),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
