/* SPDX-License-Identifier: Apache-2.0 */
/* Objects as JSON, and that sealed as a blob: AES-256-GCM under a key that all emulators of a
 * domain have. */
#include "tests/azure/store.h"

#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static json_t *json_bytes(const unsigned char *data, size_t size)
{
    char *text = base64url_encode(data, size);
    json_t *json = json_string(text);
    free(text);
    return json;
}

static json_t *save_version(const struct version *version)
{
    json_t *saved =
        json_pack("{ss ss ss si sb sb sb sI sI sI sI}", "id", version->id, "kty", version->kty,
                  "crv", version->crv, "bits", version->bits, "enabled", version->enabled,
                  "exportable", version->exportable, "pending", version->pending, "nbf",
                  (json_int_t)version->not_before, "exp", (json_int_t)version->expires, "created",
                  (json_int_t)version->created, "updated", (json_int_t)version->updated);
    unsigned char *der = NULL;
    int size = version->key ? i2d_PrivateKey(version->key, &der) : 0;
    if (size > 0)
        json_object_set_new(saved, "private", json_bytes(der, (size_t)size));
    OPENSSL_free(der);
    der = NULL;
    size = version->certificate ? i2d_X509(version->certificate, &der) : 0;
    if (size > 0)
        json_object_set_new(saved, "certificate", json_bytes(der, (size_t)size));
    OPENSSL_free(der);
    if (version->octet_count)
        json_object_set_new(saved, "octets", json_bytes(version->octets, version->octet_count));
    json_object_set(saved, "ops", version->ops);
    if (version->jwk)
        json_object_set(saved, "jwk", version->jwk);
    if (version->tags)
        json_object_set(saved, "tags", version->tags);
    return saved;
}

json_t *object_save(const struct object *object)
{
    json_t *versions = json_array();
    for (size_t i = 0; i < object->count; i++)
        json_array_append_new(versions, save_version(object->versions[i]));
    json_t *saved = json_pack("{ss so}", "name", object->name, "versions", versions);
    if (object->rotation)
        json_object_set(saved, "rotation", object->rotation);
    if (object->policy)
        json_object_set(saved, "policy", object->policy);
    return saved;
}

static const char *saved_text(const json_t *saved, const char *name)
{
    const char *text = json_string_value(json_object_get(saved, name));
    return text ? text : "";
}

static int64_t saved_number(const json_t *saved, const char *name)
{
    return json_integer_value(json_object_get(saved, name));
}

static json_t *saved_copy(const json_t *saved, const char *name)
{
    json_t *value = json_object_get(saved, name);
    return value ? json_deep_copy(value) : NULL;
}

static bool load_version(struct version *version, const json_t *saved)
{
    size_t size = 0;
    snprintf(version->id, sizeof version->id, "%s", saved_text(saved, "id"));
    snprintf(version->kty, sizeof version->kty, "%s", saved_text(saved, "kty"));
    snprintf(version->crv, sizeof version->crv, "%s", saved_text(saved, "crv"));
    version->bits = (int)saved_number(saved, "bits");
    version->enabled = json_is_true(json_object_get(saved, "enabled"));
    version->exportable = json_is_true(json_object_get(saved, "exportable"));
    version->pending = json_is_true(json_object_get(saved, "pending"));
    version->not_before = saved_number(saved, "nbf");
    version->expires = saved_number(saved, "exp");
    version->created = saved_number(saved, "created");
    version->updated = saved_number(saved, "updated");
    version->jwk = saved_copy(saved, "jwk");
    version->ops = saved_copy(saved, "ops");
    version->tags = saved_copy(saved, "tags");
    unsigned char *bytes = base64url_decode(&size, saved_text(saved, "octets"));
    if (bytes && size <= sizeof version->octets)
        memcpy(version->octets, bytes, version->octet_count = size);
    free(bytes);
    bytes = base64url_decode(&size, saved_text(saved, "private"));
    const unsigned char *p = bytes;
    version->key = size ? d2i_AutoPrivateKey(NULL, &p, (long)size) : NULL;
    free(bytes);
    bytes = base64url_decode(&size, saved_text(saved, "certificate"));
    p = bytes;
    version->certificate = size ? d2i_X509(NULL, &p, (long)size) : NULL;
    free(bytes);
    return version->key || version->octet_count;
}

