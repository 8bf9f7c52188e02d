#include "keystore/pkcs11/modules.h"

#include <dlfcn.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/text.h"
#include "keystore/pkcs11/token.h"

enum { RESTART_TRIES = 200, RESTART_PAUSE_NS = 5000000 };

void module_free(struct module *m)
{
    if (m->calls && m->managed)
        p11_kit_module_release(m->calls);
    pthread_mutex_destroy(&m->setup);
    handles_free(&m->handles);
    pthread_mutex_destroy(&m->tokens_lock);
    pthread_rwlock_destroy(&m->entered);
    pthread_mutex_destroy(&m->turn);
    free(m->init_args);
    free(m->path);
    free(m);
}

/*
 * p11-kit's client (0.24) has one connection for all threads, which its server answers one call
 * after the other.  When it breaks, the thread that reads from it fails, and the others wait for
 * ever for an answer that it would have handed them: so there are no others.
 */
static bool is_client(const char *path)
{
    const char *name = strrchr(path, '/');

    return name && text_starts(name, "/p11-kit-client.");
}

/* openCryptoki before 3.14: two threads that sign with one key read it into the same place at once,
 * and the process crashes. */
static bool is_old_opencryptoki(const CK_INFO *info)
{
    const CK_VERSION *version = &info->libraryVersion;
    static const char name[] = "Meta PKCS11 LIBRARY"; /* as it called itself then */

    return !strncmp((const char *)info->libraryDescription, name, sizeof name - 1) &&
           (version->major < 3 || (version->major == 3 && version->minor < 14));
}

static bool goes_by_turns(const struct module *m)
{
    CK_INFO info;

    return is_client(m->path) ||
           (m->calls->C_GetInfo(&info) == CKR_OK && is_old_opencryptoki(&info));
}

static void make_turns(pthread_mutex_t *turn)
{
    pthread_mutexattr_t kind;

    pthread_mutexattr_init(&kind);
    pthread_mutexattr_settype(&kind, PTHREAD_MUTEX_RECURSIVE);
    pthread_mutex_init(turn, &kind);
    pthread_mutexattr_destroy(&kind);
}

/* One thread may enter twice while another waits to restart: only this kind lets it. */
static void make_entrance(pthread_rwlock_t *entrance)
{
    pthread_rwlockattr_t kind;

    pthread_rwlockattr_init(&kind);
    pthread_rwlockattr_setkind_np(&kind, PTHREAD_RWLOCK_PREFER_READER_NP);
    pthread_rwlock_init(entrance, &kind);
    pthread_rwlockattr_destroy(&kind);
}

struct module *module_new(const char *path, const char *init_args)
{
    struct module *m = calloc(1, sizeof *m);

    if (!m)
        return NULL;
    pthread_mutex_init(&m->setup, NULL);
    handles_init(&m->handles);
    pthread_mutex_init(&m->tokens_lock, NULL);
    make_entrance(&m->entered);
    make_turns(&m->turn);
    m->process = getpid();
    m->refs = 1;
    m->path = strdup(path);
    m->init_args = strdup(init_args);
    if (m->path && m->init_args)
        return m;
    module_free(m);
    return NULL;
}

static bool is_of_p11_kit(CK_C_GetFunctionList get)
{
    Dl_info its, kits;

    return dladdr((void *)(uintptr_t)get, &its) &&
           dladdr((void *)(uintptr_t)p11_kit_module_load, &kits) && its.dli_fbase == kits.dli_fbase;
}

/*
 * p11-kit's proxy (a part of p11-kit itself) is every module of the machine as one.  p11-kit does
 * not manage it as a module, because it manages those behind it, and gives each who asks for it a
 * proxy of his own.
 */
