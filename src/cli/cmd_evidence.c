/* SPDX-License-Identifier: Apache-2.0 */
/* `evidence make`, `evidence renew`, `evidence verify`: evidence records of any files. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/commands.h"
#include "cli/common_options.h"
#include "cli/print_signer.h"
#include "cli/stream.h"

/* That of a million files with all their hashes would be larger than what it is good for. */
enum { RECORD_LIMIT = 64 << 20 };

/* ---- records and their files ---- */

/* A record of a call: of one file with --each, of all otherwise. */
struct evidence_item {
    char *path; /* where it is, or goes */
    se_buf der;
};

struct evidence_list {
    se_evidence *records;
    struct evidence_item *items; /* beside `records` */
    size_t count;
    se_evidence_file *files; /* of all records */
};

static void evidence_list_free(struct evidence_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        se_buf_free(&list->records[i].made);
        se_buf_free(&list->items[i].der);
        free(list->items[i].path);
    }
    free(list->records);
    free(list->items);
    free(list->files);
}
AUTO_KIND(evidence_list, struct evidence_list, evidence_list_free(p))

/* Beside the file, as a signature is. */
static char *path_of(const char *stated, const char *file)
{
    char *path;

    if (stated)
        return strdup(stated);
    return asprintf(&path, "%s.ers", file) < 0 ? NULL : path;
}

static int check_operands(const struct cli *cli, const char *option, const char *stated, bool each,
                          int argc)
{
    if (!argc)
        return cli_usage(cli, "which files?");
    if (each && stated)
        return cli_usage(cli, "with --each the record of FILE is FILE.ers: no --%s", option);
    if (argc > 1 && !each && !stated)
        return cli_usage(cli, "of several files, --%s names the record, or --each has one for each",
                         option);
    return EXIT_DONE;
}

static int list_records(struct evidence_list *out, const char *stated, bool each, int argc,
                        char **argv)
{
    const size_t files = (size_t)argc, count = each ? files : 1;

    out->records = calloc(count, sizeof *out->records);
    out->items = calloc(count, sizeof *out->items);
    out->files = calloc(files, sizeof *out->files);
    if (!out->records || !out->items || !out->files)
        return EXIT_INTERNAL;
    out->count = count;
    for (size_t i = 0; i < files; i++)
        out->files[i].name = input_path(argv[i]);
    for (size_t i = 0; i < count; i++) {
        out->records[i].files = out->files + i;
        out->records[i].count = each ? 1 : files;
        if (!(out->items[i].path = path_of(stated, argv[i])))
            return EXIT_INTERNAL;
    }
    return EXIT_DONE;
}

static se_status read_record(struct evidence_list *list, size_t at, se_error *err)
{
    struct evidence_item *item = &list->items[at];

    TRY(file_read(&item->der, input_path(item->path), RECORD_LIMIT, err));
    list->records[at].der = buf_bytes(&item->der);
    return SE_OK;
}

static int write_records(const struct cli *cli, const struct evidence_list *list, const char *what)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct evidence_item *item = &list->items[i];
        const se_evidence *record = &list->records[i];

        TRY_EXIT(result_write_all(cli, item->path, buf_bytes(&record->made)));
        if (cli->json && !cli->taken)
            (void)json_line(json_pack("{s:o, s:I}", "record", json_text(item->path), "files",
                                      (json_int_t)record->count));
        if (!cli->taken)
            cli_done(cli, "%s: %s, of %zu file%s", item->path, what, record->count,
                     record->count == 1 ? "" : "s");
    }
    return EXIT_DONE;
}

/* ---- evidence make ---- */

struct make_options {
    const char *output, *digest;
    bool each;
    struct tsa_options tsa;
};

static const struct option_row make_rows[] = {
    { .kind = OPTION_GROUP, .offset = offsetof(struct make_options, tsa), .rows = tsa_rows },
    { .name = "digest",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct make_options, digest),
      .argument = "NAME",
      .help = "SHA-256, SHA-384 or SHA-512",
      .fallback = "SHA-256" },
    { .name = "each",
      .kind = OPTION_FLAG,
      .offset = offsetof(struct make_options, each),
      .help = "a record for each FILE, FILE.ers, all under one time stamp" },
    { .letter = 'o',
      .name = "output",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct make_options, output),
      .argument = "RECORD",
      .help = "where to; FILE.ers if not given" },
    { .name = NULL },
};

static int need_tsa(se_buf *urls, const struct cli *cli, const struct tsa_options *tsa)
{
    TRY_EXIT(tsa_read(urls, cli, tsa));
    return urls->data ? EXIT_DONE : cli_usage(cli, "--tsa says who stamps");
}

