/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/shim/shim.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/shim/fault.h"
#include "tests/lib/shim/replay.h"
#include "tests/lib/shim/script.h"

enum { SESSIONS_MOST = 4096 };

struct shim shim; /* the test looks it up in the loaded module */

static CK_FUNCTION_LIST *real, below, list;
static _Thread_local bool refused; /* the operation that this thread has begun, late */

static void count(unsigned *counter, int by)
{
    pthread_mutex_lock(&shim.lock);
    *counter += (unsigned)by;
    pthread_mutex_unlock(&shim.lock);
}

static CK_RV initialize(void *args)
{
    count(&shim.initialized, 1);
    return below.C_Initialize(args);
}

static CK_RV token_info(CK_SLOT_ID slot, CK_TOKEN_INFO *info)
{
    CK_RV rv = shim.token_info ? shim.token_info : below.C_GetTokenInfo(slot, info);

    if (rv != CKR_OK)
        return rv;
    if (shim.blank_after) {
        shim.blank_after--;
    } else if (shim.initialized <= shim.blank_starts || shim.blank_times) {
        shim.blank_times -= shim.blank_times > 0;
        memset(info, ' ', sizeof *info);
        info->flags = 0;
    }
    info->flags = (info->flags & ~shim.clear_flags) | shim.set_flags;
    if (shim.clear_times && !--shim.clear_times)
        shim.clear_flags = 0;
    if (shim.manufacturer) {
        memset(info->manufacturerID, ' ', sizeof info->manufacturerID);
        memcpy(info->manufacturerID, shim.manufacturer, strlen(shim.manufacturer));
    }
    if (shim.told_sessions)
        info->ulMaxSessionCount = shim.told_sessions;
    return CKR_OK;
}

/* ---- sessions ---- */

static struct {
    CK_SESSION_HANDLE handle;
    CK_SLOT_ID slot;
} opened[SESSIONS_MOST]; /* under shim.lock */
static size_t opened_count;

/* Counted; false: that would be more than are given. */
static bool may_open(void)
{
    bool may;

    pthread_mutex_lock(&shim.lock);
    if ((may = !shim.given_sessions || shim.sessions < shim.given_sessions))
        shim.sessions++;
    if (shim.sessions > shim.most_sessions)
        shim.most_sessions = shim.sessions;
    pthread_mutex_unlock(&shim.lock);
    return may;
}

static void remember(CK_SESSION_HANDLE handle, CK_SLOT_ID slot)
{
    pthread_mutex_lock(&shim.lock);
    if (opened_count < SESSIONS_MOST) {
        opened[opened_count].handle = handle;
        opened[opened_count++].slot = slot;
    }
    pthread_mutex_unlock(&shim.lock);
}

/* Those of one handle, or of one slot, or all. */
static void forget(const CK_SESSION_HANDLE *handle, const CK_SLOT_ID *slot)
{
    pthread_mutex_lock(&shim.lock);
    for (size_t i = opened_count; i--;) {
        if ((handle && opened[i].handle != *handle) || (slot && opened[i].slot != *slot))
            continue;
        opened[i] = opened[--opened_count];
        shim.sessions--;
    }
    pthread_mutex_unlock(&shim.lock);
}

static CK_RV open_session(CK_SLOT_ID slot, CK_FLAGS flags, void *arg, CK_NOTIFY notify,
                          CK_SESSION_HANDLE *out)
{
    CK_RV rv;

    if (shim.open)
        return shim.open;
    if (!may_open())
        return CKR_SESSION_COUNT;
    rv = below.C_OpenSession(slot, flags, arg, notify, out);
    if (rv == CKR_OK)
        remember(*out, slot);
    else
        count(&shim.sessions, -1);
    return rv;
}

static CK_RV close_session(CK_SESSION_HANDLE session)
{
    CK_RV rv = below.C_CloseSession(session);

    forget(&session, NULL);
    return rv;
}

static CK_RV close_all(CK_SLOT_ID slot)
{
    CK_RV rv = below.C_CloseAllSessions(slot);

    forget(NULL, &slot);
    return rv;
}

