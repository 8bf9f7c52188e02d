/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The queue of a sink, and its thread: it alone calls what may take long. Who waits for a required
 * sink waits for a line, or for room, and not beyond a deadline.
 *
 * Room: `room` is how many records the sink's place has been made ready for, `reserved` how many of
 * them are promised to somebody or are in the queue. Only a required sink has promised anything.
 */
#include "audit/sink.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/deadline.h"
#include "base/thread.h"

enum { QUEUE_MOST = 10000, RETRY_MS = 1000 };

struct sink_line {
    struct sink_line *next;
    enum { LINE_WAITS, LINE_WRITTEN, LINE_FAILED } state;
    unsigned refs; /* the queue, and who waits */
    bool reserved;
    size_t size;
    char text[];
};

struct sink {
    const struct sink_type *type;
    void *state; /* of the type */
    struct audit_sink_counts counts;
    unsigned deadline_ms;
    audit_report_fn report;
    void *report_arg;
    pthread_t thread;

    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t work, done;
    struct sink_line *first, **last;
    size_t queued;
    unsigned room, reserved;
    unsigned wanted;          /* by those who wait for room */
    unsigned asked, answered; /* how often the thread was to look for room, and did */
    int64_t busy_ms;          /* since when its thread is in a call; 0: it is not */
    bool closing, ended, abandoned;
    se_error why; /* it is not up */
};

bool sink_is_required(const struct sink *sink)
{
    return sink->counts.required;
}

const struct sink_type *sink_kind(const struct sink *sink)
{
    return sink->type;
}

/* ---- lines; the lock is held ---- */

static void line_unref(struct sink_line *line)
{
    if (line && !--line->refs)
        free(line);
}

static void line_append(struct sink *s, struct sink_line *line)
{
    line->next = NULL;
    *s->last = line;
    s->last = &line->next;
    s->queued++;
}

static struct sink_line *line_take(struct sink *s)
{
    struct sink_line *line = s->first;

    s->first = line->next;
    if (!s->first)
        s->last = &s->first;
    s->queued--;
    return line;
}

static void line_end(struct sink *s, struct sink_line *line, bool written)
{
    line->state = written ? LINE_WRITTEN : LINE_FAILED;
    s->counts.records += written;
    s->counts.failures += !written;
    s->reserved -= line->reserved;
    s->room -= s->room > 0;
    line_unref(line);
}

/* ---- whether it works ---- */

/* What changes is told, once. The lock is held, and given up for the while. */
static void note_state(struct sink *s, se_status st, const se_error *err)
{
    const bool changed = s->counts.up != !st;

    s->counts.up = !st;
    s->why = st ? *err : (se_error)SE_ERROR_INIT;
    if (!changed || !s->report)
        return;
    pthread_mutex_unlock(&s->lock);
    s->report(s->report_arg, s->type->name, st ? err->text : NULL);
    pthread_mutex_lock(&s->lock);
}

/* ---- the thread ---- */

static void begin_call(struct sink *s)
{
    s->busy_ms = clock_monotonic_ms();
    pthread_mutex_unlock(&s->lock);
}

static void end_call(struct sink *s)
{
    pthread_mutex_lock(&s->lock);
    s->busy_ms = 0;
}

/* `ahead` is more than anybody has asked for: it need not be there. */
static se_status make_room(struct sink *s, unsigned records, unsigned ahead, se_error *err)
{
    se_status st;

    begin_call(s);
    st = s->type->reserve(s->state, records + ahead, err);
    if (st && ahead) {
        *err = (se_error)SE_ERROR_INIT;
        ahead = 0;
        st = s->type->reserve(s->state, records, err);
    }
    end_call(s);
    s->room = st ? 0 : records + ahead;
    note_state(s, st, err);
    return st;
}

/* Room for none at all would prove nothing. */
static void answer_request(struct sink *s)
{
    const unsigned asked = s->asked, needed = s->reserved + s->wanted;
    se_error err = SE_ERROR_INIT;

    (void)make_room(s, needed ? needed : 1, s->type->ahead, &err);
    s->answered = asked;
    pthread_cond_broadcast(&s->done);
}

/* Lines that nothing was reserved for must not take what others were promised. */
static bool has_room(struct sink *s, size_t unreserved)
{
    se_error err = SE_ERROR_INIT;

    return !s->counts.required || !unreserved || s->room >= s->reserved + unreserved ||
           !make_room(s, s->reserved + (unsigned)unreserved, s->type->ahead, &err);
}

struct sink_batch {
    struct sink_line *lines[SINK_BATCH];
    se_bytes texts[SINK_BATCH];
    size_t count;
};

static void drop_unreserved(struct sink *s, struct sink_batch *batch)
{
    size_t kept = 0;

    for (size_t i = 0; i < batch->count; i++)
        if (batch->lines[i]->reserved)
            batch->lines[kept++] = batch->lines[i];
        else
            line_end(s, batch->lines[i], false);
    batch->count = kept;
}

