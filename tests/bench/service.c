/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two ways to the same keys, in turns: a daemon, a token's server, or the library in this process.
 *
 *   service TASK SETTING PEER OURS THEIRS MS TURNS CONNECTIONS...
 *
 * TASK: `sign` (descriptor `Bench`, raw) or `decrypt` (descriptor `Batch`, 1,000 values of 64 bytes
 * a call).  OURS and THEIRS:
 *
 *   daemon:SOCKET   signengined, a connection for each thread
 *   engine:CONFIG   se_sign() or se_decrypt_many()
 *   token:MODULE    a C_Sign loop, whose threads share the module as those of one application do
 *   tokens:MODULE   the same, each thread with an instance of the module: of p11-kit-client.so,
 * that is a server's process for each
 *
 * The token is `softhsm`, its PIN in the file `pin`.  A row for each number of connections, which
 * bench.sh describes.  $VALUES_CONFIG: the configuration that encrypts what is decrypted.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/json_write.h"
#include "tests/bench/bare.h"
#include "tests/bench/race.h"

enum { FIELD = 64, BATCH = 1000, ANSWER_MOST = 1 << 20, INSTANCES = 256 };

/* ---- HTTP, as much as the daemon's answers need ---- */

struct connection {
    int fd;
    se_bytes request;
    char *answer; /* ANSWER_MOST bytes */
};

struct request {
    const char *socket;
    struct writer text;
};

static void *connection_open(void *arg)
{
    const struct request *request = arg;
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    struct connection *c = calloc(1, sizeof *c);

    if (!c || !(c->answer = malloc(ANSWER_MOST)))
        give_up("memory", "there is none");
    (void)snprintf(address.sun_path, sizeof address.sun_path, "%s", request->socket);
    c->request = buf_bytes(&request->text.buf);
    c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&address, sizeof address))
        give_up(request->socket, "nobody is there");
    return c;
}

static void connection_close(void *own)
{
    struct connection *c = own;

    (void)close(c->fd);
    free(c->answer);
    free(c);
}

/* Of head and body; 0: the head is not whole yet. */
static size_t answer_size(const char *answer)
{
    const char *end = strstr(answer, "\r\n\r\n"),
               *length = strcasestr(answer, "\r\nContent-Length:");

    if (!end)
        return 0;
    if (strncmp(answer, "HTTP/1.1 200 ", 13) != 0 || !length)
        give_up("the daemon's answer", answer);
    return (size_t)(end + 4 - answer) + strtoul(length + 17, NULL, 10);
}

static bool connection_ask(void *own)
{
    const struct connection *c = own;
    size_t size = 0, wanted = 0;
    ssize_t got;

    for (size_t sent = 0; sent < c->request.size; sent += (size_t)got)
        if ((got = send(c->fd, (const char *)c->request.data + sent, c->request.size - sent,
                        MSG_NOSIGNAL)) < 0)
            return false;
    while (!wanted || size < wanted) {
        if ((got = recv(c->fd, c->answer + size, ANSWER_MOST - 1 - size, 0)) <= 0)
            return false;
        size += (size_t)got;
        c->answer[size] = '\0';
        if (!wanted)
            wanted = answer_size(c->answer);
    }
    return true;
}

static void put_request(struct request *request, const char *socket, const char *target,
                        const char *media, se_bytes body)
{
    request->socket = socket;
    writer_format(
        &request->text,
        "POST %s HTTP/1.1\r\nHost: bench\r\nContent-Type: %s\r\nContent-Length: %zu\r\n\r\n",
        target, media, body.size);
    writer_put(&request->text, body.data, body.size);
}

/* ---- the library ---- */

struct batch {
    se_engine *engine;
    se_field values[BATCH];
};

static bool engine_sign(void *engine)
{
    AUTO(se_buf) signature = SE_BUF_INIT;
    se_sign_params params = SE_SIGN_PARAMS_INIT;
    se_error err = SE_ERROR_INIT;

    params.form = SE_FORM_RAW;
    must(se_sign(&signature, engine, "Bench",
                 (se_bytes){ bare_digest_info, sizeof bare_digest_info }, &params, &err),
         &err);
    return true;
}

static bool engine_decrypt(void *arg)
{
    const struct batch *batch = arg;
    static _Thread_local se_field values[BATCH];
    se_error err = SE_ERROR_INIT;

    memcpy(values, batch->values, sizeof values);
    must(se_decrypt_many(values, BATCH, batch->engine, "Batch", NULL, &err), &err);
    for (size_t i = 0; i < BATCH; i++)
        se_buf_free(&values[i].out);
    return true;
}

static se_engine *open_engine(const char *config)
{
    se_error err = SE_ERROR_INIT;
    se_engine *engine;

    must(se_open(&engine, config, NULL, &err), &err);
    return engine;
}