static CK_RV finalize(void *reserved)
{
    CK_RV rv = below.C_Finalize(reserved);

    forget(NULL, NULL);
    return rv;
}

/* ---- the rest ---- */

static CK_RV login(CK_SESSION_HANDLE session, CK_USER_TYPE user, CK_UTF8CHAR *pin, CK_ULONG size)
{
    count(user == CKU_CONTEXT_SPECIFIC ? &shim.context_logins : &shim.logins, 1);
    if (!pin) {
        count(&shim.null_pins, 1);
        return below.C_Login(session, user, (CK_UTF8CHAR *)"1234",
                             4); /* as typed into the token's keypad */
    }
    if (shim.set_after_login)
        shim.set_flags |= shim.set_after_login;
    if (shim.login && shim.logins != shim.login_right)
        return shim.login;
    return below.C_Login(session, user, pin, size);
}

static CK_RV find_init(CK_SESSION_HANDLE session, CK_ATTRIBUTE *template, CK_ULONG n)
{
    return shim.find ? shim.find : below.C_FindObjectsInit(session, template, n);
}

static CK_RV find(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE *out, CK_ULONG most, CK_ULONG *n)
{
    return below.C_FindObjects(
        session, out, shim.found_at_once && most > shim.found_at_once ? shim.found_at_once : most,
        n);
}

static CK_RV attributes(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE *template,
                        CK_ULONG n)
{
    if (shim.hidden && n == 1 && template->type == shim.hidden) {
        template->ulValueLen = CK_UNAVAILABLE_INFORMATION;
        return CKR_ATTRIBUTE_TYPE_INVALID;
    }
    return below.C_GetAttributeValue(session, object, template, n);
}

static bool refuses(CK_MECHANISM_TYPE mechanism)
{
    bool found = false;

    for (size_t i = 0; i < sizeof shim.refused / sizeof *shim.refused; i++)
        found = found || (shim.refused[i] && shim.refused[i] == mechanism);
    return found;
}

static CK_RV begin(CK_C_SignInit init, CK_SESSION_HANDLE session, CK_MECHANISM *mechanism,
                   CK_OBJECT_HANDLE key)
{
    __atomic_store_n(&shim.mechanism, mechanism->mechanism, __ATOMIC_RELAXED);
    if (!(refused = refuses(mechanism->mechanism)))
        return init(session, mechanism, key);
    return shim.refused_late ? CKR_OK : shim.refusal;
}

static CK_RV sign_init(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key)
{
    return shim.sign_init ? shim.sign_init : begin(below.C_SignInit, session, mechanism, key);
}

static CK_RV decrypt_init(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key)
{
    return begin(below.C_DecryptInit, session, mechanism, key);
}

static CK_RV sign(CK_SESSION_HANDLE session, CK_BYTE *data, CK_ULONG size, CK_BYTE *signature,
                  CK_ULONG *signature_size)
{
    CK_RV rv;

    count(&shim.signatures, 1);
    __atomic_store_n(&shim.signed_bytes, size, __ATOMIC_RELAXED);
    if (refused)
        return shim.refusal;
    rv = below.C_Sign(session, data, size, signature, signature_size);
    if (shim.sign || rv != CKR_OK)
        return shim.sign ? shim.sign : rv;
    *signature_size -= shim.sign_short;
    return CKR_OK;
}

static void strip(CK_BYTE *data, CK_ULONG *size)
{
    CK_ULONG zeros = 0;

    while (zeros < *size && !data[zeros])
        zeros++;
    memmove(data, data + zeros, *size - zeros);
    *size -= zeros;
}

static CK_RV decrypt(CK_SESSION_HANDLE session, CK_BYTE *in, CK_ULONG in_size, CK_BYTE *out,
                     CK_ULONG *size)
{
    CK_RV once = __atomic_exchange_n(&shim.fail_once, CKR_OK, __ATOMIC_RELAXED), rv;

    count(&shim.decryptions, 1);
    if (refused)
        return shim.refusal;
    rv = below.C_Decrypt(session, in, in_size, out, size);
    if (rv != CKR_OK && shim.decrypt_failure)
        rv = shim.decrypt_failure;
    if (shim.decrypt || once)
        return once ? once : shim.decrypt;
    if (rv == CKR_OK && shim.strip_zeros)
        strip(out, size);
    *size += rv == CKR_OK ? shim.decrypt_more : 0;
    return rv;
}

