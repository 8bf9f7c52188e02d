#include "config/load.h"

#include <ctype.h>

#include "base/text.h"
#include "config/grammar.h"

enum { CIPHER = 1 << ALGORITHM_CIPHER, WRAP = 1 << ALGORITHM_WRAP };

/* what only some kinds of algorithm have */
static const struct {
    const char *attribute;
    unsigned kinds;
} extras[] = {
    { "size", CIPHER },         { "result", CIPHER },
    { "initVector", CIPHER },   { "asymCipher", CIPHER | WRAP },
    { "mgf1", CIPHER | WRAP },  { "dataKeyUses", CIPHER },
    { "dataKeyBytes", CIPHER }, { "cacheSize", CIPHER },
    { "cacheAge", CIPHER },
};

static const unsigned iv_sizes[] = {
    [CIPHER_NONE] = 0, [CIPHER_AES_CBC] = 16, [CIPHER_AES_GCM] = 12
};

static void unknown(struct loading *l, const xmlNode *type, const char *attribute,
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
    const char *oaep = xml_value(type, "asymCipher"), *mgf1 = xml_value(type, "mgf1"), *nearest;

    if (!*oaep && !structure_misspelled(type, "asymCipher"))
        findings_error(&l->findings, xml_line(type),
                       "<type> needs the attribute 'asymCipher', as %s", oaep_name(DIGEST_SHA384));
    else if (*oaep && !algorithm_parse_oaep(out, oaep, &nearest))
        unknown(l, type, "asymCipher", nearest);
    if (*mgf1 && !digest_parse(&out->mgf1, mgf1))
        structure_bad_value(&l->findings, type, "mgf1");
}

static void load_size(struct loading *l, struct algorithm *out, const xmlNode *type)
{
    unsigned long bits;

    if (!load_number(&bits, l, type, "size", 256))
        return;
    if (bits == 128 || bits == 192 || bits == 256)
        out->bits = (unsigned)bits;
    else
        structure_bad_value(&l->findings, type, "size");
}

static int hex_digit(char c)
{
    if (isdigit((unsigned char)c))
        return c - '0';
    return isxdigit((unsigned char)c) ? tolower((unsigned char)c) - 'a' + 10 : -1;
}

static bool parse_hex(unsigned char *out, const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        int high = hex_digit(text[2 * i]), low = high < 0 ? -1 : hex_digit(text[2 * i + 1]);

        if (low < 0)
            return false;
        out[i] = (unsigned char)(high << 4 | low);
    }
    return true;
}

static void load_iv(struct loading *l, struct algorithm *out, const xmlNode *type)
{
    const char *text = xml_value(type, "initVector");
    unsigned size = iv_sizes[out->cipher];
    int line = xml_attribute_line(type, "initVector");

    if (!*text)
        return;
    if (strspn(text, "0123456789abcdefABCDEF") != strlen(text))
        structure_bad_value(&l->findings, type, "initVector");
    else if (strlen(text) != 2 * size || !parse_hex(out->iv, text, size))
        findings_error(&l->findings, line, "'initVector' has %zu hexadecimal digits; %s needs %u",
                       strlen(text), out->name, 2 * size);
    else {
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

static void load_cipher(struct loading *l, struct algorithm *out, const xmlNode *type)
{
    const char *result = xml_value(type, "result");

    load_size(l, out, type);
    load_iv(l, out, type);
    if (*result && !result_parse(&out->result, result))
        structure_bad_value(&l->findings, type, "result");
    check_result(l, out, type);
}

static void refuse_extras(struct loading *l, const struct algorithm *a, const xmlNode *type)
{
    for (size_t i = 0; i < sizeof extras / sizeof *extras; i++)
        if (!(extras[i].kinds & 1U << a->kind) && *xml_value(type, extras[i].attribute))
            findings_error(&l->findings, xml_attribute_line(type, extras[i].attribute),
                           "'%s' is not for %s", extras[i].attribute, a->name);
}

void load_algorithm(struct loading *l, struct algorithm *out, const xmlNode *type)
{
    const char *name = xml_value(type, "algorithm"), *nearest;

    if (*name && !algorithm_parse(out, name, &nearest)) {
        unknown(l, type, "algorithm", nearest);
        return;
    }
    if (!*name && !*xml_value(type, "asymCipher")) {
        if (!structure_misspelled(type, "algorithm"))
            findings_error(&l->findings, xml_line(type), "<type> needs the attribute 'algorithm'");
        return;
    }
    if (!*name)
        *out = (struct algorithm){ .name = "", .kind = ALGORITHM_WRAP, .family = FAMILY_RSA };
    if (out->kind == ALGORITHM_CIPHER || out->kind == ALGORITHM_WRAP)
        load_wrapping(l, out, type);
    if (out->kind == ALGORITHM_CIPHER)
        load_cipher(l, out, type);
    if (out->kind == ALGORITHM_WRAP)
        out->name = oaep_name(out->oaep);
    refuse_extras(l, out, type);
}
