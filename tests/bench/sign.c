/*
 * Signatures per second: the public functions beside a bare C_Sign loop on the same token, in turns.
 *
 *   sign CONFIG MODULE TOKEN-LABEL PIN-FILE SETTING LATENCY THREADS...
 *
 * The descriptor is `Bench` (SHA256withRSA), the key's label `bench`.  A row for each number of threads, which bench.sh describes.
 *
 * A SETTING that begins with "XML" signs an XML document of 10 kB, and not a hash.
 *
 * LATENCY: the milliseconds that the token takes for a signature, whatever it is asked meanwhile.  Then another peer is what that many
 * threads can get at the most.  0: the token is as fast as it is.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "tests/bench/bare.h"
#include "tests/bench/race.h"

enum { SIGNATURE_MOST = 1024 };

static const struct turns quick = { 150, 41 }, slow = { 2000, 5 };

/* RFC 8017, 9.2, note 1: the DigestInfo of a SHA-256 hash, which is all zeros here */
static const unsigned char digest_info[51] = { 0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01,
                                               0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20 };

/* ---- C_Sign, and nothing else ---- */

struct loop {
    const struct bare *bare;
    CK_SESSION_HANDLE session;
    CK_OBJECT_HANDLE key;
};

static void *loop_begin(void *bare)
{
    struct loop *loop = malloc(sizeof *loop);

    if (!loop)
        give_up("memory", "there is none");
    *loop = (struct loop){ .bare = bare, .session = bare_session(bare) };
    loop->key = bare_key(bare, loop->session);
    return loop;
}

static bool loop_sign(void *own)
{
    const struct loop *loop = own;
    CK_MECHANISM mechanism = { CKM_RSA_PKCS, NULL, 0 };
    unsigned char signature[SIGNATURE_MOST];
    CK_ULONG size = sizeof signature;

    return loop->bare->calls->C_SignInit(loop->session, &mechanism, loop->key) == CKR_OK &&
           loop->bare->calls->C_Sign(loop->session, (CK_BYTE *)digest_info, sizeof digest_info, signature, &size) == CKR_OK;
}

static void loop_end(void *own)
{
    struct loop *loop = own;

    (void)loop->bare->calls->C_CloseSession(loop->session);
    free(loop);
}

/* ---- the engine ---- */

/* What the engine signs; a bare loop knows nothing of documents. */
static char document[10240];
static se_bytes content = { digest_info, sizeof digest_info };
static se_form form = SE_FORM_RAW;

static void sign_documents(void)
{
    size_t at = (size_t)snprintf(document, sizeof document, "<list>");

    for (unsigned i = 0; at < sizeof document - 120; i++)
        at += (size_t)snprintf(document + at, sizeof document - at, "<entry number=\"%u\"><name>someone or other</name></entry>\n", i);
    (void)snprintf(document + at, sizeof document - at, "</list>");
    content = (se_bytes){ document, strlen(document) };
    form = SE_FORM_XML;
}

static void *engine_begin(void *engine)
{
    return engine;
}

static bool engine_sign(void *engine)
{
    AUTO(se_buf) signature = SE_BUF_INIT;
    se_params params = SE_PARAMS_INIT;
    se_error err = SE_ERROR_INIT;

    params.form = form;
    if (!se_sign(&signature, engine, "Bench", content, &params, &err))
        return true;
    fprintf(stderr, "bench: %s\n", err.text);
    return false;
}

static void engine_end(void *engine)
{
    (void)engine;
}

/* ---- rows ---- */

static void row(const char *setting, unsigned threads, const char *peer, double ours, double theirs, double ratio)
{
    printf("signatures/s\t%s\t%u\t%.0f\t%s\t%.0f\t%.3f\n", setting, threads, ours, peer, theirs, ratio);
    (void)fflush(stdout);
}

static void compare(const char *setting, double latency_ms, struct bare *bare, se_engine *engine, unsigned threads)
{
    const struct runner ours = { engine, engine_begin, engine_sign, engine_end, 0 };
    const struct runner theirs = { bare, loop_begin, loop_sign, loop_end, bare->threads };
    struct result r = race(&ours, &theirs, threads, latency_ms > 0 ? &slow : &quick);
    double limit = latency_ms > 0 ? threads * 1000 / latency_ms : 0;

    row(setting, threads, bare->threads && threads > bare->threads ? "bare C_Sign loop, 1 thread" : "bare C_Sign loop", r.first.clock,
        r.second.clock, r.ratio.clock);
    if (limit > 0)
        row(setting, threads, "threads/latency", r.first.clock, limit, r.first.clock / limit);
}

int main(int argc, char **argv)
{
    se_error err = SE_ERROR_INIT;
    struct bare bare;
    se_engine *engine;

    if (argc < 8)
        give_up("usage", "sign CONFIG MODULE TOKEN-LABEL PIN-FILE SETTING LATENCY THREADS...");
    bare_open(&bare, argv[2], argv[3], argv[4]);
    if (se_open(&engine, argv[1], NULL, &err))
        give_up("se_open", err.text);
    if (!strncmp(argv[5], "XML", 3))
        sign_documents();
    for (int i = 7; i < argc; i++)
        compare(argv[5], atof(argv[6]), &bare, engine, (unsigned)atoi(argv[i]));
    se_close(&engine);
    return 0;
}
