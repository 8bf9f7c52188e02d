/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/traces.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "cli/commands.h"
#include "cli/spawn.h"
#include "cli/stream.h"

enum { FOLDERS_DEEP = 64 };

/* ---- one thing: a file, a line ---- */

struct origin {
    const struct trace_search *search;
    bool is_ours, is_others; /* another version has made it, or can read it as well */
};

static void note_version(void *arg, unsigned version)
{
    struct origin *origin = arg;

    if (version == origin->search->version)
        origin->is_ours = true;
    else
        origin->is_others = true;
}

static bool is_trace(const struct origin *origin)
{
    return origin->is_ours && !origin->is_others;
}

static void print_found(const struct trace_search *s, const char *place, const char *what)
{
    if (s->cli->json)
        (void)json_line(json_pack("{s:o, s:o, s:o, s:i}", "place", json_text(place), "found",
                                  json_text(what), "descriptor", json_text(s->descriptor),
                                  "version", (int)s->version));
    else
        printf("%s: %s by %s:%u\n", place, what, s->descriptor, s->version);
}

static void print_unknown(const struct trace_search *s, const char *place, const char *why)
{
    if (s->cli->json)
        (void)json_line(
            json_pack("{s:o, s:o}", "place", json_text(place), "unknown", json_text(why)));
    else
        printf("%s: not understood: %s\n", place, why);
}

/* ---- files and folders ---- */

typedef se_status look_fn(struct trace_search *s, const char *path, se_error *err);

/* A look at all files of a folder and those in it. */
struct walk {
    struct trace_search *search;
    look_fn *look;
    unsigned depth;
};

static se_status walk_path(const struct walk *walk, const char *path, se_error *err);

static se_status walk_entry(void *arg, const char *path, se_error *err)
{
    struct walk inside = *(const struct walk *)arg;

    inside.depth++;
    return walk_path(&inside, path, err);
}

/* Links inside of a folder are not followed to other folders, which may be the same again. */
static se_status walk_path(const struct walk *walk, const char *path, se_error *err)
{
    struct trace_search *s = walk->search;
    struct stat info, own;

    if (stat(path, &info) || lstat(path, &own))
        return error_set(err, errno == EACCES ? SE_ERR_ACCESS : SE_ERR_IO, "cannot read '%s': %s",
                         path, strerror(errno));
    if (S_ISREG(info.st_mode))
        return walk->look(s, path, err);
    if (!S_ISDIR(info.st_mode) || (walk->depth && S_ISLNK(own.st_mode)) ||
        walk->depth > FOLDERS_DEEP) {
        s->count.seen++;
        s->count.unknown++;
        print_unknown(s, path, "neither a file nor a folder");
        return SE_OK;
    }
    return folder_each(path, walk_entry, (void *)walk, err);
}

static se_status look_at_file(struct trace_search *s, const char *path, se_error *err)
{
    struct origin origin = { .search = s };
    se_error why = SE_ERROR_INIT;
    const se_status st =
        se_find_versions_file(s->engine, s->descriptor, path, note_version, &origin, &why);

    if (st && st != SE_ERR_FORMAT && st != SE_ERR_REJECTED)
        return error_copy(err, st, &why);
    s->count.seen++;
    /* what is of no format of ours is nothing that needs a key */
    if (st == SE_ERR_REJECTED) {
        s->count.unknown++;
        print_unknown(s, path, why.text);
    } else if (is_trace(&origin)) {
        s->count.found++;
        print_found(s, path, "made");
    }
    return SE_OK;
}

se_status traces_in_path(struct trace_search *search, const char *path, se_error *err)
{
    return walk_path(&(struct walk){ search, look_at_file, 0 }, path, err);
}

/* ---- lines ---- */

struct line_search {
    struct trace_search *search;
    const char *path;
    struct trace_count count;
    uint64_t first_found, first_unknown;
    se_error why; /* of the first that is unknown */
};

static se_bytes value_of(se_bytes line)
{
    const char *text = line.data, *tab = line.size ? memrchr(text, '\t', line.size) : NULL;
    const size_t skip = tab ? (size_t)(tab - text) + 1 : 0;

    return (se_bytes){ text ? text + skip : NULL, line.size - skip };
}

