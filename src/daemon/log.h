/* SPDX-License-Identifier: Apache-2.0 */
/* What the administrator reads: lines on standard error, which the service manager keeps. Who did
 * what is the audit's. */
#ifndef DAEMON_LOG_H
#define DAEMON_LOG_H

/* One line; control characters become blanks. Any thread. */
void log_line(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
