/* SPDX-License-Identifier: Apache-2.0 */
#include "keystore/bundle.h"

#include <ctype.h>
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "base/choice.h"
#include "base/text.h"
#include "crypto/certificate.h"
#include "crypto/crypto.h"

/* ---- names ---- */

/*
 * What names a key in a file: its friendlyName or, where it has none (as files of .NET and Go) or
 * shares it, its certificate or a number. Java writes aliases in lower case, so that case does not
 * count unless two names differ in nothing else.
 */

/* The greater, the better. */
enum naming {
    NAMED_NOT,
    NAMED_BY_NUMBER,      /* hexadecimal: localKeyID, key ID, the certificate's fingerprint (SHA-1,
                             SHA-256) or serial number */
    NAMED_BY_CERTIFICATE, /* its subject; of a key without a name also its common name or
                             friendlyName */
    NAMED_ALIKE,          /* but for case */
    NAMED_EXACTLY,
};

struct nameable {
    const char *name; /* "" without one */
    se_bytes id;      /* localKeyID, may be empty */
    EVP_PKEY *key;    /* either may be NULL */
    X509 *certificate;
};

enum { NAMING_ROOM = BUNDLE_HANDLE };
enum { HEX_ROOM = 2 * EVP_MAX_MD_SIZE + 1 };

static void put_hex(char out[NAMING_ROOM], const unsigned char *bytes, size_t size)
{
    *out = '\0';
    for (size_t i = 0; i < size && i < EVP_MAX_MD_SIZE; i++)
        (void)snprintf(out + 2 * i, 3, "%02x", bytes[i]);
}

static void put_fingerprint(char out[NAMING_ROOM], const X509 *certificate, const char *digest)
{
    unsigned char hash[EVP_MAX_MD_SIZE];
    EVP_MD *md = EVP_MD_fetch(crypto_context(), digest, NULL);
    unsigned size = 0;

    if (md && X509_digest(certificate, md, hash, &size))
        put_hex(out, hash, size);
    EVP_MD_free(md);
}

static void put_common_name(char out[NAMING_ROOM], const X509 *certificate)
{
    const X509_NAME *name = X509_get_subject_name(certificate);
    int at = -1, next;
    unsigned char *text = NULL;

    while ((next = X509_NAME_get_index_by_NID(name, NID_commonName, at)) >= 0)
        at = next;
    if (at >= 0 &&
        ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at))) > 0)
        text_copy(out, NAMING_ROOM, (char *)text, strlen((char *)text));
    OPENSSL_free(text);
}

static void put_friendly_name(char out[NAMING_ROOM], X509 *certificate)
{
    const unsigned char *alias = X509_alias_get0(certificate, NULL);

    (void)snprintf(out, NAMING_ROOM, "%s", alias ? (const char *)alias : "");
}

static void put_key_id(char out[NAMING_ROOM], EVP_PKEY *key)
{
    unsigned char id[PUBLIC_ID];

    if (!key_public_id(id, key, NULL))
        put_hex(out, id, sizeof id);
}

/* What may name a key, the best first.  The names of a certificate are those of a key that has none
 * itself. */
enum {
    OWN_NAME,
    CERTIFICATE_NAME,
    COMMON_NAME,
    SUBJECT,
    FINGERPRINT,
    FINGERPRINT_SHA256,
    LOCAL_ID,
    KEY_NUMBER,
    SERIAL,
    SUGGESTIONS,
};

/* The i-th thing that may name it, the best first; false: there are no more.  *out may become "".
 */
static bool naming_suggest(char out[NAMING_ROOM], const struct nameable *what, size_t i)
{
    X509 *certificate = what->certificate;
    bool nameless = !*what->name;

    *out = '\0';
    if (i == OWN_NAME)
        (void)snprintf(out, NAMING_ROOM, "%s", what->name);
    else if (i == LOCAL_ID)
        put_hex(out, what->id.data, what->id.size);
    else if (i == KEY_NUMBER && what->key)
        put_key_id(out, what->key);
    else if (i == CERTIFICATE_NAME && certificate && nameless)
        put_friendly_name(out, certificate);
    else if (i == COMMON_NAME && certificate && nameless)
        put_common_name(out, certificate);
    else if (i == SUBJECT && certificate)
        certificate_subject(out, NAMING_ROOM, certificate);
    else if (i == FINGERPRINT && certificate)
        put_fingerprint(out, certificate, "SHA1");
    else if (i == FINGERPRINT_SHA256 && certificate)
        put_fingerprint(out, certificate, "SHA2-256");
    else if (i == SERIAL && certificate)
        certificate_serial(out, NAMING_ROOM, certificate);
    return i < SUGGESTIONS;
}

