/* SPDX-License-Identifier: Apache-2.0 */
/* --audit: who used which key by the command, told to sinks (audit/audit.h). */
#ifndef CLI_RECORDING_H
#define CLI_RECORDING_H

#include "audit/audit.h"

enum recorded {
    RECORDED_NEVER,
    RECORDED_USES,   /* a record for each use of a descriptor */
    RECORDED_CHANGE, /* and one before, since its effect stays whatever comes then */
};

struct recording {
    enum recorded what;
    const char *command, *descriptor; /* as the command line says */
    const struct sink_type *history;  /* of the program; NULL: none */
    audit_report_fn report;
    void *report_arg;

    struct audit_sinks sinks;
    struct audit *audit; /* NULL: nothing is recorded */
    char user[65], config[13];
    int64_t began_us;
    bool ready;            /* there is room for the next record */
    se_error room;         /* why there is not */
    se_error failure;      /* of the first record that was not taken */
    const char *chain;     /* of a history that is appended to; NULL: of none */
    uint64_t first, items; /* what was appended to it */
};

/* Opens the sinks. SE_ERR_USAGE: a text that names none. */
SE_MUST_CHECK se_status recording_open(struct recording *recording, const char *const *sinks,
                                       size_t count, se_error *err);

/* Makes room, and records what is going to be changed. */
SE_MUST_CHECK se_status recording_begin(struct recording *recording, se_engine *engine,
                                        se_error *err);

void recording_take_event(struct recording *recording, const se_event *event);

/* To be asked before a result is handed out: what is not recorded is not done. */
SE_MUST_CHECK se_status recording_confirm(const struct recording *recording, se_error *err);

/* Records what was appended to a history; `result` is one word about it. */
SE_MUST_CHECK se_status recording_end(struct recording *recording, const char *result,
                                      se_error *err);
/* False: a sink is still at work (audit_close()). */
bool recording_close(struct recording *recording);

#endif
