/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who used what: one record for each use, refused ones too, to one sink or several.
 *
 * A use whose record a required sink can't take is not done: room is reserved before the use
 * (audit_reserve()), and the record is written before its result leaves (audit_write()).
 *
 * Each sink has a thread and a queue: one that is slow or hangs holds up nobody but those who wait
 * for it because it is required, and them not beyond the deadline. Any number of threads may use
 * one struct audit. The child of a fork can't use its parent's (SE_ERR_USAGE), and opens its own.
 */
#ifndef AUDIT_AUDIT_H
#define AUDIT_AUDIT_H

#include <signengine.h>

#include "base/buf.h"

struct audit;

/* What is recorded. Members are written in this order, always all of them; strings may be NULL. */
struct audit_record {
    int64_t time_us; /* 0: now */
    const char *request_id;

    /* the caller: a process, or a certificate */
    bool has_uid;
    uint32_t uid;
    const char *user;
    int32_t pid; /* 0: not known */
    const char *subject, *issuer, *serial, *sha256;

    const char *listener, *row; /* where it came in; the <allow> that decided */
    const char *operation, *descriptor;
    unsigned version;
    const char *key;
    unsigned replica;
    const char *history;
    uint64_t first;         /* entry that was appended */
    uint64_t items, failed; /* of a batch; 1 and 0 or 1 otherwise */
    uint64_t bytes;
    const char *digest; /* "sha256:HEX" of what was signed; never of what was encrypted */
    const char *result; /* a status' name, "asked", "forbidden", "throttled", ... */
    const char *text;
    int64_t duration_us;
    const char *request_sent, *request_answered; /* of a vault */
    const char *idempotency_key, *tag, *config;
    const char *queue_id, *client, *sender; /* of mail; client: of TLS too, an address */
};

/* ---- sinks ---- */

enum audit_sink_kind {
    AUDIT_FILE,    /* `place` is a path */
    AUDIT_JOURNAL, /* systemd's; `place` is its socket, NULL: the usual one */
    AUDIT_SYSLOG,  /* likewise; /dev/log */
    AUDIT_STDOUT,
    AUDIT_HISTORY, /* `place` is a store, `history` says more */
};

struct audit_sink_options {
    enum audit_sink_kind kind;
    const char *place;
    bool required;
    /* AUDIT_HISTORY: */
    const char *config, *chain, *descriptor; /* of an engine of its own; NULL: "audit",
                                                "AuditSigner" */
};

/* Sinks as settings and command lines name them. */
struct audit_sinks {
    struct audit_sink_options *list;
    char **texts; /* what they borrow from */
    size_t count, list_room, text_room;
};

/*
 * "file:PATH", "journal", "syslog", "stdout", or "history:STORE config=FILE [chain=NAME]
 * [descriptor=NAME]"; behind any of them "required". SE_ERR_CONFIG: something else.
 */
SE_MUST_CHECK se_status audit_sinks_add(struct audit_sinks *sinks, const char *text, se_error *err);
void audit_sinks_free(struct audit_sinks *sinks);

/* Sealed histories, which need more libraries than other sinks: only programs that name it have
 * them. */
struct sink_type;
extern const struct sink_type history_sink_type;

/* A sink has failed, or (`why` is NULL) works again. On a thread of the sink, or of audit_write().
 */
typedef void (*audit_report_fn)(void *arg, const char *sink, const char *why);

struct audit_options {
    const char *program; /* "signengined" */
    const struct audit_sink_options *sinks;
    size_t sink_count;
    int64_t deadline_ms;             /* of a sink that is slow; 0: 2,000 */
    const struct sink_type *history; /* &history_sink_type; NULL: the program has none */
    audit_report_fn report;          /* may be NULL */
    void *report_arg;
};

/*
 * Opens all sinks. SE_ERR_CONFIG: one can never be opened, required or not; SE_ERR_UNAVAILABLE: a
 * required one can't be opened now. Others are tried again with each record.
 */
SE_MUST_CHECK se_status audit_open(struct audit **out, const struct audit_options *options,
                                   se_error *err);

/* Ends when all is written, or the deadline is over. False: a thread is still at work, and the
 * process has to end by _exit(). */
bool audit_close(struct audit *audit);
AUTO_KIND(audit, struct audit *, (void)audit_close(*p))

/* ---- records ---- */

/* Room for `records` in every required sink. SE_ERR_UNAVAILABLE: one has none, or does not answer.
 */
SE_MUST_CHECK se_status audit_reserve(struct audit *audit, unsigned records, se_error *err);

/* Uses up room for one that was reserved. SE_ERR_UNAVAILABLE: a required sink did not take it; all
 * get one more then, with the result "unrecorded". */
SE_MUST_CHECK se_status audit_write(struct audit *audit, const struct audit_record *record,
                                    se_error *err);

/* For what nobody can take back any more, as starts and refusals: nothing is reserved for it,
 * nobody waits, and a sink that can't take it counts a failure. */
void audit_note(struct audit *audit, const struct audit_record *record);

/* The same of what an engine has noticed by itself; `config` as in a record.  NULL: no audit. */
void audit_note_event(struct audit *audit, const se_event *event, const char *config);

/* Gives back room that nothing was written to. */
void audit_release(struct audit *audit, unsigned records);

/* Opens files anew, after a rotation; they also notice it by themselves. */
void audit_reopen(struct audit *audit);

/* Counters of a sink, for metrics. `name`: "file", "journal", ... */
struct audit_sink_counts {
    const char *name;
    uint64_t records, failures;
    size_t queued; /* records that wait for its thread */
    bool required, up;
};
size_t audit_counts(struct audit_sink_counts *out, size_t room, struct audit *audit);

/* Whether every required sink took the last record, or has been found since to work again: they are
 * tried each second. Waits for none. */
bool audit_can_record(struct audit *audit);

/* The record as it is written: a line of JSON of at most 4 kB, with its newline. */
void audit_format(struct writer *w, const struct audit_record *record, const char *program,
                  uint64_t number);

#endif
