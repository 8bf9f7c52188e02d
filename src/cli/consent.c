#include "cli/consent.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"

static bool agrees(const struct consent_question *q)
{
    char answer[8] = "";

    (void)fprintf(stderr, "This goes for good:\n%s", q->loss);
    if (q->reason)
        (void)fprintf(stderr, "%c%s.\n", toupper(*q->reason), q->reason + 1);
    (void)fprintf(stderr, "%s Type yes: ", q->question);
    return fgets(answer, sizeof answer, stdin) && strcmp(answer, "yes\n") == 0;
}

se_status consent_ask(const struct consent_question *q, se_error *err)
{
    if (isatty(STDIN_FILENO))
        return agrees(q) ? SE_OK : error_set(err, SE_ERR_USAGE, "nothing is %s", q->done);
    return error_set(err, SE_ERR_USAGE,
                     "%s%swithout a terminal to ask on, %s says that it is meant",
                     q->reason ? q->reason : "", q->reason ? ": " : "", q->option);
}
