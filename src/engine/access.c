/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who may do what: the rows of <access>, with users and groups as this machine knows them.
 *
 * Whether a descriptor exists is never looked at here, so that a refusal tells nothing about it.
 */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>

#include "base/arguments.h"
#include "base/clock.h"
#include "base/text.h"
#include "config/versions.h"
#include "engine/access_identity.h"
#include "engine/engine.h"

/* A row, and what it points to. */
struct access_rule {
    se_access_row row;
    unsigned operations; /* bits */
    const char *operation_names[ACCESS_OPERATIONS];
    se_access_who *who;
    struct access_match *matches; /* one for each of `who` */
    se_access_what *what;
    struct version_time *times; /* one for each of `what`, of those that name a version */
};

struct se_access {
    struct access_rule *rules;
    size_t count;
    struct text_list *texts;
};

static void access_rule_free(struct access_rule *rule)
{
    for (size_t i = 0; i < rule->row.who_count; i++)
        access_match_free(&rule->matches[i]);
    free(rule->who);
    free(rule->matches);
    free(rule->what);
    free(rule->times);
}

void se_access_close(se_access **access)
{
    se_access *a = access ? *access : NULL;

    if (!a)
        return;
    for (size_t i = 0; i < a->count; i++)
        access_rule_free(&a->rules[i]);
    free(a->rules);
    text_list_free(a->texts);
    free(a);
    *access = NULL;
}
AUTO_KIND(access, se_access *, se_access_close(p))

/* ---- rows, from those of the configuration ---- */

/* A copy; NULL for "". */
static se_status keep_said(const char **out, se_access *access, const char *text, se_error *err)
{
    *out = *text ? text_list_keep(&access->texts, text) : NULL;
    return *out || !*text ? SE_OK : error_memory(err);
}

static se_status add_caller(se_access *access, struct access_rule *rule,
                            const struct access_caller *caller, se_error *err)
{
    se_access_who *who = &rule->who[rule->row.who_count];
    struct access_match *match = &rule->matches[rule->row.who_count];

    rule->row.who_count++;
    TRY(access_match_read(match, caller, err));
    TRY(keep_said(caller->kind == ACCESS_GROUP ? &who->group : &who->user, access, caller->name,
                  err));
    TRY(keep_said(&who->subject, access, caller->subject, err));
    TRY(keep_said(&who->issuer, access, caller->issuer, err));
    TRY(keep_said(&who->san, access, caller->san, err));
    return keep_said(&who->sha256, access, caller->sha256, err);
}

static se_status add_target(se_access *access, struct access_rule *rule,
                            const struct config *config, const struct access_target *target,
                            se_error *err)
{
    const struct descriptor *found;
    se_access_what *what = &rule->what[rule->row.what_count];

    if (target->version &&
        !config_descriptor(&found, config, target->descriptor, target->version, NULL))
        rule->times[rule->row.what_count] = found->time;
    rule->row.what_count++;
    what->version = target->version;
    TRY(keep_said(&what->descriptor, access, target->descriptor, err));
    return keep_said(&what->history, access, target->history, err);
}

static void add_operations(struct access_rule *rule, unsigned operations)
{
    rule->operations = operations;
    for (size_t i = 0; i < ACCESS_OPERATIONS; i++)
        if (operations & 1U << i)
            rule->operation_names[rule->row.operation_count++] = access_operation_names[i];
    rule->row.operations = rule->operation_names;
}

static se_status add_rule(se_access *access, const struct config *config,
                          const struct access_row *row, se_error *err)
{
    struct access_rule *rule = &access->rules[access->count++];

    rule->who = calloc(row->caller_count + 1, sizeof *rule->who);
    rule->matches = calloc(row->caller_count + 1, sizeof *rule->matches);
    rule->what = calloc(row->target_count + 1, sizeof *rule->what);
    rule->times = calloc(row->target_count + 1, sizeof *rule->times);
    if (!rule->who || !rule->matches || !rule->what || !rule->times)
        return error_memory(err);
    rule->row.who = rule->who;
    rule->row.what = rule->what;
    rule->row.number = (unsigned)access->count;
    rule->row.line = row->line;
    rule->row.per_minute = row->per_minute;
    TRY(keep_said(&rule->row.name, access, row->name, err));
    add_operations(rule, row->operations);
    for (size_t i = 0; i < row->caller_count; i++)
        TRY(add_caller(access, rule, &row->callers[i], err));
    for (size_t i = 0; i < row->target_count; i++)
        TRY(add_target(access, rule, config, &row->targets[i], err));
    return SE_OK;
}

