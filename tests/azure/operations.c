/* SPDX-License-Identifier: Apache-2.0 */
/* sign, verify, encrypt, decrypt, wrapkey, unwrapkey.  The lock is held only to find the key. */
#include "tests/azure/store.h"

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <stdlib.h>
#include <string.h>

/* a key, taken out of the store for one operation */
struct taken {
    EVP_PKEY *key;
    unsigned char octets[32];
    size_t octet_count;
    char crv[8], kty[16];
    int bits;
    char *kid;
};

struct bytes {
    unsigned char *data;
    size_t size;
};

/* ---- may it? ---- */

static bool lists_operation(const struct version *version, const char *operation)
{
    size_t i;
    json_t *op;
    json_array_foreach(version->ops, i, op)
        if (strcasecmp(json_string_value(op) ? json_string_value(op) : "", operation) == 0)
            return true;
    return false;
}

/* Documented: what opens or checks something old works with an expired key. */
static bool looks_back(const char *operation)
{
    return strcmp(operation, "decrypt") == 0 || strcmp(operation, "unwrapkey") == 0 ||
           strcmp(operation, "verify") == 0;
}

static bool check_version(struct call *c, const struct version *version)
{
    const char *name = strcmp(c->operation, "wrapkey") == 0     ? "wrapKey"
                       : strcmp(c->operation, "unwrapkey") == 0 ? "unwrapKey"
                                                                : c->operation;
    if (!version->enabled) {
        answer_error(c, 403, "Forbidden", "KeyDisabled",
                     "Operation %s is not allowed on a disabled key.", name);
        return false;
    }
    if (!looks_back(c->operation) && version->expires && version->expires <= clock_seconds()) {
        answer_error(c, 403, "Forbidden", "KeyExpired",
                     "Operation %s is not allowed on an expired key.", name);
        return false;
    }
    if (!looks_back(c->operation) && version->not_before > clock_seconds()) {
        answer_error(c, 403, "Forbidden", "KeyNotYetValid",
                     "Operation %s is not allowed on a key that is not yet valid.", name);
        return false;
    }
    if (!lists_operation(version, name)) {
        answer_error(c, 403, "Forbidden", "KeyOperationForbidden",
                     "Operation %s is not permitted on this key.", name);
        return false;
    }
    return true;
}

static bool take_key(struct call *c, struct taken *out)
{
    struct object *object;
    store_lock();
    struct version *version = call_version(c, &object, "Key");
    bool may = version && check_version(c, version);
    if (may) {
        out->key = version->key;
        if (out->key)
            EVP_PKEY_up_ref(out->key);
        memcpy(out->octets, version->octets, sizeof out->octets);
        out->octet_count = version->octet_count;
        memcpy(out->crv, version->crv, sizeof out->crv);
        memcpy(out->kty, version->kty, sizeof out->kty);
        out->bits = version->bits;
        out->kid = store_url(c, "keys", object->name, version->id);
    }
    store_unlock();
    if (may && !throttle_allows(c->operation, out->kty, out->bits, out->crv)) {
        answer_error(c, 429, settings.hsm ? "TooManyRequests" : "Throttled", NULL,
                     "Request was not processed because too many requests were received. Reason: "
                     "VaultRequestTypeLimitReached");
        may = false;
    }
    return may;
}

static void drop_key(struct taken *key)
{
    EVP_PKEY_free(key->key);
    free(key->kid);
}

static struct bytes body_bytes(const struct call *c, const char *name)
{
    const char *text = json_string_value(json_object_get(c->body, name));
    struct bytes bytes = { NULL, 0 };
    if (text)
        bytes.data = base64url_decode(&bytes.size, text);
    return bytes;
}

static void add_bytes(json_t *json, const char *name, const unsigned char *data, size_t size)
{
    char *text = base64url_encode(data, size);
    json_object_set_new(json, name, json_string(text));
    free(text);
}

/* ---- signatures ---- */

static const EVP_MD *digest_of(const char *alg)
{
    const char *bits = alg + 2;
    return strncmp(bits, "256", 3) == 0 ? EVP_sha256()
           : strcmp(bits, "384") == 0   ? EVP_sha384()
           : strcmp(bits, "512") == 0   ? EVP_sha512()
                                        : NULL;
}

static const char *curve_of(const char *alg)
{
    return strcmp(alg, "ES256") == 0    ? "P-256"
           : strcmp(alg, "ES384") == 0  ? "P-384"
           : strcmp(alg, "ES512") == 0  ? "P-521"
           : strcmp(alg, "ES256K") == 0 ? "P-256K"
                                        : "";
}

