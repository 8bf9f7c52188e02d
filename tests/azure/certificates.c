/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates of a vault.  Each is an object with a policy; its key has the same name and
 * versions. */
#include "tests/azure/store.h"

#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void set_url(json_t *json, const char *member, char *url)
{
    json_object_set_new(json, member, json_string(url));
    free(url);
}

/* ---- shapes ---- */

static json_t *certificate_attributes(const struct call *c, const struct version *version,
                                      bool whole)
{
    json_t *attributes = key_attributes(c, version);
    json_object_del(attributes, "exportable");
    json_object_del(attributes, "hsmPlatform");
    if (!whole) { /* recorded: not in lists */
        json_object_del(attributes, "recoveryLevel");
        json_object_del(attributes, "recoverableDays");
    }
    return attributes;
}

static void add_thumbprint(json_t *json, X509 *certificate)
{
    unsigned char digest[20];
    unsigned size = sizeof digest;
    X509_digest(certificate, EVP_sha1(), digest, &size);
    char *text = base64url_encode(digest, size);
    json_object_set_new(json, "x5t", json_string(text));
    free(text);
}

static json_t *certificate_bundle(const struct call *c, const struct object *object,
                                  const struct version *version)
{
    json_t *bundle = json_object();
    set_url(bundle, "id", store_url(c, "certificates", object->name, version->id));
    if (version->certificate) {
        unsigned char *der = NULL;
        int size = i2d_X509(version->certificate, &der);
        set_url(bundle, "kid", store_url(c, "keys", object->name, version->id));
        set_url(bundle, "sid", store_url(c, "secrets", object->name, version->id));
        add_thumbprint(bundle, version->certificate);
        char *text = base64_encode(der, (size_t)size);
        json_object_set_new(bundle, "cer", json_string(text));
        free(text);
        OPENSSL_free(der);
    }
    json_object_set_new(bundle, "attributes", certificate_attributes(c, version, true));
    if (version->tags)
        json_object_set_new(bundle, "tags", json_deep_copy(version->tags));
    json_t *policy = json_deep_copy(object->policy);
    set_url(policy, "id",
            text_format("https://%s/certificates/%s/policy", c->request->host, object->name));
    json_object_set_new(bundle, "policy", policy);
    if (object->pending.there)
        json_object_set_new(bundle, "pending", json_pack("{so}", "id", json_null()));
    if (object->pending.there)
        set_url(json_object_get(bundle, "pending"), "id",
                text_format("https://%s/certificates/%s/pending", c->request->host, object->name));
    return bundle;
}

static json_t *certificate_item(const struct call *c, const struct object *object,
                                const struct version *version, bool with_version)
{
    json_t *item = json_object();
    set_url(item, "id",
            store_url(c, "certificates", object->name, with_version ? version->id : NULL));
    if (version->certificate)
        add_thumbprint(item, version->certificate);
    json_object_set_new(item, "attributes", certificate_attributes(c, version, false));
    if (version->tags)
        json_object_set_new(item, "tags", json_deep_copy(version->tags));
    json_object_set_new(item, "subject", json_string(""));
    return item;
}

static json_t *pending_answer(const struct call *c, const struct object *object)
{
    const struct pending *pending = &object->pending;
    json_t *issuer = json_object_get(json_object_get(object->policy, "issuer"), "name");
    bool self = strcasecmp(json_string_value(issuer), "Self") == 0;
    json_t *answer = json_object();
    set_url(answer, "id",
            text_format("https://%s/certificates/%s/pending", c->request->host, object->name));
    json_object_set_new(answer, "issuer", json_pack("{sO}", "name", issuer));
    json_object_set_new(answer, "csr", json_string(pending->csr));
    json_object_set_new(answer, "cancellation_requested", json_boolean(pending->cancelled));
    json_object_set_new(answer, "status", json_string(pending->done ? "completed" : "inProgress"));
    if (pending->done)
        set_url(answer, "target",
                text_format("https://%s/certificates/%s", c->request->host, object->name));
    else
        json_object_set_new(
            answer, "status_details",
            json_string(self ? "Pending certificate created. Certificate request is in progress. "
                               "This may take "
                               "some time based on the issuer provider. Please check again later."
                             : "Pending certificate created. Please Perform Merge to complete the "
                               "request."));
    json_object_set_new(answer, "request_id", json_string(pending->request));
    return answer;
}

