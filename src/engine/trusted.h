/* Telling who signed. */
#ifndef ENGINE_TRUSTED_H
#define ENGINE_TRUSTED_H

#include "config/config.h"
#include "crypto/signature.h"

/* Whom to trust, before; what was signed, after config_vouch(). */
struct vouching {
    const char *path, *trust;
    se_buf canonical;
};

/* For config_options.vouch; `arg` is a struct vouching.  The second is for the configuration that
 * was parsed then, and reads its files. */
SE_MUST_CHECK se_status config_vouch(void *arg, se_bytes text, se_error *err);
SE_MUST_CHECK se_status config_vouch_files(struct config *config, const struct vouching *vouching,
                                           se_error *err);

/* NULL: the working directory is where it is. */
const char *config_path(const char *path);

void signer_tell(se_signer *out, const struct verdict *verdict);

#endif
