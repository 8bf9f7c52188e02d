/* The texts of a signature: manifest and signature file. */
#ifndef ZIP_COMPOSE_H
#define ZIP_COMPOSE_H

#include "zip/digest.h"
#include "zip/table.h"

struct composition {
    const struct archive *archive;
    const bool *listed; /* by entry: named in the manifest */
    const struct digest_kind *kind;
    const unsigned char *digests; /* kind->size bytes for each entry */
    const struct manifest *old;
    bool keep; /* the old manifest stays as it is; what it lacks is added */
};

SE_MUST_CHECK se_status compose_manifest(se_buf *out, const struct composition *c, se_error *err);

/* Digests of `manifest`: as a whole, and section by section. */
SE_MUST_CHECK se_status compose_signature_file(se_buf *out, se_bytes manifest, const struct digest_kind *kind, se_error *err);

#endif
