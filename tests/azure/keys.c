/* SPDX-License-Identifier: Apache-2.0 */
/* Keys: made, changed, listed, rotated. */
#include "tests/azure/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static json_t *default_operations(const struct version *version)
{
    if (strncmp(version->kty, "RSA", 3) == 0)
        return json_pack("[ssssss]", "encrypt", "decrypt", "sign", "verify", "wrapKey",
                         "unwrapKey");
    if (strncmp(version->kty, "EC", 2) == 0)
        return json_pack("[ss]", "sign", "verify");
    return json_pack("[ssss]", "encrypt", "decrypt", "wrapKey", "unwrapKey");
}

/* What create, import and update have in common. */
static void set_attributes(struct version *version, const json_t *body)
{
    const json_t *attributes = json_object_get(body, "attributes"), *value;
    if ((value = json_object_get(attributes, "enabled")))
        version->enabled = json_is_true(value);
    if ((value = json_object_get(attributes, "nbf")))
        version->not_before = json_integer_value(value);
    if ((value = json_object_get(attributes, "exp")))
        version->expires = json_integer_value(value);
    if ((value = json_object_get(attributes, "exportable")))
        version->exportable = json_is_true(value);
    json_t *ops = json_object_get(body, "key_ops"), *tags = json_object_get(body, "tags");
    if (json_is_array(ops)) {
        json_decref(version->ops);
        version->ops = json_deep_copy(ops);
    }
    if (json_is_object(tags)) {
        json_decref(version->tags);
        version->tags = json_object_size(tags) ? json_deep_copy(tags) : NULL;
    }
}

static bool check_name(struct call *c)
{
    if (name_valid(c->name))
        return true;
    if (settings.hsm)
        answer_error(c, 400, "BadParameter", NULL, "Invalid key identifier or name");
    else
        answer_error(c, 400, "BadParameter", NULL, "The request URI contains an invalid name: %s",
                     c->name);
    return false;
}

static void move_version(struct version *to, struct version *made)
{
    memcpy(to->kty, made->kty, sizeof to->kty);
    memcpy(to->crv, made->crv, sizeof to->crv);
    memcpy(to->octets, made->octets, sizeof to->octets);
    to->octet_count = made->octet_count;
    to->bits = made->bits;
    to->key = made->key;
    to->jwk = made->jwk;
}

static void discard_version(struct version *made)
{
    EVP_PKEY_free(made->key);
    json_decref(made->jwk);
}

/* The key was made or read without the lock; now it gets its place. */
static void store_version(struct call *c, struct version *made, const json_t *body)
{
    store_lock();
    struct object *object = store_find(c->name);
    if (!name_free(c, "Key")) {
        discard_version(made);
    } else if (object && object->policy) {
        discard_version(made);
        answer_error(c, 403, "Forbidden", "KeyManagedByKeyVault",
                     "Operation \"create\" is not allowed as this object's lifetime is managed by "
                     "Key Vault.");
    } else if (object && object->count >= 100 && settings.hsm) {
        discard_version(made);
        answer_error(c, 400, "BadParameter", NULL,
                     "The key has 100 versions, the most that a key can have");
    } else {
        if (!object)
            object = store_add(c->name);
        struct version *version = version_add(object);
        move_version(version, made);
        set_attributes(version, body);
        if (!json_array_size(version->ops)) {
            json_decref(version->ops);
            version->ops = default_operations(version);
        }
        answer_json(c->answer, 200, key_bundle(c, object, version));
    }
    store_unlock();
}

static bool known_kty(const char *kty)
{
    static const char *const known[] = { "RSA", "RSA-HSM", "EC", "EC-HSM", "oct", "oct-HSM" };
    for (size_t i = 0; kty && i < (settings.hsm ? 6 : 4); i++)
        if (strcmp(kty, known[i]) == 0)
            return true;
    return false;
}

