/* SPDX-License-Identifier: Apache-2.0 */
#include "keystore/pkcs11/module.h"

#include <dlfcn.h>
#include <link.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/fork_lock.h"
#include "base/text.h"
#include "keystore/pkcs11/session.h"

enum { RESTART_TRIES = 200, RESTART_PAUSE_NS = 5000000, FILE_NAMES = 3 };

/* ---- from the name in the configuration to a file ---- */

struct path_search {
    struct writer tried;
    char *found; /* NULL: not yet */
};

static void path_search_free(struct path_search *s)
{
    writer_free(&s->tried);
    free(s->found);
}
AUTO_KIND(path_search, struct path_search, path_search_free(p))

static bool try_file(struct path_search *s, const char *path)
{
    struct stat info;

    writer_format(&s->tried, "%s'%s'", s->tried.buf.size ? ", " : "", path);
    if (stat(path, &info) || !S_ISREG(info.st_mode))
        return false;
    s->found = realpath(path, NULL);
    return s->found != NULL;
}

static bool try_folder(struct path_search *s, const char *name)
{
    char *path;
    bool found;

    if (asprintf(&path, P11_MODULE_PATH "/%s", name) < 0)
        return !(s->tried.failed = true);
    found = try_file(s, path);
    free(path);
    return found;
}

/* Only the loader knows its path (ld.so.cache, LD_LIBRARY_PATH): it loads the library and says from
 * where. */
static bool try_loader(struct path_search *s, const char *name)
{
    void *handle = dlopen(name, RTLD_LAZY | RTLD_LOCAL | RTLD_NODELETE);
    struct link_map *map = NULL;

    writer_format(&s->tried, "%s'%s' on the loader's path", s->tried.buf.size ? ", " : "", name);
    if (!handle)
        return false;
    if (!dlinfo(handle, RTLD_DI_LINKMAP, &map) && map)
        s->found = realpath(map->l_name, NULL);
    dlclose(handle);
    return s->found != NULL;
}

/* What p11-kit's own configuration calls a module (module-name of a URI): "softhsm2" for
 * softhsm2.module. */
static void try_configuration(struct path_search *s, const char *name)
{
    CK_FUNCTION_LIST **modules = p11_kit_modules_load(NULL, 0);

    writer_format(&s->tried, ", '%s' in p11-kit's configuration", name);
    for (size_t i = 0; modules && modules[i] && !s->found; i++) {
        char *called = p11_kit_module_get_name(modules[i]),
             *file = p11_kit_module_get_filename(modules[i]);

        if (called && file && strcmp(called, name) == 0)
            s->found = realpath(file, NULL);
        free(called);
        free(file);
    }
    if (modules)
        p11_kit_modules_release(modules);
}

static bool has_extension(const char *name)
{
    const char *dot = strstr(name, ".so");

    return dot && (dot[3] == '\0' || dot[3] == '.');
}

/* The file names that `name` may stand for: itself, with ".so", with "lib" and ".so"; false: out of
 * memory. */
static bool spell_names(char *names[FILE_NAMES], const char *name)
{
    if (!(names[0] = strdup(name)) || has_extension(name))
        return names[0] != NULL;
    if (asprintf(&names[1], "%s.so", name) < 0) {
        names[1] = NULL;
        return false;
    }
    if (asprintf(&names[2], "lib%s.so", name) < 0) {
        names[2] = NULL;
        return false;
    }
    return true;
}

static void try_names(struct path_search *s, char *const names[FILE_NAMES], bool bare)
{
    if (!bare) {
        if (!try_file(s, names[0]) && names[1])
            (void)try_file(s, names[1]);
        return;
    }
    for (int i = 0; i < FILE_NAMES && names[i]; i++)
        if (try_folder(s, names[i]))
            return;
    for (int i = 0; i < FILE_NAMES && names[i]; i++)
        if (try_loader(s, names[i]))
            return;
    try_configuration(s, names[0]);
}

se_status module_path(char **out, const char *location, se_error *err)
{
    AUTO(path_search) s = { 0 };
    char *names[FILE_NAMES] = { NULL };
    bool ok;

    *out = NULL;
    if (!*location)
        return error_set(err, SE_ERR_STORE, "no PKCS #11 module is named (locationValue)");
    if ((ok = spell_names(names, location)))
        try_names(&s, names, !strchr(location, '/'));
    for (int i = 0; i < FILE_NAMES; i++)
        free(names[i]);
    if (!ok || s.tried.failed)
        return error_memory(err);
    if (!s.found)
        return error_set(err, SE_ERR_STORE, "no PKCS #11 module '%s'%s: tried %s", location,
                         file_hint(location), writer_string(&s.tried));
    *out = MOVE(s.found);
    return SE_OK;
}

/* ---- loading and initialising ---- */

static bool is_of_p11_kit(CK_C_GetFunctionList get)
{
    Dl_info its, kits;

    return dladdr((void *)(uintptr_t)get, &its) &&
           dladdr((void *)(uintptr_t)p11_kit_module_load, &kits) && its.dli_fbase == kits.dli_fbase;
}

