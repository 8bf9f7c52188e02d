/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/shim/calls.h"

#include <signal.h>
#include <sys/prctl.h>
#include <time.h>

#include "tests/lib/shim/script.h"

struct faults faults; /* the test looks it up in the loaded module */

enum { CODES = sizeof fault_codes / sizeof *fault_codes - 1 };

static const CK_FUNCTION_LIST *inner, *below;
static CK_SLOT_ID slot_used;

/* splitmix64 */
static unsigned long draw(void)
{
    unsigned long x = faults.seed += 0x9e3779b97f4a7c15ul;

    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ul;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebul;
    return x ^ (x >> 31);
}

static bool is_due(const struct fault *f, enum fault_call call)
{
    unsigned n = faults.seen[call];

    return call == f->call && n >= f->first && n - f->first < f->times;
}

static bool is_only_slow(const struct fault *f)
{
    return f->rv == CKR_OK && f->harm == HARM_NONE && !f->hang && !f->die;
}

static struct fault decide(enum fault_call call)
{
    struct fault sum = { .call = call };
    bool fits = false;

    faults.seen[call]++;
    for (size_t i = 0; i < FAULTS_AT_ONCE; i++) {
        const struct fault *f = &faults.list[i];
        double sleep_ms = sum.sleep_ms + f->sleep_ms;

        if (!is_due(f, call))
            continue;
        faults.done[i]++;
        if (!fits)
            sum = *f;
        sum.sleep_ms = sleep_ms;
        fits = fits || !is_only_slow(f);
    }
    if (!fits && faults.one_in && draw() % faults.one_in == 0) {
        faults.drawn++;
        sum.rv = fault_codes[draw() % CODES];
        if (faults.harms && draw() % 4 == 0) {
            sum.harm = HARM_SESSIONS + draw() % HARM_FINALIZE;
            sum.rv = draw() % 2 ? sum.rv : CKR_OK;
        }
    } else if (!fits)
        sum.rv = faults.away;
    return sum;
}

static CK_SLOT_ID slot(void)
{
    return __atomic_load_n(&slot_used, __ATOMIC_RELAXED);
}

static void logout(CK_SLOT_ID where)
{
    CK_SESSION_HANDLE session;

    if (below->C_OpenSession(where, CKF_SERIAL_SESSION, NULL, NULL, &session) != CKR_OK)
        return;
    (void)below->C_Logout(session);
    (void)below->C_CloseSession(session);
}

/*
 * Modules take no care of calls that go on in sessions that are closed by others, or while they are
 * finalised; and it is not them that is to be tested.  So harm is done while no call is in the
 * module, and calls go there between these two.
 */
static pthread_rwlock_t quiet = PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP;

void fault_enter(void)
{
    pthread_rwlock_rdlock(&quiet);
}

CK_RV fault_leave(CK_RV rv)
{
    pthread_rwlock_unlock(&quiet);
    return rv;
}

static void harm(enum fault_harm what)
{
    if (what == HARM_NONE)
        return;
    pthread_rwlock_wrlock(&quiet);
    if (what == HARM_SESSIONS)
        (void)inner->C_CloseAllSessions(slot());
    else if (what == HARM_LOGOUT)
        logout(slot());
    else if (what == HARM_FINALIZE)
        (void)inner->C_Finalize(NULL);
    else
        __atomic_add_fetch(&faults.moved, 1000, __ATOMIC_RELAXED);
    pthread_rwlock_unlock(&quiet);
}

/* To the microsecond: the kernel may not put it off until it has more to do. */
static void sleep_until(const struct timespec *begun, double ms)
{
    static _Thread_local bool exact;
    long long ns = begun->tv_nsec + (long long)(ms * 1e6);
    const struct timespec until = { begun->tv_sec + ns / 1000000000, ns % 1000000000 };

    if (!exact)
        exact = !prctl(PR_SET_TIMERSLACK, 1ul, 0ul, 0ul, 0ul);
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL))
        ;
}

/* With the lock held.  Changes when what hangs is to return. */
static unsigned era(void)
{
    return faults.let_go + script_version();
}

static void hang(unsigned begun)
{
    bool over = false;

    while (!over) {
        nanosleep(&(struct timespec){ 0, 1000000 }, NULL);
        script_poll();
        pthread_mutex_lock(&faults.lock);
        over = era() != begun;
        pthread_mutex_unlock(&faults.lock);
    }
}

CK_RV fault_at(enum fault_call call)
{
    struct timespec begun;
    struct fault f;
    unsigned now;

    clock_gettime(CLOCK_MONOTONIC, &begun);
    script_poll();
    pthread_mutex_lock(&faults.lock);
    f = decide(call);
    now = era();
    pthread_mutex_unlock(&faults.lock);
    if (f.sleep_ms > 0)
        sleep_until(&begun, f.sleep_ms);
    if (f.die)
        (void)raise(SIGKILL);
    if (f.hang)
        hang(now);
    harm(f.harm);
    return f.rv;
}

CK_OBJECT_HANDLE fault_moved(void)
{
    return __atomic_load_n(&faults.moved, __ATOMIC_RELAXED);
}

CK_RV fault_refusal(CK_MECHANISM_TYPE mechanism)
{
    CK_RV rv = CKR_OK;

    pthread_mutex_lock(&faults.lock);
    for (size_t i = 0; i < REFUSED_AT_ONCE && rv == CKR_OK; i++)
        if (faults.refused[i].mechanism == mechanism)
            rv = faults.refused[i].rv;
    pthread_mutex_unlock(&faults.lock);
    return rv;
}

bool fault_no_tokens(void)
{
    bool none;

    pthread_mutex_lock(&faults.lock);
    none = faults.no_tokens;
    pthread_mutex_unlock(&faults.lock);
    return none;
}

void fault_restart(void)
{
    pthread_mutex_lock(&faults.lock);
    faults.initialized++;
    if (faults.until_restart)
        faults.away = CKR_OK;
    pthread_mutex_unlock(&faults.lock);
}

void fault_slot(CK_SLOT_ID slot)
{
    __atomic_store_n(&slot_used, slot, __ATOMIC_RELAXED);
}

void fault_harms(const CK_FUNCTION_LIST *through, const CK_FUNCTION_LIST *real)
{
    inner = through;
    below = real;
}
