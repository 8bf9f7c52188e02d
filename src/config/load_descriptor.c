#include "config/load.h"

#include <limits.h>
#include <stdlib.h>

#include "config/grammar.h"

/* Each is compared with all others, so there can't be any number of them. */
enum { DESCRIPTORS_MAX = 4096 };

static const char *const kind_names[] = {
    [ALGORITHM_SIGNATURE] = "a signature algorithm, as SHA256withRSA",
    [ALGORITHM_DIGEST] = "a digest, as SHA-256",
    [ALGORITHM_CIPHER] = "a cipher, as AES/CBC/PKCS7Padding",
    [ALGORITHM_WRAP] = "only an asymCipher",
    [ALGORITHM_JWS] = "RSA",
};

static void wrong_kind(struct loading *l, const struct descriptor *d, const xmlNode *type)
{
    AUTO(writer) list = { 0 };

    for (size_t i = 0; i < sizeof kind_names / sizeof *kind_names; i++)
        if (d->use->kinds & 1U << i)
            writer_format(&list, "%s%s", list.buf.size ? " or " : "", kind_names[i]);
    l->findings.failed |= list.failed;
    findings_error(&l->findings, xml_attribute_line(type, "algorithm"), "'%.64s' takes %s, not %s",
                   d->name, writer_string(&list), d->algorithm.name);
}

static void check_use(struct loading *l, const struct descriptor *d, const xmlNode *type)
{
    const struct algorithm *a = &d->algorithm;

    if (!*a->name)
        return;
    if (!(d->use->kinds & 1U << a->kind))
        wrong_kind(l, d, type);
    else if (a->family && d->use->family && a->family != d->use->family)
        findings_error(&l->findings, xml_attribute_line(type, "algorithm"),
                       "'%.64s' takes %s keys only, not %s", d->name,
                       d->use->family == FAMILY_RSA ? "RSA" : "EC", a->name);
}

static void find_key(struct loading *l, struct descriptor *d, const xmlNode *type)
{
    const char *name = xml_value(type, "key");
    se_error why = SE_ERROR_INIT;
    se_status st;

    if (!*name || findings_full(&l->findings))
        return;
    st = config_key(&d->key, l->config, name, &why);
    l->findings.failed |= st == SE_ERR_MEMORY;
    if (st)
        findings_error(&l->findings, xml_attribute_line(type, "key"), "%s", why.text);
}

static void load_positive(unsigned long *out, struct loading *l, const xmlNode *type,
                          const char *attribute, unsigned long max)
{
    unsigned long number;

    if (!load_number(&number, l, type, attribute, max))
        return;
    *out = number;
    if (!number)
        structure_bad_value(&l->findings, type, attribute);
}

static void load_limits(struct loading *l, struct data_key_limits *out, const xmlNode *type)
{
    load_positive(&out->uses, l, type, "dataKeyUses", DATA_KEY_USES_MAX);
    load_positive(&out->bytes, l, type, "dataKeyBytes", LONG_MAX);
    out->has_cache_size =
        load_number(&out->cache_size, l, type, "cacheSize", DATA_KEY_CACHE_SIZE_MAX);
    out->has_cache_age = load_number(&out->cache_age, l, type, "cacheAge", DATA_KEY_CACHE_AGE_MAX);
}

static void load_descriptor(struct loading *l, struct descriptor *d, const xmlNode *node)
{
    const xmlNode *type = xml_child(node, "type");
    unsigned long version = 1;

    d->line = xml_line(node);
    d->name = load_value(l, node, "name");
    d->use = use_find(d->name);
    d->algorithm.name = "";
    if (load_number(&version, l, node, "version", INT_MAX) && !version)
        structure_bad_value(&l->findings, node, "version");
    d->version = (unsigned)version;
    if (!type)
        return;
    find_key(l, d, type);
    load_algorithm(l, &d->algorithm, type);
    load_limits(l, &d->limits, type);
    check_use(l, d, type);
}

void load_descriptors(struct loading *l, const xmlNode *descriptors)
{
    size_t count = xml_count(descriptors, "descriptor");
    struct descriptor *d;

    if (count > DESCRIPTORS_MAX) {
        findings_error(&l->findings, xml_line(descriptors), "%zu descriptors: more than %d", count,
                       DESCRIPTORS_MAX);
        return;
    }
    if (!(d = l->config->descriptors = calloc(count + 1, sizeof *d))) {
        l->findings.failed = true;
        return;
    }
    for (const xmlNode *node = xml_child(descriptors, "descriptor"); node;
         node = xml_next(node), d++) {
        load_descriptor(l, d, node);
        l->config->descriptor_count++;
    }
}
