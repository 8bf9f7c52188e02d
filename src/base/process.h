/* SPDX-License-Identifier: Apache-2.0 */
/* What a program, and never the library, says about its own process. */
#ifndef BASE_PROCESS_H
#define BASE_PROCESS_H

#include <stdbool.h>
#include <stdint.h>

#include "signengine.h"

/* No core dump of it, nor of its children until they become another program; other users' debuggers
 * can't attach. */
bool process_forbid_dumps(void);

/* A process that was started as root becomes `user`, with its groups; another stays who it is.
 * SE_ERR_ACCESS: root needs a user, `file` (of settings) should name one, and it can't be root. */
SE_MUST_CHECK se_status process_become(const char *user, const char *file, se_error *err);

/* ---- what it uses, for metrics ---- */

/* Bytes, those only that are in memory or all. 0: /proc is not there. */
uint64_t process_memory(bool resident);
/* Files and sockets that are open. */
unsigned process_count_files(void);

#endif
