/* SPDX-License-Identifier: Apache-2.0 */
/* Secrets and tokens are nowhere in memory once nobody needs them. */
#include <stdio.h>
#include <sys/stat.h>

#include "base/file.h"
#include "tests/unit/azure_fake.h"
#include "tests/unit/needle.h"

static const char secret_file[] = "/tmp/signengine-azure-secret";

static void write_secret(const char *pin)
{
    FILE *file = fopen(secret_file, "w");

    if (!file || fprintf(file, "%s\n", pin) < 0 || fclose(file))
        _exit(1);
    _exit(chmod(secret_file, 0600));
}

/* The same text is the token, so that both are looked for. */
static se_status give_secret_token(struct http_answer *out, const struct http_request *request,
                                   se_error *err)
{
    AUTO(se_buf) token = SE_BUF_INIT;

    (void)request;
    TRY(file_read(&token, secret_file, 100, err));
    out->status = 200;
    (void)snprintf(out->content_type, sizeof out->content_type, "application/json");
    writer_text(&out->body, "{\"token_type\":\"Bearer\",\"expires_in\":3600,\"access_token\":\"");
    writer_put(&out->body, token.data, token.size - 1);
    writer_text(&out->body, "\"}");
    return SE_OK;
}

static se_status give_token(struct http_answer *out, const struct http_request *request,
                            se_error *err)
{
    (void)request;
    (void)err;
    fake_json(out, 200, "{\"token_type\":\"Bearer\",\"expires_in\":3600,\"access_token\":\"t\"}");
    return SE_OK;
}

static void log_in_again(struct login *login)
{
    const struct challenge challenge = { .scheme = "Bearer" };
    AUTO(se_buf) header = SE_BUF_INIT;
    se_error err = SE_ERROR_INIT;

    assert_status(SE_OK, login_header(&header, login, in_ms(5000), &err), &err);
    assert_status(SE_OK, login_refused(login, &header, &challenge, &err), &err);
}

static void test_nothing_stays_in_memory(void **state)
{
    static struct keyref ref;
    static char source[64];
    struct login *login;
    se_error err = SE_ERROR_INIT;

    (void)state;
    (void)snprintf(source, sizeof source, "file:%s", secret_file);
    (void)unlink(secret_file);
    in_child(write_secret);
    fake_begin(give_token);
    fake_forget_texts();
    ref = fake_ref();
    ref.credential = CREDENTIAL_SECRET;
    ref.pin_source = source;
    assert_status(SE_OK, login_open(&login, &ref, &fake_place, &err), &err);
    /* The dynamic linker, when it looks up a function of a library for the first time, leaves
     * registers on the stack with what was copied last: let it have done that. */
    log_in_again(login);
    fake_begin(give_secret_token);
    fake_forget_texts();
    for (int i = 0; i < 3; i++)
        log_in_again(login);
    assert_int_equal(pieces_in_memory(), 0);
    {
        AUTO(se_buf) header = SE_BUF_INIT;

        assert_status(SE_OK, login_header(&header, login, in_ms(5000), &err), &err);
    }
    assert_true(pieces_in_memory() > 0); /* the token that is in use: the search finds it */
    login_close(login);
    for (unsigned i = 0; i < 3000 && fake_pools(); i++)
        (void)usleep(1000);
    assert_int_equal(fake_pools(), 0);
    assert_int_equal(fake_requests(), 4);
    assert_int_equal(pieces_in_memory(), 0);
    (void)unlink(secret_file);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_stays_in_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
