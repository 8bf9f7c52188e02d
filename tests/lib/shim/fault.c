#include "tests/lib/shim/fault.h"

#include <sys/prctl.h>
#include <time.h>

#include "tests/lib/shim/script.h"

struct faults faults; /* the test looks it up in the loaded module */

enum { CODES = sizeof fault_codes / sizeof *fault_codes - 1 };

/* tests/check-faults.sh compares these with the calls in src/ */
const char *const fault_names[FAULT_CALLS] = {
    [AT_INITIALIZE] = "C_Initialize",       [AT_GET_INFO] = "C_GetInfo",
    [AT_SLOT_LIST] = "C_GetSlotList",       [AT_TOKEN_INFO] = "C_GetTokenInfo",
    [AT_OPEN_SESSION] = "C_OpenSession",    [AT_CLOSE_SESSION] = "C_CloseSession",
    [AT_SESSION_INFO] = "C_GetSessionInfo", [AT_LOGIN] = "C_Login",
    [AT_FIND_INIT] = "C_FindObjectsInit",   [AT_FIND] = "C_FindObjects",
    [AT_FIND_FINAL] = "C_FindObjectsFinal", [AT_ATTRIBUTES] = "C_GetAttributeValue",
    [AT_SIGN_INIT] = "C_SignInit",          [AT_SIGN] = "C_Sign",
    [AT_DECRYPT_INIT] = "C_DecryptInit",    [AT_DECRYPT] = "C_Decrypt",
    [AT_FINALIZE] = "C_Finalize",           [AT_SIGN_UPDATE] = "C_SignUpdate",
    [AT_SIGN_FINAL] = "C_SignFinal",        [AT_CREATE] = "C_CreateObject",
    [AT_DESTROY] = "C_DestroyObject",       [AT_SET_ATTRIBUTES] = "C_SetAttributeValue",
    [AT_GENERATE] = "C_GenerateKeyPair",
};

static CK_FUNCTION_LIST inner, *below;
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
    return f->rv == CKR_OK && f->harm == HARM_NONE && !f->hang;
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

static void logout(CK_SLOT_ID slot)
{
    CK_SESSION_HANDLE session;

    if (below->C_OpenSession(slot, CKF_SERIAL_SESSION, NULL, NULL, &session) != CKR_OK)
        return;
    (void)below->C_Logout(session);
    (void)below->C_CloseSession(session);
}

/*
 * Modules take no care of calls that go on in sessions that are closed by others, or while they are finalised; and it is not them that is
 * to be tested.  So harm is done while no call is in the module, and calls go there by BELOW().
 */
static pthread_rwlock_t quiet = PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP;

static void enter(void)
{
    pthread_rwlock_rdlock(&quiet);
}

static CK_RV leave(CK_RV rv)
{
    pthread_rwlock_unlock(&quiet);
    return rv;
}

#define BELOW(call) (enter(), leave(call))

static void harm(enum fault_harm what)
{
    if (what == HARM_NONE)
        return;
    pthread_rwlock_wrlock(&quiet);
    if (what == HARM_SESSIONS)
        (void)inner.C_CloseAllSessions(slot_used);
    else if (what == HARM_LOGOUT)
        logout(slot_used);
    else if (what == HARM_FINALIZE)
        (void)inner.C_Finalize(NULL);
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

static CK_RV fault(enum fault_call call)
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
    if (f.hang)
        hang(now);
    harm(f.harm);
    return f.rv;
}

static CK_OBJECT_HANDLE moved(void)
{
    return __atomic_load_n(&faults.moved, __ATOMIC_RELAXED);
}

static CK_RV refusal(CK_MECHANISM_TYPE mechanism)
{
    CK_RV rv = CKR_OK;

    pthread_mutex_lock(&faults.lock);
    for (size_t i = 0; i < REFUSED_AT_ONCE && rv == CKR_OK; i++)
        if (faults.refused[i].mechanism == mechanism)
            rv = faults.refused[i].rv;
    pthread_mutex_unlock(&faults.lock);
    return rv;
}

