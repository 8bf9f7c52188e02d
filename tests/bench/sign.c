/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signatures per second: the public functions beside a peer on the same token, in turns.
 *
 *   sign CONFIG PEER MODULE TOKEN-LABEL PIN-FILE SETTING LATENCY THREADS...
 *
 * The descriptor is `Bench` (SHA256withRSA), the key's label `bench`.  A row for each number of
 * threads, which bench.sh describes.
 *
 * PEER is `libp11`, or any name for a bare C_Sign loop on MODULE.
 *
 * A SETTING that begins with "XML" signs an XML document of 10 kB, and not a hash; one that begins
 * with "JWT" a token of 2 kB.
 *
 * LATENCY: the milliseconds that the token takes for a signature, whatever it is asked meanwhile.
 * Then another peer is what that many threads can get at the most.  0: the token is as fast as it
 * is.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "tests/bench/bare.h"
#include "tests/bench/libp11_signer.h"
#include "tests/bench/race.h"

static const struct turns quick = { 80, 121 }, slow = { 2000, 5 };

/* What the engine signs; a bare loop knows nothing of documents. */
static char document[10240];
static se_bytes content = { bare_digest_info, sizeof bare_digest_info };
static se_form form = SE_FORM_RAW;

static void sign_documents(void)
{
    size_t at = (size_t)snprintf(document, sizeof document, "<list>");

    for (unsigned i = 0; at < sizeof document - 120; i++)
        at += (size_t)snprintf(document + at, sizeof document - at,
                               "<entry number=\"%u\"><name>someone or other</name></entry>\n", i);
    (void)snprintf(document + at, sizeof document - at, "</list>");
    content = (se_bytes){ document, strlen(document) };
    form = SE_FORM_XML;
}

/* The same claims each time, iat too: a token that answers from memory knows them. */
static void sign_tokens(void)
{
    const int used =
        snprintf(document, sizeof document,
                 "{\"iss\":\"bench\",\"iat\":1767225600,\"exp\":4102444800,\"text\":\"");

    memset(document + used, 'x', 2048 - (size_t)used - 2);
    memcpy(document + 2046, "\"}", 2);
    content = (se_bytes){ document, 2048 };
}

static bool engine_sign_token(void *engine)
{
    AUTO(se_buf) token = SE_BUF_INIT;
    se_error err = SE_ERROR_INIT;

    must(se_jwt_sign(&token, engine, "Bench", content, NULL, &err), &err);
    return true;
}

static bool engine_sign(void *engine)
{
    AUTO(se_buf) signature = SE_BUF_INIT;
    se_sign_params params = SE_SIGN_PARAMS_INIT;
    se_error err = SE_ERROR_INIT;

    params.form = form;
    must(se_sign(&signature, engine, "Bench", content, &params, &err), &err);
    return true;
}

struct peer {
    const char *name;
    struct runner runner;
};

static void compare(const char *setting, double latency_ms, const struct peer *peer,
                    se_engine *engine, unsigned threads)
{
    const bool tokens = !strncmp(setting, "JWT", 3);
    const struct runner ours = { engine, begin_same, tokens ? engine_sign_token : engine_sign,
                                 end_nothing, 0 };
    const unsigned borne = peer->runner.threads;
    struct result r = race(&ours, &peer->runner, threads, latency_ms > 0 ? &slow : &quick);
    double limit = latency_ms > 0 ? threads * 1000 / latency_ms : 0;
    char name[64];

    (void)snprintf(name, sizeof name, "%s%s", peer->name,
                   borne && threads > borne ? ", 1 thread" : "");
    row("signatures/s", setting, threads, r.first.clock, name, r.second.clock, r.ratio.clock);
    if (limit > 0)
        row("signatures/s", setting, threads, r.first.clock, "threads/latency", limit,
            r.first.clock / limit);
}

int main(int argc, char **argv)
{
    se_error err = SE_ERROR_INIT;
    struct peer peer;
    struct bare bare;
    se_engine *engine;

    if (argc < 9)
        give_up("usage", "sign CONFIG PEER MODULE TOKEN-LABEL PIN-FILE SETTING LATENCY THREADS...");
    peer.name = argv[2];
    if (!strcmp(peer.name, "libp11")) {
        peer.runner = libp11_signer(argv[3], argv[4], argv[5]);
    } else {
        bare_open(&bare, argv[3], argv[4], argv[5]);
        peer.runner = bare_signer(&bare);
    }
    must(se_open(&engine, argv[1], NULL, &err), &err);
    if (!strncmp(argv[6], "XML", 3))
        sign_documents();
    if (!strncmp(argv[6], "JWT", 3))
        sign_tokens();
    for (int i = 8; i < argc; i++)
        compare(argv[6], atof(argv[7]), &peer, engine, (unsigned)atoi(argv[i]));
    se_close(&engine);
    return 0;
}
