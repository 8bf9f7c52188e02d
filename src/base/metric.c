/* SPDX-License-Identifier: Apache-2.0 */
#include "base/metric.h"

#include <inttypes.h>
#include <stdio.h>

enum { NUMBER_ROOM = 40 };

/* Up to there, every whole number is a double (IEEE 754). */
static const double whole_most = 9007199254740992.0;

static const char *format_value(char out[NUMBER_ROOM], double value)
{
    const bool whole =
        value >= -whole_most && value <= whole_most && value == (double)(int64_t)value;

    (void)snprintf(out, NUMBER_ROOM, whole ? "%.0f" : "%.6f", value);
    return out;
}

void metric_begin(struct writer *w, const struct metric *metric)
{
    writer_format(w, "# HELP %s %s\n# TYPE %s %s\n", metric->name, metric->help, metric->name,
                  metric->type);
}

static void put_escaped(struct writer *w, const char *text)
{
    for (; *text; text++)
        if (*text == '\n')
            writer_text(w, "\\n");
        else
            writer_format(w, *text == '"' || *text == '\\' ? "\\%c" : "%c", *text);
}

/* `*before` is what stands before the next label. */
static void put_label(struct writer *w, const char **before, const char *name, const char *value)
{
    if (!value || !*value)
        return;
    writer_format(w, "%s%s=\"", *before, name);
    put_escaped(w, value);
    writer_text(w, "\"");
    *before = ",";
}

/* `bound`: the label `le` of a histogram; NULL: it is none. */
static void put_sample(struct writer *w, const struct metric *metric, const char *suffix,
                       const char *const *labels, const char *bound, double value)
{
    const char *before = "{";
    char number[NUMBER_ROOM];

    writer_format(w, "%s%s", metric->name, suffix);
    for (size_t i = 0; labels && i < METRIC_LABELS && metric->labels[i]; i++)
        put_label(w, &before, metric->labels[i], labels[i]);
    put_label(w, &before, "le", bound);
    writer_format(w, "%s %s\n", *before == ',' ? "}" : "", format_value(number, value));
}

void metric_put(struct writer *w, const struct metric *metric, const char *const *labels,
                double value)
{
    put_sample(w, metric, "", labels, NULL, value);
}

void metric_put_sum(struct writer *w, const struct metric *metric, const char *const *labels,
                    double sum, uint64_t count)
{
    put_sample(w, metric, "_sum", labels, NULL, sum);
    put_sample(w, metric, "_count", labels, NULL, (double)count);
}

void metric_put_histogram(struct writer *w, const struct metric *metric, const char *const *labels,
                          const struct metric_buckets *buckets)
{
    char bound[NUMBER_ROOM];
    uint64_t count = 0;

    for (size_t i = 0; i <= buckets->count; i++) {
        count += buckets->values[i];
        (void)snprintf(bound, sizeof bound, "%g", i < buckets->count ? buckets->bounds[i] : 0.0);
        put_sample(w, metric, "_bucket", labels, i < buckets->count ? bound : "+Inf",
                   (double)count);
    }
    metric_put_sum(w, metric, labels, buckets->sum, count);
}
