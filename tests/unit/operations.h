/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of the daemon's operations share: an engine, and requests without HTTP. */
#ifndef TESTS_UNIT_OPERATIONS_H
#define TESTS_UNIT_OPERATIONS_H

#include <jansson.h>
#include <stdio.h>

#include "daemon/histories.h"
#include "daemon/operation.h"
#include "tests/unit/folder.h"
#include "tests/unit/maker.h"

struct trial {
    se_engine *engine;
    struct histories *histories;
    se_access *access;
    struct request request; /* members that stay: accept, signature, caller, ... */
    struct spool spool;
    struct answer answer; /* of the last call, without its body */
    se_buf body;          /* that is here, NUL-terminated */
    se_error err;
};

static inline void trial_open(struct trial *t, const char *configuration,
                              const struct history_setting *settings, size_t count)
{
    *t = (struct trial){ .err = SE_ERROR_INIT };
    t->spool = (struct spool){ .folder = ".",
                               .memory_each = 1 << 20,
                               .memory_all = 1 << 24,
                               .memory_begin = 1 << 16,
                               .disk_each = 1 << 24,
                               .disk_all = 1 << 24 };
    make("engine.xml", configuration, 0600);
    assert_status(SE_OK, se_open(&t->engine, "engine.xml", NULL, &t->err), &t->err);
    assert_status(SE_OK, histories_new(&t->histories, t->engine, settings, count, &t->err),
                  &t->err);
}

/* Keys for signing and for values, two versions each. */
static const char keys_configuration[] =
    "<engineSignEncrypt><descriptors>"
    "<descriptor name='Signer' version='1'><type algorithm='SHA256withRSA' "
    "key='one'/></descriptor>"
    "<descriptor name='Signer' version='2'><type algorithm='SHA384withECDSA' key='two'/>"
    "</descriptor>"
    "<descriptor name='Fields' version='1'><type algorithm='AES/GCM/NoPadding' key='one' "
    "asymCipher='RSA/ECB/OAEPWithSHA-256AndMGF1Padding'/></descriptor>"
    "<descriptor name='Fields' version='2'><type algorithm='AES/GCM/NoPadding' key='three' "
    "asymCipher='RSA/ECB/OAEPWithSHA-256AndMGF1Padding'/></descriptor>"
    "</descriptors><keys>"
    "<key name='one'><type name='pem' locationValue='one.pem'/></key>"
    "<key name='two'><type name='pem' locationValue='two.pem'/></key>"
    "<key name='three'><type name='pem' locationValue='three.pem'/></key>"
    "</keys></engineSignEncrypt>";

static inline void trial_open_keys(struct trial *t)
{
    make_signer("one.pem", "RSA-2048", &(struct certificate_wish){ .subject = "one" });
    make_signer("two.pem", "P-384", &(struct certificate_wish){ .subject = "two" });
    make_signer("three.pem", "RSA-2048", &(struct certificate_wish){ .subject = "three" });
    trial_open(t, keys_configuration, NULL, 0);
}

static inline void trial_close(struct trial *t)
{
    se_buf_free(&t->body);
    histories_free(t->histories);
    se_access_close(&t->access);
    se_close(&t->engine);
}

/* As the daemon does: the row that the path fits and the method. */
static inline const struct operation *find_operation(struct target *target, enum method method)
{
    for (size_t i = 0; i < operation_count; i++)
        if (operations[i].method == method && target_matches(target, operations[i].path))
            return &operations[i];
    return NULL;
}

static inline void write_file(const char *path, se_bytes bytes)
{
    const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write_all(fd, bytes.data, bytes.size), 0);
    close(fd);
}

/* For tests/daemon/openapi.sh, which compares answers with their description. */
static inline void record_answer(const struct trial *t, enum method method, const char *path)
{
    static const char *const types[] = { "application/octet-stream",
                                         "application/json",
                                         "application/x-ndjson",
                                         "message/rfc822",
                                         "application/pem-certificate-chain",
                                         "application/jwk-set+json",
                                         "text/plain; charset=utf-8" };
    const char *into = getenv("ANSWERS_FOLDER");
    static unsigned number;
    AUTO(writer) answer = { 0 };
    AUTO(writer) all = { 0 };
    char file[200];

    if (!into)
        return;
    (void)snprintf(file, sizeof file, "%s/%s-%u.answers", into, getenv("ANSWERS_NAME"), ++number);
    writer_format(&answer, "HTTP/1.1 %u X\r\nContent-Type: %s\r\nX-Request-Id: r-1\r\n\r\n",
                  t->answer.status ? t->answer.status : 200, types[__builtin_ctz(t->answer.media)]);
    writer_put(&answer, t->body.data, t->body.size);
    writer_format(&all, "%s %s %zu\n", method == METHOD_GET ? "GET" : "POST", path,
                  answer.buf.size);
    writer_put(&all, answer.buf.data, answer.buf.size);
    write_file(file, buf_bytes(&all.buf));
}

