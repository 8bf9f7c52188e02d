/* Results for machines: one JSON object per line on standard output. */
#ifndef CLI_JSON_H
#define CLI_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* Prints `object` and releases it; false: it could not be made or written. */
bool json_line(json_t *object);

/* Whether that was so of any of them. */
bool json_is_lost(void);

/*
 * Names of files, and those in zips, on tokens and in certificates, are in any encoding, JSON is in
 * UTF-8: what is no UTF-8 becomes U+FFFD, so that no row is lost for its name's sake.  null for
 * NULL.
 */
json_t *json_text(const char *text);

/* A time as "2026-01-31T12:00:00Z"; null for 0. */
json_t *json_time(int64_t seconds);

#endif
