/* SPDX-License-Identifier: Apache-2.0 */
/* One sink: a thread and a bounded queue before what a kind of sinks can do. */
#ifndef AUDIT_SINK_H
#define AUDIT_SINK_H

#include <time.h>

#include "audit/record.h"

enum { SINK_BATCH = 1000 };

/* What a sink is opened with; it copies what it needs of it. */
struct sink_setup {
    const struct audit_sink_options *options;
    unsigned wait_ms; /* for somebody else, at most */
};

/*
 * A kind of sinks. All but open() and format() are called by the sink's thread only. SE_ERR_CONFIG
 * of open(): it can never be opened; any other failure of any of them may pass, and the next call
 * tries again.
 */
struct sink_type {
    const char *name;
    unsigned linger_ms; /* lines gather for as long where nobody waits for them */
    unsigned ahead;     /* records that room is made for beyond what was asked for */

    /* *out is released by close(). After a failure that may pass it is there as well. */
    se_status (*open)(void **out, const struct sink_setup *setup, se_error *err);
    void (*close)(void *state);

    /* Makes sure that `records` more can be written, as far as that can be known. */
    se_status (*reserve)(void *state, unsigned records, se_error *err);

    /* *written: how many, from the first on, it has taken. */
    se_status (*write)(size_t *written, void *state, const se_bytes *lines, size_t count,
                       se_error *err);

    /* What is written for a record, which is `line` as JSON; NULL: that line. */
    void (*format)(struct writer *w, const struct audit_record *record, const char *program,
                   const char *line);
};

extern const struct sink_type file_sink_type, stdout_sink_type, journal_sink_type, syslog_sink_type;

struct sink;

/* A line in the queue of a sink, and for who waits for it. */
struct sink_line;

se_status sink_open(struct sink **out, const struct sink_type *type,
                    const struct audit_sink_options *options, const struct audit_options *all,
                    se_error *err);
/* False: it was given up, and its thread releases it if it ever comes back. */
bool sink_close(struct sink *sink);

bool sink_is_required(const struct sink *sink);
const struct sink_type *sink_kind(const struct sink *sink);

/* Room for `records`. SE_ERR_UNAVAILABLE: not before `deadline`, by CLOCK_MONOTONIC. */
SE_MUST_CHECK se_status sink_reserve(struct sink *sink, unsigned records,
                                     const struct timespec *deadline, se_error *err);
void sink_release(struct sink *sink, unsigned records);

/* `reserved`: uses up room. Without a text, for want of memory, the record is dropped and counted.
 * The caller hands what it gets, which may be NULL, to sink_wait(), or to sink_forget(). */
struct sink_line *sink_put(struct sink *sink, se_bytes text, bool reserved);
SE_MUST_CHECK se_status sink_wait(struct sink *sink, struct sink_line *line,
                                  const struct timespec *deadline, se_error *err);
void sink_forget(struct sink *sink, struct sink_line *line);

/* Has its thread look at the sink's place anew. */
void sink_renew(struct sink *sink);

struct audit_sink_counts sink_counts(struct sink *sink);

#endif