/* What is in the queue, as far as there is room for it. */
static void take_batch(struct sink *s, struct sink_batch *batch)
{
    size_t unreserved = 0;

    for (batch->count = 0; s->first && batch->count < SINK_BATCH; batch->count++) {
        batch->lines[batch->count] = line_take(s);
        unreserved += !batch->lines[batch->count]->reserved;
    }
    if (!has_room(s, unreserved))
        drop_unreserved(s, batch);
    for (size_t i = 0; i < batch->count; i++)
        batch->texts[i] = (se_bytes){ batch->lines[i]->text, batch->lines[i]->size };
}

static void write_batch(struct sink *s, struct sink_batch *batch)
{
    se_error err = SE_ERROR_INIT;
    size_t written = 0;
    se_status st = SE_OK;

    take_batch(s, batch);
    begin_call(s);
    if (batch->count)
        st = s->type->write(&written, s->state, batch->texts, batch->count, &err);
    end_call(s);
    for (size_t i = 0; i < batch->count; i++)
        line_end(s, batch->lines[i], i < written);
    if (st)
        s->room = 0; /* whatever was made ready, it did not do */
    if (batch->count)
        note_state(s, st, &err);
    pthread_cond_broadcast(&s->done);
}

/* Lines gather where nobody waits for them. */
static void gather_lines(struct sink *s)
{
    const struct timespec until = deadline_in(s->type->linger_ms);

    while (!s->counts.required && s->type->linger_ms && !s->closing && s->queued < SINK_BATCH &&
           s->asked == s->answered)
        if (pthread_cond_clockwait(&s->work, &s->lock, CLOCK_MONOTONIC, &until))
            break;
}

static void sink_free(struct sink *s)
{
    if (!s)
        return;
    pthread_cond_destroy(&s->work);
    pthread_cond_destroy(&s->done);
    pthread_mutex_destroy(&s->lock);
    free(s);
}
AUTO_KIND(sink, struct sink *, sink_free(*p))

/* A sink that fails keeps away those who would find out that it works again. */
static void wait_for_work(struct sink *s)
{
    const struct timespec until = deadline_in(RETRY_MS);

    if (s->counts.up || !s->counts.required)
        pthread_cond_wait(&s->work, &s->lock);
    else if (pthread_cond_clockwait(&s->work, &s->lock, CLOCK_MONOTONIC, &until))
        s->asked++;
}

/* Takes what comes until it is closed and nothing is left. */
static void serve_queue(struct sink *s, struct sink_batch *batch)
{
    for (;;) {
        if (s->asked != s->answered)
            answer_request(s);
        else if (s->first) {
            gather_lines(s);
            write_batch(s, batch);
        } else if (s->closing)
            return;
        else
            wait_for_work(s);
    }
}

static void *run_sink(void *arg)
{
    struct sink *s = arg;
    struct sink_batch batch;
    bool abandoned;

    pthread_mutex_lock(&s->lock);
    serve_queue(s, &batch);
    begin_call(s);
    s->type->close(s->state);
    end_call(s);
    s->ended = true;
    abandoned = s->abandoned;
    pthread_cond_broadcast(&s->done);
    pthread_mutex_unlock(&s->lock);
    if (abandoned)
        sink_free(s);
    return NULL;
}

/* ---- open and close ---- */

static se_status sink_start(struct sink *s, se_error *err)
{
    if (thread_start(&s->thread, run_sink, s))
        return SE_OK;
    s->type->close(s->state);
    return error_set(err, SE_ERR_MEMORY, "cannot start a thread for the audit");
}

se_status sink_open(struct sink **out, const struct sink_type *type,
                    const struct audit_sink_options *options, const struct audit_options *all,
                    se_error *err)
{
    AUTO(sink) s = calloc(1, sizeof *s);
    struct sink_setup setup = { .options = options };
    se_error why = SE_ERROR_INIT;
    se_status st;

    if (!s)
        return error_memory(err);
    s->type = type;
    s->counts = (struct audit_sink_counts){ .name = type->name, .required = options->required };
    s->deadline_ms = all->deadline_ms ? (unsigned)all->deadline_ms : 2000;
    s->report = all->report;
    s->report_arg = all->report_arg;
    s->last = &s->first;
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->work, NULL);
    pthread_cond_init(&s->done, NULL);
    /* so that its reason is there before those who wait lose patience */
    setup.wait_ms = s->deadline_ms / 4 * 3;
    st = type->open(&s->state, &setup, &why);
    if (st && (st != SE_ERR_UNAVAILABLE || options->required)) {
        type->close(s->state);
        return error_copy(err, st, &why);
    }
    s->counts.up = true;
    pthread_mutex_lock(&s->lock);
    note_state(s, st, &why);
    pthread_mutex_unlock(&s->lock);
    TRY(sink_start(s, err));
    *out = MOVE(s);
    return SE_OK;
}

/* What has not come to its end by the deadline is left to its thread. */
bool sink_close(struct sink *s)
{
    const struct timespec until = deadline_in(s->deadline_ms);
    bool ended;

    pthread_mutex_lock(&s->lock);
    s->closing = true;
    pthread_cond_signal(&s->work);
    while (!s->ended && !pthread_cond_clockwait(&s->done, &s->lock, CLOCK_MONOTONIC, &until))
        ;
    ended = s->ended;
    s->abandoned = !ended;
    if (!ended)
        s->report = NULL;
    pthread_mutex_unlock(&s->lock);
    if (!ended) {
        (void)pthread_detach(s->thread);
        return false;
    }
    (void)pthread_join(s->thread, NULL);
    sink_free(s);
    return true;
}

