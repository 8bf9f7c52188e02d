/* SPDX-License-Identifier: Apache-2.0 */
#include "keystore/azure/objects.h"

enum { PAGES_MOST = 10000 }; /* a vault that names pages for ever is not followed for ever */

se_status vault_fetch(json_t **out, const struct vault_caller *caller, const char *path,
                      const char *what, se_error *err)
{
    AUTO(http_answer) answer = { .status = 0 };
    const struct vault_request request = {
        .method = "GET",
        .path = path,
        .api_version = caller->ref->api_version,
        .what = what,
        .is_repeatable = true,
        .until = caller->until,
    };

    *out = NULL;
    TRY(vault_send(&answer, caller->vault, &request, NULL, err));
    TRY_PREFIX(answer_json(out, &answer, err), err,
               "vault '%s': ", vault_place(caller->vault)->host);
    return SE_OK;
}

/* *next: the path of the next page; empty: this was the last. */
static se_status list_page(struct writer *next, bool *stop, const json_t *json, vault_item_fn fn,
                           void *arg, se_error *err)
{
    struct vault_page page;
    const json_t *item;
    size_t i;

    TRY(answer_page(&page, json, err));
    json_array_foreach(page.items, i, item)
    {
        TRY(fn(arg, item, stop, err));
        if (*stop)
            return SE_OK;
    }
    if (page.next)
        writer_text(next, page.next);
    return next->failed ? error_memory(err) : SE_OK;
}

se_status vault_list(const struct vault_caller *caller, const char *path, const char *what,
                     vault_item_fn fn, void *arg, se_error *err)
{
    AUTO(writer) at = { 0 };
    bool stop = false;

    writer_text(&at, path);
    for (unsigned pages = 0; pages < PAGES_MOST && at.buf.size && !stop; pages++) {
        AUTO(json) json = NULL;
        AUTO(writer) next = { 0 };

        TRY(vault_fetch(&json, caller, writer_string(&at), what, err));
        TRY(list_page(&next, &stop, json, fn, arg, err));
        writer_free(&at);
        at = MOVE(next);
    }
    return SE_OK;
}
