/* What the caller's params say. */
#ifndef ZIP_PARAMS_H
#define ZIP_PARAMS_H

#include "zip/archive.h"

/* NULL: the defaults.  SE_ERR_USAGE: from another time, or nonsense. */
SE_MUST_CHECK se_status zip_params_read(se_zip_params *out, const se_zip_params *params, se_error *err);
struct archive_limits zip_params_limits(const se_zip_params *params);

#endif
