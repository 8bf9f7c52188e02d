/* SPDX-License-Identifier: Apache-2.0 */
/* What the administrator reads: lines on standard error, which the service manager keeps. Who did
 * what is the audit's. */
#ifndef DAEMON_LOG_H
#define DAEMON_LOG_H

#include <stdarg.h>
#include <stdio.h>

#include "base/text.h"

/* One line; control characters become blanks. Any thread. */
static inline void __attribute__((format(printf, 1, 2))) log_line(const char *format, ...)
{
    char text[2048];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    text_clean(text);
    (void)fprintf(stderr, "signengined: %s\n", text);
}

#endif
