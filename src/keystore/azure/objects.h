/* SPDX-License-Identifier: Apache-2.0 */
/* A vault's objects as JSON: one, what is done with it, and lists of them, page by page. */
#ifndef KEYSTORE_AZURE_OBJECTS_H
#define KEYSTORE_AZURE_OBJECTS_H

#include <jansson.h>

#include "keystore/azure/vault.h"

/* Who asks, and until when. */
struct vault_caller {
    struct vault *vault;
    const struct keyref *ref;
    int64_t until; /* clock_monotonic_ms() */
};

/* GET.  `path`: as in struct vault_request; `what`: "get key 'k1'". */
SE_MUST_CHECK se_status vault_fetch(json_t **out, const struct vault_caller *caller,
                                    const char *path, const char *what, se_error *err);

/* The object "/COLLECTION/NAME", or what is `below` it: a version, "rotationpolicy"; "": nothing.
 */
SE_MUST_CHECK se_status vault_fetch_object(json_t **out, const struct vault_caller *caller,
                                           const char *collection, const char *name,
                                           const char *below, se_error *err);

/* True in *stop ends the list. */
typedef se_status (*vault_item_fn)(void *arg, const json_t *item, bool *stop, se_error *err);

/* Hands out the items of all pages.  Pages may be empty: only one that names no next is the last.
 */
SE_MUST_CHECK se_status vault_list(const struct vault_caller *caller, const char *path,
                                   const char *what, vault_item_fn fn, void *arg, se_error *err);
SE_MUST_CHECK se_status vault_list_versions(const struct vault_caller *caller,
                                            const char *collection, const char *name,
                                            vault_item_fn fn, void *arg, se_error *err);

#endif
