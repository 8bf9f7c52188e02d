/* SPDX-License-Identifier: Apache-2.0 */
/* `rotate`: the next version of a descriptor, with its key. */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "cli/commands.h"
#include "cli/key_target.h"
#include "cli/rotating.h"
#include "cli/stream.h"

enum { ANSWER_LIMIT = 1 << 20 };

static const struct option_row rotate_rows[] = {
    { .name = "to",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct rotate_options, to),
      .argument = "KEY",
      .help = "a key of the configuration (a new one like the last, in the same store)" },
    { .name = "from",
      .kind = OPTION_TIME,
      .offset = offsetof(struct rotate_options, from),
      .argument = "TIME",
      .help = "when the new version takes over (in 24 hours)" },
    { .name = "now",
      .kind = OPTION_FLAG,
      .offset = offsetof(struct rotate_options, now),
      .help = "at once: only where one process uses the configuration" },
    { .name = "type",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct rotate_options, type),
      .argument = "TYPE",
      .help = "rsa:BITS, ec:P-256, ec:P-384 or ec:P-521 (the last key's)",
      .fallback = "" },
    { .name = "days",
      .kind = OPTION_NUMBER,
      .offset = offsetof(struct rotate_options, days),
      .argument = "N",
      .help = "that a self-signed certificate is valid (3650)",
      .fallback = "3650" },
    { .name = "self-signed",
      .kind = OPTION_FLAG,
      .offset = offsetof(struct rotate_options, self_signed),
      .help = "no CA certifies the new key, although one certified the last" },
    { .name = "request",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct rotate_options, request),
      .argument = "FILE",
      .help = "where the request for a CA goes (KEY.csr beside the configuration)" },
    { .name = "continue",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct rotate_options, answer),
      .argument = "FILE",
      .help = "the CA's answer" },
    { .name = "sign",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct rotate_options, sign),
      .argument = "NAME[:VERSION]",
      .help = "who signs the configuration, if it is a signed one" },
    { .name = "abort",
      .kind = OPTION_FLAG,
      .offset = offsetof(struct rotate_options, abort),
      .help = "give up the rotation that is under way, and its key" },
    { .kind = OPTION_GROUP,
      .offset = offsetof(struct rotate_options, consent),
      .rows = key_consent_rows },
    { .name = NULL },
};

/* ---- the key ---- */

/* It is of our own making, and not signed. */
static const se_options next_options = SE_OPTIONS_INIT;

static se_status open_key(struct target **out, const struct rotating *r, const char *key,
                          se_error *err)
{
    return target_configured(out, r->next_path, key, 1, &next_options, err);
}

static se_status open_target(struct target **out, const struct rotating *r, se_error *err)
{
    return open_key(out, r, r->rotation.key, err);
}

struct probe {
    const struct rotating *rotating;
    se_error failure; /* of the new version */
    bool seen;
};

static void note_row(void *arg, const se_check_row *row)
{
    struct probe *p = arg;

    if (row->version != p->rotating->rotation.version ||
        strcmp(row->descriptor, p->rotating->descriptor) != 0)
        return;
    p->seen = true;
    if (row->status)
        (void)error_set(&p->failure, row->status, "%s", row->text);
}

/* Signs and verifies, or encrypts and decrypts, with the new version. */
static se_status probe_next(const struct rotating *r, se_error *err)
{
    se_check_options how = SE_CHECK_OPTIONS_INIT;
    struct probe probe = { .rotating = r, .failure = SE_ERROR_INIT };
    AUTO(engine) engine = NULL;

    how.probe = true;
    TRY(se_open(&engine, r->next_path, &next_options, err));
    (void)!se_check(engine, note_row, &probe, &how, NULL);
    if (!probe.seen)
        return error_set(err, SE_ERR_CONFIG, "'%s' does not have the new version", r->next_path);
    return probe.failure.status ? error_copy(err, probe.failure.status, &probe.failure) : SE_OK;
}

/* Where the new key is to be. */
struct found_objects {
    size_t count;
    bool has_private, may_leave;
};

static void note_object(void *arg, const struct key_row *row)
{
    struct found_objects *found = arg;

    found->count++;
    found->has_private |= row->has_private;
    found->may_leave |= row->may_leave;
}