static inline void read_all(se_buf *out, const struct body *body)
{
    AUTO(writer) w = { 0 };
    AUTO(body_reader) reader = { NULL };
    AUTO(se_buf) piece = SE_BUF_INIT;
    const se_source source = body_source(&reader, body);
    ptrdiff_t n;

    assert_int_equal(buf_new(&piece, 1000, NULL), SE_OK);
    while ((n = source.read(source.arg, piece.data, piece.size)) > 0)
        writer_put(&w, piece.data, (size_t)n);
    assert_int_equal(n, 0);
    assert_int_equal(w.buf.size, body->size);
    assert_int_equal(writer_finish(out, &w, NULL), SE_OK);
}

/* As the daemon does, which takes what comes in pieces. */
static inline void fill_body(struct body *out, struct trial *t, enum body_kind kind, se_bytes bytes)
{
    const char *at = bytes.data;

    *out = (struct body){ .spool = &t->spool, .kind = kind, .most = t->spool.disk_each };
    for (size_t left = bytes.size; left;) {
        const size_t size = left < 13000 ? left : 13000;

        if (!body_put(out, (se_bytes){ at, size }))
            fail_msg("%s", out->failure.error.text);
        at += size;
        left -= size;
    }
}

/* With a body it is a POST. */
static inline se_status ask(struct trial *t, const char *path, enum media media, se_bytes body)
{
    struct target target;
    const struct operation *operation;
    struct request request = t->request;
    AUTO(body) in = { NULL };
    se_status st;

    se_buf_free(&t->body);
    t->answer = (struct answer){ .status = 0 };
    t->err = (se_error)SE_ERROR_INIT;
    assert_status(SE_OK, target_read(&target, path, &t->err), &t->err);
    operation = find_operation(&target, media ? METHOD_POST : METHOD_GET);
    assert_non_null(operation);
    assert_true(!media || operation->takes & media);
    request.engine = t->engine;
    request.histories = t->histories;
    request.access = t->access;
    request.target = &target;
    request.media = media;
    fill_body(&in, t, operation_body_kind(operation, media), body);
    request.body = &in;
    request.id = "r-1";
    request.spool = &t->spool;
    st = operation->run(&t->answer, &request, &t->err);
    target_free(&target);
    assert_int_equal(st, t->err.status);
    if (!st)
        read_all(&t->body, &t->answer.body);
    body_free(&t->answer.body);
    body_free(&in);
    assert_int_equal(t->spool.memory + t->spool.disk, 0);
    if (!st)
        record_answer(t, operation->method, path);
    return st;
}

static inline se_status ask_json(struct trial *t, const char *path, const char *body)
{
    return ask(t, path, MEDIA_JSON, text_bytes(body));
}

static inline se_status ask_get(struct trial *t, const char *path)
{
    return ask(t, path, MEDIA_NONE, (se_bytes){ NULL, 0 });
}

#define assert_asked(expected, trial, call) assert_status((expected), (call), &(trial)->err)

static inline const char *answer_text(const struct trial *t)
{
    assert_non_null(t->body.data);
    return (const char *)t->body.data;
}

/* ---- answers, as jansson reads them ---- */

AUTO_KIND(json, json_t *, json_decref(*p))

static inline json_t *read_json(const char *text)
{
    json_error_t err;
    json_t *json = json_loads(text, JSON_REJECT_DUPLICATES, &err);

    if (!json)
        fail_msg("%s: %s", text, err.text);
    return json;
}

static inline json_t *answered(const struct trial *t)
{
    json_t *json = read_json(answer_text(t));

    assert_int_equal(t->answer.media, MEDIA_JSON);
    assert_string_equal(json_string_value(json_object_get(json, "requestId")), "r-1");
    return json;
}

/* A member of an object; fails if it is none, or no text. */
static inline const char *text_of(const json_t *json, const char *name)
{
    const char *text = json_string_value(json_object_get(json, name));

    if (!text)
        fail_msg("no text '%s'", name);
    return text;
}

static inline const json_t *item_of(const json_t *json, size_t i)
{
    return json_array_get(json_object_get(json, "items"), i);
}

static inline void assert_text(const struct trial *t, const char *text)
{
    assert_int_equal(t->body.size, strlen(text));
    assert_memory_equal(t->body.data, text, strlen(text));
}

#define D "/v1/descriptors/"

#endif
