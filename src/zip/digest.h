/* SPDX-License-Identifier: Apache-2.0 */
/* Digests as manifests have them. */
#ifndef ZIP_DIGEST_H
#define ZIP_DIGEST_H

#include <openssl/evp.h>

#include "zip/manifest.h"

enum { DIGEST_KINDS = 3, DIGEST_MOST = 64, DIGEST_TEXT = 89 };

struct digest_kind {
    const char *name;      /* as descriptors and attributes have it: "SHA-256" */
    const char *attribute; /* "SHA-256-Digest" */
    size_t size;
};
extern const struct digest_kind digest_kinds[DIGEST_KINDS];

/* NULL: none of that name. */
const struct digest_kind *digest_find(const char *name);

/* Several digests over the same bytes. */
struct digests {
    EVP_MD_CTX *contexts[DIGEST_KINDS]; /* NULL: not asked for */
};
SE_MUST_CHECK se_status digests_begin(struct digests *out, const bool wanted[DIGEST_KINDS],
                                      se_error *err);
SE_MUST_CHECK se_status digests_add(struct digests *digests, se_bytes bytes, se_error *err);
SE_MUST_CHECK se_status digests_end(unsigned char out[DIGEST_KINDS][DIGEST_MOST],
                                    struct digests *digests, se_error *err);
void digests_free(struct digests *digests);
AUTO_KIND(digests, struct digests, digests_free(p))

/* One digest over `bytes`, in base64. */
SE_MUST_CHECK se_status digest_bytes(char out[DIGEST_TEXT], const struct digest_kind *kind,
                                     se_bytes bytes, se_error *err);
void digest_encode(char out[DIGEST_TEXT], const struct digest_kind *kind,
                   const unsigned char *digest);

/* Which digests a section has as attributes NAME + `suffix`, as "SHA-256-Digest-Manifest"; false:
 * none that is strong enough. */
bool digests_find_stated(bool wanted[DIGEST_KINDS], const struct section *section,
                         const char *suffix);

/* Whether `digests`, made as wanted for the suffix "-Digest", are all what the section says. */
void digests_match_section(bool *match, const struct section *section,
                           unsigned char digests[DIGEST_KINDS][DIGEST_MOST]);

/* Whether all those of them that are strong enough are `bytes`'. */
SE_MUST_CHECK se_status digests_match_bytes(bool *match, const struct section *section,
                                            const char *suffix, se_bytes bytes, se_error *err);

#endif
