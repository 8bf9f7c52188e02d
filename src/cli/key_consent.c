#include "cli/key_consent.h"

#include <stdlib.h>

#include "base/error.h"

static se_status ask_about_key(void *arg, const char *descriptor, se_error *err)
{
    struct consent *c = arg;
    AUTO(writer) question = { 0 }, reason = { 0 };
    struct consent_question q = { .done = c->done, .option = c->option };

    if (c->meant || (!c->always && !descriptor))
        return SE_OK;
    if (c->rows)
        (void)fflush(c->rows);
    if (c->thing)
        writer_format(&question, "%s %s?", c->verb, c->thing);
    else
        writer_format(&question, "%s %s, with its certificate?", c->verb, target_text(c->target));
    if (descriptor)
        writer_format(&reason, "descriptor '%s' uses it", descriptor);
    q.loss = c->text ? c->text : "";
    q.question = writer_string(&question);
    q.reason = descriptor ? writer_string(&reason) : NULL;
    return q.question && (q.reason || !descriptor) ? consent_ask(&q, err) : error_memory(err);
}

struct provision_consent consent_open(struct consent *consent,
                                      const struct consent_options *options)
{
    consent->meant = consent->meant || options->yes;
    if (!options->dry_run)
        consent->rows = open_memstream(&consent->text, &consent->size);
    return (struct provision_consent){
        .loss = options->dry_run ? place_report(consent->cli) : place_report_to(consent->rows),
        .ask = ask_about_key,
        .arg = consent,
        .dry_run = options->dry_run,
    };
}

void consent_free(struct consent *consent)
{
    if (consent->rows)
        (void)fclose(consent->rows);
    free(consent->text);
    *consent = (struct consent){ .cli = NULL };
}