static int evidence_make_run(struct cli *cli, void *options, int argc, char **argv)
{
    const struct make_options *o = options;
    AUTO(evidence_list) list = { .count = 0 };
    AUTO(se_buf) urls = SE_BUF_INIT;
    se_evidence_params params = SE_EVIDENCE_PARAMS_INIT;
    se_error err = SE_ERROR_INIT;

    TRY_EXIT(check_operands(cli, "output", o->output, o->each, argc));
    TRY_EXIT(need_tsa(&urls, cli, &o->tsa));
    TRY_EXIT(list_records(&list, o->output, o->each, argc, argv));
    params.tsa = (const char *)urls.data;
    params.tsa_policy = o->tsa.policy;
    params.digest = o->digest;
    for (size_t i = 0; i < list.count; i++)
        if (!cli->taken && result_check_new(list.items[i].path, &err))
            return cli_fail_output(cli, &err);
    if (se_evidence_make(list.records, list.count, &params, &err))
        return cli_fail(cli, &err);
    return write_records(cli, &list, "written");
}

const struct command command_evidence_make = {
    .name = "evidence make",
    .options = make_rows,
    .options_size = sizeof(struct make_options),
    .run = evidence_make_run,
};

/* ---- whom time stamps are believed from ---- */

struct trust_options {
    const char *trust_tsa;
    struct revocation_options revocation;
};

static const struct option_row trust_rows[] = {
    { .name = "trust-tsa",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct trust_options, trust_tsa),
      .argument = "CA.pem",
      .help = "believe time stamping authorities below these CAs" },
    { .kind = OPTION_GROUP,
      .offset = offsetof(struct trust_options, revocation),
      .rows = revocation_rows },
    { .name = NULL },
};

static int read_trust(se_evidence_verify_params *out, se_revocation_params *revocation,
                      const struct cli *cli, const struct trust_options *o)
{
    *out = (se_evidence_verify_params)SE_EVIDENCE_VERIFY_PARAMS_INIT;
    if (!o->trust_tsa)
        return cli_usage(cli, "--trust-tsa says whose time stamps count");
    out->trust_tsa = o->trust_tsa;
    out->revocation = revocation_options_read(revocation, &o->revocation);
    return EXIT_DONE;
}

/* ---- evidence renew ---- */

struct renew_options {
    const char *record, *output, *digest;
    bool each;
    struct tsa_options tsa;
    struct trust_options trust;
};

static const struct option_row renew_rows[] = {
    { .kind = OPTION_GROUP, .offset = offsetof(struct renew_options, tsa), .rows = tsa_rows },
    { .kind = OPTION_GROUP, .offset = offsetof(struct renew_options, trust), .rows = trust_rows },
    { .name = "digest",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct renew_options, digest),
      .argument = "NAME",
      .help = "SHA-256, SHA-384 or SHA-512; that of the last time stamp if not given" },
    { .name = "each",
      .kind = OPTION_FLAG,
      .offset = offsetof(struct renew_options, each),
      .help = "the record of each FILE, FILE.ers, all under one time stamp" },
    { .letter = 'r',
      .name = "record",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct renew_options, record),
      .argument = "RECORD",
      .help = "the record; FILE.ers if not given" },
    { .letter = 'o',
      .name = "output",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct renew_options, output),
      .argument = "RECORD",
      .help = "where to; in place of the old one if not given" },
    { .name = NULL },
};

/* Where they go, once they have been read. */
static int name_output(struct evidence_list *list, const char *output)
{
    if (!output)
        return EXIT_DONE;
    free(list->items[0].path);
    return (list->items[0].path = strdup(output)) ? EXIT_DONE : EXIT_INTERNAL;
}

static int renew_records(struct cli *cli, const struct renew_options *o, struct evidence_list *list,
                         const char *urls)
{
    se_evidence_params params = SE_EVIDENCE_PARAMS_INIT;
    se_evidence_verify_params trust;
    se_revocation_params revocation;
    se_error err = SE_ERROR_INIT;

    TRY_EXIT(read_trust(&trust, &revocation, cli, &o->trust));
    params.tsa = urls;
    params.tsa_policy = o->tsa.policy;
    params.digest = o->digest;
    for (size_t i = 0; i < list->count; i++)
        if (read_record(list, i, &err))
            return cli_fail(cli, &err);
    TRY_EXIT(name_output(list, o->output));
    if (se_evidence_renew(list->records, list->count, &params, &trust, &err))
        return cli_fail(cli, &err);
    return write_records(cli, list, "renewed");
}

static int evidence_renew_run(struct cli *cli, void *options, int argc, char **argv)
{
    const struct renew_options *o = options;
    AUTO(evidence_list) list = { .count = 0 };
    AUTO(se_buf) urls = SE_BUF_INIT;

    TRY_EXIT(check_operands(cli, "record", o->record, o->each, argc));
    if (o->each && o->output)
        return cli_usage(cli, "with --each records are renewed in place: no --output");
    TRY_EXIT(need_tsa(&urls, cli, &o->tsa));
    TRY_EXIT(list_records(&list, o->record, o->each, argc, argv));
    return renew_records(cli, o, &list, (const char *)urls.data);
}

const struct command command_evidence_renew = {
    .name = "evidence renew",
    .options = renew_rows,
    .options_size = sizeof(struct renew_options),
    .run = evidence_renew_run,
};

