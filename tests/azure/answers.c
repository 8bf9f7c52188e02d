/* SPDX-License-Identifier: Apache-2.0 */
/* The shapes of answers, and in what Key Vault and Managed HSM differ. */
#include "tests/azure/store.h"

#include <ctype.h>
#include <openssl/rand.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void answer_error(struct call *c, int status, const char *code, const char *inner,
                  const char *format, ...)
{
    char *text = NULL;
    va_list list;
    va_start(list, format);
    if (vasprintf(&text, format, list) < 0)
        abort();
    va_end(list);
    json_t *error = json_pack("{ss}", "code", code);
    if (settings.hsm) {
        char *longer = text_format("%s (Activity ID: %s)", text, c->answer->request_id);
        json_object_set_new(error, "message", json_string(longer));
        free(longer);
    } else {
        json_object_set_new(error, "message", json_string(text));
        if (inner)
            json_object_set_new(error, "innererror", json_pack("{ss}", "code", inner));
    }
    answer_json(c->answer, status, json_pack("{so}", "error", error));
    free(text);
}

char *store_url(const struct call *c, const char *folder, const char *name, const char *version)
{
    return text_format("https://%s/%s/%s%s%s", c->request->host, folder, name, version ? "/" : "",
                       version ? version : "");
}

static void set_url(json_t *json, const char *member, char *url)
{
    json_object_set_new(json, member, json_string(url));
    free(url);
}

static const char *recovery_level(void)
{
    if (settings.purge_protection)
        return settings.recoverable_days < 90 ? "CustomizedRecoverable" : "Recoverable";
    return settings.recoverable_days < 90 ? "CustomizedRecoverable+Purgeable"
                                          : "Recoverable+Purgeable";
}

json_t *key_attributes(const struct call *c, const struct version *version)
{
    json_t *attributes = json_pack("{sb}", "enabled", version->enabled);
    if (version->not_before)
        json_object_set_new(attributes, "nbf", json_time(version->not_before));
    if (version->expires)
        json_object_set_new(attributes, "exp", json_time(version->expires));
    json_object_set_new(attributes, "created", json_time(version->created));
    json_object_set_new(attributes, "updated", json_time(version->updated));
    json_object_set_new(attributes, "recoveryLevel", json_string(recovery_level()));
    json_object_set_new(attributes, "recoverableDays", json_integer(settings.recoverable_days));
    json_object_set_new(attributes, "exportable", json_boolean(version->exportable));
    /* since 7.5 */
    if (c->api && (strcmp(c->api, "7.4") > 0 || c->api[0] == '2'))
        json_object_set_new(attributes, "hsmPlatform",
                            json_string(text_ends(version->kty, "-HSM") ? "2" : "0"));
    return attributes;
}

/* A Managed HSM gives them in any order, another one in each answer. */
static json_t *shuffle_operations(const json_t *ops)
{
    json_t *list = json_array();
    unsigned char random;
    for (size_t i = 0; i < json_array_size(ops); i++) {
        RAND_bytes(&random, 1);
        json_array_insert(list, random % (i + 1), json_array_get(ops, i));
    }
    return list;
}

json_t *key_bundle(const struct call *c, const struct object *object, const struct version *version)
{
    json_t *key = json_object(), *bundle = json_object();
    set_url(key, "kid", store_url(c, "keys", object->name, version->id));
    json_object_set_new(key, "kty", json_string(version->kty));
    json_object_set_new(key, "key_ops",
                        settings.hsm ? shuffle_operations(version->ops)
                                     : json_deep_copy(version->ops));
    if (version->jwk)
        json_object_update(key, version->jwk);
    json_object_set_new(bundle, "key", key);
    json_object_set_new(bundle, "attributes", key_attributes(c, version));
    if (version->tags)
        json_object_set_new(bundle, "tags", json_deep_copy(version->tags));
    if (object->policy)
        json_object_set_new(bundle, "managed", json_true());
    return bundle;
}

json_t *key_item(const struct call *c, const struct object *object, const struct version *version,
                 bool with_version)
{
    json_t *item = json_object();
    set_url(item, "kid", store_url(c, "keys", object->name, with_version ? version->id : NULL));
    json_object_set_new(item, "attributes", key_attributes(c, version));
    if (version->tags)
        json_object_set_new(item, "tags", json_deep_copy(version->tags));
    if (object->policy)
        json_object_set_new(item, "managed", json_true());
    return item;
}

/* Recorded: first in a vault's answer. */
void add_deletion(const struct call *c, json_t *bundle, const struct object *object,
                  const char *folder)
{
    json_t *rest = json_copy(bundle);
    json_object_clear(bundle);
    set_url(bundle, "recoveryId", store_url(c, folder, object->name, NULL));
    json_object_set_new(bundle, "deletedDate", json_time(object->deleted));
    json_object_set_new(bundle, "scheduledPurgeDate", json_time(object->purge_date));
    json_object_update(bundle, rest);
    json_decref(rest);
}

