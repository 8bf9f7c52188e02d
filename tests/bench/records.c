/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/records.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bench/race.h"

enum { PAYLOAD = 200 };

const se_record *records_make(void)
{
    static char payloads[RECORDS][PAYLOAD], objects[RECORDS][16];
    static se_record records[RECORDS];

    for (size_t i = 0; i < RECORDS; i++) {
        int size = snprintf(objects[i], sizeof objects[i], "person/%zu", i);

        memset(payloads[i], 'x', PAYLOAD);
        (void)snprintf(payloads[i], 40, "{\"change\":%zu,\"what\":\"", i);
        records[i] = (se_record){ { objects[i], (size_t)size }, { payloads[i], PAYLOAD } };
    }
    return records;
}

double seconds_to_append(se_history *history, const se_record *records, size_t count)
{
    se_error err = SE_ERROR_INIT;
    double began = seconds_now();

    must(se_history_append_many(NULL, history, records, count, NULL, &err), &err);
    return seconds_now() - began;
}

void grow(se_history *history, const se_record *records, uint64_t entries)
{
    for (uint64_t left = entries; left;) {
        uint64_t some = left < RECORDS ? left : RECORDS;

        (void)seconds_to_append(history, records, some);
        left -= some;
    }
}
