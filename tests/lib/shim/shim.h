/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A PKCS #11 module that stands in front of another one, $SHIM_MODULE, and lies about what this
 * struct says; what is wrong at which call, struct faults says.  A process that can't set them is
 * driven by a file, $SHIM_FILE (script.c).
 */
#ifndef TESTS_LIB_SHIM_SHIM_H
#define TESTS_LIB_SHIM_SHIM_H

#include <p11-kit/pkcs11.h>
#include <pthread.h>
#include <stdbool.h>

/* All zero: no lies.  `lock` is for what is changed or read while other threads are in the module.
 */
struct shim {
    pthread_mutex_t lock;
    CK_FLAGS set_flags, clear_flags; /* of CK_TOKEN_INFO */
    unsigned clear_times;            /* how often they are cleared; 0: always */
    CK_FLAGS set_after_login;        /* joins set_flags when a PIN was presented */
    /* tokens show as not initialised: the next times that they are asked, after some more, and
     * until C_Initialize has been called more often */
    unsigned blank_times, blank_after, blank_starts;
    CK_ULONG told_sessions;   /* ulMaxSessionCount; 0: as it is */
    CK_ULONG given_sessions;  /* CKR_SESSION_COUNT beyond these; 0: any number */
    const char *manufacturer; /* of the token; NULL: as it is */
    unsigned login_right;     /* that call of C_Login, counted from 1, does not answer `login` */
    CK_RV login, open, sign_init, sign, find, token_info; /* the answer, if not CKR_OK */
    CK_RV create, set, destroy; /* of objects; a create is refused only for `create_class` */
    CK_OBJECT_CLASS create_class;
    bool own_ids;        /* new key pairs have a CKA_ID already, 42 */
    CK_ULONG sign_short; /* bytes that are missing from signatures */
    CK_ULONG
    found_at_once; /* objects that C_FindObjects gives at a time; 0: as many as are asked for */
    CK_ATTRIBUTE_TYPE hidden; /* attribute that no object has; 0: none */

    /* of private-key operations */
    CK_MECHANISM_TYPE refused[3]; /* mechanisms that are answered with `refusal`; 0: none */
    CK_RV refusal;
    bool refused_late;     /* not when the operation begins, but when it is done */
    CK_RV decrypt;         /* the answer to each decryption, if not CKR_OK */
    CK_RV decrypt_failure; /* the answer to each that the real module fails at, likewise */
    CK_RV fail_once;       /* the answer to the next one */
    bool strip_zeros;      /* of decrypted data */
    CK_ULONG decrypt_more; /* bytes that a decryption claims to give besides */

    /* seen so far */
    unsigned logins, context_logins, null_pins, sessions, most_sessions, signatures, initialized;
    unsigned decryptions;
    CK_ULONG signed_bytes;       /* given to C_Sign last */
    CK_MECHANISM_TYPE mechanism; /* of the last operation that was begun */
};

#endif