/* Digits as other tools write them: in any case, with colons or blanks between, with 0x or zeros
 * before.  "": it is no such number. */
static void read_number(char out[HEX_ROOM], const char *text)
{
    size_t size = 0;

    *out = '\0';
    if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X'))
        text += 2;
    for (; *text; text++) {
        if (*text == ':' || *text == ' ' || (*text == '0' && !size))
            continue;
        if (!isxdigit((unsigned char)*text) || size + 1 == HEX_ROOM) {
            *out = '\0';
            return;
        }
        out[size++] = (char)tolower((unsigned char)*text);
    }
    out[size] = '\0';
}

static bool is_same_number(const char *one, const char *other)
{
    char left[HEX_ROOM], right[HEX_ROOM];

    read_number(left, one);
    read_number(right, other);
    return *left && strcmp(left, right) == 0;
}

static bool is_named_by(const struct nameable *what, const char *alias, size_t first, size_t last,
                        bool (*same)(const char *, const char *))
{
    char text[NAMING_ROOM];

    for (size_t i = first; i <= last; i++)
        if (naming_suggest(text, what, i) && *text && same(text, alias))
            return true;
    return false;
}

static bool is_alike(const char *one, const char *other)
{
    return strcasecmp(one, other) == 0;
}

static enum naming naming_of(const struct nameable *what, const char *alias)
{
    if (!*alias)
        return NAMED_NOT;
    if (strcmp(what->name, alias) == 0)
        return NAMED_EXACTLY;
    if (is_alike(what->name, alias))
        return NAMED_ALIKE;
    if (is_named_by(what, alias, CERTIFICATE_NAME, SUBJECT, is_alike))
        return NAMED_BY_CERTIFICATE;
    return is_named_by(what, alias, FINGERPRINT, SERIAL, is_same_number) ? NAMED_BY_NUMBER
                                                                         : NAMED_NOT;
}

/* ---- keys and certificates ---- */

enum { COMPARED_MOST = 100 };

static void free_key(struct bundle_key *key)
{
    if (!key)
        return;
    EVP_PKEY_free(key->key);
    free(key->name);
    se_buf_free(&key->id);
    free(key);
}
AUTO_KIND(bundle_key, struct bundle_key *, free_key(*p))

se_status bundle_add_key(struct bundle *bundle, EVP_PKEY *key, const char *name, se_bytes id,
                         const se_error *why, se_error *err)
{
    AUTO(evp_pkey) taken = key;
    AUTO(bundle_key) added = calloc(1, sizeof *added);

    if (!added || !(added->name = strdup(name ? name : "")))
        return error_memory(err);
    TRY(buf_copy(&added->id, id, err));
    if (bundle->count == BUNDLE_KEYS)
        return error_set(err, SE_ERR_KEY, "more than %d keys", BUNDLE_KEYS);
    added->key = MOVE(taken);
    if (why)
        added->why = *why;
    bundle->keys[bundle->count++] = MOVE(added);
    return SE_OK;
}

se_status bundle_add_certificate(struct bundle *bundle, X509 *certificate, se_error *err)
{
    if (!bundle->certificates)
        bundle->certificates = sk_X509_new_null();
    if (bundle->certificates && sk_X509_push(bundle->certificates, certificate))
        return SE_OK;
    X509_free(certificate);
    return error_memory(err);
}

void bundle_free(struct bundle *bundle)
{
    for (size_t i = 0; i < bundle->count; i++)
        free_key(bundle->keys[i]);
    sk_X509_pop_free(bundle->certificates, X509_free);
    *bundle = (struct bundle){ .count = 0 };
}

static se_status tell_why(const struct bundle_key *key, se_error *err)
{
    return error_set_at(err, key->why.status, key->why.file, key->why.line, "%s", key->why.text);
}

