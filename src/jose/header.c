/* SPDX-License-Identifier: Apache-2.0 */
#include "jose/header.h"

#include <string.h>
#include <strings.h>

#include "base/base64.h"
#include "base/json_write.h"
#include "base/utf8.h"
#include "crypto/certificate.h"
#include "jose/jwk.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* ---- JSON ---- */

static bool is_deep(const json_t *value, unsigned left)
{
    const char *name;
    json_t *member;
    size_t i;

    if (!json_is_object(value) && !json_is_array(value))
        return false;
    if (!left)
        return true;
    json_array_foreach(value, i, member)
        if (is_deep(member, left - 1))
            return true;
    json_object_foreach((json_t *)(uintptr_t)value, name, member)
        if (is_deep(member, left - 1))
            return true;
    return false;
}

se_status jose_object_read(json_t **out, se_bytes text, const char *what, se_error *err)
{
    AUTO(jose_json) object = NULL;
    json_error_t why;

    *out = NULL;
    object = json_loadb(text.size ? text.data : "", text.size, JSON_REJECT_DUPLICATES, &why);
    if (!object)
        return error_set(err, SE_ERR_FORMAT, "%s: no JSON: %.100s", what, why.text);
    if (!json_is_object(object))
        return error_set(err, SE_ERR_FORMAT, "%s: no object of JSON", what);
    if (is_deep(object, JOSE_DEPTH))
        return error_set(err, SE_ERR_FORMAT, "%s: more than %d levels", what, JOSE_DEPTH);
    *out = MOVE(object);
    return SE_OK;
}

/* ---- what is prescribed ---- */

/* RFC 7515, 4.1: what crit may not name. */
static const struct {
    const char *name;
    json_type type;
} members[] = {
    { "alg", JSON_STRING }, { "jku", JSON_STRING }, { "jwk", JSON_OBJECT },
    { "kid", JSON_STRING }, { "x5u", JSON_STRING }, { "x5c", JSON_ARRAY },
    { "x5t", JSON_STRING }, { "typ", JSON_STRING }, { "x5t#S256", JSON_STRING },
    { "crit", JSON_ARRAY }, { "cty", JSON_STRING },
};

static bool is_registered(const char *name)
{
    for (size_t i = 0; i < COUNT(members); i++)
        if (strcmp(members[i].name, name) == 0)
            return true;
    return false;
}

static se_status check_types(const json_t *header, se_error *err)
{
    for (size_t i = 0; i < COUNT(members); i++) {
        const json_t *value = json_object_get(header, members[i].name);

        if (value && json_typeof(value) != members[i].type)
            return error_set(err, SE_ERR_FORMAT, "the header's '%s' is no %s", members[i].name,
                             members[i].type == JSON_OBJECT  ? "object"
                             : members[i].type == JSON_ARRAY ? "array"
                                                             : "text");
    }
    return SE_OK;
}

static bool is_texts(const json_t *array)
{
    const json_t *item;
    size_t i;

    json_array_foreach(array, i, item)
        if (!json_is_string(item))
            return false;
    return json_array_size(array) > 0;
}

static bool is_listed(const json_t *array, const char *text)
{
    const json_t *item;
    size_t i;

    json_array_foreach(array, i, item)
        if (strcmp(json_string_value(item), text) == 0)
            return true;
    return false;
}

/* RFC 7515, 4.1.11 */
static se_status check_crit(const json_t *header, se_error *err)
{
    const json_t *crit = json_object_get(header, "crit"), *item;
    size_t i;

    if (!crit)
        return SE_OK;
    if (!is_texts(crit))
        return error_set(err, SE_ERR_FORMAT, "the header's 'crit' is no list of names");
    json_array_foreach(crit, i, item) {
        const char *name = json_string_value(item);

        if (is_registered(name))
            return error_set(err, SE_ERR_FORMAT,
                             "the header's 'crit' names '%s', which is no "
                             "extension",
                             name);
        if (!json_object_get(header, name))
            return error_set(err, SE_ERR_FORMAT,
                             "the header's 'crit' names '%.64s', which is not there", name);
        for (size_t k = 0; k < i; k++)
            if (json_equal(json_array_get(crit, k), item))
                return error_set(err, SE_ERR_FORMAT, "the header's 'crit' names '%.64s' twice",
                                 name);
    }
    return SE_OK;
}

