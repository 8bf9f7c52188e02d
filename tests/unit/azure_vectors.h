/* SPDX-License-Identifier: Apache-2.0 */
/* Recorded exchanges with vaults, which are not part of the project: $AZURE_VECTORS, or
 * shared/azure-vectors beside the sources. */
#ifndef TESTS_UNIT_AZURE_VECTORS_H
#define TESTS_UNIT_AZURE_VECTORS_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "keystore/azure/answer.h"
#include "tests/unit/unit.h"

AUTO_KIND(made_answer, struct http_answer, writer_free(&p->body))

/* Leaves the test, as skipped, when they are not there. */
static inline void find_vectors(char out[4096])
{
    const char *given = getenv("AZURE_VECTORS"), *top = getenv("top_srcdir");

    if (given)
        (void)snprintf(out, 4096, "%s", given);
    else
        (void)snprintf(out, 4096, "%s/../shared/azure-vectors", top ? top : ".");
    if (access(out, R_OK) == 0)
        return;
    print_message("no recorded exchanges in %s (AZURE_VECTORS): skipped\n", out);
    skip();
}

static inline json_t *load_json(const char *path)
{
    json_error_t why;
    json_t *json = json_load_file(path, 0, &why);

    if (!json)
        fail_msg("%s: %s", path, why.text);
    return json;
}

static inline json_t *load_vectors(const char *name)
{
    char folder[4096], path[4200];

    find_vectors(folder);
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    return load_json(path);
}

static inline void make_answer(struct http_answer *out, long status, se_bytes body)
{
    *out = (struct http_answer){ .status = status, .retry_after = -1 };
    writer_put(&out->body, body.data, body.size);
    assert_false(out->body.failed);
}

static inline struct http_answer answer_of(long status, const char *text)
{
    struct http_answer answer;

    make_answer(&answer, status, text_bytes(text));
    return answer;
}

static inline void assert_says(const se_error *err, const char *text)
{
    if (!strstr(err->text, text))
        fail_msg("'%s' does not say '%s'", err->text, text);
}

static inline void copy_header(char *out, size_t room, const json_t *response, const char *name)
{
    const char *text =
        json_string_value(json_object_get(json_object_get(response, "headers"), name));

    (void)snprintf(out, room, "%s", text ? text : "");
}

/* "response" of an exchange; a body that is no text was JSON. */
static inline void make_recorded_answer(struct http_answer *out, const json_t *response)
{
    const json_t *body = json_object_get(response, "body");
    char *dumped = json_is_object(body) ? json_dumps(body, JSON_COMPACT) : NULL;
    const char *text = dumped ? dumped : json_string_value(body);

    make_answer(out, (long)json_integer_value(json_object_get(response, "status")),
                text_bytes(text ? text : ""));
    free(dumped);
    copy_header(out->content_type, sizeof out->content_type, response, "content-type");
    copy_header(out->authenticate, sizeof out->authenticate, response, "www-authenticate");
    copy_header(out->request_id, sizeof out->request_id, response, "x-ms-request-id");
}

#endif
