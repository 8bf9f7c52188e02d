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
#ifndef BASE_TIMED_CALL_H
#define BASE_TIMED_CALL_H

#include <stdbool.h>

enum {
    TIMED_CALL_IDLE_S = 5, /* after which a worker ends */
};

enum timed_call_end {
    TIMED_CALL_DONE, /* it has run */
    TIMED_CALL_LATE, /* it is still running; `arg` is its own now, and is released when it returns
                      */
    TIMED_CALL_NONE, /* it did not run: there is no thread to be had */
};

struct timed_call {
    void (*run)(void *arg);
    void (*release)(void *arg); /* on the worker, after a run that was late; it is made even if its
                                   caller went before it began */
};

/*
 * Runs call->run(arg) and waits up to `wait_ms` milliseconds for it.  On a worker, where a guarded
 * call calls another one, it is plainly called: the deadline is that of the outer one.
 */
enum timed_call_end timed_call_run(const struct timed_call *call, void *arg, unsigned wait_ms);

/* Whether this is a worker. */
bool timed_call_inside(void);

/* How many calls are late now. */
unsigned timed_call_late_count(void);

#endif
