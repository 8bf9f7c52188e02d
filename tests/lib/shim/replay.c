/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/shim/replay.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum {
    SESSIONS = 256,       /* buckets */
    MEMORIES = 1024,      /* buckets */
    MEMORIES_MOST = 4096, /* what comes after is not remembered */
    PARAMETERS_MOST = 64, /* of a mechanism; others always go to the module */
    ANSWER_MOST = 2048,
};

enum operation {
    NONE, /* or with the module */
    SIGN,
    DECRYPT,
};

/* What is asked but the input; without gaps, for it is compared as bytes. */
struct asked {
    CK_ULONG operation;
    CK_OBJECT_HANDLE key;
    CK_MECHANISM_TYPE mechanism;
    CK_ULONG size;
    CK_BYTE parameters[PARAMETERS_MOST];
};

struct session {
    CK_SESSION_HANDLE handle;
    struct asked asked;
    struct session *next;
};

struct memory {
    struct asked asked;
    struct memory *next;
    CK_ULONG input_size, answer_size;
    CK_BYTE *input, answer[];
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* of all that follows */
static struct session *sessions[SESSIONS];
static struct memory *memories[MEMORIES];
static size_t remembered;

static bool on; /* atomic */
static CK_FUNCTION_LIST inner;

void replay_set(bool to)
{
    __atomic_store_n(&on, to, __ATOMIC_RELEASE);
}

/* ---- sessions ---- */

/* With the lock held. */
static struct session **place_of(CK_SESSION_HANDLE handle)
{
    struct session **p = &sessions[handle % SESSIONS];

    while (*p && (*p)->handle != handle)
        p = &(*p)->next;
    return p;
}

/* What the session is about to do. */
static void set_asked(CK_SESSION_HANDLE handle, const struct asked *asked)
{
    struct session **p;

    pthread_mutex_lock(&lock);
    p = place_of(handle);
    if (!*p && asked->operation != NONE && (*p = calloc(1, sizeof **p)))
        (*p)->handle = handle;
    if (*p)
        (*p)->asked = *asked;
    pthread_mutex_unlock(&lock);
}

static struct asked get_asked(CK_SESSION_HANDLE handle)
{
    struct asked asked = { .operation = NONE };
    const struct session *s;

    pthread_mutex_lock(&lock);
    if ((s = *place_of(handle)))
        asked = s->asked;
    pthread_mutex_unlock(&lock);
    return asked;
}

static void forget_session(CK_SESSION_HANDLE handle)
{
    struct session **p, *gone;

    pthread_mutex_lock(&lock);
    p = place_of(handle);
    if ((gone = *p))
        *p = gone->next;
    pthread_mutex_unlock(&lock);
    free(gone);
}

/* ---- memory ---- */

static struct memory **bucket(const struct asked *asked, const CK_BYTE *input, CK_ULONG size)
{
    unsigned long hash = 0xcbf29ce484222325ul ^ asked->key ^ asked->mechanism << 8;