void key_create(struct call *c)
{
    struct version made = { .crv = "" };
    const char *kty = json_string_value(json_object_get(c->body, "kty"));
    const char *crv = json_string_value(json_object_get(c->body, "crv"));
    json_t *size = json_object_get(c->body, "key_size");
    if (!check_name(c))
        return;
    if (!known_kty(kty)) { /* recorded, with that blank */
        answer_error(c, 400, "BadParameter", NULL, "Property  has invalid value\r\n");
        return;
    }
    store_lock();
    bool free_name = name_free(c, "Key");
    store_unlock();
    if (!free_name)
        return;
    int bits = json_is_integer(size) ? (int)json_integer_value(size) : *kty == 'o' ? 256 : 2048;
    const char *wrong = key_generate(&made, kty, bits, crv ? crv : "P-256");
    if (wrong)
        answer_error(c, 400, "BadParameter", NULL, "Property %s has invalid value\r\n", wrong);
    else
        store_version(c, &made, c->body);
}

void key_import(struct call *c)
{
    struct version made = { .crv = "" };
    json_t *jwk = json_object_get(c->body, "key");
    if (!check_name(c))
        return;
    const char *wrong = jwk_import(&made, jwk);
    if (wrong) {
        if (settings.hsm)
            answer_error(c, 400, "BadParameter", NULL, "JSON Web Key: %s", wrong);
        else
            answer_error(c, 400, "BadParameter", NULL,
                         "The property \"key\" must be a valid JsonWebKey object.");
        return;
    }
    json_t *hsm = json_object_get(c->body, "Hsm") ? json_object_get(c->body, "Hsm")
                                                  : json_object_get(c->body, "hsm");
    if (json_is_true(hsm) && !text_ends(made.kty, "-HSM"))
        strncat(made.kty, "-HSM", sizeof made.kty - strlen(made.kty) - 1);
    json_t *body = json_copy(c->body);
    if (json_object_get(jwk, "key_ops"))
        json_object_set(body, "key_ops", json_object_get(jwk, "key_ops"));
    store_version(c, &made, body);
    json_decref(body);
}

void key_get(struct call *c)
{
    struct object *object;
    store_lock();
    struct version *version = call_version(c, &object, "Key");
    if (version)
        answer_json(c->answer, 200, key_bundle(c, object, version));
    store_unlock();
}

void key_update(struct call *c)
{
    struct object *object;
    store_lock();
    struct version *version = call_version(c, &object, "Key");
    if (version) {
        set_attributes(version, c->body);
        version->updated = clock_seconds();
        answer_json(c->answer, 200, key_bundle(c, object, version));
    }
    store_unlock();
}

void key_list(struct call *c)
{
    json_t *items = json_array();
    store_lock();
    for (size_t i = 0; i < store_count(); i++) {
        struct object *object = store_at(i);
        struct version *version = version_find(object, NULL);
        if (object->life == LIFE_LIVE && version)
            json_array_append_new(items, key_item(c, object, version, false));
    }
    store_unlock();
    answer_list(c, items);
}

void key_versions(struct call *c)
{
    struct object *object;
    json_t *items = NULL;
    store_lock();
    if (call_version(c, &object, "Key")) {
        items = json_array();
        for (size_t i = 0; i < object->count; i++)
            json_array_append_new(items, key_item(c, object, object->versions[i], true));
    }
    store_unlock();
    if (items)
        answer_list(c, items);
}

/* ---- rotation ---- */

/* "P90D" or "P3M" or "P1Y", in seconds; nothing finer is needed here. */
static int64_t duration_seconds(const char *text)
{
    char *end;
    long number = text && *text == 'P' ? strtol(text + 1, &end, 10) : 0;
    if (!number)
        return 0;
    return (int64_t)number * 86400 * (*end == 'Y' ? 365 : *end == 'M' ? 30 : 1);
}

