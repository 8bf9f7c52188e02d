/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signatures per second with a key in a vault: the public functions beside a bare loop of libcurl
 * that sends the same requests, in turns.
 *
 *   vault race CONFIG SETTING KEY-URL ALGORITHM HEADER-FILE CA-FILE THREADS...
 *   vault alone CONFIG SETTING LIMIT DEADLINE SECONDS THREADS
 *   vault fields CONFIG SETTING
 *
 * The descriptor is `Bench`, and `Fields` for encrypted values, whose data keys are not remembered.
 * HEADER-FILE holds "Authorization: Bearer ...", which the bare loop sends; KEY-URL is the key with
 * its version.  A row for each number of threads, which bench.sh describes.
 *
 * Alone: beside the LIMIT of a vault, in operations a second; and the longest call, beside the
 * DEADLINE in seconds.  The first half of the time is for learning the limit.
 *
 * Fields: how long 100,000 of them take, written in batches of 1,000 with a data key each.
 */
#include <curl/curl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/file.h"
#include "tests/bench/race.h"

static const struct turns slow = { 2000, 5 };

/* ---- ours ---- */

static bool engine_sign(void *engine)
{
    static const unsigned char hash[32] = { 1, 2, 3 };
    AUTO(se_buf) signature = SE_BUF_INIT;
    se_sign_params params = SE_SIGN_PARAMS_INIT;
    se_error err = SE_ERROR_INIT;

    params.form = SE_FORM_RAW;
    must(se_sign(&signature, engine, "Bench", (se_bytes){ hash, sizeof hash }, &params, &err),
         &err);
    return true;
}

/* ---- theirs ---- */

struct bare_vault {
    const char *url, *ca_file;
    char body[200];
    struct curl_slist *headers;
};

static size_t drop_body(char *data, size_t one, size_t size, void *arg)
{
    (void)data;
    (void)arg;
    return one * size;
}

static bool post_bare(void *own)
{
    CURLcode rc = curl_easy_perform(own);

    if (rc)
        give_up("the bare loop", curl_easy_strerror(rc));
    return true;
}

static void *begin_bare(void *shared)
{
    struct bare_vault *bare = shared;
    CURL *curl = curl_easy_init();

    if (!curl)
        give_up("libcurl", "no handle");
    (void)curl_easy_setopt(curl, CURLOPT_URL, bare->url);
    (void)curl_easy_setopt(curl, CURLOPT_CAINFO, bare->ca_file);
    (void)curl_easy_setopt(curl, CURLOPT_HTTPHEADER, bare->headers);
    (void)curl_easy_setopt(curl, CURLOPT_POSTFIELDS, bare->body);
    (void)curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, drop_body);
    (void)curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(curl, CURLOPT_FAILONERROR, 1L);
    (void)post_bare(curl); /* connected, as the engine is since its first turn */
    return curl;
}

static void end_bare(void *own)
{
    curl_easy_cleanup(own);
}

static void open_bare(struct bare_vault *bare, char **argv)
{
    AUTO(se_buf) header = SE_BUF_INIT;
    AUTO(writer) url = { 0 };
    se_error err = SE_ERROR_INIT;

    must(file_read(&header, argv[6], 1 << 16, &err), &err);
    (void)curl_global_init(CURL_GLOBAL_DEFAULT);
    writer_format(&url, "%s/sign?api-version=7.4", argv[4]);
    *bare = (struct bare_vault){ .url = strdup(writer_string(&url)), .ca_file = argv[7] };
    bare->headers = curl_slist_append(NULL, strtok((char *)header.data, "\n"));
    bare->headers = curl_slist_append(bare->headers, "Content-Type: application/json");
    (void)snprintf(bare->body, sizeof bare->body,
                   "{\"alg\":\"%s\",\"value\":\"AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA\"}",
                   argv[5]);
}

