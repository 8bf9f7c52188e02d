/* SPDX-License-Identifier: Apache-2.0 */
/* Deleting, recovering, purging; backups of one object. */
#include "tests/azure/store.h"

#include <stdlib.h>
#include <string.h>

static bool refuse_managed(struct call *c, const struct object *object)
{
    if (!object->policy)
        return false;
    answer_error(
        c, 403, "Forbidden", "KeyManagedByKeyVault",
        "Operation \"delete\" is not allowed as this object's lifetime is managed by Key Vault.");
    return true;
}

static bool refuse_busy(struct call *c)
{
    if (!hsm_busy())
        return false;
    answer_error(
        c, 409, "Conflict", NULL,
        "User triggered Restore operation is in progress. Retry after the restore operation");
    return true;
}

void key_delete(struct call *c)
{
    struct object *object;
    store_lock();
    struct version *version = refuse_busy(c) ? NULL : call_version(c, &object, "Key");
    if (version && !refuse_managed(c, object)) {
        object->deleted = clock_seconds();
        object->purge_date = object->deleted + settings.recoverable_days * INT64_C(86400);
        object_begin(object, LIFE_DELETING);
        json_t *bundle = key_bundle(c, object, version);
        add_deletion(c, bundle, object, "deletedkeys");
        answer_json(c->answer, 200, bundle);
    }
    store_unlock();
}

/* The deleted key of this call, or an error was answered. */
static struct object *find_deleted(struct call *c)
{
    struct object *object = store_find(c->name);
    if (object && object->life == LIFE_DELETED)
        return object;
    if (object && object->life == LIFE_DELETING && strcmp(c->operation, "deleted-get") != 0)
        answer_error(c, 409, "Conflict", "ObjectIsBeingDeleted", "Key is currently being deleted.");
    else
        answer_not_found(c, "Key");
    return NULL;
}

void key_deleted(struct call *c)
{
    store_lock();
    struct object *object = find_deleted(c);
    if (object) {
        json_t *bundle = key_bundle(c, object, version_find(object, NULL));
        add_deletion(c, bundle, object, "deletedkeys");
        answer_json(c->answer, 200, bundle);
    }
    store_unlock();
}

void key_deleted_list(struct call *c)
{
    json_t *items = json_array();
    store_lock();
    for (size_t i = 0; i < store_count(); i++) {
        struct object *object = store_at(i);
        if (object->life == LIFE_DELETED) {
            json_t *item = key_item(c, object, version_find(object, NULL), false);
            add_deletion(c, item, object, "deletedkeys");
            json_array_append_new(items, item);
        }
    }
    store_unlock();
    answer_list(c, items);
}

/* Recorded: recovering what is not there is "KeyNotFound" with the text of a key, not of a deleted
 * one. */
void key_recover(struct call *c)
{
    store_lock();
    struct object *object = find_deleted(c);
    if (object) {
        object_begin(object, LIFE_RECOVERING);
        answer_json(c->answer, 200, key_bundle(c, object, version_find(object, NULL)));
    }
    store_unlock();
}

void key_purge(struct call *c)
{
    store_lock();
    struct object *object = find_deleted(c);
    if (object && settings.purge_protection) {
        answer_error(c, 403, "Forbidden", "ForbiddenByPolicy",
                     "Operation \"purge\" is not enabled for this vault: purge protection is on.");
    } else if (object) {
        object_begin(object, LIFE_PURGING);
        c->answer->status = 204;
    }
    store_unlock();
}

/* ---- one object's backup ---- */

static void backup_object(struct call *c, const char *what)
{
    struct object *object;
    store_lock();
    if (call_version(c, &object, what)) {
        json_t *saved = object_save(object);
        char *blob = blob_seal(saved, what);
        answer_json(c->answer, 200, json_pack("{ss}", "value", blob));
        free(blob);
        json_decref(saved);
    }
    store_unlock();
}

void key_backup(struct call *c)
{
    backup_object(c, "Key");
}

void certificate_backup(struct call *c)
{
    backup_object(c, "Certificate");
}

static void answer_conflict(struct call *c, const json_t *saved, const char *what)
{
    const char *name = json_string_value(json_object_get(saved, "name"));
    const json_t *last = json_array_get(json_object_get(saved, "versions"), 0);
    char *url = store_url(c, strcmp(what, "key") == 0 ? "keys" : "certificates", name,
                          json_string_value(json_object_get(last, "id")));
    answer_error(c, 409, "Conflict", NULL,
                 "There was a conflict restoring the %s '%s'. This can happen if either: a second "
                 "%s with the same name was "
                 "created after the first %s was deleted; thus trying to restore a %s whose name "
                 "is already in use. To fix "
                 "this, rename the second %s to something else so that the restore works. The "
                 "second probable cause of this "
                 "exception is when multiple operations are performed in parallel against the %s. "
                 "To avoid this error, "
                 "perform operations against a %s in a sequential manner.",
                 what, url, what, what, what, what, what, what);
    free(url);
}

/* NULL: an error was answered */
static struct object *restore_object(struct call *c, const char *what, const char *lower)
{
    const char *blob = json_string_value(json_object_get(c->body, "value"));
    json_t *saved = blob ? blob_open(blob, what) : NULL;
    struct object *object = NULL;
    if (!saved) {
        if (settings.hsm)
            answer_error(c, 400, "MalformedBackupBlob", NULL,
                         "Backup blob belongs to a different crypto domain and cannot be used with "
                         "this instance.");
        else
            answer_error(c, 400, "Malformed backup blob", NULL, "Backup blob is corrupt.");
        return NULL;
    }
    const char *name = json_string_value(json_object_get(saved, "name"));
    if (store_find(name)) {
        answer_conflict(c, saved, lower);
    } else {
        object = store_add(name);
        object_load(object, saved);
    }
    json_decref(saved);
    return object;
}

void key_restore(struct call *c)
{
    store_lock();
    struct object *object = restore_object(c, "Key", "key");
    for (size_t i = 0; object && settings.hsm && i < object->count; i++)
        object->versions[i]->exportable = true; /* recorded */
    if (object)
        answer_json(c->answer, 200, key_bundle(c, object, version_find(object, NULL)));
    store_unlock();
}

void certificate_restore(struct call *c)
{
    store_lock();
    struct object *object = restore_object(c, "Certificate", "certificate");
    if (object) {
        c->name = object->name;
        c->version = NULL;
    }
    store_unlock();
    if (object)
        certificate_get(c);
}
