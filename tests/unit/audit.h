/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of audit sinks: an audit of one or two of them, and waiting for what their threads do. */
#ifndef TESTS_AUDIT_H
#define TESTS_AUDIT_H

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

#include "audit/audit.h"
#include "tests/unit/folder.h"

enum { DEADLINE_MS = 300, PATIENCE_MS = 20000 };

static const struct audit_record some_use = { .has_uid = true,
                                              .uid = 1000,
                                              .user = "tomcat",
                                              .operation = "sign",
                                              .descriptor = "FileSigner",
                                              .result = "ok" };

/* How long one that hangs is waited for; valgrind slows down all the rest as well. */
static inline int deadline_ms(void)
{
    const char *factor = getenv("TIME_FACTOR");

    return DEADLINE_MS * (factor ? atoi(factor) : 1);
}

/* A disk that others use takes its time; who hangs is a reader, and is waited for briefly. */
static inline se_status open_sinks(struct audit **out, const struct audit_sink_options *sinks,
                                   size_t count, se_error *err)
{
    return audit_open(out,
                      &(struct audit_options){
                          .program = "test",
                          .sinks = sinks,
                          .sink_count = count,
                          .deadline_ms = sinks->kind == AUDIT_FILE ? PATIENCE_MS : deadline_ms(),
                      },
                      err);
}

static inline struct audit *one_sink(enum audit_sink_kind kind, const char *place, bool required)
{
    const struct audit_sink_options sink = { .kind = kind, .place = place, .required = required };
    struct audit *audit;
    se_error err = SE_ERROR_INIT;

    assert_status(SE_OK, open_sinks(&audit, &sink, 1, &err), &err);
    return audit;
}

static inline se_status record_one(struct audit *audit, se_error *err)
{
    TRY(audit_reserve(audit, 1, err));
    return audit_write(audit, &some_use, err);
}

static inline void assert_recorded(struct audit *audit)
{
    se_error err = SE_ERROR_INIT;

    assert_status(SE_OK, record_one(audit, &err), &err);
}

static inline void assert_unrecorded(struct audit *audit, const char *why)
{
    se_error err = SE_ERROR_INIT;

    assert_status(SE_ERR_UNAVAILABLE, record_one(audit, &err), &err);
    if (!strstr(err.text, why))
        fail_msg("not '%s': %s", why, err.text);
}

static inline struct audit_sink_counts counts_of(struct audit *audit, size_t sink)
{
    struct audit_sink_counts counts[16];

    assert_true(audit_counts(counts, 16, audit) > sink);
    return counts[sink];
}

/* Until the first sink has done with as many. */
static inline void await_counts(struct audit *audit, uint64_t records, uint64_t failures)
{
    for (unsigned i = 0; i < PATIENCE_MS; i++) {
        const struct audit_sink_counts counts = counts_of(audit, 0);

        if (counts.records >= records && counts.failures >= failures)
            return;
        (void)nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
    }
    fail_msg("%ju records, %ju failures", (uintmax_t)counts_of(audit, 0).records,
             (uintmax_t)counts_of(audit, 0).failures);
}

/* How many lines there are, all of them whole. */
static inline size_t lines_in(const char *path)
{
    AUTO(se_buf) text = SE_BUF_INIT;
    se_error err = SE_ERROR_INIT;
    size_t count = 0;
    char *rest, *line;

    assert_status(SE_OK, file_read(&text, path, 64 << 20, &err), &err);
    assert_true(!text.size || text.data[text.size - 1] == '\n');
    rest = (char *)text.data;
    while ((line = strsep(&rest, "\n")) && rest) {
        assert_true(line[0] == '{' && line[strlen(line) - 1] == '}');
        count++;
    }
    return count;
}

#endif
