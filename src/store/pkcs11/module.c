#include "store/pkcs11/module.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <unistd.h>

#include "store/pkcs11/modulepath.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* of the table, its counts, and C_Initialize and C_Finalize */
static struct module *table;

static void before_fork(void)
{
    pthread_mutex_lock(&lock);
}

static void after_fork(void)
{
    pthread_mutex_unlock(&lock);
}

/* A fork while another thread holds the lock would leave it held in the child for ever. */
static void guard_forks(void)
{
    (void)pthread_atfork(before_fork, after_fork, after_fork);
}

static void module_free(struct module *m)
{
    if (m->calls)
        p11_kit_module_release(m->calls);
    pthread_mutex_destroy(&m->tokens_lock);
    free(m->init_args);
    free(m->path);
    free(m);
}

static struct module *module_new(const char *path, const char *init_args)
{
    struct module *m = calloc(1, sizeof *m);

    if (!m)
        return NULL;
    pthread_mutex_init(&m->tokens_lock, NULL);
    m->process = getpid();
    m->refs = 1;
    m->path = strdup(path);
    m->init_args = strdup(init_args);
    if (m->path && m->init_args)
        return m;
    module_free(m);
    return NULL;
}

static se_status load(struct module *m, se_error *err)
{
    /* Modules crash when their code is unmapped below threads and exit handlers of their own: it stays. */
    void *handle = dlopen(m->path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    bool is_module;

    if (!handle)
        return error_set(err, SE_ERR_STORE, "'%s' is not a PKCS #11 module: %s", m->path, dlerror());
    is_module = dlsym(handle, "C_GetFunctionList") != NULL;
    dlclose(handle);
    if (!is_module)
        return error_set(err, SE_ERR_STORE, "'%s' is not a PKCS #11 module: it has no C_GetFunctionList", m->path);
    if (!(m->calls = p11_kit_module_load(m->path, 0)))
        return error_set(err, SE_ERR_STORE, "'%s' does not load as a PKCS #11 module", m->path);
    return SE_OK;
}

static se_status initialize(struct module *m, se_error *err)
{
    /* NSS has LibraryParameters where the standard has pReserved, and wants one more pointer behind it to be NULL. */
    struct {
        CK_C_INITIALIZE_ARGS standard;
        void *nss_reserved;
    } args = { { .flags = CKF_OS_LOCKING_OK, .pReserved = m->init_args }, NULL };
    CK_RV rv = *m->init_args ? m->calls->C_Initialize(&args.standard) : p11_kit_module_initialize(m->calls);

    if (rv == CKR_ARGUMENTS_BAD)
        return error_set(err, SE_ERR_STORE, "the PKCS #11 module '%s' does not take %s: CKR_ARGUMENTS_BAD", m->path,
                         *m->init_args ? "its initArgs" : "to be initialised without initArgs");
    if (rv != CKR_OK)
        return ckr_error(err, rv, "cannot initialise the PKCS #11 module '%s'", m->path);
    return SE_OK;
}

bool module_is_ours(const struct module *module)
{
    return module->process == getpid();
}

static struct module *find(const char *path)
{
    for (struct module *m = table; m; m = m->next)
        if (module_is_ours(m) && !strcmp(m->path, path))
            return m;
    return NULL;
}

static se_status share(struct module **out, struct module *m, const char *init_args, se_error *err)
{
    if (strcmp(m->init_args, init_args) != 0)
        return error_set(err, SE_ERR_STORE, "the PKCS #11 module '%s' is in use with other initArgs, and can be initialised only once",
                         m->path);
    m->refs++;
    *out = m;
    return SE_OK;
}

static se_status add(struct module **out, const char *path, const char *init_args, se_error *err)
{
    struct module *m = module_new(path, init_args);
    se_status st;

    if (!m)
        return error_memory(err);
    if ((st = load(m, err)) || (st = initialize(m, err))) {
        module_free(m);
        return st;
    }
    m->next = table;
    *out = table = m;
    return SE_OK;
}

se_status module_open(struct module **out, const char *location, const char *init_args, se_error *err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct module *there;
    char *path;
    se_status st;

    *out = NULL;
    if ((st = module_path(&path, location, err)))
        return st;
    pthread_once(&once, guard_forks);
    pthread_mutex_lock(&lock);
    there = find(path);
    st = there ? share(out, there, init_args, err) : add(out, path, init_args, err);
    pthread_mutex_unlock(&lock);
    free(path);
    return st;
}

struct module *module_ref(struct module *module)
{
    pthread_mutex_lock(&lock);
    module->refs++;
    pthread_mutex_unlock(&lock);
    return module;
}

static void unlink_module(struct module *module)
{
    for (struct module **p = &table; *p; p = &(*p)->next)
        if (*p == module) {
            *p = module->next;
            return;
        }
}

void module_close(struct module *module)
{
    if (!module || !module_is_ours(module))
        return;
    pthread_mutex_lock(&lock);
    if (!--module->refs) {
        unlink_module(module);
        (void)p11_kit_module_finalize(module->calls);
        module_free(module);
    }
    pthread_mutex_unlock(&lock);
}
