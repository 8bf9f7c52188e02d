/* SPDX-License-Identifier: Apache-2.0 */
/* What came, counted and listed. */
#include "tests/azure/emulator.h"

#include <stdlib.h>
#include <string.h>

#define MOST_LINES      20000
#define MOST_OPERATIONS 96

struct line {
    enum port port;
    int status;
    char method[16];
    char *path, *id, *agent;
    int64_t time;
};

struct counters counters;
static struct {
    const char *name; /* a constant of ours */
    long count;
} operations[MOST_OPERATIONS];
static struct line lines[MOST_LINES];
static size_t line_count;
static json_t *notes[PORTS];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

void stats_operation(const char *operation)
{
    pthread_mutex_lock(&lock);
    for (int i = 0; i < MOST_OPERATIONS; i++) {
        if (!operations[i].name)
            operations[i].name = operation;
        if (strcmp(operations[i].name, operation) == 0) {
            operations[i].count++;
            break;
        }
    }
    pthread_mutex_unlock(&lock);
}

json_t *stats_json(void)
{
    json_t *counts = json_object();
    pthread_mutex_lock(&lock);
    for (int i = 0; i < MOST_OPERATIONS && operations[i].name; i++)
        json_object_set_new(counts, operations[i].name, json_integer(operations[i].count));
    pthread_mutex_unlock(&lock);
    return json_pack("{sI sI sI sI sI sI sI sI sI sI so}", "requests",
                     (json_int_t)counters.requests, "connections", (json_int_t)counters.connections,
                     "handshakes", (json_int_t)counters.handshakes, "resumed",
                     (json_int_t)counters.resumed, "unauthorized",
                     (json_int_t)counters.unauthorized, "throttled", (json_int_t)counters.throttled,
                     "tokens", (json_int_t)counters.tokens, "claims", (json_int_t)counters.claims,
                     "running", (json_int_t)counters.running, "most_running",
                     (json_int_t)counters.most_running, "operations", counts);
}

void stats_reset(void)
{
    pthread_mutex_lock(&lock);
    memset(operations, 0, sizeof operations);
    pthread_mutex_unlock(&lock);
    counters.requests = counters.connections = counters.handshakes = counters.resumed = 0;
    counters.unauthorized = counters.throttled = counters.tokens = counters.claims =
        counters.most_running = 0;
}

void log_request(const struct request *request, const struct answer *answer)
{
    const char *id = request_header(request, "x-ms-client-request-id"),
               *agent = request_header(request, "User-Agent");
    pthread_mutex_lock(&lock);
    struct line *line = &lines[line_count++ % MOST_LINES];
    free(line->path);
    free(line->id);
    free(line->agent);
    *line = (struct line){ .port = request->port, .status = answer->status, .time = clock_ms() };
    memcpy(line->method, request->method, sizeof line->method);
    line->path = text_copy(request->path ? request->path : "");
    line->id = text_copy(id ? id : "");
    line->agent = text_copy(agent ? agent : "");
    pthread_mutex_unlock(&lock);
}

json_t *log_json(enum port port)
{
    json_t *list = json_array();
    pthread_mutex_lock(&lock);
    for (size_t i = line_count > MOST_LINES ? line_count - MOST_LINES : 0; i < line_count; i++) {
        const struct line *line = &lines[i % MOST_LINES];
        if (line->port == port)
            json_array_append_new(list,
                                  json_pack("{ss ss si ss ss sI}", "method", line->method, "path",
                                            line->path, "status", line->status, "id", line->id,
                                            "agent", line->agent, "time", (json_int_t)line->time));
    }
    pthread_mutex_unlock(&lock);
    return list;
}

void log_note(enum port port, json_t *note)
{
    pthread_mutex_lock(&lock);
    if (!notes[port])
        notes[port] = json_array();
    json_array_append_new(notes[port], note);
    pthread_mutex_unlock(&lock);
}

json_t *log_notes(enum port port)
{
    pthread_mutex_lock(&lock);
    json_t *copy = notes[port] ? json_deep_copy(notes[port]) : json_array();
    pthread_mutex_unlock(&lock);
    return copy;
}

void log_reset(void)
{
    pthread_mutex_lock(&lock);
    for (size_t i = 0; i < MOST_LINES; i++) {
        free(lines[i].path);
        free(lines[i].id);
        free(lines[i].agent);
        lines[i] = (struct line){ 0 };
    }
    line_count = 0;
    for (int i = 0; i < PORTS; i++) {
        json_decref(notes[i]);
        notes[i] = NULL;
    }
    pthread_mutex_unlock(&lock);
}
