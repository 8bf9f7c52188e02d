#include "base/process.h"

#include <pthread.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "base/fork_lock.h"

/*
 * PINs and keys would be in it.  The limit does not count where core_pattern is a pipe (core(5)),
 * and "not dumpable" is lost when a child becomes another program, which then has the limit.
 * /proc/self belongs to root from now on; to the process itself that makes no difference
 * (proc_pid_fd(5)).
 */
bool process_forbid_dumps(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_CORE, &limit))
        return false;
    limit.rlim_cur = 0;
    return !setrlimit(RLIMIT_CORE, &limit) && !prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

/* ---- forks ---- */

static pthread_mutex_t guards_lock = PTHREAD_MUTEX_INITIALIZER;
static struct fork_guard *guards; /* the newest first */

static void lock_guards(void)
{
    pthread_mutex_lock(&guards_lock);
    for (struct fork_guard *g = guards; g; g = g->next)
        pthread_mutex_lock(g->mutex);
}

static void unlock_guards(void)
{
    for (struct fork_guard *g = guards; g; g = g->next)
        pthread_mutex_unlock(g->mutex);
    pthread_mutex_unlock(&guards_lock);
}

static void unlock_guards_in_child(void)
{
    for (struct fork_guard *g = guards; g; g = g->next)
        if (g->in_child)
            g->in_child();
    unlock_guards();
}

static void register_guards(void)
{
    (void)pthread_atfork(lock_guards, unlock_guards, unlock_guards_in_child);
}

void fork_guard_add(struct fork_guard *guard)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, register_guards);
    pthread_mutex_lock(&guards_lock);
    guard->next = guards;
    guards = guard;
    pthread_mutex_unlock(&guards_lock);
}

/* ---- the lock for moments ---- */

static pthread_mutex_t moment_lock = PTHREAD_MUTEX_INITIALIZER;

static void guard_moment_lock(void)
{
    static struct fork_guard guard = { .mutex = &moment_lock };

    fork_guard_add(&guard);
}

void fork_lock_take(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, guard_moment_lock);
    pthread_mutex_lock(&moment_lock);
}

void fork_lock_give(void)
{
    pthread_mutex_unlock(&moment_lock);
}
