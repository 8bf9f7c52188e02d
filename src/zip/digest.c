/* SPDX-License-Identifier: Apache-2.0 */
#include "zip/digest.h"

#include <stdio.h>

#include "base/base64.h"

const struct digest_kind digest_kinds[DIGEST_KINDS] = {
    { "SHA-256", "SHA-256-Digest", 32 },
    { "SHA-384", "SHA-384-Digest", 48 },
    { "SHA-512", "SHA-512-Digest", 64 },
};

const struct digest_kind *digest_find(const char *name)
{
    for (size_t i = 0; i < DIGEST_KINDS; i++)
        if (strcmp(digest_kinds[i].name, name) == 0)
            return &digest_kinds[i];
    return NULL;
}

static se_status refuse_hashing(se_error *err)
{
    return error_set(err, SE_ERR_CRYPTO, "cannot hash");
}

/* Fetched once: entries come in thousands. */
static const EVP_MD *find_algorithm(size_t kind)
{
    static const EVP_MD *(*const known[DIGEST_KINDS])(void) = { EVP_sha256, EVP_sha384,
                                                                EVP_sha512 };

    return known[kind]();
}

se_status digests_begin(struct digests *out, const bool wanted[DIGEST_KINDS], se_error *err)
{
    for (size_t i = 0; i < DIGEST_KINDS; i++) {
        if (!wanted[i]) {
            EVP_MD_CTX_free(out->contexts[i]);
            out->contexts[i] = NULL;
            continue;
        }
        if (!out->contexts[i])
            out->contexts[i] = EVP_MD_CTX_new();
        if (!out->contexts[i] || !EVP_DigestInit_ex(out->contexts[i], find_algorithm(i), NULL))
            return refuse_hashing(err);
    }
    return SE_OK;
}

se_status digests_add(struct digests *digests, se_bytes bytes, se_error *err)
{
    for (size_t i = 0; i < DIGEST_KINDS; i++)
        if (digests->contexts[i] && !EVP_DigestUpdate(digests->contexts[i], bytes.data, bytes.size))
            return refuse_hashing(err);
    return SE_OK;
}

se_status digests_end(unsigned char out[DIGEST_KINDS][DIGEST_MOST], struct digests *digests,
                      se_error *err)
{
    for (size_t i = 0; i < DIGEST_KINDS; i++)
        if (digests->contexts[i] && !EVP_DigestFinal_ex(digests->contexts[i], out[i], NULL))
            return refuse_hashing(err);
    return SE_OK;
}

void digests_free(struct digests *digests)
{
    for (size_t i = 0; i < DIGEST_KINDS; i++)
        EVP_MD_CTX_free(digests->contexts[i]);
    *digests = (struct digests){ { NULL } };
}

void digest_encode(char out[DIGEST_TEXT], const struct digest_kind *kind,
                   const unsigned char *digest)
{
    base64_write((unsigned char *)out, (se_bytes){ digest, kind->size });
    out[base64_size(kind->size)] = '\0';
}

se_status digest_bytes(char out[DIGEST_TEXT], const struct digest_kind *kind, se_bytes bytes,
                       se_error *err)
{
    unsigned char digest[DIGEST_MOST];

    if (!EVP_Digest(bytes.data, bytes.size, digest, NULL,
                    find_algorithm((size_t)(kind - digest_kinds)), NULL))
        return refuse_hashing(err);
    digest_encode(out, kind, digest);
    return SE_OK;
}

static const char *find_stated(const struct section *section, const struct digest_kind *kind,
                               const char *suffix)
{
    char name[80];

    (void)snprintf(name, sizeof name, "%s%s", kind->name, suffix);
    return section_get(section, name);
}

bool digests_find_stated(bool wanted[DIGEST_KINDS], const struct section *section,
                         const char *suffix)
{
    bool any = false;

    for (size_t i = 0; i < DIGEST_KINDS; i++)
        any |= wanted[i] = find_stated(section, &digest_kinds[i], suffix) != NULL;
    return any;
}

se_status digests_match_bytes(bool *match, const struct section *section, const char *suffix,
                              se_bytes bytes, se_error *err)
{
    char text[DIGEST_TEXT];
    se_status st = SE_OK;

    *match = true;
    for (size_t i = 0; !st && i < DIGEST_KINDS; i++) {
        const char *value = find_stated(section, &digest_kinds[i], suffix);

        if (value && !(st = digest_bytes(text, &digest_kinds[i], bytes, err)))
            *match &= strcmp(text, value) == 0;
    }
    return st;
}

void digests_match_section(bool *match, const struct section *section,
                           unsigned char digests[DIGEST_KINDS][DIGEST_MOST])
{
    char text[DIGEST_TEXT];

    *match = true;
    for (size_t i = 0; i < DIGEST_KINDS; i++) {
        const char *value = find_stated(section, &digest_kinds[i], "-Digest");

        if (!value)
            continue;
        digest_encode(text, &digest_kinds[i], digests[i]);
        *match &= strcmp(text, value) == 0;
    }
}
