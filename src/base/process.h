/* SPDX-License-Identifier: Apache-2.0 */
/* What a program, and never the library, says about its own process. */
#ifndef BASE_PROCESS_H
#define BASE_PROCESS_H

#include <stdbool.h>

/* No core dump of it, nor of its children until they become another program; other users' debuggers
 * can't attach. */
bool process_forbid_dumps(void);

#endif