se_status bundle_check_pin(const struct bundle *bundle, se_error *err)
{
    for (size_t i = 0; i < bundle->count; i++)
        if (bundle->keys[i]->key || bundle->keys[i]->why.status != SE_ERR_ACCESS)
            return SE_OK;
    return bundle->count ? tell_why(bundle->keys[0], err) : SE_OK;
}

/* A key that can't be read is known by its localKeyID. */
static X509 *certificate_with_id(const struct bundle *bundle, const se_buf *id)
{
    for (int i = 0; i < sk_X509_num(bundle->certificates); i++) {
        X509 *one = sk_X509_value(bundle->certificates, i);
        int size = 0;
        const unsigned char *its = X509_keyid_get0(one, &size);

        if (its && size > 0 && (size_t)size == id->size &&
            CRYPTO_memcmp(its, id->data, id->size) == 0)
            return one;
    }
    return NULL;
}

X509 *bundle_certificate(const struct bundle *bundle, const struct bundle_key *key)
{
    return key->key ? certificates_choose(bundle->certificates, key->key)
                    : certificate_with_id(bundle, &key->id);
}

bool bundle_same_key(const struct bundle_key *one, const struct bundle_key *other)
{
    return one == other || (one->key && other->key && EVP_PKEY_eq(one->key, other->key) == 1);
}

static struct nameable nameable_key(const struct bundle *bundle, const struct bundle_key *key)
{
    return (struct nameable){ key->name, buf_bytes(&key->id), key->key,
                              bundle_certificate(bundle, key) };
}

/* How many keys it names, and one of them; the better ones leave the others out. */
static size_t find_named(const struct bundle_key **out, const struct bundle *bundle,
                         const char *alias)
{
    enum naming best = NAMED_NOT;
    size_t count = 0;

    *out = NULL;
    for (size_t i = 0; i < bundle->count; i++) {
        const struct nameable what = nameable_key(bundle, bundle->keys[i]);
        enum naming naming = naming_of(&what, alias);

        if (naming == NAMED_NOT || naming < best ||
            (naming == best && bundle_same_key(*out, bundle->keys[i])))
            continue;
        count = naming > best ? 1 : count + 1;
        best = naming;
        *out = bundle->keys[i];
    }
    ERR_clear_error();
    return count;
}

/* Without a name, the one that can be used is the only one that can be meant. */
static size_t find_only(const struct bundle_key **out, const struct bundle *bundle)
{
    size_t count = 0;

    *out = bundle->count ? bundle->keys[0] : NULL;
    for (size_t i = 0; i < bundle->count; i++) {
        const struct bundle_key *key = bundle->keys[i];

        if (!key->key || (count && bundle_same_key(*out, key)))
            continue;
        *out = key;
        count++;
    }
    return count ? count : bundle->count;
}

void bundle_handle(char out[BUNDLE_HANDLE], const struct bundle *bundle,
                   const struct bundle_key *key)
{
    const struct nameable what = nameable_key(bundle, key);
    const struct bundle_key *found;

    for (size_t i = 0; naming_suggest(out, &what, i); i++)
        if (find_named(&found, bundle, out) == 1 && bundle_same_key(found, key))
            return;
    (void)snprintf(out, BUNDLE_HANDLE, "%s", key->name);
}

static void list_handles(struct writer *w, const struct bundle *bundle, const char *alias)
{
    struct choice choice = { .wanted = alias };
    char handle[BUNDLE_HANDLE];

    for (size_t i = 0; i < bundle->count && i < COMPARED_MOST; i++) {
        const char *name = bundle->keys[i]->name;
        AUTO(writer) text = { 0 };

        bundle_handle(handle, bundle, bundle->keys[i]);
        writer_format(&text, "'%s'", handle);
        if (*name && strcmp(handle, name) != 0)
            writer_format(&text, " (called '%s')", name);
        choice_add(&choice, handle, writer_string(&text));
    }
    choice.count += bundle->count > COMPARED_MOST ? bundle->count - COMPARED_MOST : 0;
    choice_write(w, &choice);
}

size_t bundle_find(const struct bundle_key **out, const struct bundle *bundle, const char *alias)
{
    return *alias ? find_named(out, bundle, alias) : find_only(out, bundle);
}