static bool fits_algorithm(const struct taken *key, const char *alg, size_t size)
{
    if (!key->key || strlen(alg) < 5)
        return false;
    if (strcmp(alg, "RSNULL") == 0)
        return EVP_PKEY_is_a(key->key, "RSA") && size <= (size_t)key->bits / 8 - 11;
    const EVP_MD *digest = digest_of(alg);
    if (!digest || (size_t)EVP_MD_get_size(digest) != size)
        return false;
    if (strncmp(alg, "RS", 2) == 0 || strncmp(alg, "PS", 2) == 0)
        return EVP_PKEY_is_a(key->key, "RSA") && strlen(alg) == 5;
    return strcmp(curve_of(alg), key->crv) == 0 && *key->crv;
}

static EVP_PKEY_CTX *signature_context(const struct taken *key, const char *alg, bool sign)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(key->key, NULL);
    bool ready = (sign ? EVP_PKEY_sign_init(context) : EVP_PKEY_verify_init(context)) == 1;
    if (*alg == 'P') /* the salt is as long as the digest, always */
        ready = ready && EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1 &&
                EVP_PKEY_CTX_set_signature_md(context, digest_of(alg)) == 1 &&
                EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST) == 1;
    else if (*alg == 'R')
        ready = ready && EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) == 1 &&
                (strcmp(alg, "RSNULL") == 0 ||
                 EVP_PKEY_CTX_set_signature_md(context, digest_of(alg)) == 1);
    if (ready)
        return context;
    EVP_PKEY_CTX_free(context);
    return NULL;
}

/* DER -> r||s of fixed width */
static size_t join_numbers(unsigned char *out, const unsigned char *der, size_t size, size_t width)
{
    ECDSA_SIG *signature = d2i_ECDSA_SIG(NULL, &der, (long)size);
    BN_bn2binpad(ECDSA_SIG_get0_r(signature), out, (int)width);
    BN_bn2binpad(ECDSA_SIG_get0_s(signature), out + width, (int)width);
    ECDSA_SIG_free(signature);
    return 2 * width;
}

static size_t split_numbers(unsigned char **der, const struct bytes *joined, size_t width)
{
    if (joined->size != 2 * width)
        return 0;
    ECDSA_SIG *signature = ECDSA_SIG_new();
    ECDSA_SIG_set0(signature, BN_bin2bn(joined->data, (int)width, NULL),
                   BN_bin2bn(joined->data + width, (int)width, NULL));
    int size = i2d_ECDSA_SIG(signature, der);
    ECDSA_SIG_free(signature);
    return size > 0 ? (size_t)size : 0;
}

static size_t make_signature(unsigned char *out, size_t room, const struct taken *key,
                             const char *alg, const struct bytes *digest)
{
    unsigned char raw[1024];
    size_t size = sizeof raw;
    EVP_PKEY_CTX *context = signature_context(key, alg, true);
    bool made = context && EVP_PKEY_sign(context, raw, &size, digest->data, digest->size) == 1 &&
                size <= room;
    EVP_PKEY_CTX_free(context);
    if (!made)
        return 0;
    if (*alg == 'E')
        return join_numbers(out, raw, size, curve_width(key->crv));
    memcpy(out, raw, size);
    return size;
}

static json_t *result_body(const struct taken *key, const char *alg)
{
    json_t *body = json_pack("{ss}", "kid", key->kid);
    if (settings.hsm)
        json_object_set_new(body, "alg", json_string(alg));
    return body;
}

static void sign_digest(struct call *c, const struct taken *key, const char *alg,
                        const struct bytes *digest)
{
    unsigned char signature[1024];
    if (!fits_algorithm(key, alg, digest->size)) {
        answer_error(
            c, 400, "BadParameter", NULL,
            "Key and signing algorithm are incompatible, or the digest has a wrong length: %s",
            alg);
        return;
    }
    size_t size = make_signature(signature, sizeof signature, key, alg, digest);
    json_t *body = result_body(key, alg);
    add_bytes(body, "value", signature, size);
    answer_json(c->answer, 200, body);
}

