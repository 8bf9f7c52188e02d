/* SPDX-License-Identifier: Apache-2.0 */
/* Metrics as Prometheus reads them: its text format, version 0.0.4. */
#ifndef BASE_METRIC_H
#define BASE_METRIC_H

#include "base/buf.h"

enum { METRIC_LABELS = 4 };

/* What all its samples have in common. */
struct metric {
    const char *name, *type, *help; /* in seconds and bytes; "counter", "gauge", ... */
    const char *labels[METRIC_LABELS];
};

/* Before the first of its samples; all of them follow. */
void metric_begin(struct writer *w, const struct metric *metric);

/* A sample. `labels`: a value for each of the metric's labels; may be NULL if it has none. One that
 * is empty is as one that is not there, and is left out. */
void metric_put(struct writer *w, const struct metric *metric, const char *const *labels,
                double value);

/* Of a summary without quantiles, or the end of a histogram. */
void metric_put_sum(struct writer *w, const struct metric *metric, const char *const *labels,
                    double sum, uint64_t count);

/* How many values were at most as large as each bound, and larger than the one before; the last
 * number counts those beyond all bounds. */
struct metric_buckets {
    const double *bounds;   /* `count` of them, ascending */
    const uint64_t *values; /* one more */
    size_t count;
    double sum; /* of the values themselves */
};
void metric_put_histogram(struct writer *w, const struct metric *metric, const char *const *labels,
                          const struct metric_buckets *buckets);

#endif