    for (CK_ULONG i = 0; i < size; i++)
        hash = (hash ^ input[i]) * 0x100000001b3ul;
    return &memories[(hash ^ hash >> 32) % MEMORIES];
}

static bool recall(CK_BYTE *answer, CK_ULONG *answer_size, const struct asked *asked,
                   const CK_BYTE *input, CK_ULONG size)
{
    const struct memory *m;

    pthread_mutex_lock(&lock);
    for (m = *bucket(asked, input, size); m; m = m->next)
        if (!memcmp(&m->asked, asked, sizeof *asked) && m->input_size == size &&
            !memcmp(m->input, input, size))
            break;
    if (m) {
        memcpy(answer, m->answer, m->answer_size);
        *answer_size = m->answer_size;
    }
    pthread_mutex_unlock(&lock);
    return m;
}

static void remember(const struct asked *asked, const CK_BYTE *input, CK_ULONG size,
                     const CK_BYTE *answer, CK_ULONG answer_size)
{
    struct memory *m = malloc(sizeof *m + answer_size + size), **p = bucket(asked, input, size);

    if (!m)
        return;
    *m = (struct memory){ .asked = *asked,
                          .input_size = size,
                          .answer_size = answer_size,
                          .input = m->answer + answer_size };
    memcpy(m->answer, answer, answer_size);
    memcpy(m->input, input, size);
    pthread_mutex_lock(&lock);
    if (remembered < MEMORIES_MOST) {
        remembered++;
        m->next = *p;
        *p = m;
        m = NULL;
    }
    pthread_mutex_unlock(&lock);
    free(m);
}

static void forget_all(void)
{
    pthread_mutex_lock(&lock);
    for (size_t i = 0; i < SESSIONS; i++)
        for (struct session *s; (s = sessions[i]); free(s))
            sessions[i] = s->next;
    for (size_t i = 0; i < MEMORIES; i++)
        for (struct memory *m; (m = memories[i]); free(m))
            memories[i] = m->next;
    remembered = 0;
    pthread_mutex_unlock(&lock);
}

/* ---- operations ---- */

/* False: it can't be compared. */
static bool ask(struct asked *out, enum operation operation, const CK_MECHANISM *mechanism,
                CK_OBJECT_HANDLE key)
{
    CK_RSA_PKCS_OAEP_PARAMS oaep;

    *out = (struct asked){ .operation = NONE };
    if (!__atomic_load_n(&on, __ATOMIC_ACQUIRE) || mechanism->ulParameterLen > PARAMETERS_MOST)
        return false;
    out->key = key;
    out->mechanism = mechanism->mechanism;
    if ((out->size = mechanism->ulParameterLen))
        memcpy(out->parameters, mechanism->pParameter, out->size);
    if (out->mechanism == CKM_RSA_PKCS_OAEP && out->size == sizeof oaep) {
        memcpy(&oaep, out->parameters, sizeof oaep);
        if (oaep.ulSourceDataLen)
            return false;
        oaep.pSourceData = NULL;
        memcpy(out->parameters, &oaep, sizeof oaep);
    }
    out->operation = operation;
    return true;
}

/* To the module after all. */
static CK_RV begin(CK_SESSION_HANDLE session, const struct asked *asked)
{
    CK_MECHANISM mechanism = { asked->mechanism, asked->size ? (void *)asked->parameters : NULL,
                               asked->size };
    const struct asked none = { .operation = NONE };

    if (asked->operation == NONE)
        return CKR_OK;
    set_asked(session, &none);
    return (asked->operation == SIGN ? inner.C_SignInit : inner.C_DecryptInit)(session, &mechanism,
                                                                               asked->key);
}

static CK_RV sign_init(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key)
{
    struct asked asked;
    bool later = ask(&asked, SIGN, mechanism, key);

    set_asked(session, &asked);
    return later ? CKR_OK : inner.C_SignInit(session, mechanism, key);
}

static CK_RV decrypt_init(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key)
{
    struct asked asked;
    bool later = ask(&asked, DECRYPT, mechanism, key);

    set_asked(session, &asked);
    return later ? CKR_OK : inner.C_DecryptInit(session, mechanism, key);
}

static CK_RV find_out(CK_SESSION_HANDLE session, const struct asked *asked, CK_BYTE *input,
                      CK_ULONG size, CK_BYTE *answer, CK_ULONG *answer_size)
{
    CK_RV rv;

    if (recall(answer, answer_size, asked, input, size))
        return CKR_OK;
    *answer_size = ANSWER_MOST;
    if ((rv = begin(session, asked)) == CKR_OK)
        rv = (asked->operation == SIGN ? inner.C_Sign : inner.C_Decrypt)(session, input, size,
                                                                         answer, answer_size);
    if (rv == CKR_OK)
        remember(asked, input, size, answer, *answer_size);
    return rv;
}

/* What asks for the size only, or has no room for the answer, leaves the operation as it is. */
static CK_RV finish(CK_SESSION_HANDLE session, const struct asked *asked, CK_BYTE *input,
                    CK_ULONG size, CK_BYTE *out, CK_ULONG *out_size)
{
    CK_BYTE answer[ANSWER_MOST];
    CK_ULONG answer_size;
    CK_RV rv = find_out(session, asked, input, size, answer, &answer_size);
    const struct asked none = { .operation = NONE };
    bool room;

    if (rv != CKR_OK)
        return rv;
    room = out && *out_size >= answer_size;
    *out_size = answer_size;
    set_asked(session, room ? &none : asked);
    if (!out)
        return CKR_OK;
    if (room)
        memcpy(out, answer, answer_size);
    return room ? CKR_OK : CKR_BUFFER_TOO_SMALL;
}

static CK_RV sign(CK_SESSION_HANDLE session, CK_BYTE *data, CK_ULONG size, CK_BYTE *signature,
                  CK_ULONG *signature_size)
{
    struct asked asked = get_asked(session);

    if (asked.operation != SIGN)
        return inner.C_Sign(session, data, size, signature, signature_size);
    return finish(session, &asked, data, size, signature, signature_size);
}

static CK_RV decrypt(CK_SESSION_HANDLE session, CK_BYTE *in, CK_ULONG in_size, CK_BYTE *out,
                     CK_ULONG *size)
{
    struct asked asked = get_asked(session);

    if (asked.operation != DECRYPT)
        return inner.C_Decrypt(session, in, in_size, out, size);
    return finish(session, &asked, in, in_size, out, size);
}

static CK_RV sign_update(CK_SESSION_HANDLE session, CK_BYTE *data, CK_ULONG size)
{
    struct asked asked = get_asked(session);
    CK_RV rv = begin(session, &asked);

    return rv ? rv : inner.C_SignUpdate(session, data, size);
}

static CK_RV decrypt_update(CK_SESSION_HANDLE session, CK_BYTE *in, CK_ULONG in_size, CK_BYTE *out,
                            CK_ULONG *size)
{
    struct asked asked = get_asked(session);
    CK_RV rv = begin(session, &asked);

    return rv ? rv : inner.C_DecryptUpdate(session, in, in_size, out, size);
}

/* A login for one operation: the module must know of that. */
static CK_RV login(CK_SESSION_HANDLE session, CK_USER_TYPE user, CK_UTF8CHAR *pin, CK_ULONG size)
{
    struct asked asked = get_asked(session);
    CK_RV rv = user == CKU_CONTEXT_SPECIFIC ? begin(session, &asked) : CKR_OK;

    return rv ? rv : inner.C_Login(session, user, pin, size);
}

static CK_RV close_session(CK_SESSION_HANDLE session)
{
    forget_session(session);
    return inner.C_CloseSession(session);
}

static CK_RV finalize(void *reserved)
{
    forget_all();
    return inner.C_Finalize(reserved);
}

void replay_install(CK_FUNCTION_LIST *list)
{
    inner = *list;
    list->C_SignInit = sign_init;
    list->C_Sign = sign;
    list->C_SignUpdate = sign_update;
    list->C_DecryptInit = decrypt_init;
    list->C_Decrypt = decrypt;
    list->C_DecryptUpdate = decrypt_update;
    list->C_Login = login;
    list->C_CloseSession = close_session;
    list->C_Finalize = finalize;
}
