#include "config/describe.h"

#include <stdio.h>

#include "base/base64.h"
#include "config/files.h"

static void tell(struct describe *d, const char *item, const char *property, const char *value)
{
    if (*value)
        d->fn(d->arg, item, property, value);
}

static void tell_number(struct describe *d, const char *item, const char *property,
                        unsigned long value)
{
    char text[24];

    (void)snprintf(text, sizeof text, "%lu", value);
    tell(d, item, property, text);
}

static void describe_iv(struct describe *d, const char *item, const struct algorithm *a)
{
    char hex[2 * sizeof a->iv + 1] = "";

    for (unsigned i = 0; i < a->iv_size; i++)
        (void)snprintf(hex + 2 * i, 3, "%02x", a->iv[i]);
    tell(d, item, "initVector", hex);
}

static void describe_limits(struct describe *d, const char *item,
                            const struct data_key_limits *limits)
{
    if (limits->uses)
        tell_number(d, item, "dataKeyUses", limits->uses);
    if (limits->bytes)
        tell_number(d, item, "dataKeyBytes", limits->bytes);
    if (limits->has_cache_size)
        tell_number(d, item, "cacheSize", limits->cache_size);
    if (limits->has_cache_age)
        tell_number(d, item, "cacheAge", limits->cache_age);
}

static void describe_cipher(struct describe *d, const char *item, const struct algorithm *a)
{
    tell_number(d, item, "size", a->bits);
    tell(d, item, "result", result_name(a->result));
    describe_iv(d, item, a);
}

void describe_descriptor(struct describe *d, const struct descriptor *descriptor)
{
    const struct algorithm *a = &descriptor->algorithm;
    AUTO(writer) item = { 0 };

    writer_format(&item, "descriptor %s:%u", descriptor->name, descriptor->version);
    d->failed |= item.failed;
    tell(d, writer_string(&item), "key", descriptor->key->name);
    if (a->kind != ALGORITHM_WRAP)
        tell(d, writer_string(&item), "algorithm", a->name);
    if (a->kind == ALGORITHM_CIPHER)
        describe_cipher(d, writer_string(&item), a);
    tell(d, writer_string(&item), "asymCipher", oaep_name(a->oaep));
    tell(d, writer_string(&item), "mgf1", digest_name(a->mgf1));
    describe_limits(d, writer_string(&item), &descriptor->limits);
}

static void describe_place(struct describe *d, const char *item, const struct keyref *ref)
{
    AUTO(se_buf) digits = SE_BUF_INIT;
    char hash[FILE_HASH_TEXT];
    AUTO(writer) id = { 0 };

    for (size_t i = 0; i < ref->id.size; i++)
        writer_format(&id, "%02x", ref->id.data[i]);
    d->failed |= id.failed;
    tell(d, item, "type", ref->store);
    tell(d, item, "locationValue", d->canonical ? ref->location_written : ref->location);
    tell(d, item, "alias", ref->alias);
    tell(d, item, "id", writer_string(&id));
    if (ref->certificate_der.size && base64_encode(&digits, buf_bytes(&ref->certificate_der), NULL))
        d->failed = true;
    else if (ref->certificate_der.size)
        tell(d, item, "certificate", (const char *)digits.data);
    else
        tell(d, item, "certificate", d->canonical ? ref->certificate_written : ref->certificate);
    if (certificate_file_hash(hash, ref, NULL))
        d->failed = true;
    tell(d, item, FILE_HASH_PROPERTY, hash);
}

static void describe_token(struct describe *d, const char *item, const struct keyref *ref)
{
    if (ref->has_slot)
        tell_number(d, item, "slot", ref->slot);
    if (ref->has_slot_index)
        tell_number(d, item, "slotIndex", ref->slot_index);
    tell(d, item, "tokenLabel", ref->token_label);
    tell(d, item, "tokenSerial", ref->token_serial);
    tell(d, item, "initArgs", ref->init_args);
    if (ref->max_sessions)
        tell_number(d, item, "maxSessions", ref->max_sessions);
    if (ref->keep_alive)
        tell_number(d, item, "keepAlive", ref->keep_alive);
    tell(d, item, "failback", ref->failback ? "true" : "");
    tell(d, item, "deadline", ref->no_deadline ? "none" : "");
    if (ref->deadline)
        tell_number(d, item, "deadline", ref->deadline);
}

static void describe_pin(struct describe *d, const char *item, const struct keyref *ref)
{
    tell(d, item, "pin", ref->pin.size ? "***" : "");
    tell(d, item, "pin.encrypted", *ref->pin_scrambled ? "***" : "");
    tell(d, item, "pin.source", ref->pin_source);
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
    if (!d->canonical)
        describe_pin(d, writer_string(&item), ref);
}

void describe_key(struct describe *d, const struct key_entry *key)
{
    for (size_t i = 0; i < key->count; i++)
        describe_replica(d, key, i);
}

void config_describe(const struct config *config, se_property_fn fn, void *arg)
{
    struct describe d = { .fn = fn, .arg = arg };

    for (size_t i = 0; i < config->descriptor_count; i++)
        describe_descriptor(&d, &config->descriptors[i]);
    for (size_t i = 0; i < config->key_count; i++)
        describe_key(&d, &config->keys[i]);
}
