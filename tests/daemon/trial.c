/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The daemon's core with operations that do nothing but what a test needs: take their time, fail,
 * say who asks. Their rights go by names of operations that the configuration knows.
 */
#include <stdio.h>
#include <time.h>

#include "daemon/operation.h"

static se_status answer_text(struct answer *out, const char *text, se_error *err)
{
    AUTO(se_buf) bytes = SE_BUF_INIT;

    TRY(buf_copy(&bytes, text_bytes(text), err));
    out->media = MEDIA_TEXT;
    body_take(&out->body, &bytes);
    return SE_OK;
}

/* Milliseconds in the query, until the answer. */
static se_status sleep_some(struct answer *out, const struct request *request, se_error *err)
{
    uint64_t ms;

    TRY(target_number(&ms, request->target, "ms", 60000, err));
    (void)fprintf(stderr, "trial: sleeps %s\n", request->id);
    (void)nanosleep(
        &(struct timespec){ .tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000) * 1000000 },
        NULL);
    return answer_text(out, "slept\n", err);
}

static se_status echo_body(struct answer *out, const struct request *request, se_error *err)
{
    AUTO(se_buf) bytes = SE_BUF_INIT;

    TRY(buf_copy(&bytes, body_bytes(request->body), err));
    out->media = request->media;
    body_take(&out->body, &bytes);
    return SE_OK;
}

/* A batch with as many items as the query says. */
static se_status count_items(struct answer *out, const struct request *request, se_error *err)
{
    TRY(target_number(&out->items, request->target, "items", 100000, err));
    TRY(request_admit(request, out->items, err));
    return answer_text(out, "done\n", err);
}

/* Fails as the query says, with a text that only the log may have. */
static se_status fail_as_asked(struct answer *out, const struct request *request, se_error *err)
{
    uint64_t status, http;

    TRY(target_number(&status, request->target, "status", SE_ERR_CRYPTO, err));
    TRY(target_number(&http, request->target, "http", 599, err));
    out->status = (unsigned)http;
    return error_set(err, (se_status)status, "no token in '/usr/lib/secret-module.so'");
}

static se_status tell_caller(struct answer *out, const struct request *request, se_error *err)
{
    AUTO(writer) w = { 0 };
    const char *version = target_parameter(request->target, "version");

    writer_format(
        &w, "%s version %s key %s type %d accept %d\n", request->caller, version ? version : "-",
        request->idempotency_key ? request->idempotency_key : "-", request->media, request->accept);
    return w.failed ? error_memory(err) : answer_text(out, writer_string(&w), err);
}

static const char *const sleep_query[] = { "ms", "version", NULL };
static const char *const items_query[] = { "items", NULL };
static const char *const fail_query[] = { "status", "http", NULL };
static const char *const version_query[] = { "version", NULL };

#define DESCRIPTOR "/v1/descriptors/{descriptor}/"

const struct operation operations[] = {
    { .name = "sleep",
      .method = METHOD_POST,
      .path = DESCRIPTOR "sleep",
      .access = "sign",
      .takes = MEDIA_OCTETS,
      .query = sleep_query,
      .run = sleep_some },
    { .name = "echo",
      .method = METHOD_POST,
      .path = DESCRIPTOR "echo",
      .access = "verify",
      .takes = MEDIA_OCTETS | MEDIA_JSON,
      .run = echo_body },
    { .name = "batch",
      .method = METHOD_POST,
      .path = DESCRIPTOR "batch",
      .access = "encrypt",
      .takes = MEDIA_OCTETS,
      .query = items_query,
      .run = count_items },
    { .name = "fail",
      .method = METHOD_POST,
      .path = DESCRIPTOR "fail",
      .access = "verify",
      .takes = MEDIA_OCTETS,
      .query = fail_query,
      .run = fail_as_asked },
    { .name = "who",
      .method = METHOD_GET,
      .path = DESCRIPTOR "who",
      .access = "certificates",
      .query = version_query,
      .run = tell_caller },
    { .name = "unversioned",
      .method = METHOD_GET,
      .path = DESCRIPTOR "unversioned",
      .access = "certificates",
      .run = tell_caller },
    { .name = "append",
      .method = METHOD_POST,
      .path = "/v1/histories/{history}/trial",
      .access = "history-append",
      .takes = MEDIA_OCTETS,
      .needs_idempotency_key = true,
      .lasts = true,
      .run = tell_caller },
    { .name = "head",
      .method = METHOD_GET,
      .path = "/v1/histories/{history}/trial",
      .access = "history-read",
      .run = tell_caller },
    { .name = "anybody", .method = METHOD_GET, .path = "/v1/anybody", .run = tell_caller },
};

const size_t operation_count = sizeof operations / sizeof *operations;
