/* SPDX-License-Identifier: Apache-2.0 */
/* Secrets from where they may be: never from the command line. */
#ifndef CLI_SECRET_H
#define CLI_SECRET_H

#include "cli/cli.h"

/*
 * "env:NAME", "file:PATH", "credential:NAME", "fd:N" (up to a line's end), or "prompt" (the
 * terminal, not echoed). `option` and `what` are for messages and the prompt: "--pin-source", "PIN
 * of key 'k1'".
 */
SE_MUST_CHECK se_status secret_read(se_buf *out, const char *source, const char *option,
                                    const char *what, se_error *err);

/* A line of `fd`; a terminal is asked for `what`, and does not echo. */
SE_MUST_CHECK se_status secret_line(se_buf *out, int fd, const char *what, se_error *err);

#endif
