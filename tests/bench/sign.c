/*
 * Signatures per second: the public functions beside a bare C_Sign loop on the same token, in turns.
 *
 *   sign CONFIG MODULE TOKEN-LABEL PIN-FILE SETTING LATENCY THREADS...
 *
 * The descriptor is `Bench` (SHA256withRSA), the key's label `bench`.  Each turn runs both for a while, the order changes from turn to
 * turn, and what is printed is the median of the turns' ratios: the machine's mood falls out.  A row for each number of threads, which
 * bench.sh describes.
 *
 * A SETTING that begins with "XML" signs an XML document of 10 kB, and not a hash.
 *
 * LATENCY: the milliseconds that the token takes for a signature, whatever it is asked meanwhile.  Then another peer is what that many
 * threads can get at the most.  0: the token is as fast as it is.
 */
#include <dlfcn.h>
#include <p11-kit/pkcs11.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/file.h"

enum { TURNS_MOST = 41, THREADS_MOST = 256, SIGNATURE_MOST = 1024 };

/* RFC 8017, 9.2, note 1: the DigestInfo of a SHA-256 hash, which is all zeros here */
static const unsigned char digest_info[51] = { 0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01,
                                               0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20 };

static void give_up(const char *what, const char *why)
{
    fprintf(stderr, "bench: %s: %s\n", what, why);
    exit(1);
}

/* ---- one signature, in either way ---- */

struct bare {
    CK_FUNCTION_LIST *calls;
    CK_SLOT_ID slot;
    unsigned threads; /* at the most: more of them crash it */
};

static CK_SESSION_HANDLE bare_session(const struct bare *bare)
{
    CK_SESSION_HANDLE session;

    if (bare->calls->C_OpenSession(bare->slot, CKF_SERIAL_SESSION, NULL, NULL, &session) != CKR_OK)
        give_up("C_OpenSession", "refused");
    return session;
}

static CK_OBJECT_HANDLE bare_key(const struct bare *bare, CK_SESSION_HANDLE session)
{
    CK_OBJECT_CLASS class = CKO_PRIVATE_KEY;
    CK_ATTRIBUTE query[] = { { CKA_CLASS, &class, sizeof class }, { CKA_LABEL, (void *)"bench", 5 } };
    CK_OBJECT_HANDLE key;
    CK_ULONG found = 0;

    if (bare->calls->C_FindObjectsInit(session, query, 2) != CKR_OK || bare->calls->C_FindObjects(session, &key, 1, &found) != CKR_OK ||
        bare->calls->C_FindObjectsFinal(session) != CKR_OK || !found)
        give_up("the key 'bench'", "not found");
    return key;
}

struct worker {
    const struct bare *bare;
    se_engine *engine; /* NULL: bare */
    CK_SESSION_HANDLE session;
    CK_OBJECT_HANDLE key;
    const atomic_bool *stop;
    pthread_barrier_t *start;
    uint64_t count;
};

static bool sign_bare(const struct worker *w)
{
    CK_MECHANISM mechanism = { CKM_RSA_PKCS, NULL, 0 };
    unsigned char signature[SIGNATURE_MOST];
    CK_ULONG size = sizeof signature;

    return w->bare->calls->C_SignInit(w->session, &mechanism, w->key) == CKR_OK &&
           w->bare->calls->C_Sign(w->session, (CK_BYTE *)digest_info, sizeof digest_info, signature, &size) == CKR_OK;
}

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

static bool sign_engine(const struct worker *w)
{
    AUTO(se_buf) signature = SE_BUF_INIT;
    se_params params = SE_PARAMS_INIT;
    se_error err = SE_ERROR_INIT;

    params.form = form;
    if (!se_sign(&signature, w->engine, "Bench", content, &params, &err))
        return true;
    fprintf(stderr, "bench: %s\n", err.text);
    return false;
}

static void *work(void *arg)
{
    struct worker *w = arg;

    pthread_barrier_wait(w->start);
    while (!atomic_load_explicit(w->stop, memory_order_relaxed)) {
        if (!(w->engine ? sign_engine(w) : sign_bare(w)))
            give_up("a signature", "failed");
        w->count++;
    }
    return NULL;
}

/* ---- turns ---- */

