/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration with the next version of a descriptor, which is written before a key is made,
 * or without one that is done with. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "config/diff.h"
#include "config/edit.h"
#include "config/versions.h"
#include "provision/provision.h"

enum { EDITS_MOST = 6, VERSION_DIGITS = 12, NUMBERS_MOST = 1000 };

void rotation_free(struct rotation *rotation)
{
    free(rotation->key);
    free(rotation->previous_key);
    *rotation = (struct rotation){ .key = NULL };
}

/* ---- names ---- */

/* "signerV1" becomes "signerV2", "signer" becomes "signer-v2". */
static char *next_name(const char *name, size_t size, unsigned number)
{
    size_t stem = size;
    char *made;

    while (stem && isdigit((unsigned char)name[stem - 1]))
        stem--;
    if (stem == size || stem < 2 || !strchr("vV", name[stem - 1]))
        return asprintf(&made, "%.*s-v%u", (int)size, name, number) < 0 ? NULL : made;
    return asprintf(&made, "%.*s%u", (int)stem, name, number) < 0 ? NULL : made;
}

/* "keys/signerV1.p12" becomes "keys/signerV2.p12". */
static char *next_file(const char *path, unsigned number)
{
    const char *slash = strrchr(path, '/'), *dot = strrchr(path, '.');
    const size_t size = dot && (!slash || dot > slash + 1) ? (size_t)(dot - path) : strlen(path);
    char *stem = next_name(path, size, number), *made = NULL;

    if (stem && asprintf(&made, "%s%s", stem, path + size) < 0)
        made = NULL;
    free(stem);
    return made;
}

/* ---- what changes ---- */

struct edits {
    struct edit list[EDITS_MOST];
    char *texts[EDITS_MOST]; /* that they borrow */
    size_t count;
};

static void edits_free(struct edits *edits)
{
    for (size_t i = 0; i < edits->count; i++)
        free(edits->texts[i]);
}
AUTO_KIND(edits, struct edits, edits_free(p))

static void edits_remove(struct edits *edits, const char *element, const char *attribute)
{
    edits->list[edits->count++] = (struct edit){ element, attribute, NULL };
}

/* Takes over `value`. */
static se_status edits_set(struct edits *edits, const char *element, const char *attribute,
                           char *value, se_error *err)
{
    if (!value)
        return error_memory(err);
    edits->texts[edits->count] = value;
    edits->list[edits->count++] = (struct edit){ element, attribute, value };
    return SE_OK;
}

static bool is_store(const struct keyref *ref, const char *store)
{
    return strcmp(ref->store, store) == 0;
}

static bool is_in_file_of_its_own(const struct keyref *ref)
{
    return is_store(ref, "pem") || (is_store(ref, "pkcs12") && !*ref->alias);
}

/* Where only the operator can say which key is the next one. */
static se_status check_place(const struct key_entry *entry, se_error *err)
{
    const char *why = NULL;

    if (entry->count > 1)
        why = "has replicas";
    else if (strncmp(entry->replicas[0].location_written, "pkcs11:", 7) == 0)
        why = "is named by a URI";
    if (!why)
        return SE_OK;
    return error_set(err, SE_ERR_USAGE,
                     "key '%s' %s: put the <key> that comes next into the configuration, and name "
                     "it with --to",
                     entry->name, why);
}

static se_status edit_certificate(struct edits *edits, const struct keyref *ref,
                                  const struct rotation *what, se_error *err)
{
    char *file = NULL;

    if (*ref->certificate)
        return edits_set(edits, "type", "certificate",
                         next_file(ref->certificate_written, what->number), err);
    if (!ref->certificate_der.size)
        return SE_OK;
    if (asprintf(&file, "file:%s.pem", what->key) < 0)
        return error_memory(err);
    return edits_set(edits, "type", "certificate", file, err);
}

static se_status edit_place_of(struct edits *edits, const struct key_entry *entry,
                               const struct rotation *what, se_error *err)
{
    const struct keyref *ref = &entry->replicas[0];
    const char *alias = *ref->alias ? ref->alias : entry->name;

    TRY(check_place(entry, err));
    TRY(edits_set(edits, "key", "name", strdup(what->key), err));
    TRY(edit_certificate(edits, ref, what, err));
    if (is_in_file_of_its_own(ref))
        return edits_set(edits, "type", "locationValue",
                         next_file(ref->location_written, what->number), err);
    edits_remove(edits, "type", "id");
    edits_remove(edits, "type", "keyVersion");
    return edits_set(edits, "type", "alias", next_name(alias, strlen(alias), what->number), err);
}

