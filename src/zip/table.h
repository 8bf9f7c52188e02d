/* An archive's manifest: which section is which entry's. */
#ifndef ZIP_TABLE_H
#define ZIP_TABLE_H

#include "zip/archive.h"
#include "zip/manifest.h"

enum { MANIFEST_LIMIT = 64 << 20 };

struct section_place {
    uint32_t at, size; /* 0: the entry has no section */
};

struct manifest {
    se_buf text;
    se_bytes main;
    struct section_place *sections; /* by entry */
};

/* Reads the manifest of `archive`, if it has one, and finds every section's entry.  Sections of what is not there fail, or are passed over.
 */
SE_MUST_CHECK se_status manifest_load(struct manifest *out, const struct archive *archive, bool absent_fails, se_error *err);
/* The same from a text, which it takes over. */
SE_MUST_CHECK se_status manifest_parse(struct manifest *out, const struct archive *archive, se_buf *text, bool absent_fails, se_error *err);
void manifest_free(struct manifest *manifest);
AUTO_KIND(manifest, struct manifest, manifest_free(p))

/* As it stands in the text; empty: the entry has none. */
se_bytes manifest_section(const struct manifest *manifest, size_t entry);

#endif