static CK_RV create(CK_SESSION_HANDLE session, CK_ATTRIBUTE *template, CK_ULONG n,
                    CK_OBJECT_HANDLE *out)
{
    for (CK_ULONG i = 0; shim.create && i < n; i++)
        if (template[i].type == CKA_CLASS &&
            *(CK_OBJECT_CLASS *)template[i].pValue == shim.create_class)
            return shim.create;
    return below.C_CreateObject(session, template, n, out);
}

static CK_RV generate(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_ATTRIBUTE *public,
                      CK_ULONG publics, CK_ATTRIBUTE *private, CK_ULONG privates,
                      CK_OBJECT_HANDLE *out_public, CK_OBJECT_HANDLE *out_private)
{
    CK_ATTRIBUTE more[2][32], id = { CKA_ID, (CK_BYTE[]){ 0x42 }, 1 };

    if (!shim.own_ids)
        return below.C_GenerateKeyPair(session, mechanism, public, publics, private, privates,
                                       out_public, out_private);
    memcpy(more[0], public, publics * sizeof *public);
    memcpy(more[1], private, privates * sizeof *private);
    more[0][publics] = more[1][privates] = id;
    return below.C_GenerateKeyPair(session, mechanism, more[0], publics + 1, more[1], privates + 1,
                                   out_public, out_private);
}

static CK_RV set_attributes(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object,
                            CK_ATTRIBUTE *template, CK_ULONG n)
{
    return shim.set ? shim.set : below.C_SetAttributeValue(session, object, template, n);
}

/* Refuses once: what is done about a refusal is no longer refused. */
static CK_RV destroy(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object)
{
    CK_RV rv = shim.destroy;

    shim.destroy = CKR_OK;
    return rv ? rv : below.C_DestroyObject(session, object);
}

static CK_RV load(void)
{
    const char *path;
    void *handle;
    CK_C_GetFunctionList get;

    script_load();
    path = script_module() ? script_module() : getenv("SHIM_MODULE");
    handle = path ? dlopen(path, RTLD_NOW | RTLD_LOCAL) : NULL;
    get = handle ? (CK_C_GetFunctionList)dlsym(handle, "C_GetFunctionList") : NULL;
    if (!get)
        fprintf(stderr, "shim: there is no module '%s' to stand in front of\n", path ? path : "");
    return get ? get(&real) : CKR_LIBRARY_LOAD_FAILED;
}

static void lie(void)
{
    list.C_GetFunctionList = C_GetFunctionList;
    list.C_Initialize = initialize;
    list.C_GetTokenInfo = token_info;
    list.C_OpenSession = open_session;
    list.C_CloseSession = close_session;
    list.C_CloseAllSessions = close_all;
    list.C_Finalize = finalize;
    list.C_Login = login;
    list.C_FindObjectsInit = find_init;
    list.C_FindObjects = find;
    list.C_GetAttributeValue = attributes;
    list.C_SignInit = sign_init;
    list.C_Sign = sign;
    list.C_DecryptInit = decrypt_init;
    list.C_Decrypt = decrypt;
    list.C_CreateObject = create;
    list.C_SetAttributeValue = set_attributes;
    list.C_GenerateKeyPair = generate;
    list.C_DestroyObject = destroy;
}

static CK_RV set_up(void)
{
    CK_RV rv = load();

    if (rv != CKR_OK)
        return rv;
    below = *real;
    replay_install(&below);
    list = below;
    lie();
    faults_install(&list, real);
    return CKR_OK;
}

CK_RV C_GetFunctionList(CK_FUNCTION_LIST **out)
{
    static pthread_mutex_t once = PTHREAD_MUTEX_INITIALIZER;
    CK_RV rv;

    pthread_mutex_lock(&once);
    rv = real ? CKR_OK : set_up();
    pthread_mutex_unlock(&once);
    *out = &list;
    return rv;
}
