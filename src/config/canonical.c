/* SPDX-License-Identifier: Apache-2.0 */
#include "config/canonical.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/base64.h"
#include "base/clock.h"
#include "config/files.h"
#include "config/grammar.h"

AUTO_KIND(pointers, const void **, free(*p))

/* ---- property by property ---- */

static void describe_value(struct describe *d, const char *item, const char *property,
                           const char *value)
{
    if (*value)
        d->fn(d->arg, item, property, value);
}

static void describe_number(struct describe *d, const char *item, const char *property,
                            unsigned long value)
{
    char text[24];

    (void)snprintf(text, sizeof text, "%lu", value);
    describe_value(d, item, property, text);
}

static void describe_iv(struct describe *d, const char *item, const struct algorithm *a)
{
    char hex[2 * sizeof a->iv + 1] = "";

    for (unsigned i = 0; i < a->iv_size; i++)
        (void)snprintf(hex + 2 * i, 3, "%02x", a->iv[i]);
    describe_value(d, item, "initVector", hex);
}

static void describe_limits(struct describe *d, const char *item,
                            const struct data_key_limits *limits)
{
    if (limits->uses)
        describe_number(d, item, "dataKeyUses", limits->uses);
    if (limits->bytes)
        describe_number(d, item, "dataKeyBytes", limits->bytes);
    if (limits->has_cache_size)
        describe_number(d, item, "cacheSize", limits->cache_size);
    if (limits->has_cache_age)
        describe_number(d, item, "cacheAge", limits->cache_age);
}

static void describe_cipher(struct describe *d, const char *item, const struct algorithm *a)
{
    describe_number(d, item, "size", a->bits);
    describe_value(d, item, "result", result_name(a->result));
    describe_iv(d, item, a);
}

static void describe_time(struct describe *d, const char *item, const char *property,
                          int64_t seconds)
{
    char text[TIME_TEXT_ROOM];

    if (seconds)
        describe_value(d, item, property, time_format(text, TIME_RFC3339, seconds));
}

void describe_descriptor(struct describe *d, const struct descriptor *descriptor)
{
    const struct algorithm *a = &descriptor->algorithm;
    AUTO(writer) item = { 0 };

    writer_format(&item, "descriptor %s:%u", descriptor->name, descriptor->version);
    d->failed |= item.failed;
    describe_value(d, writer_string(&item), "key", descriptor->key->name);
    if (a->kind != ALGORITHM_WRAP)
        describe_value(d, writer_string(&item), "algorithm", a->name);
    if (a->kind == ALGORITHM_CIPHER)
        describe_cipher(d, writer_string(&item), a);
    describe_value(d, writer_string(&item), "asymCipher", oaep_name(a->oaep));
    describe_value(d, writer_string(&item), "mgf1", digest_name(a->mgf1));
    describe_limits(d, writer_string(&item), &descriptor->limits);
    describe_time(d, writer_string(&item), "from", descriptor->time.from);
    describe_time(d, writer_string(&item), "until", descriptor->time.until);
    describe_value(d, writer_string(&item), "signs", descriptor->time.verify_only ? "false" : "");
}

static void describe_place(struct describe *d, const char *item, const struct keyref *ref)
{
    AUTO(se_buf) digits = SE_BUF_INIT;
    char hash[FILE_HASH_TEXT];
    AUTO(writer) id = { 0 };

    for (size_t i = 0; i < ref->id.size; i++)
        writer_format(&id, "%02x", ref->id.data[i]);
    d->failed |= id.failed;
    describe_value(d, item, "type", ref->store);
    describe_value(d, item, "locationValue", d->canonical ? ref->location_written : ref->location);
    describe_value(d, item, "alias", ref->alias);
    describe_value(d, item, "id", writer_string(&id));
    if (ref->certificate_der.size && base64_encode(&digits, buf_bytes(&ref->certificate_der), NULL))
        d->failed = true;
    else if (ref->certificate_der.size)
        describe_value(d, item, "certificate", (const char *)digits.data);
    else
        describe_value(d, item, "certificate",
                       d->canonical ? ref->certificate_written : ref->certificate);
    if (certificate_file_hash(hash, ref, NULL))
        d->failed = true;
    describe_value(d, item, FILE_HASH_PROPERTY, hash);
}

