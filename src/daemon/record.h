/* SPDX-License-Identifier: Apache-2.0 */
/* What the library's events say about a job: it runs on one thread, and so do its events. */
#ifndef DAEMON_RECORD_H
#define DAEMON_RECORD_H

#include <signengine.h>

struct job_facts {
    char key[256], digest[80], tag[72];
    char request_sent[64], request_answered[64]; /* of a vault */
    unsigned version, replica;
    uint64_t bytes;
};

/* From now on this thread's events are noted in *facts; NULL: no more. */
void record_into(struct job_facts *facts);

/* From se_options.event. */
void record_hear(const se_event *event);

#endif
