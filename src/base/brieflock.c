#include "base/brieflock.h"

#include <pthread.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

void brief_unlock(void)
{
    pthread_mutex_unlock(&lock);
}

static void hold(void)
{
    pthread_mutex_lock(&lock);
}

static void guard_forks(void)
{
    (void)pthread_atfork(hold, brief_unlock, brief_unlock);
}

void brief_lock(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, guard_forks);
    hold();
}
