/* SPDX-License-Identifier: Apache-2.0 */
/* Sinks as settings and command lines name them: "file:/var/log/signengine/audit.log required". */
#include <stdlib.h>

#include "audit/audit.h"
#include "base/array.h"
#include "base/text.h"

static const struct {
    const char *name;
    enum audit_sink_kind kind;
    bool needs_place, takes_place;
} kinds[] = {
    { "file", AUDIT_FILE, true, true },       { "journal", AUDIT_JOURNAL, false, true },
    { "syslog", AUDIT_SYSLOG, false, true },  { "stdout", AUDIT_STDOUT, false, false },
    { "history", AUDIT_HISTORY, true, true },
};

/* "KIND[:PLACE]" */
static se_status read_place(struct audit_sink_options *out, char *word, se_error *err)
{
    char *colon = strchr(word, ':'), *place = colon ? colon + 1 : NULL;
    const size_t size = strcspn(word, ":");

    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (strlen(kinds[i].name) != size || strncmp(kinds[i].name, word, size) != 0)
            continue;
        if (kinds[i].needs_place && (!place || !*place))
            return error_set(err, SE_ERR_CONFIG, "'%s' says where: %s:%s", word, kinds[i].name,
                             kinds[i].kind == AUDIT_FILE ? "PATH" : "STORE");
        if (place && (!*place || !kinds[i].takes_place))
            return error_set(err, SE_ERR_CONFIG, "'%s': nothing may follow %s", word,
                             kinds[i].name);
        out->kind = kinds[i].kind;
        out->place = place;
        return SE_OK;
    }
    return error_set(
        err, SE_ERR_CONFIG,
        "'%.*s' is no audit sink: file:PATH, journal, syslog, stdout or history:STORE%s", (int)size,
        word, *word == '/' ? "; a file is file:PATH" : "");
}

/* "required", and for a history what it needs. */
static se_status read_option(struct audit_sink_options *out, const char *word, se_error *err)
{
    const struct {
        const char *name;
        const char **to;
    } rows[] = {
        { "config=", &out->config },
        { "chain=", &out->chain },
        { "descriptor=", &out->descriptor },
    };

    if (strcmp(word, "required") == 0) {
        out->required = true;
        return SE_OK;
    }
    for (size_t i = 0; out->kind == AUDIT_HISTORY && i < sizeof rows / sizeof *rows; i++)
        if (text_starts(word, rows[i].name) && word[strlen(rows[i].name)]) {
            *rows[i].to = word + strlen(rows[i].name);
            return SE_OK;
        }
    return error_set(
        err, SE_ERR_CONFIG, "an audit sink is followed by 'required'%s, not by '%s'",
        out->kind == AUDIT_HISTORY ? ", config=FILE, chain=NAME or descriptor=NAME" : "", word);
}

static se_status read_sink(struct audit_sink_options *out, char *text, se_error *err)
{
    bool first = true;
    char *word;

    while ((word = strsep(&text, " \t"))) {
        if (!*word)
            continue;
        TRY(first ? read_place(out, word, err) : read_option(out, word, err));
        first = false;
    }
    if (first)
        return error_set(err, SE_ERR_CONFIG, "the audit sink is empty");
    return out->kind != AUDIT_HISTORY || out->config
               ? SE_OK
               : error_set(err, SE_ERR_CONFIG,
                           "the audit sink 'history' needs config=FILE: the engine that seals");
}

se_status audit_sinks_add(struct audit_sinks *sinks, const char *text, se_error *err)
{
    struct audit_sink_options options = { .place = NULL };
    se_status st;
    char *copy;

    if (!array_grow(&sinks->list, &sinks->list_room, sinks->count) ||
        !array_grow(&sinks->texts, &sinks->text_room, sinks->count) || !(copy = strdup(text)))
        return error_memory(err);
    if ((st = read_sink(&options, copy, err))) {
        free(copy);
        return st;
    }
    sinks->list[sinks->count] = options;
    sinks->texts[sinks->count++] = copy;
    return SE_OK;
}

void audit_sinks_free(struct audit_sinks *sinks)
{
    for (size_t i = 0; i < sinks->count; i++)
        free(sinks->texts[i]);
    free(sinks->list);
    free(sinks->texts);
    *sinks = (struct audit_sinks){ .count = 0 };
}