static CK_RV initialize(void *args)
{
    CK_RV rv;

    pthread_mutex_lock(&faults.lock);
    faults.initialized++;
    if (faults.until_restart)
        faults.away = CKR_OK;
    pthread_mutex_unlock(&faults.lock);
    rv = fault(AT_INITIALIZE);
    return rv ? rv : BELOW(inner.C_Initialize(args));
}

static CK_RV get_info(CK_INFO *info)
{
    CK_RV rv = fault(AT_GET_INFO);

    return rv ? rv : BELOW(inner.C_GetInfo(info));
}

static CK_RV slot_list(CK_BBOOL present, CK_SLOT_ID *list, CK_ULONG *count)
{
    CK_RV rv = fault(AT_SLOT_LIST);
    bool none;

    pthread_mutex_lock(&faults.lock);
    none = faults.no_tokens;
    pthread_mutex_unlock(&faults.lock);
    if (rv == CKR_OK && none && present) {
        *count = 0;
        return CKR_OK;
    }
    return rv ? rv : BELOW(inner.C_GetSlotList(present, list, count));
}

static CK_RV token_info(CK_SLOT_ID slot, CK_TOKEN_INFO *info)
{
    CK_RV rv = fault(AT_TOKEN_INFO);

    return rv ? rv : BELOW(inner.C_GetTokenInfo(slot, info));
}

static CK_RV open_session(CK_SLOT_ID slot, CK_FLAGS flags, void *arg, CK_NOTIFY notify, CK_SESSION_HANDLE *out)
{
    CK_RV rv = fault(AT_OPEN_SESSION);

    __atomic_store_n(&slot_used, slot, __ATOMIC_RELAXED);
    return rv ? rv : BELOW(inner.C_OpenSession(slot, flags, arg, notify, out));
}

/* Closed in any case: a session that can't be closed would be counted as a leak. */
static CK_RV close_session(CK_SESSION_HANDLE session)
{
    CK_RV rv = fault(AT_CLOSE_SESSION), real = BELOW(inner.C_CloseSession(session));

    return rv ? rv : real;
}

static CK_RV session_info(CK_SESSION_HANDLE session, CK_SESSION_INFO *info)
{
    CK_RV rv = fault(AT_SESSION_INFO);

    return rv ? rv : BELOW(inner.C_GetSessionInfo(session, info));
}

static CK_RV login(CK_SESSION_HANDLE session, CK_USER_TYPE user, CK_UTF8CHAR *pin, CK_ULONG size)
{
    CK_RV rv = fault(AT_LOGIN);

    return rv ? rv : BELOW(inner.C_Login(session, user, pin, size));
}

static CK_RV find_init(CK_SESSION_HANDLE session, CK_ATTRIBUTE *template, CK_ULONG n)
{
    CK_RV rv = fault(AT_FIND_INIT);

    return rv ? rv : BELOW(inner.C_FindObjectsInit(session, template, n));
}

static CK_RV find(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE *out, CK_ULONG most, CK_ULONG *n)
{
    CK_RV rv = fault(AT_FIND);

    rv = rv ? rv : BELOW(inner.C_FindObjects(session, out, most, n));
    for (CK_ULONG i = 0; rv == CKR_OK && i < *n; i++)
        out[i] += moved();
    return rv;
}

static CK_RV find_final(CK_SESSION_HANDLE session)
{
    CK_RV rv = fault(AT_FIND_FINAL), real = BELOW(inner.C_FindObjectsFinal(session));

    return rv ? rv : real;
}

static CK_RV attributes(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE *template, CK_ULONG n)
{
    CK_RV rv = fault(AT_ATTRIBUTES);

    return rv ? rv : BELOW(inner.C_GetAttributeValue(session, object - moved(), template, n));
}

static CK_RV sign_init(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key)
{
    CK_RV rv = fault(AT_SIGN_INIT);

    rv = rv ? rv : refusal(mechanism->mechanism);
    return rv ? rv : BELOW(inner.C_SignInit(session, mechanism, key - moved()));
}

/* The module below ends its operation, as it would when the line is cut on the way back. */
static CK_RV sign(CK_SESSION_HANDLE session, CK_BYTE *data, CK_ULONG size, CK_BYTE *signature, CK_ULONG *signature_size)
{
    CK_RV rv = fault(AT_SIGN), real = BELOW(inner.C_Sign(session, data, size, signature, signature_size));

    return rv ? rv : real;
}

