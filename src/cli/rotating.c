/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/rotating.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"

enum { CONFIG_LIMIT = 4 << 20, FROM_DAYS = 1, DAY = 86400 };

void rotating_free(struct rotating *r)
{
    config_change_free(&r->config);
    rotation_free(&r->rotation);
    free(r->next_path);
}

/* A descriptor may have any name. */
static se_status name_next(struct rotating *r, se_error *err)
{
    AUTO(writer) path = { 0 };

    writer_format(&path, "%s.", r->config.path);
    writer_percent(&path, r->descriptor);
    writer_text(&path, ".next");
    r->next_path = path.failed ? NULL : strdup(writer_string(&path));
    return r->next_path ? SE_OK : error_memory(err);
}

bool rotating_has_next(const struct rotating *r)
{
    return !access(r->next_path, F_OK);
}

/* ---- what is to come ---- */

/* `planned`: 0, or what was said before, whose time may have come while a CA took its own. */
static se_status choose_from(int64_t *out, const struct rotating *r, int64_t planned, se_error *err)
{
    const struct rotate_options *o = r->options;
    const int64_t now = clock_seconds();
    char from[TIME_TEXT_ROOM];

    if (o->from && o->from < now)
        return error_set(err, SE_ERR_USAGE, "--from is in the past: --now is for a switch at once");
    *out = o->now ? now : o->from ? o->from : planned;
    if (*out >= now)
        return SE_OK;
    *out = now + FROM_DAYS * DAY;
    if (planned)
        cli_warn(r->cli,
                 "the time for which the switch was planned has passed: now it is %s; --from and "
                 "--now choose another one",
                 time_format(from, TIME_RFC3339, *out));
    return SE_OK;
}

static se_status plan_next(struct rotating *r, se_error *err)
{
    const bool json = r->cli->json;
    struct config_difference difference = { json, json || r->cli->quiet ? NULL : stdout };
    struct rotation_wish wish = { .descriptor = r->descriptor,
                                  .to = r->options->to,
                                  .difference = config_change_print,
                                  .difference_arg = &difference };

    TRY(choose_from(&wish.from, r, 0, err));
    return rotation_plan(&r->config.next, &r->rotation, buf_bytes(&r->config.text), r->config.path,
                         &wish, err);
}

static se_status read_next(se_buf *next, struct rotating *r, se_error *err)
{
    TRY(file_read(next, r->next_path, CONFIG_LIMIT, err));
    return rotation_read(&r->rotation, buf_bytes(&r->config.text), buf_bytes(next), r->config.path,
                         r->descriptor, err);
}

/* What it says is done to the configuration as it is now: somebody may have changed that since. */
static se_status resume_next(struct rotating *r, se_error *err)
{
    AUTO(se_buf) before = SE_BUF_INIT;
    AUTO(se_buf) after = SE_BUF_INIT;
    AUTO(rotation) planned = { .key = NULL };
    struct rotation_wish wish = { .descriptor = r->descriptor };

    TRY(read_next(&before, r, err));
    if (r->rotation.is_done)
        return SE_OK;
    if (r->rotation.version != r->rotation.previous_version + 1)
        return error_set(
            err, SE_ERR_CONFIG,
            "the rotation that is under way makes version %u, and version %u is there: "
            "give it up with --abort",
            r->rotation.version, r->rotation.previous_version);
    TRY(choose_from(&wish.from, r, r->rotation.from, err));
    r->rotation.from = wish.from;
    wish.to = r->rotation.is_new_key ? NULL : r->rotation.key;
    TRY(rotation_plan(&after, &planned, buf_bytes(&r->config.text), r->config.path, &wish, err));
    if (strcmp(planned.key, r->rotation.key) != 0)
        return error_set(err, SE_ERR_CONFIG,
                         "'%s' is about key '%s', and now it would be '%s': give it up with "
                         "--abort, and begin anew",
                         r->next_path, r->rotation.key, planned.key);
    r->config.next = buf_move(&after);
    return r->options->consent.dry_run ? SE_OK
                                       : config_text_write(r->next_path, &r->config.next, err);
}

se_status rotating_load(struct rotating *r, se_error *err)
{
    if (!r->options->consent.dry_run)
        TRY(config_change_check_signer(&r->config, err));
    if (rotating_has_next(r))
        return resume_next(r, err);
    if (r->options->answer)
        return error_set(err, SE_ERR_USAGE,
                         "no rotation waits for a CA's answer: '%s' is not there", r->next_path);
    TRY(plan_next(r, err));
    return r->options->consent.dry_run ? SE_OK
                                       : config_text_write(r->next_path, &r->config.next, err);
}

se_status rotating_remove_next(const struct rotating *r, se_error *err)
{
    if (!unlink(r->next_path) || errno == ENOENT)
        return SE_OK;
    return error_set(err, SE_ERR_IO, "cannot remove '%s': %s", r->next_path, strerror(errno));
}

se_status rotating_begin(struct rotating *r, se_error *err)
{
    TRY(config_change_begin(&r->config, err));
    return name_next(r, err);
}

se_status rotating_recall(struct rotating *r, se_error *err)
{
    return read_next(&r->config.next, r, err);
}
