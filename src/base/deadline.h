/* SPDX-License-Identifier: Apache-2.0 */
/* Points in time, by the monotonic clock. */
#ifndef BASE_DEADLINE_H
#define BASE_DEADLINE_H

#include <time.h>

/* For pthread_cond_clockwait(..., CLOCK_MONOTONIC, ...). */
static inline struct timespec deadline_in(unsigned ms)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_sec += ms / 1000;
    t.tv_nsec += (long)(ms % 1000) * 1000000;
    if (t.tv_nsec >= 1000000000) {
        t.tv_sec++;
        t.tv_nsec -= 1000000000;
    }
    return t;
}

#endif
