/* SPDX-License-Identifier: Apache-2.0 */
/* The senders that a From or Sender field shows: for rules, everything that a reader could take
 * for an address. */
#ifndef MILTER_SENDER_H
#define MILTER_SENDER_H

#include "base/buf.h"

/*
 * An address, or a pattern, as rules compare them: in small letters, without quotes, comments and
 * blanks, its domain without a last dot and as the DNS has it ("xn--").  NULL: out of memory.  The
 * caller frees it.
 */
char *sender_settle(const char *text);

typedef void (*sender_fn)(void *arg, const char *address);

/*
 * Calls `fn` for each settled address that a field's value could show: outside and inside of
 * comments, quotes and names, with encoded words decoded and not.  An address may come several
 * times, and so may text that is none.  SE_ERR_FORMAT: there are more than anybody needs, or the
 * value is empty.
 */
SE_MUST_CHECK se_status senders_read(const char *value, sender_fn fn, void *arg, se_error *err);

#endif
