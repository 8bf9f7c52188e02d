/* SPDX-License-Identifier: Apache-2.0 */
/* `retire`: a version of a descriptor goes, unless something is found that it has made. */
#include <stdio.h>
#include <stdlib.h>

#include "cli/commands.h"
#include "cli/config_change.h"
#include "cli/traces.h"
#include "provision/provision.h"

struct retire_options {
    struct consent_options consent;
    struct option_list lines, stores, messages;
    const char *chain, *sign;
    bool skip_unknown;
};

static const struct option_row retire_rows[] = {
    { .name = "lines",
      .kind = OPTION_LIST,
      .offset = offsetof(struct retire_options, lines),
      .argument = "FILE",
      .help = "look through encrypted values, one a line; may be given several times" },
    { .name = "store",
      .kind = OPTION_LIST,
      .offset = offsetof(struct retire_options, stores),
      .argument = "URI",
      .help = "look through the seals of histories; likewise" },
    { .name = "chain",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct retire_options, chain),
      .argument = "CHAIN",
      .help = "only of this chain" },
    { .name = "mail",
      .kind = OPTION_LIST,
      .offset = offsetof(struct retire_options, messages),
      .argument = "PATH",
      .help = "look through messages, a file or a folder of them; likewise" },
    { .name = "skip-unknown",
      .kind = OPTION_FLAG,
      .offset = offsetof(struct retire_options, skip_unknown),
      .help = "what does not tell who has made it is in nobody's way" },
    { .name = "sign",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct retire_options, sign),
      .argument = "NAME[:VERSION]",
      .help = "who signs the configuration, if it is a signed one" },
    { .kind = OPTION_GROUP,
      .offset = offsetof(struct retire_options, consent),
      .rows = consent_rows },
    { .name = NULL },
};

struct retiring {
    struct cli *cli;
    const struct retire_options *options;
    struct descriptor_option what;
    struct config_change config;
    struct retirement retirement;
    struct loss_rows loss;
    struct trace_search search;
};

static void retiring_free(struct retiring *r)
{
    se_close(&r->search.engine);
    loss_rows_close(&r->loss);
    retirement_free(&r->retirement);
    config_change_free(&r->config);
}
AUTO_KIND(retiring, struct retiring, retiring_free(p))

/* ---- looking ---- */

typedef se_status look_fn(struct trace_search *search, const char *place, se_error *err);

static se_status look_through(struct retiring *r, const struct option_list *places, look_fn *look,
                              se_error *err)
{
    for (size_t i = 0; i < places->count; i++)
        TRY(look(&r->search, places->items[i], err));
    return SE_OK;
}

static se_status look_for_traces(struct retiring *r, int argc, char **argv, se_error *err)
{
    const struct retire_options *o = r->options;

    for (int i = 0; i < argc; i++)
        TRY(traces_in_path(&r->search, argv[i], err));
    TRY(look_through(r, &o->lines, traces_in_lines, err));
    TRY(look_through(r, &o->messages, traces_in_mail, err));
    for (size_t i = 0; i < o->stores.count; i++)
        TRY(traces_in_store(&r->search, o->stores.items[i], o->chain, err));
    return SE_OK;
}

static se_status check_traces(const struct retiring *r, se_error *err)
{
    const struct trace_count *c = &r->search.count;

    if (c->found)
        return error_set(err, SE_ERR_REJECTED,
                         "%s:%u has made %ju of %ju values, signatures and seals that were looked "
                         "at, which nothing reads without it",
                         r->what.name, r->what.version, (uintmax_t)c->found, (uintmax_t)c->seen);
    if (c->unknown && !r->options->skip_unknown)
        return error_set(err, SE_ERR_FORMAT,
                         "%ju of %ju do not tell who has made them: --skip-unknown passes over "
                         "them",
                         (uintmax_t)c->unknown, (uintmax_t)c->seen);
    return SE_OK;
}

/* ---- retiring ---- */