/* ---- evidence verify ---- */

struct verify_options {
    const char *record;
    bool each, partial;
    int64_t time;
    struct trust_options trust;
};

static const struct option_row verify_rows[] = {
    { .kind = OPTION_GROUP, .offset = offsetof(struct verify_options, trust), .rows = trust_rows },
    { .letter = 'r',
      .name = "record",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct verify_options, record),
      .argument = "RECORD",
      .help = "the record; FILE.ers if not given" },
    { .name = "each",
      .kind = OPTION_FLAG,
      .offset = offsetof(struct verify_options, each),
      .help = "each FILE by its own record, FILE.ers" },
    { .name = "partial",
      .kind = OPTION_FLAG,
      .offset = offsetof(struct verify_options, partial),
      .help = "the record may be about other files, too" },
    { .name = "time",
      .kind = OPTION_TIME,
      .offset = offsetof(struct verify_options, time),
      .argument = "TIME",
      .help = "when the last time stamp has to be good, now if not given" },
    { .name = NULL },
};

/* What is told of a good record. */
struct evidence_report {
    json_t *stamps;
    struct writer text;
    unsigned trees; /* so far */
    int64_t since, until;
};

static void evidence_report_free(struct evidence_report *report)
{
    json_decref(report->stamps);
    writer_free(&report->text);
}
AUTO_KIND(evidence_report, struct evidence_report, evidence_report_free(p))

static void report_stamp(void *arg, const se_evidence_stamp *stamp)
{
    struct evidence_report *report = arg;
    json_t *object =
        json_pack("{s:i, s:s, s:o, s:o, s:o}", "tree", (int)stamp->tree, "digest", stamp->digest,
                  "time", json_time(stamp->time), "authority", json_text(stamp->authority),
                  "notAfter", json_time(stamp->not_after));
    char when[TIME_TEXT_ROOM];

    if (stamp->accuracy_us)
        (void)json_object_set_new(object, "accuracyMicroseconds", json_integer(stamp->accuracy_us));
    (void)json_array_append_new(report->stamps, object);
    signing_time_text(when, stamp->time);
    writer_format(&report->text, "  stamped    %s", when);
    write_accuracy(&report->text, stamp->accuracy_us);
    writer_format(&report->text, " by %s, %s%s\n", stamp->authority, stamp->digest,
                  report->trees && stamp->tree > report->trees ? ", new hash tree" : "");
    report->trees = stamp->tree;
    if (!report->since)
        report->since = stamp->time;
    report->until = stamp->not_after;
}

static void print_report(const struct cli *cli, struct evidence_report *report, const char *path,
                         size_t files)
{
    char since[TIME_TEXT_ROOM], until[TIME_TEXT_ROOM];

    signing_time_text(since, report->since);
    signing_time_text(until, report->until);
    if (cli->json)
        (void)json_line(json_pack("{s:o, s:s, s:I, s:o, s:o, s:O}", "record", json_text(path),
                                  "verdict", "good", "files", (json_int_t)files, "since",
                                  json_time(report->since), "renewBefore", json_time(report->until),
                                  "timeStamps", report->stamps));
    else if (!cli->quiet)
        printf("%s: good record of %zu file%s\n  there at   %s\n%s  renew      before %s\n", path,
               files, files == 1 ? "" : "s", since, writer_string(&report->text), until);
}

static int verify_record(struct cli *cli, struct evidence_list *list, size_t at,
                         const se_evidence_verify_params *params)
{
    AUTO(evidence_report) report = { .stamps = json_array() };
    const char *path = list->items[at].path;
    se_error err = SE_ERROR_INIT;

    cli->judged = path;
    if (read_record(list, at, &err))
        return cli_fail(cli, &err);
    if (se_evidence_verify(&list->records[at], params, report_stamp, &report, &err)) {
        (void)error_prefix(&err, err.status, "'%s': ", path);
        return cli_fail(cli, &err);
    }
    print_report(cli, &report, path, list->records[at].count);
    return EXIT_DONE;
}

static int evidence_verify_run(struct cli *cli, void *options, int argc, char **argv)
{
    const struct verify_options *o = options;
    AUTO(evidence_list) list = { .count = 0 };
    se_evidence_verify_params params;
    se_revocation_params revocation;
    int status = EXIT_DONE;

    TRY_EXIT(check_operands(cli, "record", o->record, o->each, argc));
    TRY_EXIT(read_trust(&params, &revocation, cli, &o->trust));
    TRY_EXIT(list_records(&list, o->record, o->each, argc, argv));
    params.time = o->time;
    params.partial = o->partial;
    for (size_t i = 0; i < list.count; i++) {
        const int one = verify_record(cli, &list, i, &params);

        if (!status)
            status = one;
    }
    return status;
}

const struct command command_evidence_verify = {
    .name = "evidence verify",
    .options = verify_rows,
    .options_size = sizeof(struct verify_options),
    .run = evidence_verify_run,
};