/* ---- making ---- */

static void complete_version(struct object *object, struct version *version, X509 *certificate)
{
    version->certificate = certificate;
    version->pending = false;
    version->enabled = true;
    version->not_before = asn1_seconds(X509_get0_notBefore(certificate));
    version->expires = asn1_seconds(X509_get0_notAfter(certificate));
    version->updated = clock_seconds();
    object->pending.done = true;
}

void certificate_settle(struct object *object)
{
    struct pending *pending = &object->pending;
    if (!pending->there || pending->done || !pending->until || pending->cancelled ||
        clock_ms() < pending->until)
        return;
    struct version *version = version_find(object, pending->version);
    if (version)
        complete_version(object, version, certificate_self_signed(version->key, object->policy));
}

static void forget_pending(struct object *object)
{
    free(object->pending.csr);
    object->pending = (struct pending){ 0 };
}

static void begin_pending(struct object *object, struct version *version)
{
    const char *issuer =
        json_string_value(json_object_get(json_object_get(object->policy, "issuer"), "name"));
    forget_pending(object);
    object->pending.there = true;
    object->pending.csr = csr_make(version->key, object->policy);
    hex_random(object->pending.request, 16);
    memcpy(object->pending.version, version->id, sizeof version->id);
    if (strcasecmp(issuer, "Self") == 0)
        object->pending.until = clock_ms() + settings.delay;
    version->pending = true;
    version->enabled = false;
    json_t *months =
        json_object_get(json_object_get(object->policy, "x509_props"), "validity_months");
    version->not_before = version->created - 600; /* recorded: as it will be */
    version->expires = version->not_before + json_integer_value(months) * 2629800;
}

static void answer_pending(struct call *c, const struct object *object)
{
    answer_header(c->answer, "Retry-After", "10");
    if (strcmp(c->operation, "certificate-create") == 0)
        answer_header(c->answer, "Location",
                      "https://%s/certificates/%s/pending?api-version=%s&request_id=%s",
                      c->request->host, object->name, c->api, object->pending.request);
    answer_json(c->answer, strcmp(c->operation, "certificate-create") == 0 ? 202 : 200,
                pending_answer(c, object));
}

static const char *key_for_policy(struct version *made, const json_t *policy)
{
    const json_t *props = json_object_get(policy, "key_props");
    const char *kty = json_string_value(json_object_get(props, "kty")),
               *crv = json_string_value(json_object_get(props, "crv"));
    return key_generate(made, kty, (int)json_integer_value(json_object_get(props, "key_size")),
                        crv ? crv : "P-256");
}

static void store_pending(struct call *c, struct version *made, json_t *policy)
{
    store_lock();
    struct object *object = store_find(c->name);
    if (name_free(c, "Certificate")) {
        if (!object)
            object = store_add(c->name);
        json_decref(object->policy);
        object->policy = json_incref(policy);
        struct version *version = version_add(object);
        memcpy(version->kty, made->kty, sizeof made->kty);
        memcpy(version->crv, made->crv, sizeof made->crv);
        version->bits = made->bits;
        version->key = made->key;
        version->jwk = made->jwk;
        version->exportable =
            json_is_true(json_object_get(json_object_get(policy, "key_props"), "exportable"));
        version->ops = policy_key_ops(policy);
        json_t *tags = json_object_get(c->body, "tags");
        version->tags = json_object_size(tags) ? json_deep_copy(tags) : NULL;
        begin_pending(object, version);
        answer_pending(c, object);
    } else {
        EVP_PKEY_free(made->key);
        json_decref(made->jwk);
    }
    store_unlock();
}

void certificate_create(struct call *c)
{
    struct version made = { .crv = "" };
    if (!name_valid(c->name)) {
        answer_error(c, 400, "BadParameter", NULL, "The request URI contains an invalid name: %s",
                     c->name);
        return;
    }
    store_lock();
    struct object *object = store_find(c->name);
    json_t *policy =
        policy_complete(json_object_get(c->body, "policy"), "", object ? object->policy : NULL);
    bool key_alone = object && !object->policy,
         free_name = !key_alone && name_free(c, "Certificate");
    store_unlock();
    if (key_alone)
        answer_error(c, 409, "Conflict", NULL,
                     "A key with name %s exists that no certificate manages.", c->name);
    if (!free_name) {
        json_decref(policy);
        return;
    }
    const char *wrong = key_for_policy(&made, policy);
    if (wrong)
        answer_error(c, 400, "BadParameter", NULL, "Property %s has invalid value\r\n", wrong);
    else
        store_pending(c, &made, policy);
    json_decref(policy);
}

