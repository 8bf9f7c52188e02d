/*
 * PKCS #11 modules of this process, one entry per file, counted: two engines share a module, and
 * p11-kit coordinates C_Initialize with other components.  The one mutable global of the library,
 * but for the PINs that were refused (refusal.h).
 *
 * The child of a fork must initialise modules again: an entry belongs to the process that made it,
 * and the child makes its own.
 */
#ifndef KEYSTORE_PKCS11_MODULE_H
#define KEYSTORE_PKCS11_MODULE_H

#include <p11-kit/p11-kit.h>
#include <p11-kit/pkcs11.h>
#include <pthread.h>
#include <sys/types.h>

#include "base/buf.h"
#include "keystore/pkcs11/handles.h"
#include "keystore/pkcs11/rv.h"

struct token;

struct module {
    char *path; /* resolved */
    CK_FUNCTION_LIST *calls;

    /* kept by modules.c */
    char *init_args;
    unsigned refs;
    pid_t process;
    struct module *next;

    /* kept by module.c */
    pthread_mutex_t setup; /* of `ready`, while the module is loaded and initialised */
    bool ready;
    unsigned starts;          /* atomic: how often it was initialised */
    pthread_rwlock_t entered; /* see module_enter() */
    bool managed;             /* by p11-kit, which counts who has initialised it */
    bool by_turns;            /* one thread at a time */
    pthread_mutex_t turn;

    struct handles handles; /* kept by pool.c */

    /* kept by token.c: the tokens in use */
    pthread_mutex_t tokens_lock;
    struct token *tokens;
};

/*
 * `location`: as the configuration says it: a path or a name, with or without extension
 * (modulepath.h).  `init_args`: pReserved of C_Initialize, "" for none.  The caller gives *out back
 * with module_close(). SE_ERR_STORE: no such file, not a module, or in use with other init_args;
 * SE_ERR_UNAVAILABLE: it does not reach its device.
 */
SE_MUST_CHECK se_status module_open(struct module **out, const char *location,
                                    const char *init_args, se_error *err);
struct module *module_ref(struct module *module);
void module_close(struct module *module); /* accepts NULL; does nothing in the child of the process
                                             that opened it */
AUTO_KIND(module, struct module *, module_close(*p))

/*
 * Around all calls into the module, by any number of threads and more than once by each: meanwhile
 * it is not initialised anew, so that session handles keep their meaning.
 */
void module_enter(struct module *module);
void module_leave(struct module *module);

/* For module_restart(). */
unsigned module_starts(struct module *module);

/*
 * C_Finalize and C_Initialize, unless that has happened since module_starts() was `seen`; all
 * sessions are gone then. SE_ERR_UNAVAILABLE: not now, because others are in the module, or it does
 * not reach its device.
 */
SE_MUST_CHECK se_status module_restart(struct module *module, unsigned seen, se_error *err);

/* False in the child of the process that opened it, where its calls do not work. */
bool module_is_ours(const struct module *module);

#endif
