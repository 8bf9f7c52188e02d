/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/azure/emulator.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* no request of these services is longer */
#define LONGEST_BODY ((size_t)16 << 20)

void request_free(struct request *request)
{
    for (size_t i = 0; i < request->header_count; i++) {
        free(request->headers[i].name);
        free(request->headers[i].value);
    }
    free(request->path);
    free(request->query);
    free(request->body);
    *request = (struct request){ 0 };
}

void answer_free(struct answer *answer)
{
    json_decref(answer->json);
    free(answer->text);
    free(answer->headers.data);
    *answer = (struct answer){ 0 };
}

const char *request_header(const struct request *request, const char *name)
{
    for (size_t i = 0; i < request->header_count; i++)
        if (strcasecmp(request->headers[i].name, name) == 0)
            return request->headers[i].value;
    return NULL;
}

char *request_parameter(const struct request *request, const char *name)
{
    return form_value(request->query, name);
}

void answer_header(struct answer *answer, const char *name, const char *format, ...)
{
    char *value = NULL;
    va_list list;
    va_start(list, format);
    if (vasprintf(&value, format, list) < 0)
        abort();
    va_end(list);
    buffer_format(&answer->headers, "%s: %s\r\n", name, value);
    free(value);
}

void answer_json(struct answer *answer, int status, json_t *json)
{
    json_decref(answer->json);
    answer->json = json;
    answer->status = status;
}

void answer_text(struct answer *answer, int status, const char *type, const char *text)
{
    json_decref(answer->json);
    answer->json = NULL;
    free(answer->text);
    answer->text = text_copy(text);
    answer->text_size = strlen(text);
    answer->type = type;
    answer->status = status;
}

/* ---- reading ---- */

static bool fill_input(struct connection *c)
{
    if (c->begin == c->end)
        c->begin = c->end = 0;
    if (c->end == sizeof c->input) {
        memmove(c->input, c->input + c->begin, c->end - c->begin);
        c->end -= c->begin;
        c->begin = 0;
    }
    if (c->end == sizeof c->input || !connection_ready(c))
        return false;
    ssize_t got = connection_read(c, c->input + c->end, sizeof c->input - c->end);
    if (got <= 0)
        return false;
    c->end += (size_t)got;
    return true;
}

/* A line without its end, or NULL. */
static char *read_line(struct connection *c)
{
    size_t seen = 0;
    for (;;) {
        char *start = c->input + c->begin;
        char *end = memchr(start + seen, '\n', c->end - c->begin - seen);
        if (end) {
            c->begin += (size_t)(end - start) + 1;
            size_t size = (size_t)(end - start);
            if (size && start[size - 1] == '\r')
                size--;
            char *line = allocate(size + 1);
            return memcpy(line, start, size);
        }
        seen = c->end - c->begin;
        if (!fill_input(c))
            return NULL;
    }
}

static bool parse_request_line(struct request *request, const char *line)
{
    const char *space = strchr(line, ' ');
    if (!space || (size_t)(space - line) >= sizeof request->method)
        return false;
    memcpy(request->method, line, (size_t)(space - line));
    const char *target = space + 1, *end = strchr(target, ' ');
    if (!end || strncmp(end, " HTTP/1.", 8) != 0)
        return false;
    if (strncmp(target, "http://", 7) == 0) /* what a client sends to a proxy */
        target += 7 + strcspn(target + 7, "/ ");
    size_t size = (size_t)(end - target), path = strcspn(target, "? ");
    request->path = strndup(target, path);
    request->query = path < size ? strndup(target + path + 1, size - path - 1) : text_copy("");
    return request->path && request->query;
}

static bool read_headers(struct connection *c, struct request *request)
{
    for (;;) {
        char *line = read_line(c);
        if (!line)
            return false;
        if (!*line) {
            free(line);
            return true;
        }
        char *colon = strchr(line, ':');
        if (!colon || request->header_count == sizeof request->headers / sizeof *request->headers) {
            free(line);
            return false;
        }
        *colon = 0;
        const char *value = colon + 1 + strspn(colon + 1, " \t");
        request->headers[request->header_count++] =
            (struct header){ text_copy(line), text_copy(value) };
        free(line);
    }
}

static bool read_body(struct connection *c, struct request *request, size_t size)
{
    const char *expect = request_header(request, "Expect");
    if (expect && strcasecmp(expect, "100-continue") == 0 &&
        !connection_write(c, "HTTP/1.1 100 Continue\r\n\r\n", 25))
        return false;
    request->body = allocate(size + 1);
    while (request->body_size < size) {
        if (c->begin == c->end && !fill_input(c))
            return false;
        size_t part = c->end - c->begin;
        if (part > size - request->body_size)
            part = size - request->body_size;
        memcpy(request->body + request->body_size, c->input + c->begin, part);
        c->begin += part;
        request->body_size += part;
    }
    return true;
}

