#include "cli/consent.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"

static bool agrees(struct consent *c, const char *descriptor)
{
    char answer[8] = "";

    if (c->rows)
        (void)fflush(c->rows);
    (void)fprintf(stderr, "This goes for good:\n%s", c->text ? c->text : "");
    if (descriptor)
        (void)fprintf(stderr, "Descriptor '%s' uses it.\n", descriptor);
    (void)fprintf(stderr, "%s %s, with its certificate? Type yes: ", c->verb, target_text(c->target));
    return fgets(answer, sizeof answer, stdin) && strcmp(answer, "yes\n") == 0;
}

static se_status ask(void *arg, const char *descriptor, se_error *err)
{
    struct consent *c = arg;

    if (c->meant || (!c->always && !descriptor))
        return SE_OK;
    if (isatty(STDIN_FILENO))
        return agrees(c, descriptor) ? SE_OK : error_set(err, SE_ERR_USAGE, "nothing is %s", c->done);
    if (!descriptor)
        return error_set(err, SE_ERR_USAGE, "without a terminal to ask on, %s says that it is meant", c->option);
    return error_set(err, SE_ERR_USAGE, "descriptor '%s' uses it: without a terminal to ask on, %s says that it is meant", descriptor,
                     c->option);
}

struct provision_consent consent_open(struct consent *consent, const struct consent_options *options)
{
    consent->meant = consent->meant || options->yes;
    if (!options->dry_run)
        consent->rows = open_memstream(&consent->text, &consent->size);
    return (struct provision_consent){
        .loss = options->dry_run ? place_report(consent->cli) : place_report_to(consent->rows),
        .ask = ask,
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