/* ---- room ---- */

static se_status fail_sink(struct sink *s, const char *what, se_error *err)
{
    return error_set(err, SE_ERR_UNAVAILABLE, "the audit sink '%s' %s", s->type->name, what);
}

/* One that has been in a call for longer than anybody would wait is not waited for. */
static bool is_stuck(const struct sink *s)
{
    return s->busy_ms && clock_monotonic_ms() - s->busy_ms > s->deadline_ms;
}

/* Asks the thread, and waits for its answer. The lock is held. */
static se_status await_answer(struct sink *s, const struct timespec *deadline, se_error *err)
{
    const unsigned asked = ++s->asked;

    pthread_cond_signal(&s->work);
    while ((int)(s->answered - asked) < 0)
        if (is_stuck(s) || pthread_cond_clockwait(&s->done, &s->lock, CLOCK_MONOTONIC, deadline))
            return fail_sink(s, "does not answer", err);
    if (s->counts.up)
        return SE_OK;
    return error_prefix(err, error_copy(err, SE_ERR_UNAVAILABLE, &s->why),
                        "the audit sink '%s' takes no records: ", s->type->name);
}

se_status sink_reserve(struct sink *s, unsigned records, const struct timespec *deadline,
                       se_error *err)
{
    se_status st = SE_OK;

    pthread_mutex_lock(&s->lock);
    if (s->reserved + s->wanted + records > QUEUE_MOST)
        st = fail_sink(s, "has too many records before it", err);
    else if (is_stuck(s))
        st = fail_sink(s, "does not answer", err);
    s->wanted += records;
    while (!st && (!s->counts.up || s->reserved + records > s->room))
        st = await_answer(s, deadline, err);
    s->wanted -= records;
    s->reserved += st ? 0 : records;
    pthread_mutex_unlock(&s->lock);
    return st;
}

void sink_release(struct sink *s, unsigned records)
{
    pthread_mutex_lock(&s->lock);
    s->reserved -= records;
    pthread_mutex_unlock(&s->lock);
}

void sink_renew(struct sink *s)
{
    pthread_mutex_lock(&s->lock);
    s->asked++;
    pthread_cond_signal(&s->work);
    pthread_mutex_unlock(&s->lock);
}

/* ---- lines ---- */

static struct sink_line *line_new(se_bytes text, bool reserved)
{
    struct sink_line *line = text.size ? malloc(sizeof *line + text.size) : NULL;

    if (!line)
        return NULL;
    *line = (struct sink_line){ .refs = 2, .reserved = reserved, .size = text.size };
    memcpy(line->text, text.data, text.size);
    return line;
}

/* One that there is no place for, or none at all. The lock is held. */
static void drop_line(struct sink *s, bool reserved)
{
    se_error err = SE_ERROR_INIT;

    s->counts.failures++;
    s->reserved -= reserved;
    note_state(s,
               error_set(&err, SE_ERR_UNAVAILABLE,
                         "%zu records wait, and there is no room or memory for more", s->queued),
               &err);
}

struct sink_line *sink_put(struct sink *s, se_bytes text, bool reserved)
{
    struct sink_line *line = line_new(text, reserved);

    pthread_mutex_lock(&s->lock);
    if (line && (reserved || s->queued < QUEUE_MOST)) {
        line_append(s, line);
        pthread_cond_signal(&s->work);
    } else {
        free(line);
        line = NULL;
        drop_line(s, reserved);
    }
    pthread_mutex_unlock(&s->lock);
    return line;
}

se_status sink_wait(struct sink *s, struct sink_line *line, const struct timespec *deadline,
                    se_error *err)
{
    se_status st = line ? SE_OK : fail_sink(s, "has no memory for a record", err);

    pthread_mutex_lock(&s->lock);
    while (!st && line->state == LINE_WAITS)
        if (is_stuck(s) || pthread_cond_clockwait(&s->done, &s->lock, CLOCK_MONOTONIC, deadline))
            st = fail_sink(s, "does not answer", err);
    if (!st && line->state == LINE_FAILED)
        st = error_prefix(err, error_copy(err, SE_ERR_UNAVAILABLE, &s->why),
                          "the audit sink '%s' did not take a record: ", s->type->name);
    line_unref(line);
    pthread_mutex_unlock(&s->lock);
    return st;
}

void sink_forget(struct sink *s, struct sink_line *line)
{
    pthread_mutex_lock(&s->lock);
    line_unref(line);
    pthread_mutex_unlock(&s->lock);
}

struct audit_sink_counts sink_counts(struct sink *s)
{
    struct audit_sink_counts counts;

    pthread_mutex_lock(&s->lock);
    counts = s->counts;
    counts.up = counts.up && !is_stuck(s);
    counts.queued = s->queued;
    pthread_mutex_unlock(&s->lock);
    return counts;
}
