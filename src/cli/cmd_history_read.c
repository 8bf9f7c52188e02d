/* SPDX-License-Identifier: Apache-2.0 */
/* `signengine history show|prove|verify-proof` */
#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/stream.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/history_session.h"
#include "cli/print_entry.h"

enum { PROOF_LIMIT = 64 << 20, CERTIFICATE_LIMIT = 1 << 20, MILLION = 1000000 };

struct show_options {
    struct history_place place;
    struct history_selection selection;
};

struct prove_options {
    struct history_place place;
    const char *output;
};

struct proof_options {
    const char *certificate;
};

static const struct option_row show_rows[] = {
    { .kind = OPTION_GROUP,
      .offset = offsetof(struct show_options, place),
      .rows = history_place_rows },
    { .kind = OPTION_GROUP,
      .offset = offsetof(struct show_options, selection),
      .rows = history_selection_rows },
    { .name = NULL },
};
static const struct option_row prove_rows[] = {
    { .kind = OPTION_GROUP,
      .offset = offsetof(struct prove_options, place),
      .rows = history_place_rows },
    { .letter = 'o',
      .name = "output",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct prove_options, output),
      .argument = "FILE",
      .help = "where the proof goes",
      .fallback = "-" },
    { .name = NULL },
};
static const struct option_row proof_rows[] = {
    { .name = "certificate",
      .kind = OPTION_TEXT,
      .offset = offsetof(struct proof_options, certificate),
      .argument = "FILE",
      .help = "whose seal it has to be" },
    { .name = NULL },
};

/* ---- entries ---- */

static bool print_entry_json(void *arg, const se_history_entry *entry)
{
    (void)arg;
    return json_line(json_entry(entry));
}

static bool print_entry(void *arg, const se_history_entry *entry)
{
    char object[ENTRY_CUT + 1], payload[ENTRY_CUT + 1], when[TIME_TEXT_ROOM];

    (void)arg;
    entry_cut(object, entry->object);
    entry_cut(payload, entry->erased ? (se_bytes){ "(erased)", 8 } : entry->payload);
    time_format(when, TIME_READABLE, entry->time_us / MILLION);
    when[strcspn(when, "U")] = '\0';
    return printf("%8ju  %s %-20s  %s\n", (uintmax_t)entry->seq, when, object, payload) > 0;
}

static int history_show_run(struct cli *cli, void *arg, int argc, char **argv)
{
    const struct show_options *o = arg;
    AUTO(history_session) session = { .history = NULL };
    const se_history_range range = history_range(&o->selection);
    se_error err = SE_ERROR_INIT;

    (void)argv;
    if (argc)
        return cli_usage(cli, "history show takes no file");
    TRY_EXIT(history_session_open(&session, cli, &o->place, HISTORY_INSPECT,
                                  o->selection.unverified ? NULL : "verifying"));
    return history_session_read(&session, &range, cli->json ? print_entry_json : print_entry, NULL,
                                &err)
               ? cli_fail(cli, &err)
               : EXIT_DONE;
}

/* ---- proofs ---- */

static int history_prove_run(struct cli *cli, void *arg, int argc, char **argv)
{
    const struct prove_options *o = arg;
    AUTO(history_session) session = { .history = NULL };
    AUTO(result) result = RESULT_INIT;
    AUTO(se_buf) proof = SE_BUF_INIT;
    se_error err = SE_ERROR_INIT;
    uint64_t seq;

    TRY_EXIT(history_entry_number(&seq, cli, argc, argv));
    TRY_EXIT(history_session_open(&session, cli, &o->place, HISTORY_CHANGE, NULL));
    if (history_session_prove(&proof, &session, seq, &err))
        return cli_fail(cli, &err);
    if (result_open(&result, o->output, false, &err) ||
        sink_write(&result.sink, buf_bytes(&proof), &err) || result_commit(&result, &err))
        return result_fail(&result, cli, &err);
    return EXIT_DONE;
}

static void print_proof(const struct cli *cli, const se_history_proof *p)
{
    const se_history_entry entry = {
        p->seq,    p->time_us, buf_bytes(&p->object), buf_bytes(&p->payload), { "", 0 },
        p->erased, { "", 0 }
    };
    char sealed[ENTRY_TIME];
    json_t *object;

    if (!cli->json) {
        (void)print_entry(NULL, &entry);
        printf("  is in the chain '%s', as sealed by %s, certificate %s\n", p->chain,
               p->signer.subject, p->fingerprint);
        return;
    }
    entry_time(sealed, p->sealed_us);
    if ((object = json_entry(&entry))) {
        (void)json_object_set_new(object, "chain", json_string(p->chain));
        (void)json_object_set_new(object, "sealed", json_string(sealed));
        (void)json_object_set_new(object, "signer", json_text(p->signer.subject));
        (void)json_object_set_new(object, "certificate", json_string(p->fingerprint));
        (void)json_object_set_new(object, "verdict", json_string("good"));
    }
    (void)json_line(object);
}

/* An empty file must not pass for none: then the certificate in the proof itself would count. */
static se_status read_certificate(se_buf *out, const char *path, se_error *err)
{
    if (!path)
        return SE_OK;
    TRY(file_read(out, path, CERTIFICATE_LIMIT, err));
    return out->size ? SE_OK
                     : error_set(err, SE_ERR_FORMAT, "'%s' is empty: not a certificate", path);
}

static int history_verify_proof_run(struct cli *cli, void *arg, int argc, char **argv)
{
    const struct proof_options *o = arg;
    AUTO(se_buf) file = SE_BUF_INIT;
    AUTO(se_buf) certificate = SE_BUF_INIT;
    se_history_proof proof;
    se_error err = SE_ERROR_INIT;

    if (argc != 1)
        return cli_usage(cli, "which proof? a file is missing");
    cli->judged = argv[0];
    if (file_read(&file, argv[0], PROOF_LIMIT, &err) ||
        read_certificate(&certificate, o->certificate, &err) ||
        se_history_verify_proof(&proof, buf_bytes(&file), buf_bytes(&certificate), &err))
        return cli_fail(cli, &err);
    print_proof(cli, &proof);
    se_history_proof_free(&proof);
    return EXIT_DONE;
}

const struct command command_history_show = {
    .name = "history show",
    .options = show_rows,
    .options_size = sizeof(struct show_options),
    .served = true,
    .run = history_show_run,
};
const struct command command_history_prove = {
    .name = "history prove",
    .options = prove_rows,
    .options_size = sizeof(struct prove_options),
    .served = true,
    .run = history_prove_run,
};
const struct command command_history_verify_proof = {
    .name = "history verify-proof",
    .options = proof_rows,
    .options_size = sizeof(struct proof_options),
    .run = history_verify_proof_run,
};
