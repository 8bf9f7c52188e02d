#include "tests/token/fault.h"

#include <pthread.h>
#include <time.h>

struct faults faults; /* the test looks it up in the loaded module */

enum { CODES = sizeof fault_codes / sizeof *fault_codes - 1 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
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

static struct fault decide(enum fault_call call)
{
    faults.seen[call]++;
    for (size_t i = 0; i < FAULTS_AT_ONCE; i++)
        if (is_due(&faults.list[i], call)) {
            faults.done[i]++;
            return faults.list[i];
        }
    if (faults.one_in && draw() % faults.one_in == 0) {
        faults.drawn++;
        return (struct fault){ .rv = fault_codes[draw() % CODES] };
    }
    return (struct fault){ .rv = faults.away };
}

static void logout(CK_SLOT_ID slot)
{
    CK_SESSION_HANDLE session;

    if (below->C_OpenSession(slot, CKF_SERIAL_SESSION, NULL, NULL, &session) != CKR_OK)
        return;
    (void)below->C_Logout(session);
    (void)below->C_CloseSession(session);
}

static void harm(enum fault_harm what)
{
    if (what == HARM_SESSIONS)
        (void)below->C_CloseAllSessions(slot_used);
    else if (what == HARM_LOGOUT)
        logout(slot_used);
    else if (what == HARM_FINALIZE)
        (void)below->C_Finalize(NULL);
    else if (what == HARM_HANDLES)
        __atomic_add_fetch(&faults.moved, 1000, __ATOMIC_RELAXED);
}

static CK_RV fault(enum fault_call call)
{
    struct fault f;

    pthread_mutex_lock(&lock);
    f = decide(call);
    pthread_mutex_unlock(&lock);
    if (f.sleep_ms)
        nanosleep(&(struct timespec){ f.sleep_ms / 1000, (long)(f.sleep_ms % 1000) * 1000000 }, NULL);
    while (f.hang && !__atomic_load_n(&faults.go_on, __ATOMIC_ACQUIRE))
        nanosleep(&(struct timespec){ 0, 1000000 }, NULL);
    harm(f.harm);
    return f.rv;
}

static CK_OBJECT_HANDLE moved(void)
{
    return __atomic_load_n(&faults.moved, __ATOMIC_RELAXED);
}

static CK_RV initialize(void *args)
{
    CK_RV rv;

    pthread_mutex_lock(&lock);
    faults.initialized++;
    if (faults.until_restart)
        faults.away = CKR_OK;
    pthread_mutex_unlock(&lock);
    rv = fault(AT_INITIALIZE);
    return rv ? rv : inner.C_Initialize(args);
}

static CK_RV get_info(CK_INFO *info)
{
    CK_RV rv = fault(AT_GET_INFO);

    return rv ? rv : inner.C_GetInfo(info);
}

static CK_RV slot_list(CK_BBOOL present, CK_SLOT_ID *list, CK_ULONG *count)
{
    CK_RV rv = fault(AT_SLOT_LIST);

    if (rv == CKR_OK && faults.no_tokens && present) {
        *count = 0;
        return CKR_OK;
    }
    return rv ? rv : inner.C_GetSlotList(present, list, count);
}

static CK_RV token_info(CK_SLOT_ID slot, CK_TOKEN_INFO *info)
{
    CK_RV rv = fault(AT_TOKEN_INFO);

    return rv ? rv : inner.C_GetTokenInfo(slot, info);
}

static CK_RV open_session(CK_SLOT_ID slot, CK_FLAGS flags, void *arg, CK_NOTIFY notify, CK_SESSION_HANDLE *out)
{
    CK_RV rv = fault(AT_OPEN_SESSION);

    __atomic_store_n(&slot_used, slot, __ATOMIC_RELAXED);
    return rv ? rv : inner.C_OpenSession(slot, flags, arg, notify, out);
}

/* Closed in any case: a session that can't be closed would be counted as a leak. */
static CK_RV close_session(CK_SESSION_HANDLE session)
{
    CK_RV rv = fault(AT_CLOSE_SESSION), real = inner.C_CloseSession(session);

    return rv ? rv : real;
}

static CK_RV session_info(CK_SESSION_HANDLE session, CK_SESSION_INFO *info)
{
    CK_RV rv = fault(AT_SESSION_INFO);

    return rv ? rv : inner.C_GetSessionInfo(session, info);
}

static CK_RV login(CK_SESSION_HANDLE session, CK_USER_TYPE user, CK_UTF8CHAR *pin, CK_ULONG size)
{
    CK_RV rv = fault(AT_LOGIN);

    return rv ? rv : inner.C_Login(session, user, pin, size);
}

static CK_RV find_init(CK_SESSION_HANDLE session, CK_ATTRIBUTE *template, CK_ULONG n)
{
    CK_RV rv = fault(AT_FIND_INIT);

    return rv ? rv : inner.C_FindObjectsInit(session, template, n);
}

static CK_RV find(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE *out, CK_ULONG most, CK_ULONG *n)
{
    CK_RV rv = fault(AT_FIND);

    rv = rv ? rv : inner.C_FindObjects(session, out, most, n);
    for (CK_ULONG i = 0; rv == CKR_OK && i < *n; i++)
        out[i] += moved();
    return rv;
}

static CK_RV find_final(CK_SESSION_HANDLE session)
{
    CK_RV rv = fault(AT_FIND_FINAL), real = inner.C_FindObjectsFinal(session);

    return rv ? rv : real;
}

static CK_RV attributes(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE *template, CK_ULONG n)
{
    CK_RV rv = fault(AT_ATTRIBUTES);

    return rv ? rv : inner.C_GetAttributeValue(session, object - moved(), template, n);
}

static CK_RV sign_init(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key)
{
    CK_RV rv = fault(AT_SIGN_INIT);

    return rv ? rv : inner.C_SignInit(session, mechanism, key - moved());
}

/* The module below ends its operation, as it would when the line is cut on the way back. */
static CK_RV sign(CK_SESSION_HANDLE session, CK_BYTE *data, CK_ULONG size, CK_BYTE *signature, CK_ULONG *signature_size)
{
    CK_RV rv = fault(AT_SIGN), real = inner.C_Sign(session, data, size, signature, signature_size);

    return rv ? rv : real;
}

static CK_RV decrypt_init(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key)
{
    CK_RV rv = fault(AT_DECRYPT_INIT);

    return rv ? rv : inner.C_DecryptInit(session, mechanism, key - moved());
}

static CK_RV decrypt(CK_SESSION_HANDLE session, CK_BYTE *in, CK_ULONG in_size, CK_BYTE *out, CK_ULONG *size)
{
    CK_RV rv = fault(AT_DECRYPT), real = inner.C_Decrypt(session, in, in_size, out, size);

    return rv ? rv : real;
}

/* Finalised in any case. */
static CK_RV finalize(void *reserved)
{
    CK_RV rv = fault(AT_FINALIZE), real = inner.C_Finalize(reserved);

    return rv ? rv : real;
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
}
