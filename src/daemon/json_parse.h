/* SPDX-License-Identifier: Apache-2.0 */
/* yajl, and what it does not see to: memory that is wiped, texts that are UTF-8 to the letter, and
 * escapes that are whole characters. */
#ifndef DAEMON_JSON_PARSE_H
#define DAEMON_JSON_PARSE_H

#include <yajl/yajl_parse.h>

#include "base/buf.h"

/* One JSON text (RFC 8259), whole. Strings without escapes are handed out where they stand in
 * `text`. SE_ERR_FORMAT: it is none, and the error says where; or a callback returned 0, and has
 * set the error. */
SE_MUST_CHECK se_status json_parse(const yajl_callbacks *handlers, void *arg, se_bytes text,
                                   se_error *err);

#endif
