/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bodies of requests. The first byte says which operation, and how it is sent; without an engine
 * all is read, nothing is done, and the answers have the library's refusal.
 */
#include <assert.h>

#include "daemon/histories.h"
#include "daemon/json_parse.h"
#include "daemon/operation.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const yajl_callbacks nothing;

static void assert_json(se_bytes text)
{
    assert(json_parse(&nothing, NULL, text, NULL) == SE_OK);
}

static void assert_answer(const struct answer *answer)
{
    se_bytes left = body_bytes(&answer->body);
    const char *end;

    assert(left.size && answer->failed <= answer->items);
    if (answer->media == MEDIA_JSON)
        assert_json(left);
    if (answer->media != MEDIA_NDJSON)
        return;
    while ((end = memchr(left.data, '\n', left.size))) {
        const size_t line = (size_t)(end - (const char *)left.data);

        assert_json((se_bytes){ left.data, line });
        left = (se_bytes){ end + 1, left.size - line - 1 };
        if (!left.size)
            break;
    }
    assert(!left.size);
}

static void run_operation(const struct operation *operation, const char *path, enum media media,
                          se_bytes body)
{
    struct histories *histories;
    struct answer answer = { .status = 0 };
    struct target target;
    se_error err = SE_ERROR_INIT;
    struct body in = { .kind = operation_body_kind(operation, media) };
    struct request request = { .target = &target, .media = media, .body = &in, .id = "r" };
    se_status st;

    if (histories_new(&histories, NULL, NULL, 0, NULL) || target_read(&target, path, NULL))
        return;
    request.histories = histories;
    assert(body_put(&in, body));
    assert(target_matches(&target, operation->path));
    st = operation->run(&answer, &request, &err);
    assert(st == err.status && (!st || *err.text) && !strpbrk(err.text, "\r\n"));
    if (!st)
        assert_answer(&answer);
    body_free(&answer.body);
    body_free(&in);
    target_free(&target);
    histories_free(histories);
}

/* Variables become names. */
static void fill_path(char out[80], const char *pattern)
{
    for (; *pattern; pattern++)
        if (*pattern != '{' && *pattern != '}')
            *out++ = *pattern;
    *out = '\0';
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const enum media kinds[] = { MEDIA_JSON, MEDIA_NDJSON };
    char path[80];
    const struct operation *operation;
    enum media media;

    if (!size)
        return 0;
    operation = &operations[*data / 2 % operation_count];
    media = kinds[*data % 2];
    if (!(operation->takes & media))
        return 0;
    fill_path(path, operation->path);
    run_operation(operation, path, media, (se_bytes){ data + 1, size - 1 });
    return 0;
}
