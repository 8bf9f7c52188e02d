/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Object history with a token that takes its time:
 *
 *   history CONFIG STORE SETTING LEAST-PER-SECOND
 *
 * Descriptor `Bench`.  A row for each measure, as bench.sh wants them.
 */
#include <fcntl.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "tests/bench/bare_rows.h"
#include "tests/bench/race.h"
#include "tests/bench/records.h"

enum {
    THREADS = 64,
    SECONDS = 6,
    SMALL = 10000,
    MANY = 1000000,
    TURNS = 9,
    LEAST_VERIFIED = 500000,
    PROOF_MOST = 2500
};

static const char *setting;
static const se_record *records;

/* Each entry a signature of its own, and nothing stored: the most that the original could do. */
static double serial(se_engine *engine)
{
    double began = seconds_now(), count = 0;
    se_sign_params params = SE_SIGN_PARAMS_INIT;
    se_error err = SE_ERROR_INIT;

    params.form = SE_FORM_RAW;
    for (; seconds_now() - began < SECONDS; count++) {
        AUTO(se_buf) signature = SE_BUF_INIT;

        must(se_sign(&signature, engine, "Bench", records[(size_t)count % RECORDS].payload, &params,
                     &err),
             &err);
    }
    return count / (seconds_now() - began);
}

struct worker {
    se_history *history;
    double until;
    unsigned count;
    pthread_t thread;
};

static void *append(void *arg)
{
    struct worker *w = arg;
    se_error err = SE_ERROR_INIT;

    for (; seconds_now() < w->until; w->count++)
        must(se_history_append(NULL, w->history, records[w->count % RECORDS].object,
                               records[w->count % RECORDS].payload, &err),
             &err);
    return NULL;
}

static double together(se_history *history)
{
    static struct worker workers[THREADS];
    double began = seconds_now(), count = 0;

    for (size_t i = 0; i < THREADS; i++) {
        workers[i] = (struct worker){ .history = history, .until = began + SECONDS };
        if (pthread_create(&workers[i].thread, NULL, append, &workers[i]))
            give_up("threads", "there are none to be had");
    }
    for (size_t i = 0; i < THREADS; i++) {
        pthread_join(workers[i].thread, NULL);
        count += workers[i].count;
    }
    return count / (seconds_now() - began);
}

/* RECORDS at once, and as many rows by the database alone, in turns: the medians. */
static void many(se_history *history, const char *store, double least)
{
    struct bare_rows *rows = bare_rows_open(store);
    double times[TURNS], bare[TURNS], ratios[TURNS], big;

    for (size_t i = 0; i < TURNS; i++) {
        times[i] = seconds_to_append(history, records, RECORDS);
        bare[i] = bare_rows_write(rows, records, RECORDS);
        ratios[i] = bare[i] / times[i];
    }
    bare_rows_close(rows);
    big = RECORDS / median(times, TURNS);
    row("appended/s, many at once", setting, 1, big, "at the least", least, big / least);
    row("appended/s, many at once", setting, 1, big, "bare rows of the database",
        RECORDS / median(bare, TURNS), median(ratios, TURNS));
}

/* ---- what the machine can do at the most ---- */

/* SHA-256 of as many payloads, in a second of the processor: who verifies has to read them all. */
static double hashes(void)
{
    double began = seconds_of_processor();

    for (size_t i = 0; i < RECORDS; i++) {
        unsigned char hash[EVP_MAX_MD_SIZE];

        if (!EVP_Digest(records[i].payload.data, records[i].payload.size, hash, NULL, EVP_sha256(),
                        NULL))
            give_up("SHA-256", "libcrypto does not make it");
    }
    return RECORDS / (seconds_of_processor() - began);
}

/* A payload each time, appended to a file, and on the disk. */
static double syncs(void)
{
    int fd = open("synced", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    double began = seconds_now(), count = 0;

    if (fd < 0)
        give_up("synced", "cannot be made");
    for (; seconds_now() - began < SECONDS; count++) {
        const se_bytes payload = records[(size_t)count % RECORDS].payload;

        if (write(fd, payload.data, payload.size) != (ssize_t)payload.size || fdatasync(fd))
            give_up("synced", "cannot be written");
    }
    began = count / (seconds_now() - began);
    (void)close(fd);
    (void)unlink("synced");
    return began;
}

static void verification(se_history *history)
{
    se_history_verify_options options = SE_HISTORY_VERIFY_OPTIONS_INIT;
    se_history_report report;
    se_error err = SE_ERROR_INIT;
    double began = seconds_of_processor(), clock = seconds_now(), took, limit, all;

    options.threads = 1;
    must(se_history_verify(&report, history, &options, &err), &err);
    took = seconds_of_processor() - began;
    clock = seconds_now() - clock;
    row("verified/s", setting, 1, (double)report.entries / took, "at the least", LEAST_VERIFIED,
        (double)report.entries / took / LEAST_VERIFIED);
    limit = hashes();
    row("verified/s", setting, 1, (double)report.entries / took, "SHA-256 of the payloads", limit,
        (double)report.entries / took / limit);
    options.threads = 0;
    began = seconds_now();
    must(se_history_verify(&report, history, &options, &err), &err);
    all = seconds_now() - began;
    row("verified/s", setting, 0, (double)report.entries / all, "one thread, of its processor",
        (double)report.entries / took, took / all);
    row("verified/s", setting, 0, (double)report.entries / all, "one thread, by the clock",
        (double)report.entries / clock, clock / all);
}

static void proof(se_history *history)
{
    AUTO(se_buf) text = SE_BUF_INIT;
    se_error err = SE_ERROR_INIT;
    double began = seconds_now();
    size_t size;

    must(se_history_prove(&text, history, SMALL, &err), &err);
    began = seconds_now() - began;
    size = (size_t)(strstr((const char *)text.data, "-----BEGIN") - (const char *)text.data);
    row("proof, bytes", setting, 1, (double)size, "at the most", PROOF_MOST,
        (double)size / PROOF_MOST);
    row("proof, seconds", setting, 1, began, "at the most", 1, began);
}

static void measure(se_engine *engine, se_history *history, const char *store, double least)
{
    double alone = serial(engine), synced = syncs(), all;

    all = together(history);
    row("appended/s", setting, THREADS, all, "a signature each", alone, all / alone);
    row("appended/s", setting, THREADS, all, "fdatasync of each", synced, all / synced);
    many(history, store, least);
    grow(history, records, MANY - TURNS * RECORDS);
    verification(history);
    proof(history);
}

int main(int argc, char **argv)
{
    se_history_options options = SE_HISTORY_OPTIONS_INIT;
    se_error err = SE_ERROR_INIT;
    se_history *history;
    se_engine *engine;

    if (argc != 5)
        give_up("usage", "history CONFIG STORE SETTING LEAST-PER-SECOND");
    setting = argv[3];
    records = records_make();
    options.descriptor = "Bench";
    must(se_open(&engine, argv[1], NULL, &err), &err);
    must(se_history_create(engine, argv[2], &options, &err), &err);
    must(se_history_open(&history, engine, argv[2], &options, &err), &err);
    measure(engine, history, argv[2], atof(argv[4]));
    se_history_close(&history);
    se_close(&engine);
    return 0;
}