/* Users and groups have no numbers yet. */
static se_status access_read(se_access **out, const struct config *config, se_error *err)
{
    AUTO(access) access = calloc(1, sizeof *access);

    if (!access || !(access->rules = calloc(config->access_row_count + 1, sizeof *access->rules)))
        return error_memory(err);
    for (size_t i = 0; i < config->access_row_count; i++)
        TRY(add_rule(access, config, &config->access_rows[i], err));
    *out = MOVE(access);
    return SE_OK;
}

/* ---- users and groups ---- */

enum { ENTRY_ROOM = 1024, ENTRY_ROOM_MOST = 1 << 20 };

AUTO_KIND(text, char *, free(*p))

static int find_user(uint32_t *id, bool *found, const char *name, char *room, size_t size)
{
    struct passwd entry, *is = NULL;
    const int error = getpwnam_r(name, &entry, room, size, &is);

    *found = is != NULL;
    if (is)
        *id = is->pw_uid;
    return error;
}

static int find_group(uint32_t *id, bool *found, const char *name, char *room, size_t size)
{
    struct group entry, *is = NULL;
    const int error = getgrnam_r(name, &entry, room, size, &is);

    *found = is != NULL;
    if (is)
        *id = is->gr_gid;
    return error;
}

/* Groups with many members need much room. */
static int look_up(uint32_t *id, bool *found, enum access_kind kind, const char *name)
{
    int error = ERANGE;

    *found = false;
    for (size_t size = ENTRY_ROOM; error == ERANGE && size <= ENTRY_ROOM_MOST; size *= 4) {
        AUTO(text) room = malloc(size);

        if (!room)
            return ENOMEM;
        error = kind == ACCESS_USER ? find_user(id, found, name, room, size)
                                    : find_group(id, found, name, room, size);
    }
    /* getpwnam_r(3): what systems say that have no such name */
    return error == ENOENT || error == ESRCH || error == EBADF || error == EPERM ? 0 : error;
}

/* Where findings about the names go. */
struct resolving {
    const struct config *config;
    se_report_fn report;
    void *report_arg;
    se_error *first;
    se_status status;
};

static void report_name(struct resolving *r, bool error, int line, const char *text)
{
    if (r->report)
        r->report(r->report_arg, &(se_report){ error, r->config->path, line, text });
}

/* The first failure is the caller's error. */
static void refuse_name(struct resolving *r, se_status status, const struct access_caller *caller,
                        const char *reason)
{
    const char *kind = caller->kind == ACCESS_USER ? "user" : "group";
    se_error text = SE_ERROR_INIT;

    if (reason)
        (void)error_set(&text, status, "cannot look up %s '%.64s': %s", kind, caller->name, reason);
    else
        (void)error_set(&text, status, "there is no %s '%.64s' on this machine", kind,
                        caller->name);
    report_name(r, true, caller->line, text.text);
    if (!r->status)
        r->status =
            error_set(r->first, status, "%s:%d: %s", r->config->path, caller->line, text.text);
}

static void resolve_caller(struct resolving *r, struct access_match *match,
                           const struct access_caller *caller)
{
    bool found;
    int error;

    if (caller->kind == ACCESS_CERTIFICATE)
        return;
    error = look_up(&match->id, &found, caller->kind, caller->name);
    if (error)
        refuse_name(r, error == ENOMEM ? SE_ERR_MEMORY : SE_ERR_UNAVAILABLE, caller,
                    strerror(error));
    else if (!found)
        refuse_name(r, SE_ERR_CONFIG, caller, NULL);
}

static se_status access_resolve(se_access *access, struct resolving *r)
{
    for (size_t i = 0; i < access->count; i++)
        for (size_t j = 0; j < access->rules[i].row.who_count; j++)
            resolve_caller(r, &access->rules[i].matches[j], &r->config->access_rows[i].callers[j]);
    if (!access->count)
        report_name(r, false, 0, "no row of <access> allows anybody anything");
    return r->status;
}

se_status se_access_open(se_access **out, se_engine *engine, se_report_fn report, void *report_arg,
                         se_error *error)
{
    AUTO(engine) now = NULL;
    AUTO(access) access = NULL;
    struct resolving r = { .report = report, .report_arg = report_arg, .first = error };

    if (out)
        *out = NULL;
    TRY(arguments_check(error, out, engine));
    now = engine_enter(engine);
    r.config = now->config;
    TRY(access_read(&access, now->config, error));
    TRY(access_resolve(access, &r));
    *out = MOVE(access);
    return SE_OK;
}

