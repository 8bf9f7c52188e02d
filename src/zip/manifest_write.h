/* The texts of a signature: manifest and signature file. */
#ifndef ZIP_MANIFEST_WRITE_H
#define ZIP_MANIFEST_WRITE_H

#include "zip/digest.h"
#include "zip/manifest_index.h"

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
SE_MUST_CHECK se_status signature_file_write(se_buf *out, se_bytes manifest, const struct digest_kind *kind, se_error *err);

#endif
