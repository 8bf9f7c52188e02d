#include "zip/crew.h"

#include <stdatomic.h>
#include <unistd.h>

#include "base/deadline.h"
#include "base/thread.h"
#include "zip/content.h"

enum { THREADS_MOST = 64, PIECE = 256 << 10, PROGRESS_MS = 100 };

struct crew {
    const struct crew_job *job;
    atomic_size_t next;
    atomic_ullong hashed;
    atomic_bool stopped;
    uint64_t total;

    pthread_mutex_t lock;
    pthread_cond_t ended;
    unsigned running;
    size_t failed_at; /* of the failures that there were, the one of the first entry is told */
    se_error failure;
};

static void fail(struct crew *crew, size_t index, const se_error *failure)
{
    atomic_store(&crew->stopped, true);
    pthread_mutex_lock(&crew->lock);
    if (!crew->failure.status || index < crew->failed_at) {
        crew->failed_at = index;
        crew->failure = *failure;
    }
    pthread_mutex_unlock(&crew->lock);
}

static void work(struct crew *crew, struct worker *worker)
{
    size_t index;

    while (!atomic_load(&crew->stopped) && (index = atomic_fetch_add(&crew->next, 1)) < crew->job->archive->count) {
        se_error err = SE_ERROR_INIT;

        /* who gave up did so because of another's failure, which is the one to tell */
        if (crew->job->entry(crew->job->arg, index, worker, &err) && err.status != SE_ERR_CANCELLED)
            fail(crew, index, &err);
    }
}

static void leave(struct crew *crew)
{
    pthread_mutex_lock(&crew->lock);
    crew->running--;
    pthread_cond_signal(&crew->ended);
    pthread_mutex_unlock(&crew->lock);
}

static void *worker_main(void *arg)
{
    struct crew *crew = arg;
    struct worker worker = { .crew = crew };
    se_error err = SE_ERROR_INIT;

    if (buf_new(&worker.piece, PIECE, &err))
        fail(crew, 0, &err);
    work(crew, &worker);
    se_buf_free(&worker.piece);
    digests_free(&worker.digests);
    section_reader_free(&worker.reader);
    leave(crew);
    return NULL;
}

static unsigned wanted_threads(const struct crew *crew)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    size_t threads = crew->job->threads ? crew->job->threads : cores > 0 ? (size_t)cores : 1;

    if (threads > crew->job->archive->count)
        threads = crew->job->archive->count;
    return (unsigned)(threads > THREADS_MOST ? THREADS_MOST : threads);
}

static void enter(struct crew *crew)
{
    pthread_mutex_lock(&crew->lock);
    crew->running++;
    pthread_mutex_unlock(&crew->lock);
}

static bool start_one(pthread_t *out, struct crew *crew)
{
    enter(crew);
    if (thread_start(out, worker_main, crew))
        return true;
    leave(crew);
    return false;
}

/* How many threads there are.  Without any, the caller's is the one. */
static unsigned start(pthread_t threads[THREADS_MOST], struct crew *crew)
{
    unsigned wanted = wanted_threads(crew), count = 0;

    while (count < wanted && start_one(&threads[count], crew))
        count++;
    if (!count && wanted) {
        enter(crew);
        (void)worker_main(crew);
    }
    return count;
}

static void tell_progress(struct crew *crew)
{
    se_error cancelled = SE_ERROR_INIT;
    uint64_t done = atomic_load(&crew->hashed);

    if (!crew->job->progress || crew->job->progress(crew->job->progress_arg, done, crew->total))
        return;
    (void)error_set(&cancelled, SE_ERR_CANCELLED, "cancelled after %ju bytes", (uintmax_t)done);
    fail(crew, 0, &cancelled);
}

static void wait_for_all(struct crew *crew)
{
    pthread_mutex_lock(&crew->lock);
    while (crew->running) {
        struct timespec until = deadline_in(PROGRESS_MS);

        if (!crew->job->progress)
            pthread_cond_wait(&crew->ended, &crew->lock);
        else if (pthread_cond_clockwait(&crew->ended, &crew->lock, CLOCK_MONOTONIC, &until)) {
            pthread_mutex_unlock(&crew->lock);
            tell_progress(crew);
            pthread_mutex_lock(&crew->lock);
        }
    }
    pthread_mutex_unlock(&crew->lock);
}

se_status crew_run(const struct crew_job *job, se_error *err)
{
    struct crew crew = { .job = job, .lock = PTHREAD_MUTEX_INITIALIZER, .ended = PTHREAD_COND_INITIALIZER };
    pthread_t threads[THREADS_MOST];
    unsigned count;

    for (size_t i = 0; i < job->archive->count; i++)
        crew.total += job->archive->entries[i].size;
    count = start(threads, &crew);
    wait_for_all(&crew);
    for (unsigned i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
    if (crew.failure.status && err && !err->status)
        *err = crew.failure;
    return crew.failure.status;
}

static se_status took(struct crew *crew, size_t size, se_error *err)
{
    atomic_fetch_add(&crew->hashed, size);
    return atomic_load(&crew->stopped) ? error_set(err, SE_ERR_CANCELLED, "given up") : SE_OK;
}

se_status crew_hash(unsigned char out[DIGEST_KINDS][DIGEST_MOST], struct worker *worker, const struct entry *entry,
                    const bool wanted[DIGEST_KINDS], se_error *err)
{
    AUTO(content) content = { .archive = NULL };
    size_t got = 1;
    se_status st;

    if ((st = content_open(&content, worker->crew->job->archive, entry, err)) || (st = digests_begin(&worker->digests, wanted, err)))
        return st;
    while (!(st = content_read(&got, &content, worker->piece.data, worker->piece.size, err)) && got)
        if ((st = digests_add(&worker->digests, (se_bytes){ worker->piece.data, got }, err)) || (st = took(worker->crew, got, err)))
            return st;
    return st ? st : digests_end(out, &worker->digests, err);
}

se_status crew_check(struct worker *worker, const struct entry *entry, se_error *err)
{
    const bool none[DIGEST_KINDS] = { false };
    unsigned char unused[DIGEST_KINDS][DIGEST_MOST];

    return crew_hash(unused, worker, entry, none, err);
}
