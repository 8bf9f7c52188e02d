/* SPDX-License-Identifier: Apache-2.0 */
/* What happens to keys and calls, reported to the application. */
#ifndef ENGINE_EVENT_H
#define ENGINE_EVENT_H

#include "base/buf.h"
#include "config/config.h"
#include "crypto/content_digest.h"
#include "crypto/key.h"
#include "crypto/provider_keymgmt.h"
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
/* On what is not about a key. */
void events_report(const struct events *events, se_event_kind kind, se_status status,
                   const char *text);
/* On a version of a descriptor. */
void events_report_version(const struct events *events, se_event_kind kind,
                           const struct descriptor *descriptor, const char *text);
void reporter_report(const struct reporter *reporter, se_event_kind kind, se_status status,
                     const char *text);

/* ---- api_call.c ---- */

/* How a call used a key. */
struct key_use {
    const char *key;           /* NULL: it used none; "" of several */
    unsigned version;          /* of the descriptor; 0: of several */
    unsigned replica;          /* likewise */
    struct remote_trace trace; /* of the last one */
};

/* How this thread has used the key of `descriptor` since remote_trace_forget().  NULL: it could not
 * be opened. */
struct key_use key_use_of(const struct descriptor *descriptor, const struct key *key);

/* An engine as it is while a call that consists of several goes on. */
AUTO_KIND(held, se_engine *, se_close(p))

/* One call of the application, from its begin to its end. */
struct api_call {
    struct engine *engine;  /* as it was when the call began, until it ends */
    struct api_call *whole; /* whose part it is; NULL: it is a whole one */
    se_event event;         /* what is known so far; its strings must last until the end */
    struct key_use use;
    char digest[CONTENT_DIGEST_TEXT]; /* of the content, as text */
    bool digests_differ;              /* it has had several parts */
    se_error error;                   /* how it fails */
    int64_t started;                  /* microseconds */
};

void api_call_begin(struct api_call *call, se_engine *engine, const char *operation,
                    const char *descriptor);

/* What the application wants to find again in the event; NULL: nothing.  SE_ERR_USAGE: it is not
 * made of up to 64 visible ASCII characters. */
SE_MUST_CHECK se_status api_call_tag(struct api_call *call, const char *tag);

/* May be told several times: what differs is not said any more. */
void api_call_use(struct api_call *call, const struct key_use *use);
void api_call_digest(struct api_call *call, const struct content_digest *digest);

/* The calls that this thread makes in between are parts of `call`: they report nothing, and what
 * keys they used is told by `call`. */
void api_call_enter(struct api_call *call);
void api_call_leave(void);

/* Reports the call, and gives `err` its failure. Returns `status`. */
se_status api_call_end(struct api_call *call, se_status status, se_error *err);

#endif