se_status bundle_choose(const struct bundle_key **out, const struct bundle *bundle,
                        const char *alias, se_error *err)
{
    size_t count = bundle_find(out, bundle, alias);
    AUTO(writer) names = { 0 };

    if (count == 1 || !bundle->count)
        return SE_OK;
    *out = NULL;
    list_handles(&names, bundle, alias);
    if (!*alias)
        return error_set(err, SE_ERR_KEY, "%zu keys, and no alias that says which: %s", count,
                         writer_string(&names));
    if (!count)
        return error_set(err, SE_ERR_KEY, "no key with alias '%s'; there are: %s", alias,
                         writer_string(&names));
    return error_set(
        err, SE_ERR_KEY,
        "alias '%s' names %zu keys; what tells them apart, by certificate or localKeyID, is: %s",
        alias, count, writer_string(&names));
}

static bool has_issued_others(X509 *certificate, const STACK_OF(X509) * all)
{
    for (int i = 0; i < sk_X509_num(all); i++)
        if (sk_X509_value(all, i) != certificate &&
            certificate_has_issued(certificate, sk_X509_value(all, i)))
            return true;
    return false;
}

/* Without a private key to tell: issuers may stand first. */
static X509 *named_certificate(const struct bundle *bundle, const char *alias)
{
    enum naming best = NAMED_NOT;
    bool leaf = false;
    X509 *found = NULL;

    for (int i = 0; i < sk_X509_num(bundle->certificates); i++) {
        X509 *one = sk_X509_value(bundle->certificates, i);
        const unsigned char *name = X509_alias_get0(one, NULL);
        const struct nameable what = {
            name ? (const char *)name : "", { NULL, 0 }, X509_get0_pubkey(one), one
        };
        enum naming naming = naming_of(&what, alias);
        bool is_leaf = !has_issued_others(one, bundle->certificates);

        if ((*alias && naming == NAMED_NOT) ||
            (found && (naming < best || (naming == best && (leaf || !is_leaf)))))
            continue;
        found = one;
        best = naming;
        leaf = is_leaf;
    }
    return found;
}

static X509 *choose_certificate(const struct bundle *bundle, const struct bundle_key *key,
                                const char *alias)
{
    X509 *named = key ? NULL : named_certificate(bundle, alias);
    EVP_PKEY *public_key = key ? key->key : named ? X509_get0_pubkey(named) : NULL;
    X509 *chosen = public_key ? certificates_choose(bundle->certificates, public_key) : NULL;

    ERR_clear_error();
    return chosen ? chosen : named;
}

static se_status no_certificate(const struct bundle *bundle, const struct bundle_key *key,
                                se_error *err)
{
    const int count = sk_X509_num(bundle->certificates);

    return error_set(err, SE_ERR_KEY,
                     "no certificate %s in it (certificates: %d); certificate= can name one",
                     key ? "of the key" : "with that alias", count < 0 ? 0 : count);
}

static se_status find_certificates(struct certificates *out, const struct bundle *bundle,
                                   const struct bundle_key *key, const struct keyref *ref,
                                   se_error *err)
{
    X509 *certificate;

    TRY(store_configured_certificate(out, ref, err));
    if (out->own)
        return certificates_add_others(out, bundle->certificates, err);
    if (!(certificate = choose_certificate(bundle, key, ref->alias)))
        return no_certificate(bundle, key, err);
    return certificates_gather(out, certificate, bundle->certificates, err);
}

se_status bundle_open(struct key **out, const struct bundle *bundle, const struct keyref *ref,
                      enum key_part part, se_error *err)
{
    AUTO(certificates) certificates = { .own = NULL };
    const struct bundle_key *key;

    *out = NULL;
    TRY(bundle_choose(&key, bundle, ref->alias, err));
    if (key && !key->key)
        return tell_why(key, err);
    if (part != PART_CERTIFICATE && !key)
        return error_set(err, SE_ERR_KEY, "no private key in it");
    TRY(find_certificates(&certificates, bundle, key, ref, err));
    if (key)
        EVP_PKEY_up_ref(key->key);
    return key_new(out, key ? key->key : NULL, &certificates, err);
}