void key_verify(struct call *c)
{
    struct taken key = { NULL };
    const char *alg = json_string_value(json_object_get(c->body, "alg"));
    if (!take_key(c, &key)) {
        drop_key(&key);
        return;
    }
    struct bytes digest = body_bytes(c, "digest"), value = body_bytes(c, "value");
    if (!alg || !digest.data || !value.data || !fits_algorithm(&key, alg, digest.size)) {
        answer_error(c, 400, "BadParameter", NULL, "Key and signing algorithm are incompatible");
    } else {
        unsigned char *der = NULL;
        size_t size = *alg == 'E' ? split_numbers(&der, &value, curve_width(key.crv)) : value.size;
        EVP_PKEY_CTX *context = signature_context(&key, alg, false);
        bool good =
            context && size &&
            EVP_PKEY_verify(context, der ? der : value.data, size, digest.data, digest.size) == 1;
        EVP_PKEY_CTX_free(context);
        OPENSSL_free(der);
        /* recorded: a vault's has no kid */
        json_t *body = settings.hsm ? result_body(&key, alg) : json_object();
        json_object_set_new(body, "value", json_boolean(good));
        answer_json(c->answer, 200, body);
    }
    free(digest.data);
    free(value.data);
    drop_key(&key);
}

static EVP_PKEY *other_keys[3];

void other_keys_make(void)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    pthread_mutex_lock(&lock);
    for (int i = 0; i < 3; i++)
        if (!other_keys[i])
            other_keys[i] = EVP_RSA_gen((unsigned)(2048 + 1024 * i));
    pthread_mutex_unlock(&lock);
}

size_t other_signature(unsigned char *out, size_t room, const char *alg, size_t like,
                       const char *digest)
{
    struct taken other = { .key = NULL };
    struct bytes value = { NULL, 0 };
    if (*alg == 'E') {
        other.key = EVP_EC_gen(curve_group(curve_of(alg)));
        memcpy(other.crv, curve_of(alg), strlen(curve_of(alg)));
    } else {
        other.key = other_keys[like >= 512 ? 2 : like >= 384 ? 1 : 0];
        EVP_PKEY_up_ref(other.key);
    }
    value.data = base64url_decode(&value.size, digest);
    size_t size = make_signature(out, room, &other, alg, &value);
    free(value.data);
    EVP_PKEY_free(other.key);
    return size;
}

/* ---- RSA encryption ---- */

static bool rsa_crypt(struct bytes *out, const struct taken *key, const char *alg,
                      const struct bytes *in, bool decrypt)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(key->key, NULL);
    const EVP_MD *digest = strcmp(alg, "RSA-OAEP-256") == 0 ? EVP_sha256() : EVP_sha1();
    int padding = strcmp(alg, "RSA1_5") == 0 ? RSA_PKCS1_PADDING : RSA_PKCS1_OAEP_PADDING;
    bool ready = (decrypt ? EVP_PKEY_decrypt_init(context) : EVP_PKEY_encrypt_init(context)) == 1 &&
                 EVP_PKEY_CTX_set_rsa_padding(context, padding) == 1;
    if (padding == RSA_PKCS1_OAEP_PADDING)
        ready = ready && EVP_PKEY_CTX_set_rsa_oaep_md(context, digest) == 1 &&
                EVP_PKEY_CTX_set_rsa_mgf1_md(context, digest) == 1;
    out->size = 1024;
    out->data = allocate(out->size);
    bool done =
        ready &&
        (decrypt ? EVP_PKEY_decrypt(context, out->data, &out->size, in->data, in->size)
                 : EVP_PKEY_encrypt(context, out->data, &out->size, in->data, in->size)) == 1;
    EVP_PKEY_CTX_free(context);
    return done;
}

/* ---- AES ---- */

static const EVP_CIPHER *aes_cipher(const struct taken *key, const char *alg, bool *gcm, bool *pad,
                                    bool *wrap)
{
    static const EVP_CIPHER *(*const ciphers[3][3])(void) = {
        { EVP_aes_128_cbc, EVP_aes_192_cbc, EVP_aes_256_cbc },
        { EVP_aes_128_gcm, EVP_aes_192_gcm, EVP_aes_256_gcm },
        { EVP_aes_128_wrap, EVP_aes_192_wrap, EVP_aes_256_wrap },
    };
    int bits = *alg == 'A' ? atoi(alg + 1) : 0;
    const char *mode = bits ? alg + 4 : "";
    *gcm = strcmp(mode, "GCM") == 0;
    *pad = strcmp(mode, "CBCPAD") == 0;
    *wrap = strcmp(mode, "KW") == 0;
    if (bits != key->bits || (!*gcm && !*pad && !*wrap && strcmp(mode, "CBC") != 0))
        return NULL;
    return ciphers[*gcm ? 1 : *wrap ? 2 : 0][bits / 64 - 2]();
}

