/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/rotating.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"

enum { CONFIG_LIMIT = 4 << 20, FROM_DAYS = 1, DAY = 86400 };

void rotating_free(struct rotating *r)
{
    if (r->lock >= 0)
        (void)close(r->lock);
    se_buf_free(&r->text);
    se_buf_free(&r->next);
    rotation_free(&r->rotation);
    free(r->next_path);
}

/* A descriptor may have any name. */
static se_status name_next(struct rotating *r, se_error *err)
{
    AUTO(writer) path = { 0 };

    writer_format(&path, "%s.", r->config);
    writer_percent(&path, r->descriptor);
    writer_text(&path, ".next");
    r->next_path = path.failed ? NULL : strdup(writer_string(&path));
    return r->next_path ? SE_OK : error_memory(err);
}

/* ---- one at a time ---- */

/* What was locked may have been replaced meanwhile, by the one who had the lock. */
static bool is_still(int fd, const char *path)
{
    struct stat open_file, named;

    return !fstat(fd, &open_file) && !stat(path, &named) && open_file.st_ino == named.st_ino &&
           open_file.st_dev == named.st_dev;
}

static se_status lock_config(struct rotating *r, se_error *err)
{
    if ((r->lock = file_open(r->config)) < 0)
        return error_set(err, errno == EACCES ? SE_ERR_ACCESS : SE_ERR_IO, "cannot read '%s': %s",
                         r->config, strerror(errno));
    if (flock(r->lock, LOCK_EX | LOCK_NB) || !is_still(r->lock, r->config))
        return error_set(err, SE_ERR_UNAVAILABLE, "another `rotate` is at work on '%s'", r->config);
    return SE_OK;
}

bool rotating_has_next(const struct rotating *r)
{
    return !access(r->next_path, F_OK);
}

/* ---- what is to come ---- */

static struct rotation_wish wish_of(const struct rotating *r)
{
    const struct rotate_options *o = r->options;
    const int64_t now = clock_seconds();

    return (struct rotation_wish){
        .descriptor = r->descriptor,
        .to = o->to,
        .from = o->now    ? now
                : o->from ? o->from
                          : now + FROM_DAYS * DAY,
    };
}

static void print_difference(void *arg, const char *item, const char *property, const char *before,
                             const char *after)
{
    const struct cli *cli = arg;

    (void)before;
    if (cli->json)
        (void)json_line(json_pack("{s:o, s:o, s:o}", "item", json_text(item), "property",
                                  json_text(property), "after", json_text(after)));
    else if (!cli->quiet)
        printf("+ %s: %s %s\n", item, property, after ? after : "");
}

static se_status plan_next(struct rotating *r, se_error *err)
{
    struct rotation_wish wish = wish_of(r);

    wish.difference = print_difference;
    wish.difference_arg = r->cli;
    if (r->options->from && r->options->from < clock_seconds())
        return error_set(err, SE_ERR_USAGE, "--from is in the past: --now is for a switch at once");
    return rotation_plan(&r->next, &r->rotation, buf_bytes(&r->text), r->config, &wish, err);
}

static se_status write_secret(const char *path, const se_buf *text, se_error *err)
{
    AUTO(output) output = OUTPUT_INIT;

    TRY(output_open_secret(&output, path, 0600, err));
    TRY(output_write(&output, buf_bytes(text), err));
    return output_commit(&output, err);
}

static se_status read_next(se_buf *next, struct rotating *r, se_error *err)
{
    TRY(file_read(next, r->next_path, CONFIG_LIMIT, err));
    return rotation_read(&r->rotation, buf_bytes(&r->text), buf_bytes(next), r->config,
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
    wish.from = r->rotation.from;
    wish.to = r->rotation.is_new_key ? NULL : r->rotation.key;
    TRY(rotation_plan(&after, &planned, buf_bytes(&r->text), r->config, &wish, err));
    if (strcmp(planned.key, r->rotation.key) != 0)
        return error_set(err, SE_ERR_CONFIG,
                         "'%s' is about key '%s', and now it would be '%s': give it up with "
                         "--abort, and begin anew",
                         r->next_path, r->rotation.key, planned.key);
    r->next = buf_move(&after);
    return write_secret(r->next_path, &r->next, err);
}

static bool is_signed(const se_buf *text)
{
    static const char xmldsig[] = "http://www.w3.org/2000/09/xmldsig#";

    return memmem(text->data, text->size, xmldsig, strlen(xmldsig));
}

static se_status check_signer(const struct rotating *r, se_error *err)
{
    if (!is_signed(&r->text) || r->options->sign)
        return SE_OK;
    return error_set(err, SE_ERR_USAGE, "'%s' is a signed one: say with --sign who signs it again",
                     r->config);
}

se_status rotating_load(struct rotating *r, se_error *err)
{
    TRY(file_read(&r->text, r->config, CONFIG_LIMIT, err));
    if (!r->options->consent.dry_run)
        TRY(check_signer(r, err));
    if (rotating_has_next(r))
        return resume_next(r, err);
    if (r->options->answer)
        return error_set(err, SE_ERR_USAGE,
                         "no rotation waits for a CA's answer: '%s' is not there", r->next_path);
    TRY(plan_next(r, err));
    return r->options->consent.dry_run ? SE_OK : write_secret(r->next_path, &r->next, err);
}

/* ---- the configuration ---- */

static se_status sign_next(struct rotating *r, se_error *err)
{
    se_options options = cli_options(r->cli);
    AUTO(engine) engine = NULL;
    AUTO(se_buf) signed_text = SE_BUF_INIT;
    struct descriptor_option signer;

    if (descriptor_read(&signer, r->cli, r->options->sign))
        return error_set(err, SE_ERR_USAGE, "--sign does not name a descriptor");
    TRY(se_open(&engine, r->config, &options, err));
    TRY(se_config_sign(&signed_text, engine, signer.name, signer.version, buf_bytes(&r->next),
                       r->config, err));
    se_buf_free(&r->next);
    r->next = buf_move(&signed_text);
    return SE_OK;
}

se_status rotating_replace_config(struct rotating *r, se_error *err)
{
    if (is_signed(&r->text))
        TRY(sign_next(r, err));
    return write_secret(r->config, &r->next, err);
}

se_status rotating_remove_next(const struct rotating *r, se_error *err)
{
    if (!unlink(r->next_path) || errno == ENOENT)
        return SE_OK;
    return error_set(err, SE_ERR_IO, "cannot remove '%s': %s", r->next_path, strerror(errno));
}

se_status rotating_begin(struct rotating *r, se_error *err)
{
    TRY(name_next(r, err));
    return lock_config(r, err);
}

se_status rotating_recall(struct rotating *r, se_error *err)
{
    TRY(file_read(&r->text, r->config, CONFIG_LIMIT, err));
    return read_next(&r->next, r, err);
}
