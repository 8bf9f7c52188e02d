/* SPDX-License-Identifier: Apache-2.0 */
/* GUIDs (RFC 9562), by which Azure names tenants, applications, roles and requests. */
#ifndef KEYSTORE_AZURE_GUID_H
#define KEYSTORE_AZURE_GUID_H

#include <stdbool.h>

#include "base/error.h"

enum { GUID_TEXT = 37 }; /* with the NUL */

bool guid_is(const char *text);

/* One that nobody else has (5.4). */
SE_MUST_CHECK se_status guid_draw(char out[GUID_TEXT], se_error *err);

#endif
