/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keeps the history of a card, and shows what it is worth:
 *
 *   history engineSignEncrypt.xml sqlite:PATH CARD STATE...
 */
#include <stdio.h>
#include <string.h>

#include <signengine-history.h>

static int fail(const se_error *error)
{
    fprintf(stderr, "%s\n", error->text);
    return 1;
}

static void tell(void *arg, const se_finding *finding)
{
    (void)arg;
    printf("%s: %s\n", se_finding_name(finding->kind), finding->text);
}

static int append(se_history *history, const char *card, const char *state)
{
    se_error error = SE_ERROR_INIT;
    uint64_t seq;

    /* when this returns, the entry is stored and a signature covers it; threads that call it
     * together share one */
    if (se_history_append(&seq, history, (se_bytes){ card, strlen(card) },
                          (se_bytes){ state, strlen(state) }, &error))
        return fail(&error);
    printf("entry %llu: %s is %s\n", (unsigned long long)seq, card, state);
    return 0;
}

static int verify(se_history *history)
{
    se_history_verify_options options = SE_HISTORY_VERIFY_OPTIONS_INIT;
    se_history_report report;
    se_error error = SE_ERROR_INIT;

    options.finding = tell;
    if (se_history_verify(&report, history, &options, &error))
        return fail(&error);
    printf("%llu entries and %llu seals are good\n", (unsigned long long)report.entries,
           (unsigned long long)report.seals);
    return 0;
}

int main(int argc, char **argv)
{
    se_error error = SE_ERROR_INIT;
    se_engine *engine = NULL;
    se_history *history = NULL;
    int status = 0;

    if (argc < 4) {
        fprintf(stderr, "usage: history engineSignEncrypt.xml sqlite:PATH CARD STATE...\n");
        return 64;
    }
    if (se_open(&engine, argv[1], NULL, &error) ||
        se_history_open(&history, engine, argv[2], NULL, &error))
        status = fail(&error);
    for (int i = 4; !status && i < argc; i++)
        status = append(history, argv[3], argv[i]);
    if (!status)
        status = verify(history);
    se_history_close(&history);
    se_close(&engine);
    return status;
}
