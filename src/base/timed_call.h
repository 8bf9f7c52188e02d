/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls into code that may never return: they run on a helper thread, and their caller waits no
 * longer than it wants to.
 *
 * A late call keeps its helper and its argument until it returns: a thread that is stuck in foreign
 * code can only be left behind.  Idle helpers stay for a while, so that a call costs two hand-overs
 * and no new thread.  They block all signals: what the foreign code provokes, like a SIGPIPE, ends
 * neither the process nor an application's own handling.
 *
 * The child of a fork has no helpers and begins anew.
 */
#ifndef BASE_TIMED_CALL_H
#define BASE_TIMED_CALL_H

#include <stdbool.h>

enum {
    TIMED_CALL_IDLE_S = 5, /* after which a helper ends */
};

enum timed_call_end {
    TIMED_CALL_DONE, /* it has run */
    TIMED_CALL_LATE, /* still running; it owns `arg`, which is released when it returns */
    TIMED_CALL_NONE, /* it did not run: no thread could be started */
};

struct timed_call {
    void (*run)(void *arg);
    void (*release)(void *arg); /* on the helper, after a late run; a call whose caller left before
                                   it began is still made */
};

/*
 * Runs call->run(arg) and waits up to `wait_ms` milliseconds for it.  Inside such a call it is
 * plainly called: it has the deadline of the outer one.
 */
enum timed_call_end timed_call_run(const struct timed_call *call, void *arg, unsigned wait_ms);

/* Whether this is inside such a call. */
bool timed_call_inside(void);

/*
 * Starts call->run(arg) on such a thread, as plain work of ours: calls that it makes have deadlines
 * of their own.  NULL: no thread could be started, and it does not run.  Whoever has started it
 * joins it, and can't be cancelled meanwhile.
 */
struct helper;
struct helper *helper_start(const struct timed_call *call, void *arg);
void helper_join(struct helper *helper);

/* How many calls are late now. */
unsigned timed_call_late_count(void);

#endif