/* RFC 7797, 6: who does not know b64 must not take the payload for what it is not. */
static se_status check_b64(bool *unencoded, const json_t *header, se_error *err)
{
    const json_t *b64 = json_object_get(header, "b64"), *crit = json_object_get(header, "crit");

    *unencoded = json_is_false(b64);
    if (b64 && !json_is_boolean(b64))
        return error_set(err, SE_ERR_FORMAT, "the header's 'b64' is neither true nor false");
    if (*unencoded && (!crit || !is_listed(crit, "b64")))
        return error_set(err, SE_ERR_FORMAT,
                         "the header's 'b64' is false, and 'crit' does not name it");
    return SE_OK;
}

/* RFC 7518, 3.1: names are compared with case. */
static se_status check_algorithm(const char **out, const json_t *header, se_error *err)
{
    static const char *const names[] = { "none",  "HS256", "HS384", "HS512", "RS256",
                                         "RS384", "RS512", "PS256", "PS384", "PS512",
                                         "ES256", "ES384", "ES512" };
    const char *name = json_string_value(json_object_get(header, "alg"));

    if (!name)
        return error_set(err, SE_ERR_FORMAT, "the protected header names no algorithm ('alg')");
    for (size_t i = 0; i < COUNT(names); i++)
        if (strcasecmp(names[i], name) == 0 && strcmp(names[i], name) != 0)
            return error_set(err, SE_ERR_FORMAT, "the header's algorithm is '%s', not '%s'", name,
                             names[i]);
    *out = name;
    return SE_OK;
}

/* It is not signed, so that nothing that decides may be there (RFC 7515, 4.1.11; RFC 7797, 6); and
 * a member must not be in both (7.2.1). */
static se_status check_unprotected(const json_t *unprotected, const json_t *protected,
                                   se_error *err)
{
    static const char *const refused[] = { "alg", "crit", "b64" };
    const char *name;
    json_t *value;

    for (size_t i = 0; i < COUNT(refused); i++)
        if (json_object_get(unprotected, refused[i]))
            return error_set(err, SE_ERR_FORMAT, "'%s' stands in the header that is not protected",
                             refused[i]);
    json_object_foreach((json_t *)(uintptr_t)unprotected, name, value)
        if (json_object_get(protected, name))
            return error_set(err, SE_ERR_FORMAT, "'%.64s' stands in both headers", name);
    return check_types(unprotected, err);
}

static se_status check_texts(const json_t *header, se_error *err)
{
    const json_t *x5c = json_object_get(header, "x5c");

    return !x5c || is_texts(x5c)
               ? SE_OK
               : error_set(err, SE_ERR_FORMAT, "the header's 'x5c' is no list of certificates");
}

void jose_header_free(struct jose_header *header)
{
    json_decref(header->protected);
    *header = (struct jose_header){ .protected = NULL };
}

se_status jose_header_read(struct jose_header *out, se_bytes encoded, const json_t *unprotected,
                           se_error *err)
{
    AUTO(se_buf) text = SE_BUF_INIT;

    if (encoded.size > JOSE_HEADER_LIMIT)
        return error_set(err, SE_ERR_FORMAT, "the header has %zu bytes: more than %d", encoded.size,
                         JOSE_HEADER_LIMIT);
    TRY_PREFIX(base64url_decode(&text, encoded, err), err, "the header: ");
    TRY(jose_object_read(&out->protected, buf_bytes(&text), "the header", err));
    TRY(check_types(out->protected, err));
    TRY(check_algorithm(&out->algorithm, out->protected, err));
    TRY(check_crit(out->protected, err));
    TRY(check_b64(&out->unencoded, out->protected, err));
    TRY(check_texts(out->protected, err));
    if (!unprotected)
        return SE_OK;
    out->unprotected = unprotected;
    TRY(check_unprotected(unprotected, out->protected, err));
    return check_texts(unprotected, err);
}

/* ---- what it asks for ---- */

static const json_t *header_member(const struct jose_header *header, const char *name)
{
    const json_t *value = json_object_get(header->protected, name);

    return value || !header->unprotected ? value : json_object_get(header->unprotected, name);
}

static const char *header_text(const struct jose_header *header, const char *name)
{
    return json_string_value(header_member(header, name));
}