static double now(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* How long, so that what is in flight at its end does not count, and how often. */
struct turns {
    unsigned ms, count;
};
static const struct turns quick = { 150, TURNS_MOST }, slow = { 2000, 5 };

static double turn(const struct bare *bare, se_engine *engine, unsigned threads, unsigned ms)
{
    static struct worker workers[THREADS_MOST];
    pthread_t ids[THREADS_MOST];
    pthread_barrier_t start;
    atomic_bool stop = false;
    uint64_t count = 0;
    double began;

    pthread_barrier_init(&start, NULL, threads + 1);
    for (unsigned i = 0; i < threads; i++) {
        workers[i] = (struct worker){ .bare = bare, .engine = engine, .stop = &stop, .start = &start };
        if (!engine) {
            workers[i].session = bare_session(bare);
            workers[i].key = bare_key(bare, workers[i].session);
        }
        if (pthread_create(&ids[i], NULL, work, &workers[i]))
            give_up("a thread", "could not be made");
    }
    pthread_barrier_wait(&start);
    began = now();
    nanosleep(&(struct timespec){ ms / 1000, ms % 1000 * 1000000L }, NULL);
    atomic_store(&stop, true);
    for (unsigned i = 0; i < threads; i++) {
        pthread_join(ids[i], NULL);
        count += workers[i].count;
    }
    began = now() - began;
    for (unsigned i = 0; !engine && i < threads; i++)
        (void)bare->calls->C_CloseSession(workers[i].session);
    pthread_barrier_destroy(&start);
    return (double)count / began;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double median(double *values, unsigned count)
{
    qsort(values, count, sizeof *values, ascending);
    return values[count / 2];
}

static void row(const char *setting, unsigned threads, const char *peer, double ours, double theirs, double ratio)
{
    printf("signatures/s\t%s\t%u\t%.0f\t%s\t%.0f\t%.3f\n", setting, threads, ours, peer, theirs, ratio);
    (void)fflush(stdout);
}

static double compare(const char *setting, const struct bare *bare, se_engine *engine, unsigned threads, const struct turns *turns)
{
    double bares[TURNS_MOST], engines[TURNS_MOST], ratios[TURNS_MOST];
    unsigned bare_threads = threads < bare->threads ? threads : bare->threads;

    (void)turn(bare, engine, threads, turns->ms); /* sessions and caches are warm after that */
    for (unsigned i = 0; i < turns->count; i++) {
        if (i % 2)
            engines[i] = turn(bare, engine, threads, turns->ms);
        bares[i] = turn(bare, NULL, bare_threads, turns->ms);
        if (i % 2 == 0)
            engines[i] = turn(bare, engine, threads, turns->ms);
        ratios[i] = engines[i] / bares[i];
    }
    row(setting, threads, threads <= bare->threads ? "bare C_Sign loop" : "bare C_Sign loop, 1 thread", median(engines, turns->count),
        median(bares, turns->count), median(ratios, turns->count));
    return median(engines, turns->count);
}

static void compare_with_latency(const char *setting, double latency_ms, const struct bare *bare, se_engine *engine, unsigned threads)
{
    double limit = threads * 1000 / latency_ms, rate = compare(setting, bare, engine, threads, &slow);

    row(setting, threads, "threads/latency", rate, limit, rate / limit);
}

/* ---- the token, as an application would open it that knows nothing of the engine ---- */

static bool has_label(const struct bare *bare, CK_SLOT_ID slot, const char *label)
{
    CK_TOKEN_INFO info;
    size_t n = strlen(label);

    return bare->calls->C_GetTokenInfo(slot, &info) == CKR_OK && memcmp(info.label, label, n) == 0 &&
           (n == sizeof info.label || info.label[n] == ' ');
}

static void open_bare(struct bare *bare, const char *module, const char *label, const se_buf *pin)
{
    void *library = dlopen(module, RTLD_NOW | RTLD_LOCAL);
    CK_C_GetFunctionList get = library ? (CK_C_GetFunctionList)dlsym(library, "C_GetFunctionList") : NULL;
    CK_C_INITIALIZE_ARGS locking = { .flags = CKF_OS_LOCKING_OK };
    CK_SLOT_ID slots[64];
    CK_INFO info;
    CK_ULONG count = 64;
    CK_RV rv;

    bare->threads = THREADS_MOST;
    if (!get || get(&bare->calls) != CKR_OK)
        give_up(module, "not a PKCS #11 module");
    rv = bare->calls->C_Initialize(&locking);
    if ((rv != CKR_OK && rv != CKR_CRYPTOKI_ALREADY_INITIALIZED) || bare->calls->C_GetSlotList(CK_TRUE, slots, &count) != CKR_OK)
        give_up(module, "does not start");
    if (bare->calls->C_GetInfo(&info) == CKR_OK && !memcmp(info.libraryDescription, "Meta PKCS11 LIBRARY", 19))
        bare->threads = 1; /* openCryptoki before 3.14 */
    for (CK_ULONG i = 0; i < count; i++)
        if (has_label(bare, slots[i], label)) {
            bare->slot = slots[i];
            rv = bare->calls->C_Login(bare_session(bare), CKU_USER, pin->data, pin->size);
            if (rv != CKR_OK && rv != CKR_USER_ALREADY_LOGGED_IN)
                give_up("C_Login", "refused");
            return;
        }
    give_up(label, "no such token");
}

int main(int argc, char **argv)
{
    AUTO(se_buf) pin = SE_BUF_INIT;
    se_error err = SE_ERROR_INIT;
    struct bare bare;
    se_engine *engine;
    double latency;

    if (argc < 8)
        give_up("usage", "sign CONFIG MODULE TOKEN-LABEL PIN-FILE SETTING LATENCY THREADS...");
    if (file_read(&pin, argv[4], 256, &err))
        give_up("PIN", err.text);
    pin.size = strcspn((const char *)pin.data, "\n"); /* the line end is not part of it */
    open_bare(&bare, argv[2], argv[3], &pin);
    if (se_open(&engine, argv[1], NULL, &err))
        give_up("se_open", err.text);
    if (!strncmp(argv[5], "XML", 3))
        sign_documents();
    latency = atof(argv[6]);
    for (int i = 7; i < argc; i++) {
        unsigned threads = (unsigned)atoi(argv[i]) % THREADS_MOST;

        if (latency > 0)
            compare_with_latency(argv[5], latency, &bare, engine, threads);
        else
            (void)compare(argv[5], &bare, engine, threads, &quick);
    }
    se_close(&engine);
    return 0;
}