static se_status load(struct module *m, se_error *err)
{
    /* Modules crash when their code is unmapped below threads and exit handlers of their own: it
     * stays. */
    void *handle = dlopen(m->path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    CK_C_GetFunctionList get;
    bool is_proxy;

    if (!handle)
        return error_set(err, SE_ERR_STORE, "'%s' is not a PKCS #11 module: %s", m->path,
                         dlerror());
    get = (CK_C_GetFunctionList)dlsym(handle, "C_GetFunctionList");
    is_proxy = get && is_of_p11_kit(get);
    dlclose(handle);
    if (!get)
        return error_set(err, SE_ERR_STORE,
                         "'%s' is not a PKCS #11 module: it has no C_GetFunctionList", m->path);
    if (!m->calls && is_proxy && get(&m->calls) != CKR_OK)
        m->calls = NULL;
    if (!m->calls && !is_proxy)
        m->managed = (m->calls = p11_kit_module_load(m->path, 0));
    if (!m->calls)
        return error_set(err, SE_ERR_STORE, "'%s' does not load as a PKCS #11 module", m->path);
    return SE_OK;
}

/* Past p11-kit, which believes that the module is initialised: a component that did not go through
 * p11-kit has finalised it. */
static CK_RV initialize_bare(struct module *m, CK_C_INITIALIZE_ARGS *args)
{
    void *handle = dlopen(m->path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    CK_C_GetFunctionList get =
        handle ? (CK_C_GetFunctionList)dlsym(handle, "C_GetFunctionList") : NULL;
    CK_FUNCTION_LIST *bare;
    CK_RV rv = get ? get(&bare) : CKR_GENERAL_ERROR;

    if (rv == CKR_OK)
        rv = bare->C_Initialize(args);
    if (handle)
        dlclose(handle);
    return rv == CKR_CRYPTOKI_ALREADY_INITIALIZED ? CKR_OK : rv;
}

static CK_RV initialize_managed(struct module *m, CK_C_INITIALIZE_ARGS *args)
{
    CK_RV rv = *m->init_args || !m->managed ? m->calls->C_Initialize(args)
                                            : p11_kit_module_initialize(m->calls);
    CK_INFO info;

    if (rv == CKR_OK && m->managed && m->calls->C_GetInfo(&info) == CKR_CRYPTOKI_NOT_INITIALIZED)
        rv = initialize_bare(m, args);
    return rv;
}

static se_status initialize(struct module *m, se_error *err)
{
    /* NSS has LibraryParameters where the standard has pReserved, and wants one more pointer behind
     * it to be NULL. */
    struct {
        CK_C_INITIALIZE_ARGS standard;
        void *nss_reserved;
    } args = { { .flags = CKF_OS_LOCKING_OK, .pReserved = *m->init_args ? m->init_args : NULL },
               NULL };
    CK_RV rv = initialize_managed(m, &args.standard);

    if (rv == CKR_ARGUMENTS_BAD)
        return error_set(err, SE_ERR_STORE,
                         "the PKCS #11 module '%s' does not take %s: CKR_ARGUMENTS_BAD", m->path,
                         *m->init_args ? "its initArgs" : "to be initialised without initArgs");
    if (rv != CKR_OK)
        return ckr_error(err, rv, "cannot initialise the PKCS #11 module '%s'", m->path);
    return SE_OK;
}

bool module_is_ours(const struct module *module)
{
    return module->process == getpid();
}

se_status module_start(struct module *module, se_error *err)
{
    se_status st = SE_OK;

    pthread_mutex_lock(&module->setup);
    if (!module->ready)
        st = load(module, err);
    if (!module->ready && !st)
        st = initialize(module, err);
    if (!module->ready && !st)
        module->by_turns = goes_by_turns(module);
    module->ready = !st;
    pthread_mutex_unlock(&module->setup);
    return st;
}

static void finalize(struct module *module)
{
    if (module->managed)
        (void)p11_kit_module_finalize(module->calls);
    else
        (void)module->calls->C_Finalize(NULL);
}

void module_stop(struct module *module)
{
    if (module->ready)
        finalize(module);
}

void module_enter(struct module *module)
{
    if (module->by_turns)
        pthread_mutex_lock(&module->turn);
    pthread_rwlock_rdlock(&module->entered);
}

void module_leave(struct module *module)
{
    pthread_rwlock_unlock(&module->entered);
    if (module->by_turns)
        pthread_mutex_unlock(&module->turn);
}

unsigned module_starts(struct module *module)
{
    return __atomic_load_n(&module->starts, __ATOMIC_ACQUIRE);
}

/* Not by waiting in the lock's queue: nobody who enters is to wait behind a call that does not come
 * back. */
static bool enter_alone(struct module *module)
{
    for (int i = 0; i < RESTART_TRIES; i++) {
        if (!pthread_rwlock_trywrlock(&module->entered))
            return true;
        nanosleep(&(struct timespec){ 0, RESTART_PAUSE_NS }, NULL);
    }
    return false;
}

se_status module_restart(struct module *module, unsigned seen, se_error *err)
{
    se_status st = SE_OK;

    if (!enter_alone(module))
        return error_set(err, SE_ERR_UNAVAILABLE,
                         "the PKCS #11 module '%s' is to be initialised anew, but calls into it "
                         "are still going on",
                         module->path);
    if (module_starts(module) == seen) {
        finalize(module);
        tokens_forget(module);
        st = initialize(module, err);
        __atomic_add_fetch(&module->starts, 1, __ATOMIC_RELEASE);
    }
    pthread_rwlock_unlock(&module->entered);
    return st;
}