static void describe_token(struct describe *d, const char *item, const struct keyref *ref)
{
    if (ref->has_slot)
        describe_number(d, item, "slot", ref->slot);
    if (ref->has_slot_index)
        describe_number(d, item, "slotIndex", ref->slot_index);
    describe_value(d, item, "tokenLabel", ref->token_label);
    describe_value(d, item, "tokenSerial", ref->token_serial);
    describe_value(d, item, "initArgs", ref->init_args);
    if (ref->max_sessions)
        describe_number(d, item, "maxSessions", ref->max_sessions);
    if (ref->keep_alive)
        describe_number(d, item, "keepAlive", ref->keep_alive);
    describe_value(d, item, "failback", ref->failback ? "true" : "");
    describe_value(d, item, "deadline", ref->no_deadline ? "none" : "");
    if (ref->deadline)
        describe_number(d, item, "deadline", ref->deadline);
}

static void describe_vault(struct describe *d, const char *item, const struct keyref *ref)
{
    describe_value(d, item, "mode", vault_mode_name(ref->mode));
    describe_value(d, item, "keyVersion", ref->key_version);
    describe_value(d, item, "credential", credential_name(ref->credential));
    describe_time(d, item, "secretUntil", ref->secret_until);
    describe_value(d, item, "tenant", ref->tenant);
    describe_value(d, item, "client", ref->client);
    describe_value(d, item, "credentialKey", ref->credential_key);
    describe_value(d, item, "authority", ref->authority);
    describe_value(d, item, "resource", ref->resource);
    describe_value(d, item, "caFile", d->canonical ? ref->ca_file_written : ref->ca_file);
    describe_value(d, item, "proxy", ref->proxy);
    describe_value(d, item, "apiVersion", ref->api_version);
}

static void describe_pin(struct describe *d, const char *item, const struct keyref *ref)
{
    describe_value(d, item, "pin", ref->pin.size ? "***" : "");
    describe_value(d, item, "pin.encrypted", *ref->pin_scrambled ? "***" : "");
    describe_value(d, item, "pin.source", ref->pin_source);
}

void describe_replica(struct describe *d, const struct key_entry *key, size_t index)
{
    const struct keyref *ref = &key->replicas[index];
    AUTO(writer) item = { 0 };

    writer_format(&item, "key %s", key->name);
    if (key->count > 1)
        writer_format(&item, " replica %zu", index + 1);
    d->failed |= item.failed;
    describe_place(d, writer_string(&item), ref);
    describe_token(d, writer_string(&item), ref);
    describe_vault(d, writer_string(&item), ref);
    if (!d->canonical)
        describe_pin(d, writer_string(&item), ref);
}

void describe_key(struct describe *d, const struct key_entry *key)
{
    for (size_t i = 0; i < key->count; i++)
        describe_replica(d, key, i);
}

/* ---- access: each name is a property, so that a difference says which one came or went ---- */

static void describe_allowed(struct describe *d, const char *item, const char *kind,
                             const char *name, unsigned version)
{
    AUTO(writer) property = { 0 };

    writer_format(&property, "%s %s", kind, name);
    if (version)
        writer_format(&property, ":%u", version);
    else if (!strcmp(kind, "descriptor"))
        writer_text(&property, ":*");
    d->failed |= property.failed;
    describe_value(d, item, writer_string(&property), "allowed");
}

