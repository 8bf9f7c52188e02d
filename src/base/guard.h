/*
 * Calls into code that may never return: they run on a worker thread, and their caller waits no
 * longer than it wants to.
 *
 * A call that is late keeps its worker and what it works on until it returns; nothing can be done
 * about a thread that is stuck in foreign code, but not to wait for it.  Workers are kept for a
 * while and taken again, so that a call costs two hand-overs and no new thread. They block all
 * signals: what the foreign code provokes, like a SIGPIPE, ends neither the process nor an
 * application's own handling.
 *
 * The child of a fork has no workers and begins anew.
 */
#ifndef BASE_GUARD_H
#define BASE_GUARD_H

#include <stdbool.h>

enum {
    GUARD_IDLE_S = 5, /* after which a worker ends */
};

enum guard_end {
    GUARD_DONE, /* it has run */
    GUARD_LATE, /* it is still running; `arg` is its own now, and is released when it returns */
    GUARD_NONE, /* it did not run: there is no thread to be had */
};

struct guarded {
    void (*run)(void *arg);
    void (*release)(void *arg); /* on the worker, after a run that was late; it is made even if its
                                   caller went before it began */
};

/*
 * Runs call->run(arg) and waits up to `wait_ms` milliseconds for it.  On a worker, where a guarded
 * call calls another one, it is plainly called: the deadline is that of the outer one.
 */
enum guard_end guard_run(const struct guarded *call, void *arg, unsigned wait_ms);

/* Whether this is a worker. */
bool guard_inside(void);

/* How many calls are late now. */
unsigned guard_late(void);

#endif
