/* SPDX-License-Identifier: Apache-2.0 */
#include "base/fork_lock.h"

#include <pthread.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned generation; /* changed only while a child has one thread */

static void lock_before_fork(void)
{
    pthread_mutex_lock(&lock);
}

static void begin_generation(void)
{
    generation++;
    pthread_mutex_unlock(&lock);
}

static void register_handlers(void)
{
    (void)pthread_atfork(lock_before_fork, fork_lock_give, begin_generation);
}

void fork_lock_take(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, register_handlers);
    pthread_mutex_lock(&lock);
}

void fork_lock_give(void)
{
    pthread_mutex_unlock(&lock);
}

unsigned fork_generation(void)
{
    return generation;
}