/* ---- decisions ---- */

static bool names_caller(const struct access_rule *rule, const struct access_identity *identity)
{
    for (size_t i = 0; i < rule->row.who_count; i++)
        if (access_match_is(&rule->matches[i], identity))
            return true;
    return false;
}

static se_status find_operation(unsigned *bit, const char *name, se_error *err)
{
    const char *nearest;

    for (unsigned i = 0; i < ACCESS_OPERATIONS; i++)
        if (!strcmp(name, access_operation_names[i])) {
            *bit = 1U << i;
            return SE_OK;
        }
    nearest = text_nearest(name, access_operation_names, ACCESS_OPERATIONS);
    return error_set(err, SE_ERR_USAGE, "there is no operation '%.64s'%s%s%s", name,
                     nearest ? "; did you mean '" : "", nearest ? nearest : "",
                     nearest ? "'?" : "");
}

static bool allows_history(const struct access_rule *rule, const char *history)
{
    for (size_t i = 0; history && i < rule->row.what_count; i++)
        if (rule->what[i].history && !strcmp(rule->what[i].history, history))
            return true;
    return false;
}

/* *version: the only one that the row allows, of several the current one; 0: any, or the one that
 * is asked for. */
static bool allows_descriptor(unsigned *version, const struct access_rule *rule, const se_use *use)
{
    const int64_t now = clock_seconds();
    unsigned highest = 0, current = 0;

    for (size_t i = 0; use->descriptor && i < rule->row.what_count; i++) {
        const se_access_what *what = &rule->what[i];

        if (!what->descriptor || strcmp(what->descriptor, use->descriptor))
            continue;
        if (!what->version || what->version == use->version)
            return true;
        if (use->version)
            continue;
        if (what->version > highest)
            highest = what->version;
        if (what->version > current && is_version_time(&rule->times[i], now))
            current = what->version;
    }
    *version = current ? current : highest;
    return highest;
}

static bool has_descriptors(const struct access_rule *rule)
{
    return rule->row.what_count && rule->what[0].descriptor;
}

static bool allows_use(unsigned *version, const struct access_rule *rule, const se_use *use,
                       unsigned operation)
{
    *version = 0;
    if (!(rule->operations & operation))
        return false;
    if (operation & ACCESS_OF_HISTORIES)
        return allows_history(rule, use->history);
    if (operation & ACCESS_OF_DESCRIPTORS || (operation & ACCESS_OF_ALL && has_descriptors(rule)))
        return allows_descriptor(version, rule, use);
    return true;
}

se_status se_access_decide(se_access_row *out, const se_access *access, const se_caller *caller,
                           const se_use *use, se_error *error)
{
    AUTO(access_identity) identity = { .leaf = NULL };
    unsigned operation = 0, version;
    se_use wanted;

    if (out)
        *out = (se_access_row){ .number = 0 };
    TRY(arguments_check(error, access, caller, use));
    TRY(arguments_options(&wanted, use, se_use, error));
    TRY(find_operation(&operation, wanted.operation ? wanted.operation : "", error));
    TRY(access_identity_read(&identity, caller, error));
    for (size_t i = 0; i < access->count; i++) {
        const struct access_rule *rule = &access->rules[i];

        if (!names_caller(rule, &identity) || !allows_use(&version, rule, &wanted, operation))
            continue;
        if (out) {
            *out = rule->row;
            out->version = version;
        }
        return SE_OK;
    }
    return error_set(error, SE_ERR_ACCESS, "not allowed");
}

/* ---- lists ---- */

se_status se_access_list(const se_access *access, const se_caller *caller, se_access_fn fn,
                         void *arg, se_error *error)
{
    AUTO(access_identity) identity = { .leaf = NULL };

    TRY(arguments_check(error, access, fn));
    if (caller)
        TRY(access_identity_read(&identity, caller, error));
    for (size_t i = 0; i < access->count; i++)
        if (!caller || names_caller(&access->rules[i], &identity))
            fn(arg, &access->rules[i].row);
    return SE_OK;
}

se_status se_access_rows(se_engine *engine, se_access_fn fn, void *arg, se_error *error)
{
    AUTO(engine) now = NULL;
    AUTO(access) access = NULL;

    TRY(arguments_check(error, engine, fn));
    now = engine_enter(engine);
    TRY(access_read(&access, now->config, error));
    return se_access_list(access, NULL, fn, arg, error);
}