static se_status look_at_line(struct line_search *l, se_bytes line, uint64_t number, se_error *err)
{
    struct trace_search *s = l->search;
    struct origin origin = { .search = s };
    se_error why = SE_ERROR_INIT;
    const se_status st =
        se_find_versions(s->engine, s->descriptor, value_of(line), note_version, &origin, &why);

    if (st && st != SE_ERR_FORMAT && st != SE_ERR_REJECTED)
        return error_copy(err, st, &why);
    l->count.seen++;
    if (st && !l->count.unknown++) {
        l->first_unknown = number;
        l->why = why;
    }
    if (!st && is_trace(&origin) && !l->count.found++)
        l->first_found = number;
    return SE_OK;
}

static se_status look_at_lines(struct line_search *l, struct stream *in, se_error *err)
{
    AUTO(lines) lines = NULL;

    TRY(lines_new(&lines, in, err));
    do {
        TRY(lines_next(lines, err));
        for (size_t i = 0; i < lines->count; i++)
            if (lines->list[i].size)
                TRY(look_at_line(l, lines->list[i], lines->number + i, err));
    } while (lines->count);
    return SE_OK;
}

static void print_lines(const struct line_search *l)
{
    char text[sizeof l->why.text + 64];

    if (l->count.found) {
        (void)snprintf(text, sizeof text, "%ju lines, the first is line %ju, made",
                       (uintmax_t)l->count.found, (uintmax_t)l->first_found);
        print_found(l->search, l->path, text);
    }
    if (l->count.unknown) {
        (void)snprintf(text, sizeof text, "%ju lines, the first is line %ju: %s",
                       (uintmax_t)l->count.unknown, (uintmax_t)l->first_unknown, l->why.text);
        print_unknown(l->search, l->path, text);
    }
}

se_status traces_in_lines(struct trace_search *search, const char *path, se_error *err)
{
    struct line_search l = { .search = search, .path = path, .why = SE_ERROR_INIT };
    AUTO(input) input = INPUT_INIT;
    struct stream stream = { .source = &input.source };

    TRY(input_open(&input, path, err));
    TRY(look_at_lines(&l, &stream, err));
    print_lines(&l);
    search->count.seen += l.count.seen;
    search->count.found += l.count.found;
    search->count.unknown += l.count.unknown;
    return SE_OK;
}

/* ---- what other programs of ours know ---- */

AUTO_KIND(json, json_t *, json_decref(*p))
AUTO_KIND(path, char *, free(*p))
AUTO_KIND(stdio, FILE *, if (*p) fclose(*p))

typedef void row_fn(struct trace_search *s, const json_t *row);

static se_status read_rows(struct trace_search *s, int output, row_fn *take, se_error *err)
{
    AUTO(stdio) rows = fdopen(output, "r");

    if (!rows)
        return error_memory(err);
    rewind(rows);
    for (int c = getc(rows); c != EOF; c = getc(rows)) {
        AUTO(json) row = NULL;

        (void)ungetc(c, rows);
        if (c == '\n') {
            (void)getc(rows);
            continue;
        }
        if (!(row = json_loadf(rows, JSON_DISABLE_EOF_CHECK, NULL)))
            return error_set(err, SE_ERR_CRYPTO, "what '%s' tells can't be read", s->descriptor);
        take(s, row);
    }
    return SE_OK;
}

/* It has said why on standard error. */
static se_status check_ending(const char *program, int status, se_error *err)
{
    return status ? error_set(err, SE_ERR_UNAVAILABLE, "'%s' ended with status %d", program, status)
                  : SE_OK;
}

/* arguments[0] is the program's name. */
static se_status ask_program(struct trace_search *s, const char **arguments, row_fn *take,
                             se_error *err)
{
    const char *name = arguments[0];
    AUTO(path) path = command_program_path(name);
    AUTO(file) nothing = file_open("/dev/null");
    const int rows = memfd_create("rows", MFD_CLOEXEC);
    const struct spawn spawn = {
        .option = name, .arguments = (char **)arguments, .input = nothing, .output = rows
    };
    int status = 0;
    se_status st;

    if (!path || nothing < 0 || rows < 0)
        return error_memory(err);
    arguments[0] = path;
    st = spawn_run(&status, &spawn, err);
    if (!st)
        st = check_ending(name, status, err);
    if (!st)
        return read_rows(s, rows, take, err);
    (void)close(rows);
    return st;
}

static const char *text_of(const json_t *row, const char *name)
{
    const char *text = json_string_value(json_object_get(row, name));

    return text ? text : "";
}

static uint64_t number_of(const json_t *row, const char *name)
{
    return (uint64_t)json_integer_value(json_object_get(row, name));
}

