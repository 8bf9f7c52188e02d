/* SPDX-License-Identifier: Apache-2.0 */
/* What happens to keys and calls, reported to the application. */
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

/* Reports on one replica; it outlives the keys that are opened with its `watch`. */
struct reporter {
    struct key_watch watch;
    const struct events *events;
    const struct key_entry *entry;
    unsigned replica; /* from 1 */
};

void reporter_init(struct reporter *reporter, const struct events *events,
                   const struct key_entry *entry, size_t index);
void reporter_report(const struct reporter *reporter, se_event_kind kind, se_status status,
                     const char *text);

/* One call of the application, from its begin to its end. */
struct api_call {
    const struct events *events;
    se_event event;  /* what is known so far; its strings must last until the end */
    se_error error;  /* how it fails */
    int64_t started; /* microseconds */
};

void api_call_begin(struct api_call *call, const struct events *events, const char *operation,
                    const char *descriptor);
void api_call_use(struct api_call *call, const struct descriptor *descriptor);

/* Reports the call, and gives `err` its failure. Returns `status`. */
se_status api_call_end(struct api_call *call, se_status status, se_error *err);

#endif
