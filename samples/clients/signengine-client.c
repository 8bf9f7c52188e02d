/* SPDX-License-Identifier: Apache-2.0 */
/*
 * signengined(8) from C, with libcurl and jansson.
 *
 * A struct signengine keeps one connection: have one for each thread. Functions that return bool
 * say whether it was done; if not, they have filled in the failure, and nothing else. What they
 * hand out is freed by free() or json_decref().
 *
 *   signengine-client SOCKET [PATIENCE]     reads calls, one a line, as README.md has them
 */
#define _GNU_SOURCE
#include <curl/curl.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct signengine {
    CURL *curl;
    const char *path;
    unsigned patience; /* seconds that a call may wait where the service says Retry-After */
};

struct failure {
    char status[32];      /* the word to branch on: "forbidden", "rejected", "unavailable" ... */
    long code;            /* of HTTP; 0: there was no answer */
    char request_id[65];  /* what the service's audit calls this request */
    unsigned retry_after; /* seconds; 0: that would not help */
    char message[1024];
};

struct bytes {
    char *data; /* a zero stands behind them */
    size_t size;
};

bool signengine_open(struct signengine *s, const char *path, unsigned patience)
{
    *s = (struct signengine){ .curl = curl_easy_init(), .path = path, .patience = patience };
    return s->curl;
}

void signengine_close(struct signengine *s)
{
    curl_easy_cleanup(s->curl);
}

/* ---- how it is asked ---- */

static void *need_memory(void *memory)
{
    if (!memory)
        abort();
    return memory;
}

static size_t take_piece(char *data, size_t size, size_t count, void *arg)
{
    struct bytes *body = arg;

    body->data = need_memory(realloc(body->data, body->size + size * count + 1));
    memcpy(body->data + body->size, data, size * count);
    body->size += size * count;
    body->data[body->size] = 0;
    return size * count;
}

/* What is wrong with HTTP itself may be answered in HTML. */
static void read_failure(struct failure *f, CURL *curl, const char *body)
{
    json_t *json = json_loads(body, 0, NULL);
    const char *status = "internal", *message = "the answer is not JSON", *id = "-";
    curl_off_t wait = 0;

    if (json)
        (void)json_unpack(json, "{s:{s:s, s:s}, s:s}", "error", "status", &status, "message",
                          &message, "requestId", &id);
    (void)curl_easy_getinfo(curl, CURLINFO_RETRY_AFTER, &wait);
    f->retry_after = (unsigned)wait;
    (void)snprintf(f->status, sizeof f->status, "%s", status);
    (void)snprintf(f->message, sizeof f->message, "%s", message);
    (void)snprintf(f->request_id, sizeof f->request_id, "%s", id);
    json_decref(json);
}

/* libcurl itself asks once more, on a new connection, if a kept one was closed meanwhile. All calls
 * here may be repeated; an append because of its key. */
static bool ask_once(struct bytes *answer, CURL *curl, struct failure *f)
{
    CURLcode result;

    free(answer->data);
    *answer = (struct bytes){ need_memory(calloc(1, 1)), 0 };
    *f = (struct failure){ .status = "unavailable", .request_id = "-" };
    result = curl_easy_perform(curl);
    if (result)
        (void)snprintf(f->message, sizeof f->message, "no answer: %s", curl_easy_strerror(result));
    else if (!curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &f->code) && f->code >= 400)
        read_failure(f, curl, answer->data);
    else
        return true;
    free(answer->data);
    *answer = (struct bytes){ 0 };
    return false;
}

