#include "tests/token/shim.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>

struct shim shim; /* the test looks it up in the loaded module */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static CK_FUNCTION_LIST *real, list;

static void count(unsigned *counter, int by)
{
    pthread_mutex_lock(&lock);
    *counter += (unsigned)by;
    if (shim.sessions > shim.most_sessions)
        shim.most_sessions = shim.sessions;
    pthread_mutex_unlock(&lock);
}

static CK_RV token_info(CK_SLOT_ID slot, CK_TOKEN_INFO *info)
{
    CK_RV rv = shim.token_info ? shim.token_info : real->C_GetTokenInfo(slot, info);

    if (rv != CKR_OK)
        return rv;
    info->flags = (info->flags & ~shim.clear_flags) | shim.set_flags;
    if (shim.told_sessions)
        info->ulMaxSessionCount = shim.told_sessions;
    return CKR_OK;
}

static CK_RV open_session(CK_SLOT_ID slot, CK_FLAGS flags, void *arg, CK_NOTIFY notify, CK_SESSION_HANDLE *out)
{
    CK_RV rv;

    if (shim.open)
        return shim.open;
    count(&shim.sessions, 1);
    if (shim.given_sessions && shim.sessions > shim.given_sessions)
        rv = CKR_SESSION_COUNT;
    else
        rv = real->C_OpenSession(slot, flags, arg, notify, out);
    if (rv != CKR_OK)
        count(&shim.sessions, -1);
    return rv;
}

static CK_RV close_session(CK_SESSION_HANDLE session)
{
    count(&shim.sessions, -1);
    return real->C_CloseSession(session);
}

static CK_RV login(CK_SESSION_HANDLE session, CK_USER_TYPE user, CK_UTF8CHAR *pin, CK_ULONG size)
{
    count(user == CKU_CONTEXT_SPECIFIC ? &shim.context_logins : &shim.logins, 1);
    if (!pin) {
        count(&shim.null_pins, 1);
        return real->C_Login(session, user, (CK_UTF8CHAR *)"1234", 4); /* as typed into the token's keypad */
    }
    if (shim.set_after_login)
        shim.set_flags |= shim.set_after_login;
    if (shim.login)
        return shim.login;
    return real->C_Login(session, user, pin, size);
}

static CK_RV find_init(CK_SESSION_HANDLE session, CK_ATTRIBUTE *template, CK_ULONG n)
{
    return shim.find ? shim.find : real->C_FindObjectsInit(session, template, n);
}

static CK_RV attributes(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE *template, CK_ULONG n)
{
    if (shim.hidden && n == 1 && template->type == shim.hidden) {
        template->ulValueLen = CK_UNAVAILABLE_INFORMATION;
        return CKR_ATTRIBUTE_TYPE_INVALID;
    }
    return real->C_GetAttributeValue(session, object, template, n);
}

static CK_RV sign_init(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key)
{
    return shim.sign_init ? shim.sign_init : real->C_SignInit(session, mechanism, key);
}

static CK_RV sign(CK_SESSION_HANDLE session, CK_BYTE *data, CK_ULONG size, CK_BYTE *signature, CK_ULONG *signature_size)
{
    CK_RV rv = real->C_Sign(session, data, size, signature, signature_size);

    count(&shim.signatures, 1);
    if (shim.sign || rv != CKR_OK)
        return shim.sign ? shim.sign : rv;
    *signature_size -= shim.sign_short;
    return CKR_OK;
}

static CK_RV load(void)
{
    void *handle = dlopen(getenv("SHIM_MODULE"), RTLD_NOW | RTLD_LOCAL);
    CK_C_GetFunctionList get = handle ? (CK_C_GetFunctionList)dlsym(handle, "C_GetFunctionList") : NULL;

    return get ? get(&real) : CKR_LIBRARY_LOAD_FAILED;
}

CK_RV C_GetFunctionList(CK_FUNCTION_LIST **out)
{
    CK_RV rv = real ? CKR_OK : load();

    if (rv != CKR_OK)
        return rv;
    list = *real;
    list.C_GetFunctionList = C_GetFunctionList;
    list.C_GetTokenInfo = token_info;
    list.C_OpenSession = open_session;
    list.C_CloseSession = close_session;
    list.C_Login = login;
    list.C_FindObjectsInit = find_init;
    list.C_GetAttributeValue = attributes;
    list.C_SignInit = sign_init;
    list.C_Sign = sign;
    *out = &list;
    return CKR_OK;
}
