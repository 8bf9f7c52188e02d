/* SPDX-License-Identifier: Apache-2.0 */
/* Entries for histories, of 200 bytes each. */
#ifndef TESTS_BENCH_RECORDS_H
#define TESTS_BENCH_RECORDS_H

#include "signengine-history.h"
#include "signengine.h"

enum { RECORDS = 100000 };
const se_record *records_make(void);

/* Seconds that they take at once. */
double seconds_to_append(se_history *history, const se_record *records, size_t count);

/* Until there are as many as `entries`, in a chain that has none. */
void grow(se_history *history, const se_record *records, uint64_t entries);

#endif
