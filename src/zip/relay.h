/* Reading and digesting of one large entry on two threads: one inflates while the other one digests what was inflated before. */
#ifndef ZIP_RELAY_H
#define ZIP_RELAY_H

#include <pthread.h>

#include "zip/digest.h"

enum { RELAY_PIECES = 4, RELAY_PIECE = 256 << 10 };

struct relay {
    struct digests *digests;
    unsigned char *pieces; /* RELAY_PIECES of them */
    size_t sizes[RELAY_PIECES];

    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    size_t filled, taken; /* pieces so far */
    bool ended;
    se_error failure; /* of the thread */
};

/* Digests into `digests`, which are not to be touched until relay_end().  SE_ERR_MEMORY: there is no thread to be had. */
SE_MUST_CHECK se_status relay_begin(struct relay *relay, struct digests *digests, se_error *err);

/* Room for RELAY_PIECE bytes, once there is some; what was written there is handed on by relay_pass(). */
unsigned char *relay_room(struct relay *relay);
void relay_pass(struct relay *relay, size_t size);

/* Waits until all of it is digested. */
SE_MUST_CHECK se_status relay_end(struct relay *relay, se_error *err);

#endif