static void make_values(struct batch *batch, const char *config)
{
    static const unsigned char field[FIELD] = "a secret field";
    static se_field fields[BATCH];
    se_error err = SE_ERROR_INIT;

    batch->engine = open_engine(config);
    for (size_t i = 0; i < BATCH; i++)
        fields[i].in = (se_bytes){ field, FIELD };
    must(se_encrypt_many(fields, BATCH, batch->engine, "Batch", NULL, &err), &err);
    for (size_t i = 0; i < BATCH; i++)
        batch->values[i].in = buf_bytes(&fields[i].out);
}

static void put_values(struct writer *w, const struct batch *batch)
{
    json_write_begin(w, NULL, '{');
    json_write_begin(w, "items", '[');
    for (size_t i = 0; i < BATCH; i++) {
        json_write_begin(w, NULL, '{');
        json_write_bytes(w, "value", batch->values[i].in);
        json_write_end(w, '}');
    }
    json_write_end(w, ']');
    json_write_end(w, '}');
}

/* ---- an instance of a module for each thread, kept from turn to turn ---- */

struct instances {
    pthread_mutex_t lock;
    const char *module;
    void *free[INSTANCES];
    unsigned count;
};

/* One after the other: the module's loading is not made for many at once. */
static void *instance_make(const char *module)
{
    struct bare *bare = calloc(1, sizeof *bare);

    if (!bare)
        give_up("memory", "there is none");
    bare_open(bare, module, "softhsm", "pin");
    return bare_signer(bare).begin(bare);
}

static void *instance_take(void *arg)
{
    struct instances *all = arg;
    void *own;

    pthread_mutex_lock(&all->lock);
    own = all->count ? all->free[--all->count] : instance_make(all->module);
    pthread_mutex_unlock(&all->lock);
    return own;
}

static struct instances instances = { .lock = PTHREAD_MUTEX_INITIALIZER };

static void instance_give(void *own)
{
    pthread_mutex_lock(&instances.lock);
    instances.free[instances.count++] = own;
    pthread_mutex_unlock(&instances.lock);
}

/* ---- ways ---- */

static struct batch batch;

static struct runner daemon_runner(const char *socket, bool sign)
{
    struct request *request = calloc(1, sizeof *request);
    AUTO(writer) values = { 0 };

    if (!request)
        give_up("memory", "there is none");
    if (sign) {
        put_request(request, socket, "/v1/descriptors/Bench/sign?form=raw",
                    "application/octet-stream",
                    (se_bytes){ bare_digest_info, sizeof bare_digest_info });
    } else {
        put_values(&values, &batch);
        put_request(request, socket, "/v1/descriptors/Batch/decrypt", "application/json",
                    buf_bytes(&values.buf));
    }
    return (struct runner){ request, connection_open, connection_ask, connection_close, 0 };
}

static struct runner make_runner(const char *way, bool sign)
{
    static struct bare shared;
    const char *place = strchr(way, ':');

    if (!place++)
        give_up(way, "daemon:SOCKET, engine:CONFIG, token:MODULE or tokens:MODULE");
    if (!strncmp(way, "daemon:", 7))
        return daemon_runner(place, sign);
    if (!strncmp(way, "engine:", 7))
        return sign ? (struct runner){ open_engine(place), begin_same, engine_sign, end_nothing, 0 }
                    : (struct runner){ &batch, begin_same, engine_decrypt, end_nothing, 0 };
    if (!strncmp(way, "token:", 6)) {
        bare_open(&shared, place, "softhsm", "pin");
        return bare_signer(&shared);
    }
    instances.module = place;
    return (struct runner){ &instances, instance_take, bare_signer(&shared).once, instance_give,
                            0 };
}

int main(int argc, char **argv)
{
    const char *config = getenv("VALUES_CONFIG");
    struct runner ours, theirs;
    struct turns turns;
    bool sign;

    if (argc < 9)
        give_up("usage", "service TASK SETTING PEER OURS THEIRS MS TURNS CONNECTIONS...");
    sign = !strcmp(argv[1], "sign");
    if (config)
        make_values(&batch, config);
    ours = make_runner(argv[4], sign);
    theirs = make_runner(argv[5], sign);
    turns = (struct turns){ (unsigned)atoi(argv[6]), (unsigned)atoi(argv[7]) };
    for (int i = 8; i < argc; i++) {
        const unsigned connections = (unsigned)atoi(argv[i]), each = sign ? 1 : BATCH;
        struct result r = race(&ours, &theirs, connections, &turns);

        row(sign ? "signatures/s" : "decryptions/s", argv[2], connections, r.first.clock * each,
            argv[3], r.second.clock * each, r.ratio.clock);
    }
    return 0;
}
