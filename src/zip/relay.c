#include "zip/relay.h"

#include <stdlib.h>

#include "base/thread.h"

static unsigned char *piece(const struct relay *relay, size_t number)
{
    return relay->pieces + number % RELAY_PIECES * RELAY_PIECE;
}

/* Waits for a piece that is filled; false: there are no more. */
static bool wait_for_piece(struct relay *relay)
{
    bool there;

    pthread_mutex_lock(&relay->lock);
    while (relay->taken == relay->filled && !relay->ended)
        pthread_cond_wait(&relay->changed, &relay->lock);
    there = relay->taken < relay->filled;
    pthread_mutex_unlock(&relay->lock);
    return there;
}

static void give_back(struct relay *relay)
{
    pthread_mutex_lock(&relay->lock);
    relay->taken++;
    pthread_cond_signal(&relay->changed);
    pthread_mutex_unlock(&relay->lock);
}

/* After a failure pieces are still taken, so that the reader does not wait for ever. */
static void *digest_pieces(void *arg)
{
    struct relay *relay = arg;
    bool failed = false;

    while (wait_for_piece(relay)) {
        size_t i = relay->taken;

        failed = failed || digests_add(relay->digests, (se_bytes){ piece(relay, i), relay->sizes[i % RELAY_PIECES] }, &relay->failure);
        give_back(relay);
    }
    return NULL;
}

se_status relay_begin(struct relay *relay, struct digests *digests, se_error *err)
{
    *relay = (struct relay){ .digests = digests, .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER };
    if (!(relay->pieces = malloc((size_t)RELAY_PIECES * RELAY_PIECE)))
        return error_memory(err);
    if (thread_start(&relay->thread, digest_pieces, relay))
        return SE_OK;
    free(relay->pieces);
    return error_set(err, SE_ERR_MEMORY, "cannot start a thread");
}

unsigned char *relay_room(struct relay *relay)
{
    pthread_mutex_lock(&relay->lock);
    while (relay->filled - relay->taken == RELAY_PIECES)
        pthread_cond_wait(&relay->changed, &relay->lock);
    pthread_mutex_unlock(&relay->lock);
    return piece(relay, relay->filled);
}

void relay_pass(struct relay *relay, size_t size)
{
    relay->sizes[relay->filled % RELAY_PIECES] = size;
    pthread_mutex_lock(&relay->lock);
    relay->filled++;
    pthread_cond_signal(&relay->changed);
    pthread_mutex_unlock(&relay->lock);
}

se_status relay_end(struct relay *relay, se_error *err)
{
    pthread_mutex_lock(&relay->lock);
    relay->ended = true;
    pthread_cond_signal(&relay->changed);
    pthread_mutex_unlock(&relay->lock);
    pthread_join(relay->thread, NULL);
    free(relay->pieces);
    if (relay->failure.status && err && !err->status)
        *err = relay->failure;
    return relay->failure.status;
}