static void race_bare(se_engine *engine, int argc, char **argv)
{
    struct bare_vault bare;
    const struct runner ours = { engine, begin_same, engine_sign, end_nothing, 0 };
    const struct runner theirs = { &bare, begin_bare, post_bare, end_bare, 0 };

    open_bare(&bare, argv);
    for (int i = 8; i < argc; i++) {
        unsigned threads = (unsigned)atoi(argv[i]);
        struct result r = race(&ours, &theirs, threads, &slow);

        row("signatures/s", argv[3], threads, r.first.clock, "bare libcurl loop", r.second.clock,
            r.ratio.clock);
    }
}

/* ---- against a limit ---- */

struct alone {
    se_engine *engine;
    double from, until; /* seconds_now(): what is counted */
    atomic_ulong done;
    pthread_mutex_t lock;
    double longest;
};

static void *sign_alone(void *arg)
{
    struct alone *a = arg;
    double begun, ended;

    while ((begun = seconds_now()) < a->until) {
        (void)engine_sign(a->engine);
        ended = seconds_now();
        if (ended >= a->from && ended < a->until)
            atomic_fetch_add(&a->done, 1);
        pthread_mutex_lock(&a->lock);
        if (ended - begun > a->longest)
            a->longest = ended - begun;
        pthread_mutex_unlock(&a->lock);
    }
    return NULL;
}

static void run_alone(se_engine *engine, char **argv)
{
    enum { THREADS_MOST = 256 };
    const double limit = atof(argv[4]), deadline = atof(argv[5]), seconds = atof(argv[6]);
    const unsigned threads = (unsigned)atoi(argv[7]) % THREADS_MOST;
    pthread_t ids[THREADS_MOST];
    struct alone a = { .engine = engine, .lock = PTHREAD_MUTEX_INITIALIZER };
    double rate;

    a.from = seconds_now() + seconds / 2;
    a.until = a.from + seconds / 2;
    for (unsigned i = 0; i < threads; i++)
        if (pthread_create(&ids[i], NULL, sign_alone, &a))
            give_up("a thread", "could not be made");
    for (unsigned i = 0; i < threads; i++)
        (void)pthread_join(ids[i], NULL);
    rate = (double)atomic_load(&a.done) / (a.until - a.from);
    row("signatures/s", argv[3], threads, rate, "the vault's limit", limit, rate / limit);
    row("seconds", argv[3], threads, a.longest, "the deadline", deadline, a.longest / deadline);
}

/* ---- encrypted values ---- */

static void decrypt_fields(se_engine *engine, char **argv)
{
    enum { FIELDS = 100000, BATCH = 1000, SECONDS_MOST = 2 };
    static se_field fields[FIELDS], values[FIELDS];
    se_error err = SE_ERROR_INIT;
    double began;

    for (size_t i = 0; i < FIELDS; i++)
        fields[i].in = (se_bytes){ "a value of thirty-two characters", 32 };
    for (size_t i = 0; i < FIELDS; i += BATCH)
        must(se_encrypt_many(fields + i, BATCH, engine, "Fields", NULL, &err), &err);
    for (size_t i = 0; i < FIELDS; i++)
        values[i].in = buf_bytes(&fields[i].out);
    /* connected, and with a token, after that */
    must(se_decrypt_many(values, 1, engine, "Fields", NULL, &err), &err);
    se_buf_free(&values[0].out);
    began = seconds_now();
    must(se_decrypt_many(values, FIELDS, engine, "Fields", NULL, &err), &err);
    began = seconds_now() - began;
    row("seconds", argv[3], 1, began, "at the most", SECONDS_MOST, began / SECONDS_MOST);
    for (size_t i = 0; i < FIELDS; i++) {
        se_buf_free(&fields[i].out);
        se_buf_free(&values[i].out);
    }
}

int main(int argc, char **argv)
{
    const char *what = argc > 3 ? argv[1] : "";
    se_error err = SE_ERROR_INIT;
    se_engine *engine;

    if (!strcmp(what, "fields") ? argc != 4 : argc < 8)
        give_up("usage", "vault race|alone|fields CONFIG SETTING ...");
    must(se_open(&engine, argv[2], NULL, &err), &err);
    if (!strcmp(what, "race"))
        race_bare(engine, argc, argv);
    else if (!strcmp(what, "alone"))
        run_alone(engine, argv);
    else
        decrypt_fields(engine, argv);
    se_close(&engine);
    return 0;
}
