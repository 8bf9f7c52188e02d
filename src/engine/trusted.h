/* Whom to trust, and telling who it was. */
#ifndef ENGINE_TRUSTED_H
#define ENGINE_TRUSTED_H

#include "format/format.h"

/* The certificates of a PEM file. */
SE_MUST_CHECK se_status roots_load(X509_STORE *roots, const char *path, se_error *err);

void signer_tell(se_signer *out, const struct verdict *verdict);

#endif