void answer_not_found(struct call *c, const char *what)
{
    bool deleted = strncmp(c->operation, "deleted", 7) == 0;
    char code[64];
    snprintf(code, sizeof code, "%sNotFound", what);
    if (settings.hsm) {
        char *url = store_url(c, deleted ? "deletedkeys" : "keys", c->name, c->version);
        const char *twice = strcmp(c->operation, "rotate") == 0 ? "Key not found: " : "";
        answer_error(c, 404, code, NULL, "Key not found: %s%s", twice, url);
        free(url);
    } else if (deleted) {
        answer_error(c, 404, code, NULL, "Deleted %s not found: %s", what, c->name);
    } else {
        char *lower = text_copy(what);
        lower[0] = (char)tolower(lower[0]);
        answer_error(c, 404, code, NULL,
                     "A %s with (name/id) %s%s%s was not found in this key vault. If you recently "
                     "deleted this %s you may be "
                     "able to recover it using the correct recovery command. For help resolving "
                     "this issue, please see "
                     "https://go.microsoft.com/fwlink/?linkid=2125182",
                     lower, c->name, c->version && *c->version ? "/" : "",
                     c->version ? c->version : "", lower);
        free(lower);
    }
}

/*
 * Pages.  A vault's lists begin with an empty page, and have one after each full page: clients must
 * go by nextLink alone. The token is "N" or, for an empty page, "eN", in base64url.
 */
void answer_list(struct call *c, json_t *items)
{
    char *max = request_parameter(c->request, "maxresults"),
         *token = request_parameter(c->request, "$skiptoken");
    size_t size = max ? strtoul(max, NULL, 10) : 25, total = json_array_size(items), from = 0,
           raw = 0;
    char *place = token ? (char *)base64url_decode(&raw, token) : NULL;
    bool empty = !settings.hsm && !token && total > 0;
    if (!size || size > 25)
        size = 25;
    if (place) {
        empty = place[0] == 'e';
        from = strtoul(place + empty, NULL, 10);
    }
    size_t end = empty ? from : from + size < total ? from + size : total;
    json_t *page = json_array();
    for (size_t i = from; i < end; i++)
        json_array_append(page, json_array_get(items, i));
    json_t *body = json_pack("{so}", "value", page);
    if (end < total) {
        /* each page but the first two is followed by an empty one */
        char *next = text_format("%s%zu", !settings.hsm && !empty ? "e" : "", end);
        char *code = base64url_encode((unsigned char *)next, strlen(next));
        char *url = settings.hsm
                        ? text_format("https://%s%s?maxresults=%zu&$skiptoken=%s", c->request->host,
                                      c->request->path, size, code)
                        : text_format("https://%s%s?api-version=%s&$skiptoken=%s&maxresults=%zu",
                                      c->request->host, c->request->path, c->api, code, size);
        json_object_set_new(body, "nextLink", json_string(url));
        free(next);
        free(code);
        free(url);
    } else if (!settings.hsm) {
        json_object_set_new(body, "nextLink", json_null());
    }
    answer_json(c->answer, 200, body);
    json_decref(items);
    free(max);
    free(token);
    free(place);
}

bool name_valid(const char *name)
{
    size_t size = strspn(name, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-");
    return size > 0 && size <= 127 && !name[size];
}

struct version *call_version(struct call *c, struct object **object, const char *what)
{
    *object = store_find(c->name);
    bool fits = *object && (*object)->life == LIFE_LIVE &&
                (strcmp(what, "Certificate") != 0 || (*object)->policy);
    struct version *version = fits ? version_find(*object, c->version) : NULL;
    if (!version)
        answer_not_found(c, what);
    return version;
}

bool name_free(struct call *c, const char *what)
{
    struct object *object = store_find(c->name);
    if (!object || object->life == LIFE_LIVE)
        return true;
    if (object->life == LIFE_DELETING || object->life == LIFE_PURGING)
        answer_error(c, 409, "Conflict", "ObjectIsBeingDeleted",
                     "%s %s is currently being deleted and cannot be re-created; retry later.",
                     what, c->name);
    else
        answer_error(c, 409, "Conflict", "ObjectIsDeletedButRecoverable",
                     "%s %s is currently in a deleted but recoverable state, and its name cannot "
                     "be reused; in this state, "
                     "the %s can only be recovered or purged.",
                     what, c->name, strcmp(what, "Key") == 0 ? "key" : "certificate");
    return false;
}
