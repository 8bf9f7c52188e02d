/* SPDX-License-Identifier: Apache-2.0 */
/* Faults in front of a PKCS #11 module: what goes wrong at which call.  Part of the shim. */
#ifndef TESTS_LIB_SHIM_FAULT_H
#define TESTS_LIB_SHIM_FAULT_H

#include <p11-kit/pkcs11.h>
#include <pthread.h>
#include <stdbool.h>

/* The calls that the library makes, and those that other programs sign with. */
enum fault_call {
    AT_INITIALIZE,
    AT_GET_INFO,
    AT_SLOT_LIST,
    AT_TOKEN_INFO,
    AT_OPEN_SESSION,
    AT_CLOSE_SESSION,
    AT_SESSION_INFO,
    AT_LOGIN,
    AT_FIND_INIT,
    AT_FIND,
    AT_FIND_FINAL,
    AT_ATTRIBUTES,
    AT_SIGN_INIT,
    AT_SIGN,
    AT_DECRYPT_INIT,
    AT_DECRYPT,
    AT_DECRYPT_FINAL,
    AT_GENERATE_SECRET,
    AT_MECHANISM_INFO,
    AT_WRAP,
    AT_UNWRAP,
    AT_FINALIZE,
    AT_SIGN_UPDATE,
    AT_SIGN_FINAL,
    AT_CREATE,
    AT_DESTROY,
    AT_SET_ATTRIBUTES,
    AT_GENERATE,
    FAULT_CALLS,
};

/* What really happens to the module below before the call is answered. */
enum fault_harm {
    HARM_NONE,
    HARM_SESSIONS, /* all sessions with the token are gone */
    HARM_LOGOUT,
    HARM_HANDLES,  /* objects have other handles than before */
    HARM_FINALIZE, /* somebody finalised the module */
};

/* At calls number first ... first + times - 1 of `call`, counted from 1 since seen[] was cleared;
 * times 0: none. */
struct fault {
    enum fault_call call;
    unsigned first, times;
    CK_RV rv; /* the answer; CKR_OK: as the module below says */
    enum fault_harm harm;
    double sleep_ms; /* before anything else, and exact */
    bool die;        /* the process is killed before the module below hears of it */
    bool hang;       /* until faults.let_go or the shim's file has changed */
};

enum { FAULTS_AT_ONCE = 32, REFUSED_AT_ONCE = 8 };

/*
 * All zero: no faults.  `lock` is for what is changed or read while other threads are in the
 * module; without those, a test reads and writes what it likes.
 */
struct faults {
    pthread_mutex_t lock;
    /* of those that fit, the times are added up, and of the rest the first counts */
    struct fault list[FAULTS_AT_ONCE];

    /* mechanisms, and what operations with them are answered; CKR_OK: none */
    struct {
        CK_MECHANISM_TYPE mechanism;
        CK_RV rv;
    } refused[REFUSED_AT_ONCE];

    /* all calls answer `away`, until the module is initialised anew if `until_restart` */
    CK_RV away;
    bool until_restart;
    bool no_tokens; /* the list of slots with a token is empty */

    /* one of `one_in` calls answers one of the codes, drawn from `seed`; 0: none.  With `harms`,
     * some of them do real harm as well */
    unsigned one_in;
    bool harms;
    unsigned long seed;

    unsigned let_go; /* with each change, what hangs returns */

    /* seen so far; seen[] may be cleared by the test */
    unsigned seen[FAULT_CALLS], done[FAULTS_AT_ONCE], drawn, initialized;
    CK_OBJECT_HANDLE moved; /* added to the handles of objects */
};

/* The codes that healing is for, ended by CKR_OK. */
static const CK_RV fault_codes[] = {
    CKR_SESSION_HANDLE_INVALID,
    CKR_SESSION_CLOSED,
    CKR_USER_NOT_LOGGED_IN,
    CKR_DEVICE_REMOVED,
    CKR_TOKEN_NOT_PRESENT,
    CKR_DEVICE_ERROR,
    CKR_KEY_HANDLE_INVALID,
    CKR_OBJECT_HANDLE_INVALID,
    CKR_GENERAL_ERROR,
    CKR_SLOT_ID_INVALID,
    CKR_VENDOR_DEFINED + 0x77,
    CKR_CRYPTOKI_NOT_INITIALIZED,
    CKR_OK,
};

/* The name of each call in the standard. */
extern const char *const fault_names[FAULT_CALLS];

/* Puts the faults in front of what is in `list`; `real` is the module that they stand in front of.
 */
void faults_install(CK_FUNCTION_LIST *list, CK_FUNCTION_LIST *real);

#endif
