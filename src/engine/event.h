/* What happens to keys and operations, told to the application. */
#ifndef ENGINE_EVENT_H
#define ENGINE_EVENT_H

#include "base/buf.h"
#include "config/config.h"
#include "keystore/keystore.h"

/* The application's callback; fn may be NULL. */
struct events {
    se_event_fn fn;
    void *arg;
};

/* Tells of one replica; it outlives the keys that are opened with its `watch`. */
struct reporter {
    struct key_watch watch;
    const struct events *events;
    const struct key_entry *entry;
    unsigned replica; /* from 1 */
};

void reporter_set(struct reporter *reporter, const struct events *events,
                  const struct key_entry *entry, size_t index);
void reporter_tell(const struct reporter *reporter, se_event_kind kind, se_status status,
                   const char *text);

/* One call of the application, from its begin to its end. */
struct operation {
    const struct events *events;
    se_event event;  /* what is known so far; its strings must last until the end */
    se_error error;  /* how it fails */
    int64_t started; /* microseconds */
};

void operation_begin(struct operation *op, const struct events *events, const char *name,
                     const char *descriptor);
void operation_on(struct operation *op, const struct descriptor *descriptor);

/* Tells it, and gives `err` the failure.  Returns `status`. */
se_status operation_end(struct operation *op, se_status status, se_error *err);

#endif
