/* SPDX-License-Identifier: Apache-2.0 */
#include "zip/workers.h"

#include <stdatomic.h>

#include "base/deadline.h"
#include "base/parallel.h"
#include "base/thread.h"
#include "zip/entry_reader.h"

enum { THREADS_MOST = 64, PIECE = 256 << 10, PROGRESS_MS = 100 };

struct workers {
    const struct workers_job *job;
    atomic_size_t next;
    atomic_ullong hashed;
    atomic_bool stopped;
    uint64_t total;

    pthread_mutex_t lock;
    pthread_cond_t ended;
    unsigned finished; /* threads */
    struct first_failure first;
};

static void record_failure(struct workers *workers, size_t index, const se_error *failure)
{
    atomic_store(&workers->stopped, true);
    first_failure_note(&workers->first, index, failure);
}

static void take_entries(struct workers *workers, struct worker *worker)
{
    size_t index;

    while (!atomic_load(&workers->stopped) &&
           (index = atomic_fetch_add(&workers->next, 1)) < workers->job->archive->count) {
        se_error err = SE_ERROR_INIT;

        /* a worker that gave up did so because of another's failure */
        if (workers->job->entry(workers->job->arg, index, worker, &err) &&
            err.status != SE_ERR_CANCELLED)
            record_failure(workers, index, &err);
    }
}

static void *worker_main(void *arg)
{
    struct workers *workers = arg;
    struct worker worker = { .workers = workers };
    se_error err = SE_ERROR_INIT;

    if (buf_new(&worker.piece, PIECE, &err))
        record_failure(workers, 0, &err);
    take_entries(workers, &worker);
    se_buf_free(&worker.piece);
    digests_free(&worker.digests);
    section_reader_free(&worker.reader);
    pthread_mutex_lock(&workers->lock);
    workers->finished++;
    pthread_cond_signal(&workers->ended);
    pthread_mutex_unlock(&workers->lock);
    return NULL;
}

static unsigned count_wanted(const struct workers *workers)
{
    size_t threads = parallel_threads(workers->job->threads);

    if (threads > workers->job->archive->count)
        threads = workers->job->archive->count;
    return (unsigned)(threads > THREADS_MOST ? THREADS_MOST : threads);
}

/* How many threads there are.  Without any, the caller's is the one. */
static unsigned start_workers(pthread_t threads[THREADS_MOST], struct workers *workers)
{
    unsigned wanted = count_wanted(workers), count = 0;

    while (count < wanted && thread_start(&threads[count], worker_main, workers))
        count++;
    if (!count && wanted)
        (void)worker_main(workers);
    return count;
}

static void report_progress(struct workers *workers)
{
    se_error cancelled = SE_ERROR_INIT;
    uint64_t done = atomic_load(&workers->hashed);

    if (!workers->job->progress ||
        workers->job->progress(workers->job->progress_arg, done, workers->total))
        return;
    (void)error_set(&cancelled, SE_ERR_CANCELLED, "cancelled after %ju bytes", (uintmax_t)done);
    record_failure(workers, 0, &cancelled);
}

static void wait_for_workers(struct workers *workers, unsigned count)
{
    pthread_mutex_lock(&workers->lock);
    while (workers->finished < count) {
        struct timespec until = deadline_in(PROGRESS_MS);

        if (!workers->job->progress)
            pthread_cond_wait(&workers->ended, &workers->lock);
        else if (pthread_cond_clockwait(&workers->ended, &workers->lock, CLOCK_MONOTONIC, &until)) {
            pthread_mutex_unlock(&workers->lock);
            report_progress(workers);
            pthread_mutex_lock(&workers->lock);
        }
    }
    pthread_mutex_unlock(&workers->lock);
}

se_status workers_run(const struct workers_job *job, se_error *err)
{
    struct workers workers = {
        .job = job,
        .lock = PTHREAD_MUTEX_INITIALIZER,
        .ended = PTHREAD_COND_INITIALIZER,
    };
    pthread_t threads[THREADS_MOST];
    se_error failure = SE_ERROR_INIT;
    unsigned count;

    first_failure_init(&workers.first);
    for (size_t i = 0; i < job->archive->count; i++)
        workers.total += job->archive->entries[i].size;
    count = start_workers(threads, &workers);
    wait_for_workers(&workers, count);
    for (unsigned i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
    (void)first_failure_has(&workers.first, &failure);
    first_failure_free(&workers.first);
    return failure.status ? error_copy(err, failure.status, &failure) : SE_OK;
}

static se_status add_progress(struct workers *workers, size_t size, se_error *err)
{
    atomic_fetch_add(&workers->hashed, size);
    return atomic_load(&workers->stopped) ? error_set(err, SE_ERR_CANCELLED, "given up") : SE_OK;
}

se_status worker_digest_entry(unsigned char out[DIGEST_KINDS][DIGEST_MOST], struct worker *worker,
                              const struct entry *entry, const bool wanted[DIGEST_KINDS],
                              se_error *err)
{
    AUTO(entry_reader) reader = { .archive = NULL };
    size_t got = 1;
    se_status st = SE_OK;

    TRY(entry_reader_open(&reader, worker->workers->job->archive, entry, err));
    TRY(digests_begin(&worker->digests, wanted, err));
    while (!(st = entry_reader_read(&got, &reader, worker->piece.data, worker->piece.size, err)) &&
           got) {
        TRY(digests_add(&worker->digests, (se_bytes){ worker->piece.data, got }, err));
        TRY(add_progress(worker->workers, got, err));
    }
    return st ? st : digests_end(out, &worker->digests, err);
}

se_status worker_check_entry(struct worker *worker, const struct entry *entry, se_error *err)
{
    const bool none[DIGEST_KINDS] = { false };
    unsigned char unused[DIGEST_KINDS][DIGEST_MOST];

    return worker_digest_entry(unused, worker, entry, none, err);
}
