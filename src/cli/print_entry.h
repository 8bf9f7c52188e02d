/* SPDX-License-Identifier: Apache-2.0 */
/* Entries of a history as they are shown and exported. */
#ifndef CLI_PRINT_ENTRY_H
#define CLI_PRINT_ENTRY_H

#include "cli/cli.h"
#include "signengine-history.h"

/* Microseconds since 1970 as "2026-01-31T12:00:00.000000Z"; empty: it has no such form. */
enum { ENTRY_TIME = 48 };
void entry_time(char out[ENTRY_TIME], int64_t micros);

/* Its begin, as a line can have it. */
enum { ENTRY_CUT = 60 };
void entry_cut(char out[ENTRY_CUT + 1], se_bytes bytes);

/* NULL: out of memory. */
json_t *json_entry(const se_history_entry *entry);

/* An <entry> and its line end (doc/formats.md). */
void write_xml_entry(struct writer *w, const se_history_entry *entry);

/* An element with any bytes: what XML can't hold as text is base64, and marked so. */
void write_xml_value(struct writer *w, const char *name, se_bytes bytes);

#endif
