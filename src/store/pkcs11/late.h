/*
 * Calls into modules that may never return (base/guard.h): how long they are waited for, and how
 * many may be late at once.
 */
#ifndef STORE_PKCS11_LATE_H
#define STORE_PKCS11_LATE_H

#include "base/guard.h"
#include "model/config.h"

enum {
    LATE_MS = 20000, /* unless the configuration says otherwise */
    LATE_MOST = 16,  /* per module: each keeps a thread */
};

/*
 * guard_run() with the deadline of `ref`; one without is plainly called, but for p11-kit's client,
 * which also dies of SIGPIPE.  GUARD_NONE: `call` was not made, and call->release(arg) was called;
 * there are too many late ones of this module.
 */
enum guard_end late_run(const struct guarded *call, void *arg, const struct keyref *ref);

/* SE_ERR_UNAVAILABLE, and why, for what late_run() returned. */
se_status late_error(se_error *err, const struct keyref *ref, enum guard_end end);

/* Half of the deadline: a token whose sessions are all in use is not one that does not answer. */
unsigned late_session_ms(const struct keyref *ref);

#endif
