/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Threads that append for as long as they are let:
 *
 *   append CONFIG STORE CHAIN THREADS [COUNT [keyed]]
 *
 * Each entry that was acknowledged is a line of standard output: its number and its payload.  A
 * failure is told on standard error, and the thread tries again.  With COUNT, each thread ends
 * after so many.  With "keyed" all processes append the same, with the same idempotency keys.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "signengine-history.h"
#include "signengine.h"

enum { THREADS_MOST = 64, PAUSE_US = 20000 };

struct worker {
    se_history *history;
    unsigned number, count;
    bool keyed;
    pthread_t thread;
};

static bool append_entry(struct worker *w, unsigned turn)
{
    se_error err = SE_ERROR_INIT;
    char payload[64], line[100];
    int size = snprintf(payload, sizeof payload, "%u-%u-%d", w->number, turn,
                        w->keyed ? 0 : (int)getpid());
    const se_record record = { { "object", 6 }, { payload, (size_t)size } };
    se_history_append_params params = SE_HISTORY_APPEND_PARAMS_INIT;
    se_history_appended appended;

    params.idempotency_key = w->keyed ? payload : NULL;
    if (se_history_append_many(&appended, w->history, &record, 1, &params, &err)) {
        (void)fprintf(stderr, "%s: %s\n", se_status_name(err.status), err.text);
        usleep(PAUSE_US);
        return false;
    }
    size = snprintf(line, sizeof line, "%llu %s\n", (unsigned long long)appended.first, payload);
    if (write(STDOUT_FILENO, line, (size_t)size) != size)
        _exit(99);
    return true;
}

static void *append_entries(void *arg)
{
    struct worker *w = arg;

    for (unsigned turn = 1, done = 0; !w->count || done < w->count; turn++)
        done += append_entry(w, w->keyed ? done + 1 : turn);
    return NULL;
}

int main(int argc, char **argv)
{
    static struct worker workers[THREADS_MOST];
    se_history_options options = SE_HISTORY_OPTIONS_INIT;
    se_error err = SE_ERROR_INIT;
    se_engine *engine;
    se_history *history;
    unsigned threads;

    if (argc < 5 || (threads = (unsigned)atoi(argv[4])) > THREADS_MOST)
        return 64;
    options.chain = argv[3];
    if (se_open(&engine, argv[1], NULL, &err) ||
        se_history_open(&history, engine, argv[2], &options, &err)) {
        (void)fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    for (unsigned i = 0; i < threads; i++) {
        workers[i] = (struct worker){ .history = history,
                                      .number = i,
                                      .count = argc > 5 ? (unsigned)atoi(argv[5]) : 0,
                                      .keyed = argc > 6 };
        if (pthread_create(&workers[i].thread, NULL, append_entries, &workers[i]))
            return 99;
    }
    for (unsigned i = 0; i < threads; i++)
        pthread_join(workers[i].thread, NULL);
    se_history_close(&history);
    se_close(&engine);
    return 0;
}