/* ---- pending ---- */

static struct object *find_pending(struct call *c)
{
    struct object *object = store_find(c->name);
    if (object && object->life == LIFE_LIVE && object->pending.there)
        return object;
    answer_error(c, 404, "PendingCertificateNotFound", NULL, "Pending certificate not found: %s",
                 c->name);
    return NULL;
}

void certificate_pending(struct call *c)
{
    store_lock();
    struct object *object = find_pending(c);
    if (object && object->pending.done)
        answer_json(c->answer, 200, pending_answer(c, object));
    else if (object)
        answer_pending(c, object);
    store_unlock();
}

void certificate_cancel(struct call *c)
{
    store_lock();
    struct object *object = find_pending(c);
    if (object) {
        object->pending.cancelled =
            json_is_true(json_object_get(c->body, "cancellation_requested"));
        answer_json(c->answer, 200, pending_answer(c, object));
    }
    store_unlock();
}

void certificate_forget_pending(struct call *c)
{
    store_lock();
    struct object *object = find_pending(c);
    if (object) {
        answer_json(c->answer, 200, pending_answer(c, object));
        forget_pending(object);
    }
    store_unlock();
}

static X509 *parse_certificate(const json_t *text)
{
    size_t size = 0;
    unsigned char *der =
        json_string_value(text) ? base64_decode(&size, json_string_value(text)) : NULL;
    const unsigned char *p = der;
    X509 *certificate = size ? d2i_X509(NULL, &p, (long)size) : NULL;
    free(der);
    return certificate;
}

void certificate_merge(struct call *c)
{
    X509 *certificate = parse_certificate(json_array_get(json_object_get(c->body, "x5c"), 0));
    store_lock();
    struct object *object = find_pending(c);
    struct version *version = object ? version_find(object, object->pending.version) : NULL;
    if (object && !certificate) {
        answer_error(c, 400, "BadParameter", NULL,
                     "Certificate can not be read. Please check if certificate is valid.");
    } else if (object &&
               (!version || EVP_PKEY_eq(X509_get0_pubkey(certificate), version->key) != 1)) {
        answer_error(c, 400, "BadParameter", NULL,
                     "Public key from x509 certificate and key of this instance doesn't match");
    } else if (object) {
        complete_version(object, version, certificate);
        certificate = NULL;
        answer_header(c->answer, "Location", "https://%s/certificates/%s?api-version=%s",
                      c->request->host, object->name, c->api);
        answer_json(c->answer, 201, certificate_bundle(c, object, version));
    }
    store_unlock();
    X509_free(certificate);
}

/* ---- reading and changing ---- */

void certificate_get(struct call *c)
{
    struct object *object;
    store_lock();
    struct version *version = call_version(c, &object, "Certificate");
    if (version)
        answer_json(c->answer, 200, certificate_bundle(c, object, version));
    store_unlock();
}

void certificate_update(struct call *c)
{
    struct object *object;
    store_lock();
    struct version *version = call_version(c, &object, "Certificate");
    if (version) {
        /* recorded: exp in the request changes nothing, the certificate's stays */
        json_t *enabled = json_object_get(json_object_get(c->body, "attributes"), "enabled");
        json_t *tags = json_object_get(c->body, "tags");
        if (enabled)
            version->enabled = json_is_true(enabled);
        if (json_is_object(tags)) {
            json_decref(version->tags);
            version->tags = json_object_size(tags) ? json_deep_copy(tags) : NULL;
        }
        version->updated = clock_seconds();
        answer_json(c->answer, 200, certificate_bundle(c, object, version));
    }
    store_unlock();
}

