/* SPDX-License-Identifier: Apache-2.0 */
#include "config/load.h"

#include <stdlib.h>

#include "base/text.h"
#include "config/grammar.h"

/* Each is compared with all others, so there can't be any number of them. */
enum { DESCRIPTORS_MAX = 4096 };

/* ---- the algorithm ---- */

static void add_unknown_algorithm(struct loading *l, const xmlNode *type, const char *attribute,
                                  const char *nearest)
{
    const char *value = xml_value(type, attribute), *weakness = algorithm_weakness(value);
    int line = xml_attribute_line(type, attribute);

    if (weakness)
        findings_error(&l->findings, line, "%s '%.64s' is refused: %s", attribute, value, weakness);
    else if (nearest)
        findings_error(&l->findings, line, "unknown %s '%.64s'; did you mean '%s'?", attribute,
                       value, nearest);
    else
        findings_error(&l->findings, line, "unknown %s '%.64s'", attribute, value);
}

static void load_wrapping(struct loading *l, struct algorithm *out, const xmlNode *type)
{
    const char *oaep = xml_value(type, "asymCipher"), *nearest;
    const enum digest mgf1 = out->mgf1;

    if (!*oaep && !element_misspells(&job_rule, type, "asymCipher"))
        findings_error(&l->findings, xml_line(type),
                       "<type> needs the attribute 'asymCipher', as %s", oaep_name(DIGEST_SHA384));
    else if (*oaep && !algorithm_parse_oaep(out, oaep, &nearest))
        add_unknown_algorithm(l, type, "asymCipher", nearest);
    if (mgf1)
        out->mgf1 = mgf1;
}

static void load_iv(struct loading *l, struct algorithm *out, const xmlNode *type)
{
    static const unsigned sizes[] = {
        [CIPHER_NONE] = 0, [CIPHER_AES_CBC] = 16, [CIPHER_AES_GCM] = 12
    };
    const char *text = xml_value(type, "initVector");
    const size_t digits = strspn(text, HEX_DIGITS);
    const unsigned size = sizes[out->cipher];
    const int line = xml_attribute_line(type, "initVector");

    if (text[digits]) /* found already */
        return;
    if (digits && digits != 2 * size)
        findings_error(&l->findings, line, "'initVector' has %zu hexadecimal digits; %s needs %u",
                       digits, out->name, 2 * size);
    else if (digits) {
        out->iv_size = size;
        findings_warning(
            &l->findings, line,
            "a fixed 'initVector' shows which texts are equal: use it for migration only");
    }
}

/* What a format can't say, and what it does not protect. */
static void check_result(struct loading *l, const struct algorithm *a, const xmlNode *type)
{
    if (a->result == RESULT_JWE && a->oaep && a->mgf1 != a->oaep)
        findings_error(&l->findings, xml_attribute_line(type, "mgf1"),
                       "JWE has no name for %s with an MGF1 of %s", oaep_name(a->oaep),
                       digest_name(a->mgf1));
    if (a->result == RESULT_CMS && a->cipher == CIPHER_AES_CBC)
        findings_warning(&l->findings, xml_attribute_line(type, "result"),
                         "CMS with CBC does not notice when a value was changed: use "
                         "AES/GCM/NoPadding, or NX02");
}

/* The algorithm by its name, with what the other attributes say about it. */
static bool find_algorithm(struct loading *l, struct algorithm *out, const xmlNode *type)
{
    const char *name = xml_value(type, "algorithm"), *nearest;

    if (*name) {
        if (algorithm_parse(out, name, &nearest))
            return true;
        add_unknown_algorithm(l, type, "algorithm", nearest);
        return false;
    }
    *out = (struct algorithm){ .name = "", .kind = ALGORITHM_WRAP, .family = FAMILY_RSA };
    if (*xml_value(type, "asymCipher"))
        return true;
    if (!element_misspells(&job_rule, type, "algorithm"))
        findings_error(&l->findings, xml_line(type), "<type> needs the attribute 'algorithm'");
    return false;
}

static void load_algorithm(struct loading *l, struct descriptor *d, const xmlNode *type)
{
    struct algorithm *a = &d->algorithm;
    const bool found = find_algorithm(l, a, type);

    element_load(l, &job_rule, type, d);
    if (!found)
        return;
    if (a->kind == ALGORITHM_CIPHER || a->kind == ALGORITHM_WRAP)
        load_wrapping(l, a, type);
    if (a->kind == ALGORITHM_CIPHER) {
        load_iv(l, a, type);
        check_result(l, a, type);
    }
    if (a->kind == ALGORITHM_WRAP)
        a->name = oaep_name(a->oaep);
    element_refuse_others(&l->findings, &job_rule, type, 1U << a->kind, a->name);
}

/* ---- the descriptor ---- */

static const char *const kind_names[] = {
    [ALGORITHM_SIGNATURE] = "a signature algorithm, as SHA256withRSA",
    [ALGORITHM_DIGEST] = "a digest, as SHA-256",
    [ALGORITHM_CIPHER] = "a cipher, as AES/CBC/PKCS7Padding",
    [ALGORITHM_WRAP] = "only an asymCipher",
    [ALGORITHM_JWS] = "an algorithm of JWS, as RSA or PS256",
};

static void add_wrong_kind(struct loading *l, const struct descriptor *d, const xmlNode *type)
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
        add_wrong_kind(l, d, type);
    else if (a->family && d->use->family && a->family != d->use->family)
        findings_error(&l->findings, xml_attribute_line(type, "algorithm"),
                       "'%.64s' takes %s keys only, not %s", d->name,
                       d->use->family == FAMILY_RSA ? "RSA" : "EC", a->name);
}

static void load_key_name(struct loading *l, struct descriptor *d, const xmlNode *type)
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

static void check_times(struct loading *l, const struct descriptor *d, const xmlNode *node)
{
    if (d->time.until && d->time.until <= d->time.from)
        findings_error(&l->findings, xml_attribute_line(node, "until"),
                       "'until' is not after 'from': version %u of '%.64s' would never sign",
                       d->version, d->name);
}

static void load_descriptor(struct loading *l, struct descriptor *d, const xmlNode *node)
{
    const xmlNode *type = xml_child(node, "type");

    d->line = xml_line(node);
    d->version = 1;
    d->algorithm.name = "";
    element_load(l, &descriptor_rule, node, d);
    d->use = use_find(d->name);
    check_times(l, d, node);
    if (!type)
        return;
    load_key_name(l, d, type);
    load_algorithm(l, d, type);
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