static se_status add_key(se_buf *text, const struct key_entry *entry, const struct rotation *what,
                         se_error *err)
{
    const struct edit_place place = { "key", entry->name, 0 };
    AUTO(edits) edits = { .count = 0 };
    AUTO(se_buf) made = SE_BUF_INIT;

    TRY(edit_place_of(&edits, entry, what, err));
    TRY(edit_element_copy(&made, buf_bytes(text), &place, edits.list, edits.count, err));
    se_buf_free(text);
    *text = buf_move(&made);
    return SE_OK;
}

static se_status add_descriptor(se_buf *text, const struct descriptor *d,
                                const struct rotation *what, se_error *err)
{
    const struct edit_place place = { "descriptor", d->name, d->version };
    char version[VERSION_DIGITS], from[TIME_TEXT_ROOM];
    const struct edit edits[] = {
        { "descriptor", "version", version }, { "descriptor", "from", from },
        { "descriptor", "until", NULL },      { "descriptor", "signs", NULL },
        { "type", "key", what->key },
    };
    AUTO(se_buf) made = SE_BUF_INIT;

    (void)snprintf(version, sizeof version, "%u", what->version);
    (void)time_format(from, TIME_RFC3339, what->from);
    TRY(edit_element_copy(&made, buf_bytes(text), &place, edits, sizeof edits / sizeof *edits,
                          err));
    se_buf_free(text);
    *text = buf_move(&made);
    return SE_OK;
}

/* ---- which version, and which key ---- */

/* By the version, or by the next number that is free: descriptors may share their keys. */
static se_status choose_name(struct rotation *what, const struct config *config, const char *last,
                             se_error *err)
{
    const struct key_entry *there;

    for (what->number = what->version; what->number < what->version + NUMBERS_MOST;
         what->number++) {
        free(what->key);
        if (!(what->key = next_name(last, strlen(last), what->number)))
            return error_memory(err);
        if (config_key(&there, config, what->key, NULL))
            return SE_OK;
    }
    return error_set(err, SE_ERR_USAGE, "keys of all names up to '%s' are there: say --to",
                     what->key);
}

static se_status choose_key(struct rotation *what, const struct config *config,
                            const struct descriptor *d, const char *to, se_error *err)
{
    const struct key_entry *there;

    what->is_new_key = !to;
    what->previous_key = strdup(d->key->name);
    if (!what->previous_key)
        return error_memory(err);
    if (!to)
        return choose_name(what, config, d->key->name, err);
    what->key = strdup(to);
    return what->key ? config_key(&there, config, to, err) : error_memory(err);
}

static se_status copy_parsed(struct config **out, se_bytes text, const char *path, se_error *err)
{
    const struct config_options options = { .report = NULL };
    AUTO(se_buf) copy = SE_BUF_INIT;

    TRY(buf_copy(&copy, text, err));
    return config_parse(out, &copy, path, &options, err);
}

se_status rotation_plan(se_buf *out, struct rotation *what, se_bytes text, const char *path,
                        const struct rotation_wish *wish, se_error *err)
{
    AUTO(config) before = NULL;
    AUTO(config) after = NULL;
    AUTO(se_buf) made = SE_BUF_INIT;
    const struct descriptor *newest;

    *what = (struct rotation){ .from = wish->from };
    TRY(copy_parsed(&before, text, path, err));
    TRY(config_descriptor(&newest, before, wish->descriptor, 0, err));
    what->previous_version = newest->version;
    what->version = newest->version + 1;
    TRY(choose_key(what, before, newest, wish->to, err));
    TRY(buf_copy(&made, text, err));
    if (what->is_new_key)
        TRY(add_key(&made, newest->key, what, err));
    TRY(add_descriptor(&made, newest, what, err));
    TRY(copy_parsed(&after, buf_bytes(&made), path, err));
    if (wish->difference)
        TRY(config_diff(before, after, wish->difference, wish->difference_arg, err));
    *out = buf_move(&made);
    return SE_OK;
}