se_status jose_header_understand(const struct jose_header *header, se_error *err)
{
    /* compressed payloads are JWE's, but there are readers that unpack others as well */
    static const char *const refused[] = { "jku", "x5u", "zip" };
    const json_t *item;
    size_t i;

    json_array_foreach(json_object_get(header->protected, "crit"), i, item)
        if (strcmp(json_string_value(item), "b64") != 0)
            return error_set(err, SE_ERR_REJECTED,
                             "the header says that '%.64s' has to be understood, and it is not",
                             json_string_value(item));
    for (i = 0; i < COUNT(refused); i++)
        if (header_member(header, refused[i]))
            return error_set(err, SE_ERR_REJECTED, "the header has '%s': %s", refused[i],
                             strcmp(refused[i], "zip") == 0 ? "a JWS has no compressed payload"
                                                            : "no key is fetched from anywhere");
    return SE_OK;
}

static bool print_is_of(const char *text, const X509 *certificate, enum digest digest)
{
    AUTO(se_buf) print = SE_BUF_INIT;
    AUTO(se_buf) own = SE_BUF_INIT;

    return !text || (!certificate_thumbprint(&print, certificate, digest, NULL) &&
                     !base64url_encode(&own, buf_bytes(&print), NULL) &&
                     strcmp((const char *)own.data, text) == 0);
}

/* The first certificate is the signer's; a renewed one has the same key. */
static bool chain_is_of(const json_t *x5c, const EVP_PKEY *key)
{
    const char *text = json_string_value(json_array_get(x5c, 0));
    AUTO(se_buf) der = SE_BUF_INIT;
    AUTO(x509) certificate = NULL;

    return !x5c || (!base64_decode(&der, text_bytes(text), NULL) &&
                    !certificate_parse(&certificate, buf_bytes(&der), NULL) &&
                    certificate_has_key(certificate, key));
}

static bool key_id_is_of(const char *kid, const EVP_PKEY *key, const char *key_id)
{
    char print[JWK_THUMBPRINT];

    if (!kid || key_id)
        return !kid || strcmp(kid, key_id) == 0;
    return !jwk_thumbprint(print, key, NULL) && strcmp(kid, print) == 0;
}

bool jose_header_is_of(const struct jose_header *header, X509 *certificate, const char *key_id)
{
    const EVP_PKEY *key = X509_get0_pubkey(certificate);
    const json_t *jwk = header_member(header, "jwk");

    return key_id_is_of(header_text(header, "kid"), key, key_id) && (!jwk || jwk_is_of(jwk, key)) &&
           chain_is_of(header_member(header, "x5c"), key) &&
           print_is_of(header_text(header, "x5t"), certificate, DIGEST_SHA1) &&
           print_is_of(header_text(header, "x5t#S256"), certificate, DIGEST_SHA256);
}

static bool is_thumbprint(const char *kid)
{
    AUTO(se_buf) digest = SE_BUF_INIT;

    return kid && !base64url_decode(&digest, text_bytes(kid), NULL) && digest.size == SHA256_SIZE;
}

se_status jose_header_require_key(const struct jose_header *header, se_error *err)
{
    static const char *const naming[] = { "jwk", "x5c", "x5t", "x5t#S256" };
    const char *kid = header_text(header, "kid");

    if (is_thumbprint(kid))
        return SE_OK;
    for (size_t i = 0; i < COUNT(naming); i++)
        if (header_member(header, naming[i]))
            return SE_OK;
    if (kid)
        return error_set(err, SE_ERR_REJECTED,
                         "a JWS that calls its key '%.64s' (kid), which is no thumbprint", kid);
    return error_set(err, SE_ERR_REJECTED, "a JWS that does not say by which key it was made");
}

bool jose_header_names(const struct jose_header *header, X509 *certificate)
{
    const char *kid = header_text(header, "kid");

    return jose_header_is_of(header, certificate, is_thumbprint(kid) ? NULL : kid);
}

se_status jose_header_refuse_key(const struct jose_header *header, se_error *err)
{
    const char *kid = header_text(header, "kid");

    if (kid)
        return error_set(err, SE_ERR_REJECTED,
                         "it is signed with the key '%.100s' (kid), or says another one besides: "
                         "that is none of the descriptor's",
                         kid);
    return error_set(err, SE_ERR_REJECTED,
                     "the header names a key or a certificate that is none of the descriptor's");
}