static se_status find_objects(struct found_objects *out, struct target *target, se_error *err)
{
    const struct provision_report report = { .key = note_object, .arg = out };

    *out = (struct found_objects){ .count = 0 };
    return provision_list(target, LIST_OWN, &report, err);
}

static struct provision_profile profile_of(const struct rotating *r)
{
    return (struct provision_profile){
        .type = r->options->type,
        .subject = "",
        .usage = "",
        .days = r->options->days,
        .like = r->rotation.previous_key,
    };
}

/* A key that may leave its token is one that is backed up: the next one is, too. */
static se_status generate_next(struct target *target, const struct rotating *r,
                               struct provision_profile *profile, se_error *err)
{
    const struct provision_report report = key_report_news(r->cli);
    AUTO(target) last = NULL;
    struct found_objects found;

    TRY(open_key(&last, r, r->rotation.previous_key, err));
    TRY(find_objects(&found, last, err));
    profile->is_exportable = found.may_leave;
    return provision_generate(target, profile, &report, err);
}

/* What is there when the rotation begins is not of its making: it is forgotten again, so that the
 * next try does not take it for that. */
static se_status refuse_place(const struct rotating *r, const struct target *target, se_error *err)
{
    TRY(rotating_remove_next(r, err));
    return error_set(err, SE_ERR_IO, "%s is there already: configure it, and name it with --to",
                     target_text(target));
}

/*
 * A key that is whole is never cleared, whatever keeps it from working: a CA may be about to
 * certify it.  Halves are what a crash has left, under a name that this rotation has made up; what
 * a crash may leave of a key that can't be made again is mended.
 */
static se_status make_key(const struct rotating *r, bool begins, se_error *err)
{
    struct provision_profile profile = profile_of(r);
    AUTO(target) target = NULL;
    struct found_objects found;
    bool is_whole = false;

    TRY(open_target(&target, r, err));
    TRY(find_objects(&found, target, err));
    if (found.count && begins && r->rotation.is_new_key)
        return refuse_place(r, target, err);
    if (found.has_private)
        TRY(provision_complete(&is_whole, target, &profile, err));
    if (is_whole)
        return SE_OK;
    if (found.count && !r->rotation.is_new_key)
        return error_set(err, SE_ERR_KEY, "%s is not whole", target_text(target));
    if (found.count)
        TRY(provision_delete(target, NULL, err));
    return generate_next(target, r, &profile, err);
}

/* ---- the certificate ---- */

static se_status take_answer(const struct rotating *r, se_error *err)
{
    const struct provision_report report = key_report_news(r->cli);
    AUTO(target) target = NULL;
    AUTO(se_buf) answer = SE_BUF_INIT;

    TRY(file_read(&answer, input_path(r->options->answer), ANSWER_LIMIT, err));
    TRY(open_target(&target, r, err));
    return provision_certificate(target, buf_bytes(&answer), &report, err);
}

static char *request_path(const struct rotating *r)
{
    char *folder, *path = NULL;

    if (r->options->request)
        return strdup(r->options->request);
    folder = file_folder(r->config.path);
    if (folder && asprintf(&path, "%s/%s.csr", folder, r->rotation.key) < 0)
        path = NULL;
    free(folder);
    return path;
}

static se_status write_request(const struct rotating *r, const char *path, se_error *err)
{
    const struct provision_profile profile = {
        .type = "", .subject = "", .usage = "", .like = r->rotation.previous_key
    };
    AUTO(target) target = NULL;
    AUTO(se_buf) request = SE_BUF_INIT;
    AUTO(output) output = OUTPUT_INIT;

    TRY(open_target(&target, r, err));
    TRY(provision_request(&request, target, &profile, err));
    TRY(output_open(&output, path, 0644, err));
    TRY(output_write(&output, buf_bytes(&request), err));
    return output_commit(&output, err);
}

/* Whether a CA has to answer, as one did for the key before. */
static se_status needs_answer(bool *out, const struct rotating *r, se_error *err)
{
    bool was_own = false, is_own = false;

    *out = false;
    if (r->options->self_signed || r->options->answer)
        return SE_OK;
    TRY(provision_is_self_issued(&was_own, r->next_path, r->rotation.previous_key, &next_options,
                                 err));
    TRY(provision_is_self_issued(&is_own, r->next_path, r->rotation.key, &next_options, err));
    *out = !was_own && is_own;
    return SE_OK;
}

