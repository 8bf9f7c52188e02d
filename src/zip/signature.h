/* SPDX-License-Identifier: Apache-2.0 */
/* One signature of an archive: NAME.SF and the signature over it. */
#ifndef ZIP_SIGNATURE_H
#define ZIP_SIGNATURE_H

#include "zip/manifest_index.h"

struct signature_job {
    se_engine *engine;
    const char *descriptor;
    const se_zip_verify_params *params;
    const struct archive *archive;
    const struct manifest_index *manifest;
    bool *covered; /* by entry: set for each whose section the signature digests */
};

/* Compares the text of a signature file, called `name`, with the manifest. */
SE_MUST_CHECK se_status signature_file_check(const struct signature_job *job, const char *name,
                                             se_bytes text, se_error *err);

/* SE_ERR_REJECTED: not good, or whose it is.  `file` and `block` are entries. */
SE_MUST_CHECK se_status signature_verify(se_signer *out, const struct signature_job *job,
                                         const struct entry *file, const struct entry *block,
                                         se_error *err);

#endif
