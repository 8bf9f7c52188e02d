#include "keystore/pkcs11/late.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"

/* The modules that were late once, by the names that the configuration has for them. */
struct culprit {
    char *location;
    int late;      /* below zero for a moment, if a call returns before it is counted */
    pid_t process; /* that the late calls are in: the child of a fork has none */
    struct culprit *next;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct culprit *culprits;

static void hold(void)
{
    pthread_mutex_lock(&lock);
}

static void leave(void)
{
    pthread_mutex_unlock(&lock);
}

static void guard_forks(void)
{
    (void)pthread_atfork(hold, leave, leave);
}

/* ---- with the lock held ---- */

static struct culprit *find(const char *location)
{
    for (struct culprit *c = culprits; c; c = c->next)
        if (!strcmp(c->location, location)) {
            if (c->process != getpid())
                *c = (struct culprit){ c->location, 0, getpid(), c->next };
            return c;
        }
    return NULL;
}

/* NULL: no memory; then it is not counted. */
static struct culprit *add(const char *location)
{
    struct culprit *c = calloc(1, sizeof *c);

    if (!c || !(c->location = strdup(location))) {
        free(c);
        return NULL;
    }
    c->process = getpid();
    c->next = culprits;
    return culprits = c;
}

/* ---- */

static void count(const char *location, int by)
{
    struct culprit *c;

    hold();
    if ((c = find(location)) || (c = add(location)))
        c->late += by;
    leave();
}

static bool has_too_many(const char *location)
{
    const struct culprit *c;
    bool many;

    if (!timed_call_late_count())
        return false;
    hold();
    many = (c = find(location)) && c->late >= LATE_MOST;
    leave();
    return many;
}

/* A call and where it goes; lives as long as the call. */
struct trip {
    const struct timed_call *call;
    void *arg;
    const struct keyref *ref; /* held */
};

static void run(void *arg)
{
    struct trip *trip = arg;

    trip->call->run(trip->arg);
}

static void come_home(void *arg)
{
    struct trip *trip = arg;

    trip->call->release(trip->arg);
    count(trip->ref->location, -1);
    keyref_release(trip->ref);
    free(trip);
}

static unsigned deadline_ms(const struct keyref *ref)
{
    return ref->deadline ? ref->deadline * 1000 : LATE_MS;
}

static enum timed_call_end send(struct trip *trip)
{
    static const struct timed_call guarded = { run, come_home };
    enum timed_call_end end = timed_call_run(&guarded, trip, deadline_ms(trip->ref));

    if (end != TIMED_CALL_LATE) {
        keyref_release(trip->ref);
        free(trip);
    }
    return end;
}

static bool is_plain(const struct keyref *ref)
{
    return timed_call_inside() || (ref->no_deadline && !strstr(ref->location, "p11-kit-client"));
}

enum timed_call_end late_run(const struct timed_call *call, void *arg, const struct keyref *ref)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct trip *trip;
    enum timed_call_end end = TIMED_CALL_NONE;

    if (is_plain(ref)) {
        call->run(arg);
        return TIMED_CALL_DONE;
    }
    trip = has_too_many(ref->location) ? NULL : calloc(1, sizeof *trip);
    pthread_once(&once, guard_forks);
    if (trip) {
        *trip = (struct trip){ call, arg, keyref_hold(ref) };
        end = send(trip);
    }
    if (end == TIMED_CALL_LATE)
        count(ref->location, 1);
    if (end == TIMED_CALL_NONE)
        call->release(arg);
    return end;
}

se_status late_error(se_error *err, const struct keyref *ref, enum timed_call_end end)
{
    if (end == TIMED_CALL_NONE && !has_too_many(ref->location))
        return error_set(err, SE_ERR_UNAVAILABLE,
                         "there is no thread for a call into the PKCS #11 module '%s'",
                         ref->location);
    if (end == TIMED_CALL_NONE)
        return error_set(err, SE_ERR_UNAVAILABLE,
                         "%d calls into the PKCS #11 module '%s' have not returned", LATE_MOST,
                         ref->location);
    return error_set(err, SE_ERR_UNAVAILABLE,
                     "the PKCS #11 module '%s' has not answered within %u s", ref->location,
                     deadline_ms(ref) / 1000);
}

unsigned late_session_ms(const struct keyref *ref)
{
    return deadline_ms(ref) / 2;
}
