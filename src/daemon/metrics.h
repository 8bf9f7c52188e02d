/* SPDX-License-Identifier: Apache-2.0 */
/* What Prometheus is told. It waits for no key store, and for no sink of the audit. */
#ifndef DAEMON_METRICS_H
#define DAEMON_METRICS_H

#include "daemon/service.h"

void metrics_write(struct writer *w, const struct service *service,
                   const struct generation *generation);

#endif
