#include "keystore/naming.h"

#include <ctype.h>
#include <stdio.h>
#include <strings.h>

#include "base/text.h"
#include "crypto/certificate.h"
#include "crypto/crypto.h"

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

static void put_key_id(char out[NAMING_ROOM], EVP_PKEY *public)
{
    unsigned char id[PUBLIC_ID];

    if (!key_public_id(id, public, NULL))
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

bool naming_suggest(char out[NAMING_ROOM], const struct nameable *what, size_t i)
{
    X509 *certificate = what->certificate;
    bool nameless = !*what->name;

    *out = '\0';
    if (i == OWN_NAME)
        (void)snprintf(out, NAMING_ROOM, "%s", what->name);
    else if (i == LOCAL_ID)
        put_hex(out, what->id.data, what->id.size);
    else if (i == KEY_NUMBER && what->public)
        put_key_id(out, what->public);
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

static bool same_number(const char *one, const char *other)
{
    char left[HEX_ROOM], right[HEX_ROOM];

    read_number(left, one);
    read_number(right, other);
    return *left && strcmp(left, right) == 0;
}

static bool matches(const struct nameable *what, const char *alias, size_t first, size_t last,
                    bool (*same)(const char *, const char *))
{
    char text[NAMING_ROOM];

    for (size_t i = first; i <= last; i++)
        if (naming_suggest(text, what, i) && *text && same(text, alias))
            return true;
    return false;
}

static bool alike(const char *one, const char *other)
{
    return strcasecmp(one, other) == 0;
}

enum naming naming_of(const struct nameable *what, const char *alias)
{
    if (!*alias)
        return NAMED_NOT;
    if (strcmp(what->name, alias) == 0)
        return NAMED_EXACTLY;
    if (alike(what->name, alias))
        return NAMED_ALIKE;
    if (matches(what, alias, CERTIFICATE_NAME, SUBJECT, alike))
        return NAMED_BY_CERTIFICATE;
    return matches(what, alias, FINGERPRINT, SERIAL, same_number) ? NAMED_BY_NUMBER : NAMED_NOT;
}
