#include "keystore/pkcs11/modules.h"

#include <stdlib.h>

#include "keystore/pkcs11/modulepath.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* of the table and its counts; never held
                                                            while a module is called */
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
        return error_set(err, SE_ERR_STORE,
                         "the PKCS #11 module '%s' is in use with other initArgs, and can be "
                         "initialised only once",
                         m->path);
    m->refs++;
    *out = m;
    return SE_OK;
}

static se_status add(struct module **out, const char *path, const char *init_args, se_error *err)
{
    struct module *m = module_new(path, init_args);

    if (!m)
        return error_memory(err);
    m->next = table;
    *out = table = m;
    return SE_OK;
}

static se_status enlist(struct module **out, const char *path, const char *init_args, se_error *err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct module *there;
    se_status st;

    pthread_once(&once, guard_forks);
    pthread_mutex_lock(&lock);
    there = find(path);
    st = there ? share(out, there, init_args, err) : add(out, path, init_args, err);
    pthread_mutex_unlock(&lock);
    return st;
}

se_status module_open(struct module **out, const char *location, const char *init_args,
                      se_error *err)
{
    AUTO(module) module = NULL;
    char *path;
    se_status st;

    *out = NULL;
    TRY(module_path(&path, location, err));
    st = enlist(&module, path, init_args, err);
    free(path);
    if (st || (st = module_start(module, err)))
        return st;
    *out = MOVE(module);
    return SE_OK;
}

struct module *module_ref(struct module *module)
{
    pthread_mutex_lock(&lock);
    module->refs++;
    pthread_mutex_unlock(&lock);
    return module;
}

/* True: out of the table, and this thread's alone. */
static bool last_use(struct module *module)
{
    bool last;

    pthread_mutex_lock(&lock);
    last = !--module->refs;
    for (struct module **p = &table; last && *p; p = &(*p)->next)
        if (*p == module) {
            *p = module->next;
            break;
        }
    pthread_mutex_unlock(&lock);
    return last;
}

void module_close(struct module *module)
{
    if (!module || !module_is_ours(module) || !last_use(module))
        return;
    module_stop(module);
    module_free(module);
}
