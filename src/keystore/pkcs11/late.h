/*
 * Calls into modules that may never return (base/timed_call.h): how long they are waited for, and
 * how many may be late at once.
 */
#ifndef KEYSTORE_PKCS11_LATE_H
#define KEYSTORE_PKCS11_LATE_H

#include "base/timed_call.h"
#include "config/config.h"

enum {
    LATE_MS = 20000, /* unless the configuration says otherwise */
    LATE_MOST = 16,  /* per module: each keeps a thread */
};

/*
 * timed_call_run() with the deadline of `ref`; one without is plainly called, but for p11-kit's
 * client, which also dies of SIGPIPE.  TIMED_CALL_NONE: `call` was not made, and call->release(arg)
 * was called; there are too many late ones of this module.
 */
enum timed_call_end late_run(const struct timed_call *call, void *arg, const struct keyref *ref);

/* SE_ERR_UNAVAILABLE, and why, for what late_run() returned. */
se_status late_error(se_error *err, const struct keyref *ref, enum timed_call_end end);

/* Half of the deadline: a token whose sessions are all in use is not one that does not answer. */
unsigned late_session_ms(const struct keyref *ref);

#endif