/* ---- messages ---- */

enum { MESSAGES_MOST = 256, MESSAGE_ARGUMENTS = 8 };

/* So many at a time that a program's start does not matter, and its arguments have room. */
struct mail_search {
    struct trace_search search;
    char *paths[MESSAGES_MOST];
    size_t count;
};

static void mail_search_free(struct mail_search *m)
{
    for (size_t i = 0; i < m->count; i++)
        free(m->paths[i]);
    m->count = 0;
}
AUTO_KIND(mail_search, struct mail_search, mail_search_free(p))

static void take_message(struct trace_search *s, const json_t *row)
{
    struct origin origin = { .search = s };
    const json_t *versions = json_object_get(row, "versions"), *version;
    const char *why = json_string_value(json_object_get(row, "unknown"));
    size_t i;

    json_array_foreach(versions, i, version)
        note_version(&origin, (unsigned)json_integer_value(version));
    s->count.seen++;
    if (why) {
        s->count.unknown++;
        print_unknown(s, text_of(row, "file"), why);
    } else if (is_trace(&origin)) {
        s->count.found++;
        print_found(s, text_of(row, "file"), "signed");
    }
}

static se_status ask_about_messages(struct mail_search *m, se_error *err)
{
    const struct cli *cli = m->search.cli;
    const char *arguments[MESSAGE_ARGUMENTS + MESSAGES_MOST + 7] = {
        "signengine-mail", "mail",          "signers",      "--json",
        "--config",        cli_config(cli), "--descriptor", m->search.descriptor,
    };
    size_t count = MESSAGE_ARGUMENTS;
    se_status st;

    if (cli->trust_config) {
        arguments[count++] = "--trust-config";
        arguments[count++] = cli->trust_config;
    }
    if (cli->config_revocation.crls) {
        arguments[count++] = "--config-crl";
        arguments[count++] = cli->config_revocation.crls;
    }
    if (cli->config_revocation.required)
        arguments[count++] = "--require-config-revocation-check";
    arguments[count++] = "--";
    memcpy(&arguments[count], m->paths, m->count * sizeof *m->paths);
    st = ask_program(&m->search, arguments, take_message, err);
    mail_search_free(m);
    return st;
}

static se_status look_at_message(struct trace_search *s, const char *path, se_error *err)
{
    struct mail_search *m = (struct mail_search *)s;

    if (!(m->paths[m->count] = strdup(path)))
        return error_memory(err);
    return ++m->count < MESSAGES_MOST ? SE_OK : ask_about_messages(m, err);
}

se_status traces_in_mail(struct trace_search *search, const char *path, se_error *err)
{
    AUTO(mail_search) m = { .search = *search };

    TRY(walk_path(&(struct walk){ &m.search, look_at_message, 0 }, path, err));
    if (m.count)
        TRY(ask_about_messages(&m, err));
    search->count = m.search.count;
    return SE_OK;
}

/* ---- stores ---- */

struct store_search {
    struct trace_search search;
    const char *store, *chain;
};

static void take_seals(struct trace_search *search, const json_t *row)
{
    struct store_search *s = (struct store_search *)search;
    const uint64_t first = number_of(row, "first"), last = number_of(row, "last");
    char text[96];

    if (s->chain && strcmp(s->chain, text_of(row, "chain")) != 0)
        return;
    search->count.seen += last - first + 1;
    if (strcmp(search->descriptor, text_of(row, "descriptor")) != 0 ||
        number_of(row, "version") != search->version ||
        json_is_true(json_object_get(row, "vouched")))
        return;
    search->count.found += last - first + 1;
    (void)snprintf(text, sizeof text, "chain '%.40s': seals %ju to %ju, made",
                   text_of(row, "chain"), (uintmax_t)first, (uintmax_t)last);
    print_found(search, s->store, text);
}

se_status traces_in_store(struct trace_search *search, const char *store, const char *chain,
                          se_error *err)
{
    const char *arguments[] = {
        "signengine-history", "history", "list", "--sealers", "--json", "--store", store, NULL
    };
    struct store_search s = { *search, store, chain };
    const uint64_t seen = search->count.seen;

    TRY(ask_program(&s.search, arguments, take_seals, err));
    search->count = s.search.count;
    return search->count.seen > seen || !chain
               ? SE_OK
               : error_set(err, SE_ERR_USAGE, "there is no chain '%s' in the store", chain);
}
