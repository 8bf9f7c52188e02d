/* Results for machines: one JSON object per line on standard output. */
#ifndef CLI_JSON_H
#define CLI_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* Prints `object` and releases it; false: it could not be made or written. */
bool json_line(json_t *object);

/* A time as "2026-01-31T12:00:00Z"; null for 0. */
json_t *json_time(int64_t seconds);

#endif
