/* SPDX-License-Identifier: Apache-2.0 */
/* The file that drives the shim in a process that is not a test program. */
#ifndef TESTS_LIB_SHIM_SCRIPT_H
#define TESTS_LIB_SHIM_SCRIPT_H

/* Reads $SHIM_FILE, if there is one, and does as it says.  What it does not know ends the process
 * with status 99, and a message. */
void script_load(void);

/* The same, if the file has changed; looks at it no more than every few milliseconds. */
void script_poll(void);

/* Changes when the file has been read. */
unsigned script_version(void);

/* The module that it stands in front of, or NULL. */
const char *script_module(void);

#endif