static CK_RV decrypt_init(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key)
{
    CK_RV rv = fault(AT_DECRYPT_INIT);

    rv = rv ? rv : refusal(mechanism->mechanism);
    return rv ? rv : BELOW(inner.C_DecryptInit(session, mechanism, key - moved()));
}

static CK_RV decrypt(CK_SESSION_HANDLE session, CK_BYTE *in, CK_ULONG in_size, CK_BYTE *out, CK_ULONG *size)
{
    CK_RV rv = fault(AT_DECRYPT), real = BELOW(inner.C_Decrypt(session, in, in_size, out, size));

    return rv ? rv : real;
}

/* Finalised in any case. */
static CK_RV finalize(void *reserved)
{
    CK_RV rv = fault(AT_FINALIZE), real = BELOW(inner.C_Finalize(reserved));

    return rv ? rv : real;
}

static CK_RV sign_update(CK_SESSION_HANDLE session, CK_BYTE *data, CK_ULONG size)
{
    CK_RV rv = fault(AT_SIGN_UPDATE);

    return rv ? rv : BELOW(inner.C_SignUpdate(session, data, size));
}

static CK_RV sign_final(CK_SESSION_HANDLE session, CK_BYTE *signature, CK_ULONG *size)
{
    CK_RV rv = fault(AT_SIGN_FINAL), real = BELOW(inner.C_SignFinal(session, signature, size));

    return rv ? rv : real;
}

static CK_RV create(CK_SESSION_HANDLE session, CK_ATTRIBUTE *template, CK_ULONG n, CK_OBJECT_HANDLE *out)
{
    CK_RV rv = fault(AT_CREATE);

    rv = rv ? rv : BELOW(inner.C_CreateObject(session, template, n, out));
    *out += rv == CKR_OK ? moved() : 0;
    return rv;
}

static CK_RV destroy(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object)
{
    CK_RV rv = fault(AT_DESTROY);

    return rv ? rv : BELOW(inner.C_DestroyObject(session, object - moved()));
}

static CK_RV set_attributes(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE *template, CK_ULONG n)
{
    CK_RV rv = fault(AT_SET_ATTRIBUTES);

    return rv ? rv : BELOW(inner.C_SetAttributeValue(session, object - moved(), template, n));
}

static CK_RV generate(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_ATTRIBUTE *public, CK_ULONG publics, CK_ATTRIBUTE *private,
                      CK_ULONG privates, CK_OBJECT_HANDLE *out_public, CK_OBJECT_HANDLE *out_private)
{
    CK_RV rv = fault(AT_GENERATE);

    rv = rv ? rv : BELOW(inner.C_GenerateKeyPair(session, mechanism, public, publics, private, privates, out_public, out_private));
    *out_public += rv == CKR_OK ? moved() : 0;
    *out_private += rv == CKR_OK ? moved() : 0;
    return rv;
}

void faults_install(CK_FUNCTION_LIST *list, CK_FUNCTION_LIST *real)
{
    inner = *list;
    below = real;
    list->C_Initialize = initialize;
    list->C_GetInfo = get_info;
    list->C_GetSlotList = slot_list;
    list->C_GetTokenInfo = token_info;
    list->C_OpenSession = open_session;
    list->C_CloseSession = close_session;
    list->C_GetSessionInfo = session_info;
    list->C_Login = login;
    list->C_FindObjectsInit = find_init;
    list->C_FindObjects = find;
    list->C_FindObjectsFinal = find_final;
    list->C_GetAttributeValue = attributes;
    list->C_SignInit = sign_init;
    list->C_Sign = sign;
    list->C_DecryptInit = decrypt_init;
    list->C_Decrypt = decrypt;
    list->C_Finalize = finalize;
    list->C_SignUpdate = sign_update;
    list->C_SignFinal = sign_final;
    list->C_CreateObject = create;
    list->C_DestroyObject = destroy;
    list->C_SetAttributeValue = set_attributes;
    list->C_GenerateKeyPair = generate;
}