static se_status plan_retirement(struct retiring *r, se_error *err)
{
    struct config_difference difference = { r->cli->json && r->options->consent.dry_run, NULL };
    const struct retirement_wish wish = {
        .descriptor = r->what.name,
        .version = r->what.version,
        .difference = config_change_print,
        .difference_arg = &difference,
    };

    loss_rows_open(&r->loss);
    difference.out = r->loss.out;
    return retirement_plan(&r->config.next, &r->retirement, buf_bytes(&r->config.text),
                           r->config.path, &wish, err);
}

static se_status ask_to_retire(struct retiring *r, se_error *err)
{
    char question[400];
    const struct consent_question q = {
        .loss = loss_rows_text(&r->loss),
        .question = question,
        .reason = r->search.count.seen ? NULL : "nothing was looked through for what it has made",
        .done = "retired",
        .option = "--yes",
    };

    (void)snprintf(question, sizeof question,
                   "Retire %s:%u, so that nothing that it has made can be read or verified?",
                   r->what.name, r->what.version);
    return r->options->consent.yes ? SE_OK : consent_ask(&q, err);
}

static void print_retired(const struct retiring *r)
{
    const struct retirement *what = &r->retirement;

    if (r->cli->json) {
        (void)json_line(json_pack("{s:o, s:i, s:o, s:b, s:I, s:I}", "descriptor",
                                  json_text(r->what.name), "version", (int)r->what.version, "key",
                                  json_text(what->key), "keyUsed", (int)what->is_key_used, "seen",
                                  (json_int_t)r->search.count.seen, "unknown",
                                  (json_int_t)r->search.count.unknown));
        return;
    }
    if (r->cli->quiet)
        return;
    printf("%s:%u is retired; %ju values, signatures and seals were looked at\n", r->what.name,
           r->what.version, (uintmax_t)r->search.count.seen);
    printf("What remains:\n  - bring '%s' to every host that uses it\n", r->config.path);
    if (what->is_key_used)
        printf("  - key '%s' stays, for it is used otherwise\n", what->key);
    else
        printf("  - afterwards `signengine key delete %s` deletes its key, and its <key> can go\n",
               what->key);
}

static se_status retire_version(struct retiring *r, int argc, char **argv, se_error *err)
{
    const bool is_dry = r->options->consent.dry_run;

    TRY(config_change_begin(&r->config, err));
    if (!is_dry)
        TRY(config_change_check_signer(&r->config, err));
    TRY(plan_retirement(r, err));
    TRY(look_for_traces(r, argc, argv, err));
    TRY(check_traces(r, err));
    if (is_dry) {
        if (!r->cli->json)
            fputs(loss_rows_text(&r->loss), stdout);
        return SE_OK;
    }
    TRY(ask_to_retire(r, err));
    TRY(config_change_commit(&r->config, err));
    print_retired(r);
    return SE_OK;
}

static int retire_run(struct cli *cli, void *options, int argc, char **argv)
{
    AUTO(retiring) r = { .cli = cli, .options = options, .config = { .cli = cli, .lock = -1 } };
    se_error err = SE_ERROR_INIT;

    if (!argc)
        return cli_usage(cli, "which DESCRIPTOR:VERSION?");
    TRY_EXIT(descriptor_read(&r.what, cli, argv[0]));
    if (!r.what.version)
        return cli_usage(cli, "which version of '%s'? say %s:VERSION", r.what.name, r.what.name);
    if (r.options->chain && !r.options->stores.count)
        return cli_usage(cli, "--chain names a chain of a --store, and there is none");
    TRY_EXIT(cli_open(&r.search.engine, cli, &err));
    r.search.cli = cli;
    r.search.descriptor = r.what.name;
    r.search.version = r.what.version;
    r.config.sign = r.options->sign;
    return retire_version(&r, argc - 1, argv + 1, &err) ? cli_fail(cli, &err) : EXIT_DONE;
}

const struct command command_retire = {
    .name = "retire",
    .options = retire_rows,
    .options_size = sizeof(struct retire_options),
    .run = retire_run,
};
