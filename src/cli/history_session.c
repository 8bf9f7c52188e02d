/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/history_session.h"

#include "base/text.h"

const struct option_row history_place_rows[] = {
    { .letter = 's',
      .name = "store",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct history_place, store),
      .argument = "URI",
      .help = "sqlite:PATH or postgresql://...",
      .place = OPTION_LOCAL },
    { .name = "chain",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct history_place, chain),
      .argument = "CHAIN",
      .help = "which chain of the store; over a socket, which history of the service",
      .fallback = "default" },
    { .letter = 'd',
      .name = "descriptor",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct history_place, descriptor),
      .argument = "DESCRIPTOR",
      .help = "whose key seals",
      .fallback = "ObjectHistorySigner",
      .place = OPTION_LOCAL },
    { .name = NULL },
};

const struct option_row history_selection_rows[] = {
    { .name = "object",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct history_selection, object),
      .argument = "ID",
      .help = "only what is about it",
      .fallback = "",
      .place = OPTION_LOCAL },
    { .name = "since",
      .kind = OPTION_TIME,
      .offset = offsetof(struct history_selection, since),
      .argument = "TIME",
      .help = "only what is not older",
      .place = OPTION_LOCAL },
    { .name = "until",
      .kind = OPTION_TIME,
      .offset = offsetof(struct history_selection, until),
      .argument = "TIME",
      .help = "only what is older",
      .place = OPTION_LOCAL },
    { .name = "first",
      .kind = OPTION_NUMBER,
      .offset = offsetof(struct history_selection, first),
      .argument = "SEQ",
      .help = "the first entry" },
    { .name = "last",
      .kind = OPTION_NUMBER,
      .offset = offsetof(struct history_selection, last),
      .argument = "SEQ",
      .help = "the last entry" },
    { .name = "unverified",
      .kind = OPTION_FLAG,
      .offset = offsetof(struct history_selection, unverified),
      .help = "of a chain that may not be good",
      .place = OPTION_LOCAL },
    { .name = NULL },
};

se_history_range history_range(const struct history_selection *s)
{
    se_history_range range = SE_HISTORY_RANGE_INIT;

    range.first = s->first;
    range.last = s->last;
    range.from = s->since;
    range.to = s->until;
    range.object = text_bytes(s->object);
    range.unverified = s->unverified;
    return range;
}

void history_session_close(struct history_session *s)
{
    progress_end(&s->progress);
    se_history_close(&s->history);
    service_close(&s->service);
}

int history_options_prepare(struct history_session *out, se_history_options *options,
                            struct cli *cli, const struct history_place *place)
{
    const se_history_options defaults = SE_HISTORY_OPTIONS_INIT;
    se_error err = SE_ERROR_INIT;

    *options = defaults;
    if (!place->store || !*place->store)
        return cli_usage(cli, "which store? say --store sqlite:PATH");
    options->chain = place->chain;
    options->descriptor = place->descriptor;
    return cli_open(&out->service.engine, cli, &err);
}

int history_session_open(struct history_session *out, struct cli *cli,
                         const struct history_place *place, enum history_use use, const char *what)
{
    se_history_options options;
    se_error err = SE_ERROR_INIT;

    out->chain = place->chain;
    if (cli->address)
        return service_open(&out->service, cli, &err);
    TRY_EXIT(history_options_prepare(out, &options, cli, place));
    options.inspect = use == HISTORY_INSPECT;
    options.dry_run = use == HISTORY_DRY_RUN;
    if (what)
        options.progress = progress_begin(&out->progress, cli, what);
    out->progress.unit = "entries";
    options.progress_arg = &out->progress;
    if (!se_history_open(&out->history, out->service.engine, place->store, &options, &err))
        return EXIT_DONE;
    progress_end(&out->progress);
    return cli_fail(cli, &err);
}

se_status history_session_append(se_history_appended *out, const struct history_session *s,
                                 const se_record *records, size_t count,
                                 const se_history_append_params *params, se_error *err)
{
    return s->history ? se_history_append_many(out, s->history, records, count, params, err)
                      : client_history_append(out, s->service.client, s->chain, records, count,
                                              params, err);
}

se_status history_session_head(se_buf *out, const struct history_session *s, se_error *err)
{
    return s->history ? se_history_head(out, s->history, err)
                      : client_history_head(out, s->service.client, s->chain, err);
}

se_status history_session_read(const struct history_session *s, const se_history_range *range,
                               se_history_entry_fn fn, void *arg, se_error *err)
{
    return s->history ? se_history_read(s->history, range, fn, arg, err)
                      : client_history_read(s->service.client, s->chain, range, fn, arg, err);
}

se_status history_session_prove(se_buf *out, const struct history_session *s, uint64_t seq,
                                se_error *err)
{
    return s->history ? se_history_prove(out, s->history, seq, err)
                      : client_history_prove(out, s->service.client, s->chain, seq, err);
}

int history_entry_number(uint64_t *out, const struct cli *cli, int argc, char **argv)
{
    unsigned long number;

    if (argc != 1)
        return cli_usage(cli, "which entry? its number is missing");
    if (!text_number(&number, argv[0], INT64_MAX) || !number)
        return cli_usage(cli, "'%s' is not the number of an entry", argv[0]);
    *out = number;
    return EXIT_DONE;
}