enum read_result http_read(struct connection *c, struct request *request)
{
    *request = (struct request){ .port = c->port, .host = "" };
    char *line = read_line(c);
    if (!line)
        return READ_END;
    bool parsed = parse_request_line(request, line);
    free(line);
    if (!parsed || !read_headers(c, request))
        return READ_BAD;
    const char *host = request_header(request, "Host"),
               *length = request_header(request, "Content-Length");
    if (host)
        request->host = host;
    unsigned long size = length ? strtoul(length, NULL, 10) : 0;
    if (size > LONGEST_BODY || request_header(request, "Transfer-Encoding"))
        return READ_BAD;
    return read_body(c, request, size) ? READ_REQUEST : READ_END;
}

/* ---- writing ---- */

static const char *status_phrase(int status)
{
    switch (status) {
    case 200:
        return "OK";
    case 201:
        return "Created";
    case 202:
        return "Accepted";
    case 204:
        return "No Content";
    case 302:
        return "Found";
    case 400:
        return "Bad Request";
    case 401:
        return "Unauthorized";
    case 403:
        return "Forbidden";
    case 404:
        return "Not Found";
    case 409:
        return "Conflict";
    case 429:
        return "Too Many Requests";
    case 503:
        return "Service Unavailable";
    default:
        return status < 400 ? "OK" : status < 500 ? "Client Error" : "Server Error";
    }
}

static void reset_at_close(struct connection *c)
{
    struct linger reset = { 1, 0 };
    setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
}

static bool write_slowly(struct connection *c, const struct answer *answer)
{
    for (size_t i = 0; i < answer->text_size; i++)
        if (!server_wait((double)answer->argument) || !connection_write(c, answer->text + i, 1))
            return false;
    return true;
}

static bool write_endlessly(struct connection *c)
{
    static const char block[16384] = { '[' };
    for (long left = 0x80000000L / (long)sizeof block; left > 0; left--)
        if (!connection_write(c, block, sizeof block))
            return false;
    return true;
}

/* true: the connection lives */
bool http_write(struct connection *c, struct answer *answer, bool head_only)
{
    if (answer->json) {
        /* a Managed HSM sorts its members */
        size_t flags = JSON_COMPACT | (settings.hsm && c->port == PORT_VAULT ? JSON_SORT_KEYS : 0);
        free(answer->text);
        answer->text = json_dumps(answer->json, flags);
        answer->text_size = strlen(answer->text);
    }
    if (answer->delivery == DELIVER_RESET) {
        reset_at_close(c);
        return false;
    }
    if (answer->delivery == DELIVER_STALL && !server_wait((double)answer->argument))
        return false;
    struct buffer out = { 0 };
    buffer_format(&out, "HTTP/1.1 %d %s\r\n", answer->status, status_phrase(answer->status));
    size_t announced = answer->delivery == DELIVER_ENDLESS ? 0x80000000UL : answer->text_size;
    /* recorded: a Managed HSM's 204 has them too */
    if (answer->status != 204 || (settings.hsm && c->port == PORT_VAULT))
        buffer_format(&out, "Content-Length: %zu\r\nContent-Type: %s\r\n", announced,
                      answer->type ? answer->type : "application/json; charset=utf-8");
    if (answer->headers.size)
        buffer_add(&out, answer->headers.data, answer->headers.size);
    buffer_add(&out, "\r\n", 2);
    size_t body = head_only || answer->status == 204 ? 0 : answer->text_size;
    if (answer->delivery == DELIVER_CUT)
        body /= 2;
    if (answer->delivery == DELIVER_WHOLE || answer->delivery == DELIVER_CUT ||
        answer->delivery == DELIVER_STALL)
        buffer_add(&out, answer->text ? answer->text : "", body);
    bool alive = connection_write(c, out.data, out.size);
    free(out.data);
    if (alive && answer->delivery == DELIVER_SLOW)
        return write_slowly(c, answer);
    if (alive && answer->delivery == DELIVER_ENDLESS)
        return write_endlessly(c);
    if (answer->delivery == DELIVER_RESET_HEADERS)
        reset_at_close(c);
    return alive && answer->delivery != DELIVER_RESET_HEADERS && answer->delivery != DELIVER_CUT;
}
