/* SPDX-License-Identifier: Apache-2.0 */
/* PINs that are somewhere else. */
#ifndef CONFIG_PIN_SOURCE_H
#define CONFIG_PIN_SOURCE_H

#include "base/error.h"

/* From "env:NAME", "file:PATH" or "credential:NAME".  SE_ERR_ACCESS: it is not there, or others may
 * read it. */
SE_MUST_CHECK se_status pin_source_read(se_buf *out, const char *source, se_error *err);

#endif