/* RFC 7515, 4.1.9: "application/" may be left out where there is no other "/". */
static const char *short_type(const char *type)
{
    static const char prefix[] = "application/";
    const size_t size = sizeof prefix - 1;

    return !strncasecmp(type, prefix, size) && !strchr(type + size, '/') ? type + size : type;
}

se_status jose_header_check_type(const struct jose_header *header, const char *type, bool required,
                                 se_error *err)
{
    const char *typ = header_text(header, "typ");

    if (!typ && required)
        return error_set(err, SE_ERR_REJECTED, "it has no type (typ), and '%s' is asked for", type);
    if (typ && strcasecmp(short_type(typ), short_type(type)) != 0)
        return error_set(err, SE_ERR_REJECTED, "its type (typ) is '%.100s', not '%s'", typ, type);
    return SE_OK;
}

/* ---- writing ---- */

static bool pair_is(const se_pair *pair, const char *name)
{
    return pair->name.size == strlen(name) && !strncmp(pair->name.data, name, pair->name.size);
}

static bool is_decided(const se_pair *pair)
{
    static const char *const decided[] = { "b64", "zip" };

    for (size_t i = 0; i < COUNT(members); i++)
        if (pair_is(pair, members[i].name) && !pair_is(pair, "cty"))
            return true;
    for (size_t i = 0; i < COUNT(decided); i++)
        if (pair_is(pair, decided[i]))
            return true;
    return false;
}

static bool is_json_text(se_bytes text)
{
    return utf8_is(text) && (!text.size || !memchr(text.data, '\0', text.size));
}

static se_status check_pairs(const se_pair *pairs, size_t count, se_error *err)
{
    for (size_t i = 0; i < count; i++) {
        const int size = (int)(pairs[i].name.size < 64 ? pairs[i].name.size : 64);
        const char *name = size ? pairs[i].name.data : "";

        if (!size || !is_json_text(pairs[i].name) || !is_json_text(pairs[i].value))
            return error_set(err, SE_ERR_USAGE,
                             "a member of the header has no name, or is not made of UTF-8");
        if (is_decided(&pairs[i]))
            return error_set(err, SE_ERR_USAGE,
                             "'%.*s' of the header can't be given: signing decides about it", size,
                             name);
        for (size_t k = 0; k < i; k++)
            if (pairs[k].name.size == pairs[i].name.size &&
                !strncmp(pairs[k].name.data, name, pairs[i].name.size))
                return error_set(err, SE_ERR_USAGE, "'%.*s' of the header is given twice", size,
                                 name);
    }
    return SE_OK;
}

static se_status write_key_id(struct writer *w, const struct key *key, const char *key_id,
                              se_error *err)
{
    char print[JWK_THUMBPRINT];

    if (key_id && !is_json_text(text_bytes(key_id)))
        return error_set(err, SE_ERR_USAGE, "the key's ID (kid) is not made of UTF-8");
    if (!key_id)
        TRY(jwk_thumbprint(print, X509_get0_pubkey(key->certificate), err));
    json_write_text(w, "kid", key_id ? key_id : print);
    return SE_OK;
}

se_status jose_header_write(struct writer *w, const struct algorithm *algorithm,
                            const struct key *key, const se_jws_sign_params *params, se_error *err)
{
    TRY(check_pairs(params->headers, params->header_count, err));
    if (params->type && !is_json_text(text_bytes(params->type)))
        return error_set(err, SE_ERR_USAGE, "the type (typ) is not made of UTF-8");
    json_write_begin(w, NULL, '{');
    json_write_text(w, "alg", algorithm->name);
    if (params->type)
        json_write_text(w, "typ", params->type);
    TRY(write_key_id(w, key, params->key_id, err));
    if (params->unencoded) {
        json_write_flag(w, "b64", false);
        json_write_literal(w, "crit", "[\"b64\"]");
    }
    if (params->certificates)
        TRY(jwk_write_chain(w, key->certificate, key->chain, err));
    for (size_t i = 0; i < params->header_count; i++)
        json_write_pair(w, params->headers[i].name, params->headers[i].value);
    json_write_end(w, '}');
    return SE_OK;
}