void certificate_list(struct call *c)
{
    json_t *items = json_array();
    store_lock();
    for (size_t i = 0; i < store_count(); i++) {
        struct object *object = store_at(i);
        if (object->life == LIFE_LIVE && object->policy)
            json_array_append_new(items,
                                  certificate_item(c, object, version_find(object, NULL), false));
    }
    store_unlock();
    answer_list(c, items);
}

void certificate_versions(struct call *c)
{
    struct object *object;
    json_t *items = NULL;
    store_lock();
    if (call_version(c, &object, "Certificate")) {
        items = json_array();
        for (size_t i = 0; i < object->count; i++)
            json_array_append_new(items, certificate_item(c, object, object->versions[i], true));
    }
    store_unlock();
    if (items)
        answer_list(c, items);
}

static json_t *policy_answer(const struct call *c, const struct object *object)
{
    json_t *policy = json_deep_copy(object->policy);
    set_url(policy, "id",
            text_format("https://%s/certificates/%s/policy", c->request->host, object->name));
    return policy;
}

void certificate_policy(struct call *c)
{
    struct object *object;
    store_lock();
    if (call_version(c, &object, "Certificate"))
        answer_json(c->answer, 200, policy_answer(c, object));
    store_unlock();
}

void certificate_set_policy(struct call *c)
{
    struct object *object;
    store_lock();
    if (call_version(c, &object, "Certificate")) {
        json_t *policy = policy_complete(c->body, "", object->policy);
        json_decref(object->policy);
        object->policy = policy;
        answer_json(c->answer, 200, policy_answer(c, object));
    }
    store_unlock();
}

/* ---- deletion ---- */

static json_t *deleted_bundle(const struct call *c, const struct object *object)
{
    json_t *bundle = certificate_bundle(c, object, version_find(object, NULL));
    add_deletion(c, bundle, object, "deletedcertificates");
    return bundle;
}

void certificate_delete(struct call *c)
{
    struct object *object;
    store_lock();
    if (call_version(c, &object, "Certificate")) {
        object->deleted = clock_seconds();
        object->purge_date = object->deleted + settings.recoverable_days * INT64_C(86400);
        object_begin(object, LIFE_DELETING);
        answer_json(c->answer, 200, deleted_bundle(c, object));
    }
    store_unlock();
}

void certificate_deleted(struct call *c)
{
    store_lock();
    struct object *object = store_find(c->name);
    if (!object || object->life != LIFE_DELETED || !object->policy)
        answer_not_found(c, "Certificate");
    else
        answer_json(c->answer, 200, deleted_bundle(c, object));
    store_unlock();
}

void certificate_deleted_list(struct call *c)
{
    json_t *items = json_array();
    store_lock();
    for (size_t i = 0; i < store_count(); i++) {
        struct object *object = store_at(i);
        if (object->life == LIFE_DELETED && object->policy) {
            json_t *item = certificate_item(c, object, version_find(object, NULL), false);
            add_deletion(c, item, object, "deletedcertificates");
            json_array_append_new(items, item);
        }
    }
    store_unlock();
    answer_list(c, items);
}

/* recover and, with DELETE, purge */
void certificate_recover(struct call *c)
{
    bool purge = strcmp(c->request->method, "DELETE") == 0;
    store_lock();
    struct object *object = store_find(c->name);
    if (object && object->policy && object->life == LIFE_DELETING) {
        answer_error(c, 409, "Conflict", "ObjectIsBeingDeleted",
                     "Certificate is currently being deleted.");
    } else if (!object || object->life != LIFE_DELETED || !object->policy) {
        answer_not_found(c, "Certificate");
    } else if (purge && settings.purge_protection) {
        answer_error(c, 403, "Forbidden", "ForbiddenByPolicy",
                     "Operation \"purge\" is not enabled for this vault: purge protection is on.");
    } else if (purge) {
        object_begin(object, LIFE_PURGING);
        c->answer->status = 204;
    } else {
        object_begin(object, LIFE_RECOVERING);
        answer_json(c->answer, 200, certificate_bundle(c, object, version_find(object, NULL)));
    }
    store_unlock();
}

void issuer_get(struct call *c)
{
    answer_error(c, 404, "CertificateIssuerNotFound", NULL, "Issuer not found");
}

void contacts_get(struct call *c)
{
    answer_error(c, 404, "ContactsNotFound", NULL, "Contacts not found");
}