static void describe_operations(struct describe *d, const char *item, unsigned operations)
{
    AUTO(writer) list = { 0 };

    for (size_t i = 0; i < ACCESS_OPERATIONS; i++)
        if (operations & 1U << i)
            writer_format(&list, "%s%s", list.buf.size ? " " : "", access_operation_names[i]);
    d->failed |= list.failed;
    describe_value(d, item, "operations", writer_string(&list));
}

static void describe_certificate(struct describe *d, const char *row, size_t number,
                                 const struct access_caller *caller)
{
    AUTO(writer) item = { 0 };

    writer_format(&item, "%s certificate %zu", row, number);
    d->failed |= item.failed;
    describe_value(d, writer_string(&item), "subject", caller->subject);
    describe_value(d, writer_string(&item), "issuer", caller->issuer);
    describe_value(d, writer_string(&item), "san", caller->san);
    describe_value(d, writer_string(&item), "sha256", caller->sha256);
}

static void describe_callers(struct describe *d, const char *item, const struct access_row *row)
{
    size_t certificates = 0;

    for (size_t i = 0; i < row->caller_count; i++)
        if (row->callers[i].kind == ACCESS_CERTIFICATE)
            describe_certificate(d, item, ++certificates, &row->callers[i]);
        else
            describe_allowed(d, item, row->callers[i].kind == ACCESS_USER ? "user" : "group",
                             row->callers[i].name, 0);
}

static void describe_access_row(struct describe *d, const struct access_row *row, size_t number)
{
    AUTO(writer) item = { 0 };

    writer_format(&item, "access %s", row->name);
    d->failed |= item.failed;
    describe_number(d, writer_string(&item), "row", number);
    describe_operations(d, writer_string(&item), row->operations);
    if (row->per_minute)
        describe_number(d, writer_string(&item), "perMinute", row->per_minute);
    for (size_t i = 0; i < row->target_count; i++)
        if (*row->targets[i].history)
            describe_allowed(d, writer_string(&item), "history", row->targets[i].history, 0);
        else
            describe_allowed(d, writer_string(&item), "descriptor", row->targets[i].descriptor,
                             row->targets[i].version);
    describe_callers(d, writer_string(&item), row);
}

/* In the order of the file, for the first row that matches decides. */
static void describe_access(struct describe *d, const struct config *config)
{
    for (size_t i = 0; i < config->access_row_count; i++)
        describe_access_row(d, &config->access_rows[i], i + 1);
}

void config_describe(const struct config *config, se_property_fn fn, void *arg)
{
    struct describe d = { .fn = fn, .arg = arg };

    for (size_t i = 0; i < config->descriptor_count; i++)
        describe_descriptor(&d, &config->descriptors[i]);
    for (size_t i = 0; i < config->key_count; i++)
        describe_key(&d, &config->keys[i]);
    describe_access(&d, config);
}

/* ---- the canonical form ---- */

static void put_escaped(struct writer *w, const char *text, char end)
{
    static const char special[] = "\\\t\n\r", letters[] = "\\tnr";

    for (; *text; text++) {
        const char *at = strchr(special, *text);

        if (at)
            writer_put(w, "\\", 1);
        writer_put(w, at ? &letters[at - special] : text, 1);
    }
    writer_put(w, &end, 1);
}

void canonical_line(struct writer *w, const char *item, const char *property, const char *value)
{
    put_escaped(w, item, '\t');
    put_escaped(w, property, '\t');
    put_escaped(w, value, '\n');
}

static void put_property(void *arg, const char *item, const char *property, const char *value)
{
    canonical_line(arg, item, property, value);
}

static int compare_descriptors(const void *left, const void *right)
{
    const struct descriptor *a = *(const void *const *)left, *b = *(const void *const *)right;
    int order = strcmp(a->name, b->name);

    return order ? order : (a->version > b->version) - (a->version < b->version);
}

static int compare_keys(const void *left, const void *right)
{
    const struct key_entry *a = *(const void *const *)left, *b = *(const void *const *)right;

    return strcmp(a->name, b->name);
}