/*
 * p11-kit's proxy (a part of p11-kit itself) is every module of the machine as one.  p11-kit does
 * not manage it as a module, because it manages those behind it, and gives each caller a proxy of
 * its own.
 */
static se_status module_load(struct module *m, se_error *err)
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

static se_status module_initialize(struct module *m, se_error *err)
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

/* Loads and initialises it, if nobody has.  It may take as long as it takes: no other lock is held
 * than the module's own. */
static se_status module_start(struct module *module, se_error *err)
{
    se_status st = SE_OK;

    pthread_mutex_lock(&module->setup);
    if (!module->ready)
        st = module_load(module, err);
    if (!module->ready && !st)
        st = module_initialize(module, err);
    if (!module->ready && !st)
        module->by_turns = goes_by_turns(module);
    module->ready = !st;
    pthread_mutex_unlock(&module->setup);
    return st;
}

static void module_finalize(struct module *module)
{
    if (module->managed)
        (void)p11_kit_module_finalize(module->calls);
    else
        (void)module->calls->C_Finalize(NULL);
}

static void module_free(struct module *m)
{
    if (m->calls && m->managed)
        p11_kit_module_release(m->calls);
    pthread_mutex_destroy(&m->setup);
    session_handles_free(&m->handles);
    pthread_mutex_destroy(&m->tokens_lock);
    pthread_rwlock_destroy(&m->entered);
    pthread_mutex_destroy(&m->turn);
    free(m->init_args);
    free(m->path);
    free(m);
}

/* A thread may enter twice, also while another waits to restart: only these kinds let it. */
static void init_entrance(struct module *m)
{
    pthread_mutexattr_t turn;
    pthread_rwlockattr_t entered;

    pthread_mutexattr_init(&turn);
    pthread_mutexattr_settype(&turn, PTHREAD_MUTEX_RECURSIVE);
    pthread_mutex_init(&m->turn, &turn);
    pthread_mutexattr_destroy(&turn);
    pthread_rwlockattr_init(&entered);
    pthread_rwlockattr_setkind_np(&entered, PTHREAD_RWLOCK_PREFER_READER_NP);
    pthread_rwlock_init(&m->entered, &entered);
    pthread_rwlockattr_destroy(&entered);
}

/* Counted once, and nothing of the module has been called yet; NULL: no memory. */
static struct module *module_new(const char *path, const char *init_args)
{
    struct module *m = calloc(1, sizeof *m);

    if (!m)
        return NULL;
    pthread_mutex_init(&m->setup, NULL);
    session_handles_init(&m->handles);
    pthread_mutex_init(&m->tokens_lock, NULL);
    init_entrance(m);
    m->process = getpid();
    m->refs = 1;
    m->path = strdup(path);
    m->init_args = strdup(init_args);
    if (m->path && m->init_args)
        return m;
    module_free(m);
    return NULL;
}

/* ---- the table of modules, under fork_lock_take() ---- */

static struct module *table;

bool module_is_ours(const struct module *module)
{
    return module->process == getpid();
}

/* The entry for that file, counted, or a new one; NULL: no memory. */
static struct module *table_enter(const char *path, const char *init_args)
{
    struct module *m;

    fork_lock_take();
    for (m = table; m && !(module_is_ours(m) && !strcmp(m->path, path)); m = m->next)
        ;
    if (m) {
        m->refs++;
    } else if ((m = module_new(path, init_args))) {
        m->next = table;
        table = m;
    }
    fork_lock_give();
    return m;
}

struct module *module_ref(struct module *module)
{
    fork_lock_take();
    module->refs++;
    fork_lock_give();
    return module;
}

/* True: out of the table, and this thread's alone. */
static bool is_last_use(struct module *module)
{
    bool last;

    fork_lock_take();
    last = !--module->refs;
    for (struct module **p = &table; last && *p; p = &(*p)->next)
        if (*p == module) {
            *p = module->next;
            break;
        }
    fork_lock_give();
    return last;
}

void module_close(struct module *module)
{
    if (!module || !module_is_ours(module) || !is_last_use(module))
        return;
    if (module->ready)
        module_finalize(module);
    module_free(module);
}

se_status module_open(struct module **out, const char *location, const char *init_args,
                      se_error *err)
{
    AUTO(module) module = NULL;
    char *path;

    *out = NULL;
    TRY(module_path(&path, location, err));
    module = table_enter(path, init_args);
    free(path);
    if (!module)
        return error_memory(err);
    if (strcmp(module->init_args, init_args) != 0)
        return error_set(err, SE_ERR_STORE,
                         "the PKCS #11 module '%s' is in use with other initArgs, and can be "
                         "initialised only once",
                         module->path);
    TRY(module_start(module, err));
    *out = MOVE(module);
    return SE_OK;
}

/* ---- entering and restarting ---- */

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

/* Not by waiting in the lock's queue: no caller may wait behind a call that does not come
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
        module_finalize(module);
        sessions_forget(module);
        st = module_initialize(module, err);
        __atomic_add_fetch(&module->starts, 1, __ATOMIC_RELEASE);
    }
    pthread_rwlock_unlock(&module->entered);
    return st;
}
