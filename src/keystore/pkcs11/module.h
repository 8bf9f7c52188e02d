/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PKCS #11 modules of this process, one entry per file, counted: two engines share a module, and
 * p11-kit coordinates C_Initialize with other components.  The one mutable global of the library,
 * but for the PINs that were refused (pin_blocklist.h).
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
#include "keystore/pkcs11/ckr.h"

struct token;

struct session_handle {
    CK_SESSION_HANDLE value;
    bool closing;
    bool again; /* a new session has the same number, and nobody has that one */
};

/*
 * The session handles in our hands, of all tokens of a module.  A module that somebody else has
 * initialised anew gives out the same numbers again: then two threads of ours must not work in one
 * session, and closing the old session must not close the new one.
 */
struct session_handles {
    pthread_mutex_t lock; /* of what follows */
    struct session_handle *list;
    size_t count, room;
};

struct module {
    char *path; /* resolved */
    CK_FUNCTION_LIST *calls;
    char *init_args;
    pid_t process;
    bool managed;  /* by p11-kit, which counts who has initialised it */
    bool by_turns; /* one thread at a time */

    /* under fork_lock_take() */
    unsigned refs;
    struct module *next;

    pthread_mutex_t setup; /* of `ready`, while the module is loaded and initialised */
    bool ready;
    unsigned starts;          /* atomic: how often it was initialised */
    pthread_rwlock_t entered; /* see module_enter() */
    pthread_mutex_t turn;

    struct session_handles handles; /* kept by session.c */

    /* kept by token.c: the tokens in use */
    pthread_mutex_t tokens_lock;
    struct token *tokens;
};

/*
 * `location`: as the configuration has it, see module_path().  `init_args`: pReserved of
 * C_Initialize, "" for none.  The caller gives *out back with module_close().  SE_ERR_STORE: no
 * such file, not a module, or in use with other init_args; SE_ERR_UNAVAILABLE: it does not reach
 * its device.
 */
SE_MUST_CHECK se_status module_open(struct module **out, const char *location,
                                    const char *init_args, se_error *err);
struct module *module_ref(struct module *module);
void module_close(struct module *module); /* accepts NULL; does nothing in the child of the process
                                             that opened it */
AUTO_KIND(module, struct module *, module_close(*p))

/*
 * The file of a module.  A location with a slash is tried as written, then with ".so".  A bare name
 * is looked for as NAME, NAME.so and libNAME.so, in p11-kit's module folder and then on the
 * loader's path, and as a name in p11-kit's configuration.  *out is absolute, without symbolic
 * links, and released with free().  SE_ERR_STORE lists everything that was tried.
 */
SE_MUST_CHECK se_status module_path(char **out, const char *location, se_error *err);

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
 * sessions are gone then.  SE_ERR_UNAVAILABLE: not now, because others are in the module, or it
 * does not reach its device.
 */
SE_MUST_CHECK se_status module_restart(struct module *module, unsigned seen, se_error *err);

/* False in the child of the process that opened it, where its calls do not work. */
bool module_is_ours(const struct module *module);

#endif
