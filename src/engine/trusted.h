/* Telling who signed. */
#ifndef ENGINE_TRUSTED_H
#define ENGINE_TRUSTED_H

#include "format/format.h"

void signer_tell(se_signer *out, const struct verdict *verdict);

#endif
