/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/azure/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct object **objects;
static size_t count, room;

void store_lock(void)
{
    pthread_mutex_lock(&lock);
}

void store_unlock(void)
{
    pthread_mutex_unlock(&lock);
}

void version_free(struct version *version)
{
    EVP_PKEY_free(version->key);
    X509_free(version->certificate);
    json_decref(version->jwk);
    json_decref(version->ops);
    json_decref(version->tags);
    free(version);
}

static void free_object(struct object *object)
{
    for (size_t i = 0; i < object->count; i++)
        version_free(object->versions[i]);
    free(object->versions);
    json_decref(object->rotation);
    json_decref(object->policy);
    free(object->pending.csr);
    free(object);
}

void store_remove(struct object *object)
{
    for (size_t i = 0; i < count; i++) {
        if (objects[i] == object) {
            memmove(objects + i, objects + i + 1, (count - i - 1) * sizeof *objects);
            count--;
            break;
        }
    }
    free_object(object);
}

/* true: it is gone */
static bool settle_object(struct object *object)
{
    certificate_settle(object);
    if (object->life == LIFE_LIVE || object->life == LIFE_DELETED || clock_ms() < object->until)
        return false;
    if (object->life == LIFE_PURGING) {
        store_remove(object);
        return true;
    }
    object->life = object->life == LIFE_DELETING ? LIFE_DELETED : LIFE_LIVE;
    return false;
}

static void settle_all(void)
{
    for (size_t i = 0; i < count;)
        i += !settle_object(objects[i]);
}

struct object *store_find(const char *name)
{
    for (size_t i = 0; name && i < count; i++)
        if (strcasecmp(objects[i]->name, name) == 0)
            return settle_object(objects[i]) ? NULL : objects[i];
    return NULL;
}

struct object *store_add(const char *name)
{
    struct object *object = allocate(sizeof *object);
    snprintf(object->name, sizeof object->name, "%s", name);
    if (count == room) {
        struct object **larger = allocate((2 * room + 16) * sizeof *larger);
        if (count)
            memcpy(larger, objects, count * sizeof *objects);
        free(objects);
        objects = larger;
        room = 2 * room + 16;
    }
    objects[count++] = object;
    return object;
}

size_t store_count(void)
{
    settle_all();
    return count;
}

struct object *store_at(size_t i)
{
    return objects[i];
}

struct version *version_add(struct object *object)
{
    struct version *version = allocate(sizeof *version);
    struct version **larger = allocate((object->count + 1) * sizeof *larger);
    if (object->count)
        memcpy(larger, object->versions, object->count * sizeof *larger);
    free(object->versions);
    object->versions = larger;
    hex_random(version->id, 16);
    version->enabled = true;
    version->created = version->updated = clock_seconds();
    return object->versions[object->count++] = version;
}

struct version *version_find(const struct object *object, const char *id)
{
    if (!id || !*id) {
        /* no recording tells whether a certificate that is not there yet hides the last one */
        for (size_t i = object->count; i > 0; i--)
            if (!object->versions[i - 1]->pending || settings.pending_newest)
                return object->versions[i - 1];
        return object->count ? object->versions[object->count - 1] : NULL;
    }
    for (size_t i = 0; i < object->count; i++)
        if (strcasecmp(object->versions[i]->id, id) == 0)
            return object->versions[i];
    return NULL;
}

/* A Managed HSM deletes, recovers and purges at once. */
void object_begin(struct object *object, enum life life)
{
    object->life = life;
    object->until = clock_ms() + (settings.hsm ? 0 : settings.delay);
}