se_status rotation_read(struct rotation *what, se_bytes text, se_bytes next, const char *path,
                        const char *descriptor, se_error *err)
{
    AUTO(config) before = NULL;
    AUTO(config) after = NULL;
    const struct descriptor *old, *planned;
    const struct key_entry *there;

    *what = (struct rotation){ .key = NULL };
    TRY(copy_parsed(&before, text, path, err));
    TRY(copy_parsed(&after, next, path, err));
    TRY(config_descriptor(&old, before, descriptor, 0, err));
    TRY(config_descriptor(&planned, after, descriptor, 0, err));
    what->previous_version = old->version;
    what->version = planned->version;
    what->from = planned->time.from;
    what->is_done = planned->version == old->version;
    what->is_new_key = config_key(&there, before, planned->key->name, NULL);
    what->key = strdup(planned->key->name);
    what->previous_key = strdup(old->key->name);
    return what->key && what->previous_key ? SE_OK : error_memory(err);
}

/* ---- the end of a version ---- */

void retirement_free(struct retirement *retirement)
{
    free(retirement->key);
    *retirement = (struct retirement){ .key = NULL };
}

/* Now or later. */
static bool can_work(const struct descriptor *d, int64_t now)
{
    return !d->time.verify_only && (!d->time.until || d->time.until > now);
}

static bool others_can_work(const struct config *config, const struct descriptor *than, int64_t now)
{
    for (size_t i = 0; i < config->descriptor_count; i++) {
        const struct descriptor *d = &config->descriptors[i];

        if (d != than && !strcmp(d->name, than->name) && can_work(d, now))
            return true;
    }
    return false;
}

static se_status check_superseded(const struct config *config, const struct descriptor *d,
                                  se_error *err)
{
    const int64_t now = clock_seconds();
    const struct descriptor *newest;

    TRY(config_descriptor(&newest, config, d->name, 0, err));
    if (d == newest)
        return error_set(err, SE_ERR_POLICY,
                         "version %u is the newest of '%s': `signengine rotate %s` makes the next "
                         "one",
                         d->version, d->name, d->name);
    if (config_current(config, d->name, now) == d)
        return error_set(err, SE_ERR_POLICY, "version %u of '%s' is the one that %s now",
                         d->version, d->name, version_verb(d));
    if (can_work(d, now) && !others_can_work(config, d, now))
        return error_set(err, SE_ERR_POLICY, "no other version of '%s' than %u %s, now or later",
                         d->name, d->version, version_verb(d));
    return SE_OK;
}

/* To sign what proves to a vault's login service who asks. */
static bool is_login_key(const struct key_entry *entry, const char *key)
{
    for (size_t i = 0; i < entry->count; i++)
        if (entry->replicas[i].signer && !strcmp(entry->replicas[i].signer->name, key))
            return true;
    return false;
}

static bool is_key_used(const struct config *config, const char *key)
{
    for (size_t i = 0; i < config->descriptor_count; i++)
        if (!strcmp(config->descriptors[i].key->name, key))
            return true;
    for (size_t i = 0; i < config->key_count; i++)
        if (is_login_key(&config->keys[i], key))
            return true;
    return false;
}

static se_status comment_out(se_buf *out, se_bytes text, const struct descriptor *d, se_error *err)
{
    const struct edit_place place = { "descriptor", d->name, d->version };
    char note[TIME_TEXT_ROOM + 16], date[TIME_TEXT_ROOM];

    (void)snprintf(note, sizeof note, "retired %s", time_format(date, TIME_DATE, clock_seconds()));
    return edit_element_comment(out, text, &place, note, err);
}

se_status retirement_plan(se_buf *out, struct retirement *what, se_bytes text, const char *path,
                          const struct retirement_wish *wish, se_error *err)
{
    AUTO(config) before = NULL;
    AUTO(config) after = NULL;
    AUTO(se_buf) made = SE_BUF_INIT;
    const struct descriptor *d;

    *what = (struct retirement){ .key = NULL };
    TRY(copy_parsed(&before, text, path, err));
    TRY(config_descriptor(&d, before, wish->descriptor, wish->version, err));
    TRY(check_superseded(before, d, err));
    TRY(comment_out(&made, text, d, err));
    TRY_PREFIX(copy_parsed(&after, buf_bytes(&made), path, err), err,
               "without version %u: ", wish->version);
    if (wish->difference)
        TRY(config_diff(before, after, wish->difference, wish->difference_arg, err));
    if (!(what->key = strdup(d->key->name)))
        return error_memory(err);
    what->is_key_used = is_key_used(after, what->key);
    *out = buf_move(&made);
    return SE_OK;
}
