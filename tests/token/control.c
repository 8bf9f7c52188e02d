/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/token/control.h"

#include <string.h>
#include <unistd.h>

#include "base/timed_call.h"

void set_faults(struct faults *faults, const struct fault *first, const struct fault *second)
{
    pthread_mutex_lock(&faults->lock);
    memset(faults->seen, 0, sizeof faults->seen);
    memset(faults->done, 0, sizeof faults->done);
    faults->list[0] = *first;
    faults->list[1] = second ? *second : (struct fault){ .times = 0 };
    pthread_mutex_unlock(&faults->lock);
}

void end_faults(struct faults *faults)
{
    pthread_mutex_lock(&faults->lock);
    memset(faults->list, 0, sizeof faults->list);
    pthread_mutex_unlock(&faults->lock);
}

void set_away(struct faults *faults, CK_RV rv)
{
    pthread_mutex_lock(&faults->lock);
    faults->away = rv;
    pthread_mutex_unlock(&faults->lock);
}

void set_random(struct faults *faults, unsigned one_in, bool harms, unsigned long seed)
{
    pthread_mutex_lock(&faults->lock);
    faults->one_in = one_in;
    faults->harms = harms;
    faults->seed = seed;
    pthread_mutex_unlock(&faults->lock);
}

void go_on(struct faults *faults)
{
    end_faults(faults);
    pthread_mutex_lock(&faults->lock);
    faults->let_go++;
    pthread_mutex_unlock(&faults->lock);
    while (timed_call_late_count())
        usleep(1000);
}

unsigned faults_done(struct faults *faults)
{
    unsigned done;

    pthread_mutex_lock(&faults->lock);
    done = faults->done[0];
    pthread_mutex_unlock(&faults->lock);
    return done;
}

unsigned faults_drawn(struct faults *faults)
{
    unsigned drawn;

    pthread_mutex_lock(&faults->lock);
    drawn = faults->drawn;
    pthread_mutex_unlock(&faults->lock);
    return drawn;
}