/* `field`: the whole head field, or NULL. */
static bool ask(struct bytes *answer, struct signengine *s, const char *target, struct bytes body,
                const char *media, const char *field, struct failure *f)
{
    struct curl_slist *fields = curl_slist_append(NULL, media);
    const time_t until = time(NULL) + s->patience;
    bool done;

    if (field)
        fields = curl_slist_append(fields, field);
    curl_easy_reset(s->curl); /* the connection stays */
    curl_easy_setopt(s->curl, CURLOPT_UNIX_SOCKET_PATH, s->path);
    curl_easy_setopt(s->curl, CURLOPT_URL, target);
    curl_easy_setopt(s->curl, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(s->curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(s->curl, CURLOPT_TIMEOUT, 60L);
    curl_easy_setopt(s->curl, CURLOPT_HTTPHEADER, fields);
    curl_easy_setopt(s->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.size);
    curl_easy_setopt(s->curl, CURLOPT_POSTFIELDS, body.data);
    curl_easy_setopt(s->curl, CURLOPT_WRITEFUNCTION, take_piece);
    curl_easy_setopt(s->curl, CURLOPT_WRITEDATA, answer);
    *answer = (struct bytes){ 0 };
    while (!(done = ask_once(answer, s->curl, f)) && f->retry_after &&
           time(NULL) + f->retry_after <= until)
        (void)sleep(f->retry_after);
    curl_slist_free_all(fields);
    return done;
}

/* What a descriptor or a history is asked for; the name may be any. */
static char *make_target(CURL *curl, const char *format, const char *name)
{
    char *escaped = need_memory(curl_easy_escape(curl, name, 0)), *target;

    if (asprintf(&target, format, escaped) < 0)
        abort();
    curl_free(escaped);
    return target;
}

/* Takes the request over. */
static bool ask_json(json_t **answer, struct signengine *s, const char *target, json_t *request,
                     const char *field, struct failure *f)
{
    char *text = need_memory(json_dumps(request, JSON_COMPACT));
    struct bytes reply;
    bool done = ask(&reply, s, target, (struct bytes){ text, strlen(text) },
                    "Content-Type: application/json", field, f);

    *answer = done ? need_memory(json_loadb(reply.data, reply.size, 0, NULL)) : NULL;
    explicit_bzero(text, strlen(text));
    free(text);
    free(reply.data);
    json_decref(request);
    return done;
}

/* ---- base64 (RFC 4648) ---- */

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static char *base64_encode(struct bytes in)
{
    char *text = need_memory(calloc(in.size / 3 + 1, 4 + 1)), *to = text;

    for (size_t i = 0; i < in.size; i += 3) {
        unsigned long three = 0;

        for (size_t k = 0; k < 3; k++)
            three = three << 8 | (i + k < in.size ? (unsigned char)in.data[i + k] : 0);
        for (size_t k = 0; k < 4; k++)
            *to++ = i + k > in.size ? '=' : digits[three >> (18 - 6 * k) & 63];
    }
    return text;
}

/* Of what the service sends, which is well-formed. */
static struct bytes base64_decode(const char *text)
{
    struct bytes out = { need_memory(calloc(strlen(text) / 4 + 1, 3 + 1)), 0 };
    unsigned long bits = 0;

    for (size_t i = 0; text[i] && text[i] != '='; i++) {
        bits = bits << 6 | (unsigned long)(strchr(digits, text[i]) - digits);
        if (i % 4)
            out.data[out.size++] = (char)(bits >> (6 - 2 * (i % 4)) & 255);
    }
    return out;
}

static json_t *base64_json(struct bytes in)
{
    char *text = base64_encode(in);
    json_t *json = json_string(text);

    free(text);
    return json;
}

/* ---- signatures ---- */

/* The signature in CMS, DER, unless the query says otherwise: "", "?form=raw", "?version=1" ...,
 * with values as curl_easy_escape() makes them. */
bool signengine_sign(struct bytes *signature, struct signengine *s, const char *descriptor,
                     struct bytes content, const char *query, struct failure *f)
{
    char *path = make_target(s->curl, "http://signengine/v1/descriptors/%s/sign", descriptor);
    char *target;
    bool done;

    if (asprintf(&target, "%s%s", path, query) < 0)
        abort();
    done = ask(signature, s, target, content, "Content-Type: application/octet-stream", NULL, f);
    free(target);
    free(path);
    return done;
}

/* Who signed: "subject", "issuer", "version" ... What is not good is "rejected". */
bool signengine_verify(json_t **signer, struct signengine *s, const char *descriptor,
                       struct bytes content, struct bytes signature, struct failure *f)
{
    char *target = make_target(s->curl, "http://signengine/v1/descriptors/%s/verify", descriptor);
    json_t *request = json_pack("{s:o, s:o}", "content", base64_json(content), "signature",
                                base64_json(signature));
    bool done = ask_json(signer, s, target, request, NULL, f);

    free(target);
    return done;
}

/* ---- values ---- */

/* A content to encrypt, or a value to decrypt; the context is what it belongs to, and is taken
 * over. */
json_t *signengine_plain(struct bytes content, json_t *context)
{
    return json_pack("{s:o, s:o}", "content", base64_json(content), "context", context);
}

json_t *signengine_encrypted(const char *value, json_t *context)
{
    return json_pack("{s:s, s:o}", "value", value, "context", context);
}

/* One of the two above, or {"items": [...]} of them; it is taken over. The answer has "value", or
 * "content" in base64, or "items", each with a "status" and, unless it is "ok", a "message". */
bool signengine_encrypt(json_t **answer, struct signengine *s, const char *descriptor,
                        json_t *request, struct failure *f)
{
    char *target = make_target(s->curl, "http://signengine/v1/descriptors/%s/encrypt", descriptor);
    bool done = ask_json(answer, s, target, request, NULL, f);

    free(target);
    return done;
}

bool signengine_decrypt(json_t **answer, struct signengine *s, const char *descriptor,
                        json_t *request, struct failure *f)
{
    char *target = make_target(s->curl, "http://signengine/v1/descriptors/%s/decrypt", descriptor);
    bool done = ask_json(answer, s, target, request, NULL, f);

    free(target);
    return done;
}

/* ---- histories ---- */

json_t *signengine_entry(const char *object, struct bytes payload)
{
    return json_pack("{s:s, s:o}", "object", object, "payload", base64_json(payload));
}

/* An array of entries, all of them or none; it is taken over. The key is yours to choose for them,
 * up to 64 visible ASCII characters: asked again with it, after whatever failure, the service
 * appends nothing twice. The answer has "first", "count" and "repeated". */
bool signengine_append(json_t **answer, struct signengine *s, const char *history, const char *key,
                       json_t *entries, struct failure *f)
{
    char *target = make_target(s->curl, "http://signengine/v1/histories/%s/entries", history);
    char *field;
    bool done;

    if (asprintf(&field, "Idempotency-Key: %s", key) < 0)
        abort();
    done = ask_json(answer, s, target, json_pack("{s:o}", "entries", entries), field, f);
    free(field);
    free(target);
    return done;
}

/* ---- calls, one a line ---- */

enum { WORDS_MOST = 64 };

static struct bytes text_bytes(char *text)
{
    return (struct bytes){ text, strlen(text) };
}

static struct bytes file_bytes(const char *path)
{
    struct bytes content = { need_memory(calloc(1, 1)), 0 };
    FILE *file = fopen(path, "rb");
    char piece[4096];
    size_t size;

    if (!file) {
        perror(path);
        exit(66);
    }
    while ((size = fread(piece, 1, sizeof piece, file)))
        (void)take_piece(piece, 1, size, &content);
    (void)fclose(file);
    return content;
}

static json_t *make_context(const char *row)
{
    return json_pack("{s:s, s:s}", "table", "person", "row", row);
}

static void print_content(const char *base64)
{
    struct bytes content = base64_decode(base64);

    printf("%s", content.data);
    explicit_bzero(content.data, content.size);
    free(content.data);
}

static void print_item(const json_t *item)
{
    const char *content = json_string_value(json_object_get(item, "content"));
    const char *value = json_string_value(json_object_get(item, "value"));

    if (content)
        print_content(content);
    else
        printf("%s", value ? value : json_string_value(json_object_get(item, "message")));
}

static bool call_sign(struct signengine *s, char **w, struct failure *f)
{
    struct bytes content = file_bytes(w[2]), signature;
    char query[256] = "", *base64;
    bool done;

    if (w[3]) {
        const char *value = strchr(w[3], '=') + 1;
        char *escaped = need_memory(curl_easy_escape(s->curl, value, 0));

        (void)snprintf(query, sizeof query, "?%.*s%s", (int)(value - w[3]), w[3], escaped);
        curl_free(escaped);
    }
    if ((done = signengine_sign(&signature, s, w[1], content, query, f))) {
        base64 = base64_encode(signature);
        printf("ok\t%s\n", base64);
        free(base64);
    }
    free(signature.data);
    free(content.data);
    return done;
}

static bool call_verify(struct signengine *s, char **w, struct failure *f)
{
    struct bytes content = file_bytes(w[2]), signature = file_bytes(w[3]);
    json_t *signer;
    bool done = signengine_verify(&signer, s, w[1], content, signature, f);

    if (done)
        printf("ok\t%s\n", json_string_value(json_object_get(signer, "subject")));
    json_decref(signer);
    free(content.data);
    free(signature.data);
    return done;
}

static bool call_fields(struct signengine *s, char **w, struct failure *f)
{
    const bool encrypt = !strncmp(*w, "encrypt", 7), many = strchr(*w, '-');
    json_t *items = json_array(), *request = json_pack("{s:o}", "items", items), *answer, *item;
    bool done;
    size_t i;

    for (i = 2; w[i]; i += 2)
        json_array_append_new(items,
                              encrypt ? signengine_plain(text_bytes(w[i + 1]), make_context(w[i]))
                                      : signengine_encrypted(w[i + 1], make_context(w[i])));
    if (!many) {
        item = json_incref(json_array_get(items, 0));
        json_decref(request);
        request = item;
    }
    done = (encrypt ? signengine_encrypt : signengine_decrypt)(&answer, s, w[1], request, f);
    if (done) {
        printf("ok");
        json_array_foreach(json_object_get(answer, "items"), i, item) {
            printf("\t%s:", json_string_value(json_object_get(item, "status")));
            print_item(item);
        }
        if (!many && putchar('\t'))
            print_item(answer);
        putchar('\n');
    }
    json_decref(answer);
    return done;
}

static bool call_append(struct signengine *s, char **w, struct failure *f)
{
    json_t *entries = json_pack("[o]", signengine_entry(w[3], text_bytes(w[4]))), *answer;
    json_int_t first, count;
    int repeated;
    bool done = signengine_append(&answer, s, w[1], w[2], entries, f);

    if (done && !json_unpack(answer, "{s:I, s:I, s:b}", "first", &first, "count", &count,
                             "repeated", &repeated))
        printf("ok\t%lld\t%lld\t%s\n", (long long)first, (long long)count,
               repeated ? "true" : "false");
    json_decref(answer);
    return done;
}

int main(int argc, char **argv)
{
    struct signengine s;
    struct failure f;
    char *line = NULL;
    size_t room = 0;

    if (argc < 2 ||
        !signengine_open(&s, argv[1], argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 30))
        return 64;
    while (getline(&line, &room, stdin) > 0) {
        char *words[WORDS_MOST] = { NULL }, *rest = line;
        bool done;

        line[strcspn(line, "\n")] = 0;
        for (size_t i = 0; i < WORDS_MOST - 2 && rest; i++)
            words[i] = strsep(&rest, "\t");
        done = !strcmp(*words, "sign")     ? call_sign(&s, words, &f)
               : !strcmp(*words, "verify") ? call_verify(&s, words, &f)
               : !strcmp(*words, "append") ? call_append(&s, words, &f)
                                           : call_fields(&s, words, &f);
        if (!done)
            printf("failed\t%s\t%ld\t%s\t%s\n", f.status, f.code, f.request_id, f.message);
        (void)fflush(stdout);
    }
    free(line);
    signengine_close(&s);
    return 0;
}
