/* SPDX-License-Identifier: Apache-2.0 */
/* The histories that the settings name, opened when they are first used, with the engine of a
 * generation. */
#ifndef DAEMON_HISTORIES_H
#define DAEMON_HISTORIES_H

#include <signengine-history.h>

struct histories;

struct history_setting {
    const char *name, *store, *chain, *descriptor; /* of the settings: they outlive it */
};

SE_MUST_CHECK se_status histories_new(struct histories **out, se_engine *engine,
                                      const struct history_setting *settings, size_t count,
                                      se_error *err);
void histories_free(struct histories *histories);

/* SE_ERR_NO_DESCRIPTOR: none of that name. Lasts until histories_free(). */
SE_MUST_CHECK se_status histories_open(se_history **out, struct histories *histories,
                                       const char *name, se_error *err);

#endif
