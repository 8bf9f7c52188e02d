/* SPDX-License-Identifier: Apache-2.0 */
/* Configurations are UTF-8. */
#ifndef CONFIG_ENCODING_H
#define CONFIG_ENCODING_H

#include "base/error.h"

/* SE_ERR_CONFIG: not UTF-8, declared to be something else, or no text at all; *line is where.  A
 * NUL follows the text. */
SE_MUST_CHECK se_status encoding_check(se_bytes text, int *line, se_error *err);

/* A character that XML 1.0 allows (section 2.2). */
bool encoding_xml_char(uint32_t c);

#endif
