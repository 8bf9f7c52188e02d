/* SPDX-License-Identifier: Apache-2.0 */
/* A body from a vault or a login service, through everything that reads one. */
#include <assert.h>

#include "keystore/azure/answer.h"
#include "keystore/azure/jwk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_success(const struct http_answer *answer)
{
    AUTO(json) json = NULL;
    AUTO(vault_certificate_answer) certificate = { .id = "" };
    AUTO(evp_pkey) public_key = NULL;
    AUTO(se_buf) value = SE_BUF_INIT;
    struct vault_key_answer key;
    struct vault_page page;

    if (answer_json(&json, answer, NULL)) {
        assert(!json);
        return;
    }
    if (answer_key(&key, json, NULL) == SE_OK && jwk_public_key(&public_key, key.jwk, NULL))
        assert(!public_key);
    (void)!answer_certificate(&certificate, json, NULL);
    if (answer_page(&page, json, NULL))
        assert(!page.items && !page.next);
    if (answer_value(&value, json, "https://v/keys/k/1", NULL))
        assert(!value.data);
}

static void read_secrets(const struct http_answer *answer)
{
    AUTO(token_answer) token = { .lifetime = 0 };
    AUTO(se_buf) value = SE_BUF_INIT;

    if (answer_token(&token, answer, NULL))
        assert(!token.token.data);
    else
        assert(token.token.size && token.lifetime > 0 && token.refresh < token.lifetime);
    if (answer_secret_value(&value, answer, "https://v/keys/k/1", NULL))
        assert(!value.data);
}

static void read_failure(struct http_answer *answer)
{
    static const long statuses[] = { 0, 200, 302, 400, 401, 403, 404, 409, 410, 429, 503 };

    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++) {
        se_error err = SE_ERROR_INIT, login = SE_ERROR_INIT;

        answer->status = statuses[i];
        assert(answer_failure(answer, "sign with 'k1'", &err) == err.status && err.status);
        assert(answer_login_failure(answer, "log in", &login) == login.status && login.status);
        assert(!strpbrk(err.text, "\r\n") && !strpbrk(login.text, "\r\n"));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct http_answer answer = { .status = 200 };

    writer_put(&answer.body, data, size);
    read_success(&answer);
    read_secrets(&answer);
    read_failure(&answer);
    writer_free(&answer.body);
    return 0;
}
