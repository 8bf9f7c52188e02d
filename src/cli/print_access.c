/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/print_access.h"

static const char *list_separator(size_t index)
{
    return index ? ", " : "";
}

void write_access_targets(struct writer *w, const se_access_row *row)
{
    for (size_t i = 0; i < row->what_count; i++) {
        const se_access_what *what = &row->what[i];

        if (what->history)
            writer_format(w, "%shistory %s", list_separator(i), what->history);
        else
            writer_format(w, "%s%s", list_separator(i), what->descriptor);
        if (what->version)
            writer_format(w, ":%u", what->version);
    }
}

void write_access_operations(struct writer *w, const se_access_row *row)
{
    for (size_t i = 0; i < row->operation_count; i++)
        writer_format(w, "%s%s", list_separator(i), row->operations[i]);
}

static void write_property(struct writer *w, const char *name, const char *value)
{
    if (value)
        writer_format(w, " %s='%s'", name, value);
}

static void write_who(struct writer *w, const se_access_row *row)
{
    for (size_t i = 0; i < row->who_count; i++) {
        const se_access_who *who = &row->who[i];

        writer_text(w, list_separator(i));
        if (who->user || who->group) {
            writer_format(w, "%s %s", who->user ? "user" : "group",
                          who->user ? who->user : who->group);
            continue;
        }
        writer_text(w, "certificate");
        write_property(w, "subject", who->subject);
        write_property(w, "issuer", who->issuer);
        write_property(w, "san", who->san);
        write_property(w, "sha256", who->sha256);
    }
}

void print_access_row(const se_access_row *row)
{
    AUTO(writer) w = { 0 };

    writer_format(&w, "%u '%s'", row->number, row->name);
    if (row->per_minute)
        writer_format(&w, ", %u a minute", row->per_minute);
    writer_text(&w, "\n    who:  ");
    write_who(&w, row);
    writer_text(&w, "\n    what: ");
    write_access_operations(&w, row);
    if (row->what_count)
        writer_text(&w, " with ");
    write_access_targets(&w, row);
    puts(writer_string(&w));
}

/* ---- JSON ---- */

static json_t *json_who(const se_access_who *who)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "user", json_text(who->user), "group",
                     json_text(who->group), "subject", json_text(who->subject), "issuer",
                     json_text(who->issuer), "san", json_text(who->san), "sha256",
                     json_text(who->sha256));
}

static json_t *json_what(const se_access_what *what)
{
    return json_pack("{s:o, s:i, s:o}", "descriptor", json_text(what->descriptor), "version",
                     (int)what->version, "history", json_text(what->history));
}

json_t *json_access_row(const se_access_row *row)
{
    json_t *operations = json_array(), *who = json_array(), *what = json_array();
    bool failed = false;

    for (size_t i = 0; i < row->operation_count; i++)
        failed |= json_array_append_new(operations, json_text(row->operations[i])) != 0;
    for (size_t i = 0; i < row->who_count; i++)
        failed |= json_array_append_new(who, json_who(&row->who[i])) != 0;
    for (size_t i = 0; i < row->what_count; i++)
        failed |= json_array_append_new(what, json_what(&row->what[i])) != 0;
    if (failed) {
        json_decref(operations);
        json_decref(who);
        json_decref(what);
        return NULL;
    }
    return json_pack("{s:i, s:i, s:o, s:o, s:o, s:o, s:i}", "number", (int)row->number, "line",
                     row->line, "row", json_text(row->name), "operations", operations, "who", who,
                     "what", what, "perMinute", (int)row->per_minute);
}
