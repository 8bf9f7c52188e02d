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
    return vault_context(caller->vault, answer_json(out, &answer, err), err);
}

/* "certificate" of "certificates" */
static int kind_size(const char *collection)
{
    return (int)strlen(collection) - 1;
}

se_status vault_fetch_object(json_t **out, const struct vault_caller *caller,
                             const char *collection, const char *name, const char *below,
                             se_error *err)
{
    AUTO(writer) path = { 0 };
    AUTO(writer) what = { 0 };

    *out = NULL;
    writer_format(&path, "/%s/%s%s%s", collection, name, *below ? "/" : "", below);
    writer_format(&what, "get %.*s '%s'", kind_size(collection), collection, name);
    if (path.failed || what.failed)
        return error_memory(err);
    return vault_fetch(out, caller, writer_string(&path), writer_string(&what), err);
}

/* *next: the path of the next page; empty: this was the last. */
static se_status list_page(struct writer *next, bool *stop, const json_t *json, vault_item_fn fn,
                           void *arg, se_error *err)
{
    struct vault_page page;
    const json_t *item;
    size_t i;

    TRY(answer_page(&page, json, err));
    json_array_foreach(page.items, i, item) {
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

se_status vault_list_versions(const struct vault_caller *caller, const char *collection,
                              const char *name, vault_item_fn fn, void *arg, se_error *err)
{
    AUTO(writer) path = { 0 };
    AUTO(writer) what = { 0 };

    writer_format(&path, "/%s/%s/versions", collection, name);
    writer_format(&what, "list the versions of %.*s '%s'", kind_size(collection), collection, name);
    if (path.failed || what.failed)
        return error_memory(err);
    return vault_list(caller, writer_string(&path), writer_string(&what), fn, arg, err);
}