static const void **sort_pointers(const void *items, size_t count, size_t size,
                                  int (*compare)(const void *, const void *))
{
    const void **pointers = calloc(count + 1, sizeof *pointers);

    for (size_t i = 0; pointers && i < count; i++)
        pointers[i] = (const char *)items + i * size;
    if (pointers)
        qsort(pointers, count, sizeof *pointers, compare);
    return pointers;
}

se_status config_canonical(se_buf *out, const struct config *config, se_error *err)
{
    AUTO(pointers) descriptors = sort_pointers(config->descriptors, config->descriptor_count,
                                               sizeof *config->descriptors, compare_descriptors);
    AUTO(pointers) keys =
        sort_pointers(config->keys, config->key_count, sizeof *config->keys, compare_keys);
    AUTO(writer) w = { 0 };
    struct describe d = { .fn = put_property, .arg = &w, .canonical = true };

    *out = (se_buf)SE_BUF_INIT;
    if (!descriptors || !keys)
        return error_memory(err);
    writer_text(&w, CANONICAL_HEADING);
    for (size_t i = 0; i < config->descriptor_count; i++)
        describe_descriptor(&d, descriptors[i]);
    for (size_t i = 0; i < config->key_count; i++)
        describe_key(&d, keys[i]);
    describe_access(&d, config);
    return d.failed ? error_memory(err) : writer_finish(out, &w, err);
}

/* ---- the files that it covers ---- */

/* One key's line, looked up in the signed text. */
struct coverage {
    se_bytes canonical;
    bool missing; /* this very line */
    char item[160];
};

static bool has_line(se_bytes text, const struct writer *line)
{
    return !line->failed && text.size &&
           memmem(text.data, text.size, line->buf.data, line->buf.size);
}

static void compare_property(void *arg, const char *item, const char *property, const char *value)
{
    struct coverage *c = arg;
    AUTO(writer) line = { 0 };

    if (strcmp(property, FILE_HASH_PROPERTY))
        return;
    writer_text(&line, "\n");
    canonical_line(&line, item, property, value);
    c->missing = !has_line(c->canonical, &line);
    (void)snprintf(c->item, sizeof c->item, "%s", item);
}

static bool is_covered(se_bytes canonical, const char *item)
{
    AUTO(writer) line = { 0 };

    writer_text(&line, "\n");
    canonical_line(&line, item, FILE_HASH_PROPERTY, "");
    if (!line.failed)
        line.buf.size--; /* without its end, it is what any such line begins with */
    return has_line(canonical, &line);
}

static se_status refuse_file(const struct coverage *c, const struct keyref *ref, se_error *err)
{
    if (is_covered(c->canonical, c->item))
        return error_set(err, SE_ERR_REJECTED,
                         "%s: certificate: '%s' was changed since the configuration was signed",
                         c->item, ref->certificate);
    return error_set(err, SE_ERR_REJECTED,
                     "%s: certificate: '%s' is not covered by the signature, which only says its "
                     "name: sign the configuration again",
                     c->item, ref->certificate);
}

static se_status check_file(const struct key_entry *key, size_t index, se_bytes canonical,
                            se_error *err)
{
    struct coverage c = { .canonical = canonical };
    struct describe d = { .fn = compare_property, .arg = &c, .canonical = true };

    if (!*key->replicas[index].certificate)
        return SE_OK;
    describe_replica(&d, key, index);
    if (d.failed)
        return error_memory(err);
    return c.missing ? refuse_file(&c, &key->replicas[index], err) : SE_OK;
}

se_status config_files_check(struct config *config, se_bytes canonical, se_error *err)
{
    TRY(config_files_read(config, err));
    for (size_t i = 0; i < config->key_count; i++)
        for (size_t j = 0; j < config->keys[i].count; j++)
            TRY(check_file(&config->keys[i], j, canonical, err));
    return SE_OK;
}
