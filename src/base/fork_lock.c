#include "base/fork_lock.h"

#include <pthread.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

void fork_lock_give(void)
{
    pthread_mutex_unlock(&lock);
}

static void hold(void)
{
    pthread_mutex_lock(&lock);
}

static void guard_forks(void)
{
    (void)pthread_atfork(hold, fork_lock_give, fork_lock_give);
}

void fork_lock_take(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, guard_forks);
    hold();
}