/* The iv is made if it isn't given, and comes with the answer, as GCM's tag. */
static bool aes_crypt(struct bytes *out, json_t *body, struct call *c, const struct taken *key,
                      const char *alg, const struct bytes *in, bool decrypt)
{
    bool gcm, pad, wrap;
    const EVP_CIPHER *cipher = aes_cipher(key, alg, &gcm, &pad, &wrap);
    if (!cipher)
        return false;
    unsigned char iv[16], tag[16];
    size_t iv_size = gcm ? 12 : 16;
    int done = 0, rest = 0;
    struct bytes given = body_bytes(c, "iv"), aad = body_bytes(c, "aad"),
                 given_tag = body_bytes(c, "tag");
    if (given.data && given.size == iv_size)
        memcpy(iv, given.data, iv_size);
    else
        RAND_bytes(iv, (int)iv_size);
    out->data = allocate(in->size + 32);
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    EVP_CIPHER_CTX_set_flags(context, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
    bool good =
        EVP_CipherInit_ex(context, cipher, NULL, key->octets, wrap ? NULL : iv, !decrypt) == 1;
    EVP_CIPHER_CTX_set_padding(context, pad);
    if (gcm && aad.data)
        good = good && EVP_CipherUpdate(context, NULL, &done, aad.data, (int)aad.size) == 1;
    if (gcm && decrypt)
        good = good && given_tag.size == 16 &&
               EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_SET_TAG, 16, given_tag.data) == 1;
    good = good && EVP_CipherUpdate(context, out->data, &done, in->data, (int)in->size) == 1 &&
           EVP_CipherFinal_ex(context, out->data + done, &rest) == 1;
    out->size = (size_t)(done + rest);
    if (good && !decrypt && !wrap)
        add_bytes(body, "iv", iv, iv_size);
    if (good && !decrypt && gcm && EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_GET_TAG, 16, tag) == 1)
        add_bytes(body, "tag", tag, 16);
    EVP_CIPHER_CTX_free(context);
    free(given.data);
    free(aad.data);
    free(given_tag.data);
    return good;
}

/* ---- the request ---- */

static void crypt_value(struct call *c, const struct taken *key, const char *alg,
                        const struct bytes *value)
{
    bool decrypt = strcmp(c->operation, "decrypt") == 0 || strcmp(c->operation, "unwrapkey") == 0;
    bool rsa = strcmp(alg, "RSA1_5") == 0 || strcmp(alg, "RSA-OAEP") == 0 ||
               strcmp(alg, "RSA-OAEP-256") == 0;
    struct bytes out = { NULL, 0 };
    json_t *body = result_body(key, alg);
    if (rsa != (key->key && EVP_PKEY_is_a(key->key, "RSA"))) {
        answer_error(c, 400, "BadParameter", NULL, "Key and algorithm are incompatible: %s", alg);
    } else if (rsa ? rsa_crypt(&out, key, alg, value, decrypt)
                   : aes_crypt(&out, body, c, key, alg, value, decrypt)) {
        add_bytes(body, "value", out.data, out.size);
        answer_json(c->answer, 200, json_incref(body));
    } else {
        answer_error(c, 400, "BadParameter", NULL, "Unable to %s specified value with this key.",
                     decrypt ? "decrypt" : "encrypt");
    }
    json_decref(body);
    free(out.data);
}

void key_operate(struct call *c)
{
    struct taken key = { NULL };
    const char *alg = json_string_value(json_object_get(c->body, "alg"));
    struct bytes value = body_bytes(c, "value");
    if (!alg || !value.data)
        answer_error(c, 400, "BadParameter", NULL, "Property %s is required\r\n",
                     alg ? "value" : "alg");
    else if (take_key(c, &key)) {
        if (strcmp(c->operation, "sign") == 0)
            sign_digest(c, &key, alg, &value);
        else
            crypt_value(c, &key, alg, &value);
    }
    free(value.data);
    drop_key(&key);
}

void random_bytes(struct call *c)
{
    unsigned char bytes[128];
    json_int_t count = json_integer_value(json_object_get(c->body, "count"));
    if (count < 1 || count > (json_int_t)sizeof bytes) {
        answer_error(c, 400, "BadParameter", NULL,
                     "GetRandomBytesRequest: count cannot be greater than 128 or less than 1");
        return;
    }
    RAND_bytes(bytes, (int)count);
    json_t *body = json_object();
    add_bytes(body, "value", bytes, (size_t)count);
    answer_json(c->answer, 200, body);
}