/* *waits: there is nothing more to do until the CA has answered. */
static se_status certify_key(bool *waits, const struct rotating *r, se_error *err)
{
    char *path;
    se_status st;

    *waits = false;
    if (r->options->answer)
        return take_answer(r, err);
    TRY(needs_answer(waits, r, err));
    if (!*waits)
        return SE_OK;
    if (!(path = request_path(r)))
        return error_memory(err);
    st = write_request(r, path, err);
    if (!st)
        cli_warn(r->cli,
                 "%s: a request for the CA; `signengine rotate %s --continue ANSWER` goes on", path,
                 r->descriptor);
    free(path);
    return st;
}

static void print_rotated(const struct rotating *r)
{
    const struct rotation *what = &r->rotation;
    char from[TIME_TEXT_ROOM];

    (void)time_format(from, TIME_RFC3339, what->from);
    if (r->cli->json) {
        (void)json_line(json_pack("{s:o, s:i, s:o, s:o}", "descriptor", json_text(r->descriptor),
                                  "version", (int)what->version, "key", json_text(what->key),
                                  "from", json_time(what->from)));
        return;
    }
    if (r->cli->quiet)
        return;
    printf("%s:%u takes over at %s, with key '%s'\n", r->descriptor, what->version, from,
           what->key);
    printf("What remains:\n"
           "  - bring '%s' to every host that uses it, before then\n"
           "  - afterwards `signengine rekey` encrypts values anew, if it encrypts\n",
           r->config.path);
}

/* ---- all of it ---- */

static se_status take_steps(struct rotating *r, se_error *err)
{
    const bool begins = !rotating_has_next(r);
    bool waits;

    TRY(rotating_load(r, err));
    if (r->options->consent.dry_run)
        return SE_OK;
    if (!r->rotation.is_done) {
        TRY(make_key(r, begins, err));
        TRY(certify_key(&waits, r, err));
        if (waits)
            return SE_OK;
        TRY_PREFIX(probe_next(r, err), err, "the new key does not work (--abort gives it up): ");
        TRY(config_change_commit(&r->config, err));
    }
    TRY(rotating_remove_next(r, err));
    print_rotated(r);
    return SE_OK;
}

static int abort_rotation(struct rotating *r)
{
    AUTO(target) target = NULL;
    AUTO(key_consent) asking = { .cli = NULL };
    struct provision_consent consent;
    se_error err = SE_ERROR_INIT;
    struct found_objects found = { .count = 0 };

    if (!rotating_has_next(r))
        return cli_usage(r->cli, "no rotation is under way: '%s' is not there", r->next_path);
    if (rotating_recall(r, &err))
        return cli_fail(r->cli, &err);
    if (r->rotation.is_new_key && !r->rotation.is_done &&
        (open_target(&target, r, &err) || find_objects(&found, target, &err)))
        return cli_fail(r->cli, &err);
    if (found.count) {
        asking = (struct key_consent){
            .cli = r->cli, .target = target, .verb = "Delete", .done = "deleted", .option = "--yes"
        };
        asking.always = true;
        consent = key_consent_open(&asking, &r->options->consent);
        if (provision_delete(target, &consent, &err))
            return cli_fail(r->cli, &err);
    }
    if (!r->options->consent.dry_run && rotating_remove_next(r, &err))
        return cli_fail_output(r->cli, &err);
    return EXIT_DONE;
}

static int rotate_run(struct cli *cli, void *options, int argc, char **argv)
{
    AUTO(rotating) r = { .cli = cli, .options = options, .config = { .cli = cli, .lock = -1 } };
    struct descriptor_option descriptor;
    se_error err = SE_ERROR_INIT;

    if (argc != 1)
        return cli_usage(cli, "which DESCRIPTOR?");
    TRY_EXIT(descriptor_read(&descriptor, cli, argv[0]));
    if (descriptor.version)
        return cli_usage(cli, "a descriptor is rotated, and not one of its versions");
    r.descriptor = descriptor.name;
    r.config.sign = r.options->sign;
    if (rotating_begin(&r, &err))
        return cli_fail(cli, &err);
    if (r.options->abort)
        return abort_rotation(&r);
    return take_steps(&r, &err) ? cli_fail_output(cli, &err) : EXIT_DONE;
}

const struct command command_rotate = {
    .name = "rotate",
    .options = rotate_rows,
    .options_size = sizeof(struct rotate_options),
    .run = rotate_run,
};