static const char *rotate_object(struct object *object, struct version **out)
{
    struct version *last = version_find(object, NULL), made = { .crv = "" };
    const char *wrong = key_generate(&made, last->kty, last->bits, last->crv);
    if (wrong)
        return wrong;
    struct version *version = version_add(object);
    move_version(version, &made);
    version->ops = json_deep_copy(last->ops);
    version->tags = last->tags ? json_deep_copy(last->tags) : NULL;
    const char *after = json_string_value(
        json_object_get(json_object_get(object->rotation, "attributes"), "expiryTime"));
    int64_t lasts = duration_seconds(after);
    version->expires = lasts ? version->created + lasts : 0;
    *out = version;
    return NULL;
}

void key_rotate(struct call *c)
{
    struct object *object;
    struct version *version = NULL;
    store_lock();
    if (call_version(c, &object, "Key")) {
        const char *wrong = rotate_object(object, &version);
        if (wrong)
            answer_error(c, 400, "BadParameter", NULL, "Property %s has invalid value\r\n", wrong);
        else
            answer_json(c->answer, 200, key_bundle(c, object, version));
    }
    store_unlock();
}

/* What a rotation policy does behind its owner's back. */
const char *key_rotate_now(const char *name)
{
    struct version *version;
    store_lock();
    struct object *object = store_find(name);
    const char *wrong =
        object && object->life == LIFE_LIVE ? rotate_object(object, &version) : "no such key";
    store_unlock();
    return wrong;
}

static json_t *policy_answer(const struct call *c, const struct object *object)
{
    json_t *policy = json_object(), *actions = json_object_get(object->rotation, "lifetimeActions");
    char *url = settings.hsm ? text_format("keys/%s/rotationpolicy", object->name)
                             : text_format("https://%s/keys/%s/rotationpolicy", c->request->host,
                                           object->name);
    json_object_set_new(policy, "id", json_string(url));
    free(url);
    json_t *list = actions ? json_deep_copy(actions) : json_array();
    bool notifies = settings.hsm;
    json_t *entry;
    size_t i;
    json_array_foreach(list, i, entry) {
        json_t *action = json_object_get(entry, "action");
        const char *type = json_string_value(json_object_get(action, "type"));
        bool notify = type && strcasecmp(type, "Notify") == 0;
        if (!settings.hsm)
            json_object_set_new(action, "type", json_string(notify ? "Notify" : "Rotate"));
        notifies = notifies || notify;
        json_reorder(entry, "trigger action");
    }
    if (!notifies)
        json_array_append_new(list, json_pack("{s{ss}s{ss}}", "trigger", "timeBeforeExpiry", "P30D",
                                              "action", "type", "Notify"));
    json_object_set_new(policy, "lifetimeActions", list);
    const json_t *attributes = json_object_get(object->rotation, "attributes");
    json_object_set_new(policy, "attributes",
                        attributes ? json_deep_copy(attributes) : json_object());
    return policy;
}

void key_policy(struct call *c)
{
    struct object *object;
    store_lock();
    if (call_version(c, &object, "Key"))
        answer_json(c->answer, 200, policy_answer(c, object));
    store_unlock();
}

void key_set_policy(struct call *c)
{
    struct object *object;
    store_lock();
    if (call_version(c, &object, "Key")) {
        json_decref(object->rotation);
        object->rotation = json_object();
        json_t *actions = json_object_get(c->body, "lifetimeActions");
        json_t *given = json_object_get(c->body, "attributes"),
               *attributes = given ? json_deep_copy(given) : json_object();
        if (actions)
            json_object_set_new(object->rotation, "lifetimeActions", json_deep_copy(actions));
        json_object_set_new(attributes, "created", json_time(clock_seconds()));
        json_object_set_new(attributes, "updated", json_time(clock_seconds()));
        json_object_set_new(object->rotation, "attributes", attributes);
        answer_json(c->answer, 200, policy_answer(c, object));
    }
    store_unlock();
}
