#include "cli/history.h"

#include "base/buf.h"

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

void history_leave(struct history_session *s)
{
    progress_end(&s->progress);
    se_history_close(&s->history);
    se_close(&s->engine);
}

int history_prepare(struct history_session *out, se_history_options *options, struct cli *cli,
                    const struct history_place *place)
{
    const se_history_options defaults = SE_HISTORY_OPTIONS_INIT;
    se_error err = SE_ERROR_INIT;

    *options = defaults;
    if (!place->store || !*place->store)
        return cli_usage(cli, "which store? say --store sqlite:PATH");
    options->chain = place->chain;
    options->descriptor = place->descriptor;
    return cli_open(&out->engine, cli, &err);
}

int history_enter(struct history_session *out, struct cli *cli, const struct history_place *place,
                  enum history_use use, const char *what)
{
    se_history_options options;
    se_error err = SE_ERROR_INIT;
    int status = history_prepare(out, &options, cli, place);

    if (status)
        return status;
    options.inspect = use == HISTORY_INSPECT;
    options.dry_run = use == HISTORY_DRY_RUN;
    if (what)
        options.progress = progress_begin(&out->progress, cli, what);
    out->progress.unit = "entries";
    options.progress_arg = &out->progress;
    if (!se_history_open(&out->history, out->engine, place->store, &options, &err))
        return EXIT_DONE;
    progress_end(&out->progress);
    return cli_fail(cli, &err);
}
