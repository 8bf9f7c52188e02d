/* SPDX-License-Identifier: Apache-2.0 */
/* An archive's manifest: which section is which entry's, and the texts of a new signature. */
#ifndef ZIP_MANIFEST_INDEX_H
#define ZIP_MANIFEST_INDEX_H

#include "zip/archive.h"
#include "zip/digest.h"

enum { MANIFEST_LIMIT = 64 << 20 };

struct section_place {
    uint32_t at, size; /* 0: the entry has no section */
};

struct manifest_index {
    se_buf text;
    se_bytes main;
    struct section_place *sections; /* by entry */
};

/* Reads the manifest of `archive`, if it has one, and finds every section's entry.  Sections of
 * what is not there fail, or are passed over.
 */
SE_MUST_CHECK se_status manifest_index_load(struct manifest_index *out,
                                            const struct archive *archive, bool absent_fails,
                                            se_error *err);
/* The same from a text, which it takes over. */
SE_MUST_CHECK se_status manifest_index_parse(struct manifest_index *out,
                                             const struct archive *archive, se_buf *text,
                                             bool absent_fails, se_error *err);
void manifest_index_free(struct manifest_index *manifest);
AUTO_KIND(manifest_index, struct manifest_index, manifest_index_free(p))

/* As it stands in the text; empty: the entry has none. */
se_bytes manifest_index_find(const struct manifest_index *manifest, size_t entry);

struct manifest_draft {
    const struct archive *archive;
    const bool *listed; /* by entry: named in the manifest */
    const struct digest_kind *kind;
    const unsigned char *digests; /* kind->size bytes for each entry */
    const struct manifest_index *old;
    bool keep; /* the old manifest stays as it is; what it lacks is added */
};

SE_MUST_CHECK se_status manifest_write(se_buf *out, const struct manifest_draft *c, se_error *err);

/* Digests of `manifest`: as a whole, and section by section. */
SE_MUST_CHECK se_status signature_file_write(se_buf *out, se_bytes manifest,
                                             const struct digest_kind *kind, se_error *err);

#endif
