/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A rotation while it is under way: the configuration that is to come stands beside the one in
 * place, as CONFIG.DESCRIPTOR.next, and says all that there is to remember.  Each step looks
 * whether it is done, so that the command can be given again after whatever ended it, and the
 * configuration in place works at any time.
 */
#ifndef CLI_ROTATING_H
#define CLI_ROTATING_H

#include "cli/config_change.h"
#include "provision/provision.h"

struct rotate_options {
    struct consent_options consent;
    const char *to, *type, *request, *answer, *sign;
    int64_t from;
    unsigned days;
    bool now, self_signed, abort;
};

struct rotating {
    struct cli *cli;
    const struct rotate_options *options;
    const char *descriptor;
    struct config_change config;
    char *next_path;
    struct rotation rotation;
};

void rotating_free(struct rotating *r);
AUTO_KIND(rotating, struct rotating, rotating_free(p))

/* With all up to `config`, for config_change_begin(). */
SE_MUST_CHECK se_status rotating_begin(struct rotating *r, se_error *err);

/* Whether there is something to go on with. */
bool rotating_has_next(const struct rotating *r);

/* Plans what is to come, and shows it, or reads what was planned; with --dry-run nothing is
 * written.  SE_ERR_USAGE: the configuration is signed, and nobody is named who signs it again. */
SE_MUST_CHECK se_status rotating_load(struct rotating *r, se_error *err);

/* Reads only what was planned. */
SE_MUST_CHECK se_status rotating_recall(struct rotating *r, se_error *err);

SE_MUST_CHECK se_status rotating_remove_next(const struct rotating *r, se_error *err);

#endif
