/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/record.h"

#include <stdio.h>

static _Thread_local struct job_facts *current;

void record_into(struct job_facts *facts)
{
    current = facts;
}

static void note_text(char *to, size_t room, const char *text)
{
    if (*text)
        (void)snprintf(to, room, "%s", text);
}

/* A job may be several operations; the last says most, for what came before it prepared it. */
void record_hear(const se_event *event)
{
    struct job_facts *f = current;

    if (!f || event->kind != SE_EVENT_OPERATION)
        return;
    f->version = event->version ? event->version : f->version;
    f->replica = event->replica ? event->replica : f->replica;
    f->bytes += event->bytes;
    note_text(f->key, sizeof f->key, event->key);
    note_text(f->digest, sizeof f->digest, event->digest);
    note_text(f->tag, sizeof f->tag, event->tag);
    note_text(f->request_sent, sizeof f->request_sent, event->request_sent);
    note_text(f->request_answered, sizeof f->request_answered, event->request_answered);
}
