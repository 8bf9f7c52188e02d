/*
 * The session handles that are in our hands, of all tokens of a module.  A module that somebody
 * else has initialised anew gives out the same numbers again: then two threads of ours must not
 * work in one session, and what is closed as the old one must not be the new one.
 */
#ifndef KEYSTORE_PKCS11_HANDLES_H
#define KEYSTORE_PKCS11_HANDLES_H

#include <p11-kit/pkcs11.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

struct handle {
    CK_SESSION_HANDLE value;
    bool closing;
    bool again; /* a new session has the same number, and nobody has that one */
};

struct handles {
    pthread_mutex_t lock; /* of what follows */
    struct handle *list;
    size_t count, room;
};

void handles_init(struct handles *handles);
void handles_free(struct handles *handles);

/* What a new session is told of its number. */
enum handle_is {
    HANDLE_NEW,   /* it is in the list now */
    HANDLE_KNOWN, /* the other one is void; the new session must not be used: it is closed together
                     with the other */
    HANDLE_CLOSING, /* the same, but of a number that may have come free a moment ago */
    HANDLE_LOST,    /* no memory */
};
enum handle_is handles_add(struct handles *handles, CK_SESSION_HANDLE value);

/* Around C_CloseSession.  True: it is to be closed once more, because a new session came meanwhile;
 * else it is off the list. */
void handles_close(struct handles *handles, CK_SESSION_HANDLE value);
bool handles_closed(struct handles *handles, CK_SESSION_HANDLE value);

/* Of a session that is known not to be there any more. */
void handles_drop(struct handles *handles, CK_SESSION_HANDLE value);

#endif
