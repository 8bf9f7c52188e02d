/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mail signed in the process, beside a bare C_Sign loop on the same token:
 *
 *   mail CONFIG MODULE TOKEN-LABEL PIN-FILE SETTING THREADS...   messages of 10 kB, and the
 * milliseconds of one bare C_Sign mail CONFIG FILE                                             a
 * message that is read from a file, and the memory that it takes
 *
 * The descriptor is `Bench` (SHA256withRSA), the key's label `bench`, the sender alice@example.org.
 */
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/stream.h"
#include "signengine-mail.h"
#include "tests/bench/bare.h"
#include "tests/bench/race.h"

enum { TEXT = 10240, ATTACHMENT = 50, LEAST = 150, MEMORY = 64 };

/* ---- messages ---- */

static char message[TEXT + 160];

static void write_message(void)
{
    size_t
        at = (size_t)snprintf(
            message, sizeof message,
            "From: Alice <alice@example.org>\nTo: bob@example.org\nSubject: x\nMIME-Version: 1.0\n"
            "Content-Type: text/plain; charset=utf-8\n\n"),
        most = at + TEXT;

    for (unsigned i = 0; at < most - 80; i++)
        at += (size_t)snprintf(
            message + at, sizeof message - at,
            "Line %u of a message that somebody has written, and not a short one.\n", i);
}

static bool sign_message(void *engine)
{
    AUTO(writer) signed_one = { 0 };
    const se_sink sink = sink_writer(&signed_one);
    se_bytes bytes = text_bytes(message);
    const se_source source = source_memory(&bytes);
    se_error err = SE_ERROR_INIT;

    must(se_mail_sign(&sink, NULL, engine, "Bench", &source, NULL, &err), &err);
    return true;
}

static void compare(const char *setting, se_engine *engine, struct bare *bare, unsigned threads)
{
    const struct runner ours = { engine, begin_same, sign_message, end_nothing, 0 };
    const struct runner theirs = bare_signer(bare);
    struct result r = race(&ours, &theirs, threads, &usual_turns);
    char clock[80];

    (void)snprintf(clock, sizeof clock, "%s, by the clock", setting);
    row("messages/s", setting, threads, r.first.processor, "bare C_Sign loop", r.second.processor,
        r.ratio.processor);
    row("messages/s", clock, threads, r.first.clock, "bare C_Sign loop", r.second.clock,
        r.ratio.clock);
}

/* ---- a message in a file ---- */

struct file {
    se_engine *engine;
    const char *path;
};

static ptrdiff_t read_file(void *arg, void *data, size_t size)
{
    return read(*(const int *)arg, data, size);
}

static int write_nowhere(void *arg, const void *data, size_t size)
{
    return write(*(const int *)arg, data, size) == (ssize_t)size ? 0 : -1;
}

static bool sign_file(void *own)
{
    const struct file *file = own;
    int in = open(file->path, O_RDONLY | O_CLOEXEC), out = open("/dev/null", O_WRONLY | O_CLOEXEC);
    const se_source source = { read_file, &in, 0 };
    const se_sink sink = { write_nowhere, &out };
    se_error err = SE_ERROR_INIT;

    if (in < 0 || out < 0)
        give_up(file->path, strerror(errno));
    must(se_mail_sign(&sink, NULL, file->engine, "Bench", &source, NULL, &err), &err);
    (void)close(in);
    (void)close(out);
    return true;
}

/* What reading and hashing take at the least. */
static bool hash_file(void *own)
{
    static unsigned char piece[STREAM_PIECE], hash[EVP_MAX_MD_SIZE];
    const struct file *file = own;
    int in = open(file->path, O_RDONLY | O_CLOEXEC);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    ssize_t n = -1;
    bool done = in >= 0 && context && EVP_DigestInit_ex(context, EVP_sha256(), NULL);

    while (done && (n = read(in, piece, sizeof piece)) > 0)
        done = EVP_DigestUpdate(context, piece, (size_t)n);
    done = done && n == 0 && EVP_DigestFinal_ex(context, hash, NULL);
    EVP_MD_CTX_free(context);
    (void)close(in);
    return done;
}

static void tell(const char *measure, const char *setting, double ours, const char *peer,
                 double theirs)
{
    row(measure, setting, 1, ours, peer, theirs, ours / theirs);
}

static void attachment(se_engine *engine, const char *path)
{
    struct file file = { engine, path };
    const struct runner ours = { &file, begin_same, sign_file, end_nothing, 0 };
    const struct runner theirs = { &file, begin_same, hash_file, end_nothing, 0 };
    struct result r = race(&ours, &theirs, 1, &usual_turns);
    struct rusage usage;

    tell("MB/s", "mail with an attachment of 50 MB", ATTACHMENT * r.first.processor, "at the least",
         LEAST);
    tell("MB/s", "mail with an attachment of 50 MB, by the clock", ATTACHMENT * r.first.clock,
         "at the least", LEAST);
    tell("MB/s", "mail with an attachment of 50 MB", ATTACHMENT * r.first.processor,
         "SHA-256 of it", ATTACHMENT * r.second.processor);
    (void)getrusage(RUSAGE_SELF, &usage);
    tell("MB of memory", "mail with an attachment of 50 MB", (double)usage.ru_maxrss / 1024,
         "at the most", MEMORY);
}

int main(int argc, char **argv)
{
    se_error err = SE_ERROR_INIT;
    struct bare bare;
    se_engine *engine;

    if (argc != 3 && argc < 7)
        give_up("usage",
                "mail CONFIG MODULE TOKEN-LABEL PIN-FILE SETTING THREADS..., or mail CONFIG FILE");
    if (argc > 3)
        bare_open(&bare, argv[2], argv[3], argv[4]);
    must(se_open(&engine, argv[1], NULL, &err), &err);
    if (argc == 3)
        attachment(engine, argv[2]);
    else
        write_message();
    for (int i = 6; i < argc; i++)
        compare(argv[5], engine, &bare, (unsigned)atoi(argv[i]));
    se_close(&engine);
    return 0;
}
