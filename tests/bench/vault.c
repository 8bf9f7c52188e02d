/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signatures per second with a key in a vault: the public functions beside a bare loop of libcurl
 * that sends the same requests, in turns.
 *
 *   vault CONFIG KEY-URL ALGORITHM HEADER-FILE CA-FILE SETTING THREADS...
 *
 * The descriptor is `Bench`.  HEADER-FILE holds "Authorization: Bearer ...", which the bare loop
 * sends; KEY-URL is the key with its version.  A row for each number of threads, which bench.sh
 * describes.
 */
#include <curl/curl.h>
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
    return curl;
}

static bool post_bare(void *own)
{
    CURLcode rc = curl_easy_perform(own);

    if (rc)
        give_up("the bare loop", curl_easy_strerror(rc));
    return true;
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

    must(file_read(&header, argv[4], 1 << 16, &err), &err);
    (void)curl_global_init(CURL_GLOBAL_DEFAULT);
    writer_format(&url, "%s/sign?api-version=7.4", argv[2]);
    *bare = (struct bare_vault){ .url = strdup(writer_string(&url)), .ca_file = argv[5] };
    bare->headers = curl_slist_append(NULL, strtok((char *)header.data, "\n"));
    bare->headers = curl_slist_append(bare->headers, "Content-Type: application/json");
    (void)snprintf(bare->body, sizeof bare->body,
                   "{\"alg\":\"%s\",\"value\":\"AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA\"}",
                   argv[3]);
}

int main(int argc, char **argv)
{
    se_error err = SE_ERROR_INIT;
    struct bare_vault bare;
    se_engine *engine;

    if (argc < 8)
        give_up("usage", "vault CONFIG KEY-URL ALGORITHM HEADER-FILE CA-FILE SETTING THREADS...");
    open_bare(&bare, argv);
    must(se_open(&engine, argv[1], NULL, &err), &err);
    for (int i = 7; i < argc; i++) {
        const struct runner ours = { engine, begin_same, engine_sign, end_nothing, 0 };
        const struct runner theirs = { &bare, begin_bare, post_bare, end_bare, 0 };
        unsigned threads = (unsigned)atoi(argv[i]);
        struct result r = race(&ours, &theirs, threads, &slow);

        row("signatures/s", argv[6], threads, r.first.clock, "bare libcurl loop", r.second.clock,
            r.ratio.clock);
    }
    se_close(&engine);
    return 0;
}
