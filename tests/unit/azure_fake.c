/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/azure_fake.h"

#include <pthread.h>
#include <stdio.h>

#include "base/fork_lock.h"

struct http_pool {
    unsigned opened;
};

enum { TEXT_ROOM = 16384 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned lock_generation;
static fake_fn fake_answer;
static unsigned delay, requests, pools;
static bool held;
static bool keeps_texts = true;
static char url[1024], body[TEXT_ROOM], headers[TEXT_ROOM];
static struct http_settings last_settings;

const struct vault_place fake_place = {
    .kind = VAULT_KEY_VAULT,
    .base = (char[]){ "https://v.vault.azure.net" },
    .host = (char[]){ "v.vault.azure.net" },
    .resource = (char[]){ "https://vault.azure.net" },
    .authority = (char[]){ "https://login.microsoftonline.com" },
};

/* A child must not wait for a thread of its parent here either. */
static void take_lock(void)
{
    if (lock_generation != fork_generation())
        lock = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
    lock_generation = fork_generation();
    pthread_mutex_lock(&lock);
}

void fake_begin(fake_fn answer)
{
    take_lock();
    fake_answer = answer;
    delay = requests = 0;
    fake_hold(false);
    keeps_texts = true;
    *url = *body = *headers = '\0';
    pthread_mutex_unlock(&lock);
}

void fake_delay(unsigned ms)
{
    __atomic_store_n(&delay, ms, __ATOMIC_RELAXED);
}

void fake_hold(bool on)
{
    __atomic_store_n(&held, on, __ATOMIC_RELEASE);
}

void fake_forget_texts(void)
{
    keeps_texts = false;
}

unsigned fake_requests(void)
{
    return __atomic_load_n(&requests, __ATOMIC_ACQUIRE);
}

unsigned fake_pools(void)
{
    return __atomic_load_n(&pools, __ATOMIC_ACQUIRE);
}

const char *fake_url(void)
{
    return url;
}

const char *fake_body(void)
{
    return body;
}

const char *fake_headers(void)
{
    return headers;
}

struct http_settings fake_settings(void)
{
    return last_settings;
}

void fake_json(struct http_answer *out, long status, const char *json)
{
    out->status = status;
    (void)snprintf(out->content_type, sizeof out->content_type, "application/json");
    writer_text(&out->body, json);
}

struct keyref fake_ref(void)
{
    return (struct keyref){
        .store = "AzureKeyVault",
        .location = "https://v.vault.azure.net",
        .location_written = "https://v.vault.azure.net",
        .alias = "k1",
        .certificate = "",
        .certificate_written = "",
        .token_label = "",
        .token_serial = "",
        .token_manufacturer = "",
        .token_model = "",
        .init_args = "",
        .login = "",
        .key_version = "",
        .tenant = "11111111-2222-3333-4444-555555555555",
        .client = "client-1",
        .credential_key = "",
        .authority = "",
        .resource = "",
        .proxy = "",
        .api_version = "",
        .ca_file = "",
        .ca_file_written = "",
        .pin_source = "",
        .pin_scrambled = "",
        .pin_key = "",
    };
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

const char *form_field(const char *form, const char *name)
{
    static char value[TEXT_ROOM];
    const size_t size = strlen(name);
    size_t used = 0;

    while (form && !(strncmp(form, name, size) == 0 && form[size] == '='))
        form = strchr(form, '&') ? strchr(form, '&') + 1 : NULL;
    if (form)
        for (form += size + 1; *form && *form != '&' && used < sizeof value - 1; form++) {
            if (*form == '%') {
                assert_true(hex_digit(form[1]) >= 0 && hex_digit(form[2]) >= 0);
                value[used++] = (char)(hex_digit(form[1]) * 16 + hex_digit(form[2]));
                form += 2;
            } else
                value[used++] = *form;
        }
    value[used] = '\0';
    return value;
}

/* ---- http.h ---- */

se_status http_pool_open(struct http_pool **out, const struct http_settings *settings,
                         se_error *err)
{
    *out = calloc(1, sizeof **out);
    if (!*out)
        return error_memory(err);
    last_settings = *settings;
    __atomic_add_fetch(&pools, 1, __ATOMIC_RELAXED);
    return SE_OK;
}

void http_pool_close(struct http_pool *pool)
{
    if (pool)
        __atomic_sub_fetch(&pools, 1, __ATOMIC_RELEASE);
    free(pool);
}

void http_pool_drop(struct http_pool *pool)
{
    (void)pool;
}

unsigned http_pool_opened(const struct http_pool *pool)
{
    return pool->opened;
}

void http_answer_free(struct http_answer *answer)
{
    writer_free(&answer->body);
    *answer = (struct http_answer){ .status = 0 };
}

static void keep_texts(const struct http_request *request)
{
    size_t used = 0;

    (void)snprintf(url, sizeof url, "%s", request->url);
    (void)snprintf(body, sizeof body, "%.*s", (int)request->body.size,
                   request->body.data ? (const char *)request->body.data : "");
    *headers = '\0';
    for (size_t i = 0; i < HTTP_HEADERS_MOST && request->headers[i]; i++)
        used +=
            (size_t)snprintf(headers + used, sizeof headers - used, "%s\n", request->headers[i]);
}

static bool wait_before(int64_t until)
{
    const int64_t begun = clock_monotonic_ms();
    const unsigned ms = __atomic_load_n(&delay, __ATOMIC_RELAXED);

    while (clock_monotonic_ms() - begun < ms || __atomic_load_n(&held, __ATOMIC_ACQUIRE)) {
        if (clock_monotonic_ms() >= until)
            return false;
        (void)usleep(1000);
    }
    return true;
}

se_status http_send(struct http_answer *out, struct http_pool *pool,
                    const struct http_request *request, se_error *err)
{
    se_status st;

    assert_non_null(pool);
    *out = (struct http_answer){ .retry_after = -1 };
    __atomic_add_fetch(&requests, 1, __ATOMIC_RELEASE);
    if (!wait_before(request->until))
        return error_set(err, SE_ERR_UNAVAILABLE, "the server did not answer in time");
    take_lock();
    if (keeps_texts)
        keep_texts(request);
    st = fake_answer(out, request, err);
    pthread_mutex_unlock(&lock);
    if (st)
        http_answer_free(out);
    return st;
}