bool object_load(struct object *object, const json_t *saved)
{
    size_t i;
    json_t *entry;
    bool whole = true;
    json_array_foreach(json_object_get(saved, "versions"), i, entry)
        whole = load_version(version_add(object), entry) && whole;
    object->rotation = saved_copy(saved, "rotation");
    object->policy = saved_copy(saved, "policy");
    return whole;
}

/* ---- blobs ---- */

/* The beginning of a real blob, recorded; what follows there is opaque. */
#define VAULT_HEAD "&AzureKeyVaultKeyBackupV1.microsoft.com"
#define HSM_HEAD   "eyJhbGciOiJkaXIi"

static void domain_key(unsigned char key[32])
{
    EVP_Digest(settings.domain, strlen(settings.domain), key, NULL, EVP_sha256(), NULL);
    key[0] ^= settings.hsm; /* a vault can't restore a Managed HSM's */
}

char *blob_seal(const json_t *saved, const char *kind)
{
    unsigned char key[32], *out;
    const char *head = settings.hsm ? HSM_HEAD : VAULT_HEAD;
    size_t head_size = strlen(head);
    char *plain = json_dumps(saved, JSON_COMPACT);
    int size = (int)strlen(plain), done;
    EVP_CIPHER_CTX *cipher = EVP_CIPHER_CTX_new();
    domain_key(key);
    out = allocate(head_size + 12 + (size_t)size + 16);
    memcpy(out, head, head_size);
    unsigned char *iv = out + head_size, *body = iv + 12;
    RAND_bytes(iv, 12);
    EVP_EncryptInit_ex(cipher, EVP_aes_256_gcm(), NULL, key, iv);
    EVP_EncryptUpdate(cipher, NULL, &done, (const unsigned char *)kind, (int)strlen(kind));
    EVP_EncryptUpdate(cipher, body, &done, (const unsigned char *)plain, size);
    EVP_EncryptFinal_ex(cipher, body + done, &done);
    EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_GCM_GET_TAG, 16, body + size);
    char *text = base64url_encode(out, head_size + 12 + (size_t)size + 16);
    EVP_CIPHER_CTX_free(cipher);
    free(plain);
    free(out);
    return text;
}

json_t *blob_open(const char *blob, const char *kind)
{
    unsigned char key[32];
    const char *head = settings.hsm ? HSM_HEAD : VAULT_HEAD;
    size_t head_size = strlen(head), size = 0;
    unsigned char *in = base64url_decode(&size, blob);
    json_t *saved = NULL;
    if (in && size > head_size + 28 && strncmp((const char *)in, head, head_size) == 0) {
        int rest = (int)(size - head_size - 28), done;
        unsigned char *iv = in + head_size, *body = iv + 12, *plain = allocate((size_t)rest + 1);
        EVP_CIPHER_CTX *cipher = EVP_CIPHER_CTX_new();
        domain_key(key);
        EVP_DecryptInit_ex(cipher, EVP_aes_256_gcm(), NULL, key, iv);
        EVP_DecryptUpdate(cipher, NULL, &done, (const unsigned char *)kind, (int)strlen(kind));
        EVP_DecryptUpdate(cipher, plain, &done, body, rest);
        EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_GCM_SET_TAG, 16, body + rest);
        if (EVP_DecryptFinal_ex(cipher, plain + done, &done) == 1)
            saved = json_loads((const char *)plain, 0, NULL);
        EVP_CIPHER_CTX_free(cipher);
        free(plain);
    }
    free(in);
    return saved;
}
