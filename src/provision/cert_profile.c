/* SPDX-License-Identifier: Apache-2.0 */
#include "provision/cert_profile.h"

#include <ctype.h>
#include <openssl/err.h>
#include <strings.h>

#include "base/text.h"
#include "crypto/crypto.h"

/* ---- key types and usages ---- */

enum { RSA_LEAST = 2048, RSA_MOST = 8192 };

static bool parse_rsa_type(struct key_type *out, const char *size)
{
    unsigned long bits;

    if (!text_number(&bits, size, RSA_MOST) || bits < RSA_LEAST || bits % 256)
        return false;
    *out = (struct key_type){ FAMILY_RSA, (unsigned)bits, NULL };
    return true;
}

static bool parse_ec_type(struct key_type *out, const char *curve)
{
    for (size_t i = 0; i < KEY_CURVES; i++)
        if (strcasecmp(curve, key_curves[i].name) == 0) {
            *out = (struct key_type){ FAMILY_EC, 0, key_curves[i].group };
            return true;
        }
    return false;
}

se_status key_type_parse(struct key_type *out, const char *text, se_error *err)
{
    if (strncasecmp(text, "rsa:", 4) == 0 && parse_rsa_type(out, text + 4))
        return SE_OK;
    if (strncasecmp(text, "ec:", 3) == 0 && parse_ec_type(out, text + 3))
        return SE_OK;
    return error_set(err, SE_ERR_USAGE,
                     "key type '%s': not rsa:2048 to rsa:%d, ec:P-256, ec:P-384 or ec:P-521", text,
                     RSA_MOST);
}

se_status protection_parse(enum protection *out, const char *text, se_error *err)
{
    *out = PROTECTION_USUAL;
    if (!text || !*text)
        return SE_OK;
    if (strcmp(text, "hsm") == 0)
        *out = PROTECTION_HSM;
    else if (strcmp(text, "software") == 0)
        *out = PROTECTION_SOFTWARE;
    else
        return error_set(err, SE_ERR_USAGE, "protection '%s': not hsm or software", text);
    return SE_OK;
}

static const struct {
    const char *name;
    unsigned uses;
} use_names[] = { { "sign", USE_SIGN },
                  { "encrypt", USE_ENCRYPT },
                  { "both", USE_SIGN | USE_ENCRYPT } };

se_status key_uses_parse(unsigned *out, const char *text, enum key_family family, se_error *err)
{
    *out = 0;
    for (size_t i = 0; i < sizeof use_names / sizeof *use_names; i++)
        if (strcmp(text, use_names[i].name) == 0)
            *out = use_names[i].uses;
    if (!*out)
        return error_set(err, SE_ERR_USAGE, "key usage '%s': not sign, encrypt or both", text);
    if (family == FAMILY_EC && *out & USE_ENCRYPT)
        return error_set(err, SE_ERR_USAGE,
                         "an EC key can sign, not decrypt: key usage '%s' needs RSA", text);
    return SE_OK;
}

unsigned target_uses(const struct target *target)
{
    return (target_descriptor(target, false) ? USE_SIGN : 0U) |
           (target_descriptor(target, true) ? USE_ENCRYPT : 0U);
}

/* The given usage, else what the descriptors need: with a key that may only sign, everything
 * encrypted for it would be lost. */
static se_status key_uses_choose(unsigned *out, const char *said, const struct target *target,
                                 enum key_family family, se_error *err)
{
    const struct descriptor *encrypts = target_descriptor(target, true);

    if (*said)
        return key_uses_parse(out, said, family, err);
    if (family == FAMILY_EC && encrypts)
        return error_set(err, SE_ERR_USAGE,
                         "descriptor '%s' encrypts with this key, and an EC key can't decrypt: it "
                         "needs an RSA key",
                         encrypts->name);
    *out = target_uses(target);
    *out = *out ? *out : USE_SIGN;
    return SE_OK;
}

/* ---- subjects ---- */

/* One name being built.  RFC 4514 writes the encoded sequence backwards, so that its parts go to
 * the front. */
struct naming {
    X509_NAME *name;
    const char *whole;
    bool backwards;
};

/* RFC 4514 has attribute types in any case; OpenSSL knows "CN", not "cn". */
static int attribute_nid(const char *type)
{
    char upper[32];
    size_t i;
    int nid = OBJ_txt2nid(type);

    if (nid != NID_undef || strlen(type) >= sizeof upper)
        return nid;
    for (i = 0; type[i]; i++)
        upper[i] = (char)toupper((unsigned char)type[i]);
    upper[i] = '\0';
    return OBJ_sn2nid(upper);
}

static se_status add_part(const struct naming *n, const char *type, se_bytes value, bool joined,
                          se_error *err)
{
    int nid = attribute_nid(type);
    int at = n->backwards ? 0 : -1;
    int set = !joined ? 0 : n->backwards ? 1 : -1;

    if (nid == NID_undef)
        return error_set(err, SE_ERR_USAGE, "subject '%s': there is no attribute type '%s'",
                         n->whole, type);
    if (!value.size)
        return error_set(err, SE_ERR_USAGE, "subject '%s': '%s' has no value", n->whole, type);
    if (X509_NAME_add_entry_by_NID(n->name, nid, MBSTRING_UTF8, value.data, (int)value.size, at,
                                   set))
        return SE_OK;
    return crypto_error(err, SE_ERR_USAGE, "subject '%s': the value of '%s' is not possible",
                        n->whole, type);
}

static bool read_hex_pair(unsigned char *out, const char *p)
{
    static const char digits[] = "0123456789abcdef";
    const char *high =
        isxdigit((unsigned char)p[0]) ? strchr(digits, tolower((unsigned char)p[0])) : NULL;
    const char *low =
        high && isxdigit((unsigned char)p[1]) ? strchr(digits, tolower((unsigned char)p[1])) : NULL;

    if (!low)
        return false;
    *out = (unsigned char)((high - digits) << 4 | (low - digits));
    return true;
}

/* After a backslash: two hexadecimal digits are a byte, anything else stands for itself (RFC
 * 4514, 2.4). */
static const char *read_escaped(struct writer *w, const char *p)
{
    unsigned char byte;

    if (read_hex_pair(&byte, p)) {
        writer_put(w, &byte, 1);
        return p + 2;
    }
    if (*p)
        writer_put(w, p++, 1);
    return p;
}

static const char *read_value(struct writer *w, const char *p, const char *ends)
{
    size_t solid = 0; /* up to the last byte that is not an unescaped blank at the end */

    while (*p == ' ' && *ends != '/')
        p++;
    while (*p && !strchr(ends, *p)) {
        bool blank = *p == ' ' && *ends != '/';

        if (*p == '\\')
            p = read_escaped(w, p + 1);
        else
            writer_put(w, p++, 1);
        if (!blank)
            solid = w->buf.size;
    }
    w->buf.size = w->failed ? 0 : solid;
    return p;
}

static const char *read_type(struct writer *w, const char *p)
{
    while (*p == ' ')
        p++;
    while (isalnum((unsigned char)*p) || *p == '.' || *p == '-')
        writer_put(w, p++, 1);
    return p;
}

/* Reads one "type=value"; *p is left at its end. */
static se_status read_part(const struct naming *n, const char **p, bool joined, se_error *err)
{
    AUTO(writer) type = { 0 };
    AUTO(writer) value = { 0 };

    *p = read_type(&type, *p);
    if (!type.buf.size || **p != '=')
        return error_set(err, SE_ERR_USAGE, "subject '%s': expected TYPE=VALUE at '%s'", n->whole,
                         *p);
    *p = read_value(&value, *p + 1, n->backwards ? ",;+" : "/");
    if (type.failed || value.failed)
        return error_memory(err);
    return add_part(n, writer_string(&type), buf_bytes(&value.buf), joined, err);
}

se_status subject_parse(X509_NAME **out, const char *text, se_error *err)
{
    AUTO(x509_name) name = X509_NAME_new();
    struct naming n = { name, text, *text != '/' };
    const char *p = text + !n.backwards;
    bool joined = false;

    *out = NULL;
    if (!name)
        return error_memory(err);
    for (;;) {
        TRY(read_part(&n, &p, joined, err));
        if (!*p)
            break;
        joined = *p++ == '+';
    }
    *out = MOVE(name);
    return SE_OK;
}

se_status subject_common_name(X509_NAME **out, const char *common_name, se_error *err)
{
    AUTO(x509_name) name = X509_NAME_new();
    struct naming n = { name, common_name, false };

    *out = NULL;
    if (!name)
        return error_memory(err);
    TRY(add_part(&n, "CN", text_bytes(common_name), false, err));
    *out = MOVE(name);
    return SE_OK;
}

/* ---- alternative names ---- */

static const struct {
    const char *prefix;
    int type;
} name_kinds[] = {
    { "DNS:", GEN_DNS }, { "email:", GEN_EMAIL }, { "IP:", GEN_IPADD }, { "URI:", GEN_URI }
};

static bool is_printable_ascii(const char *text)
{
    while (isgraph((unsigned char)*text))
        text++;
    return !*text;
}

static GENERAL_NAME *alternative_name_parse(const char *text)
{
    for (size_t i = 0; i < sizeof name_kinds / sizeof *name_kinds; i++) {
        const char *value = text + strlen(name_kinds[i].prefix);

        if (text_starts(text, name_kinds[i].prefix) && *value && is_printable_ascii(value))
            return a2i_GENERAL_NAME(NULL, NULL, NULL, name_kinds[i].type, value, 0);
    }
    return NULL;
}

se_status alternative_names(GENERAL_NAMES **out, const char *const *texts, size_t count,
                            se_error *err)
{
    AUTO(general_names) names = count ? GENERAL_NAMES_new() : NULL;

    *out = NULL;
    if (count && !names)
        return error_memory(err);
    for (size_t i = 0; i < count; i++) {
        GENERAL_NAME *name = alternative_name_parse(texts[i]);

        if (!name)
            return crypto_error(err, SE_ERR_USAGE,
                                "'%s' is not a name as DNS:host, email:a@example.org, IP:192.0.2.1 "
                                "or URI:https://...",
                                texts[i]);
        if (!sk_GENERAL_NAME_push(names, name)) {
            GENERAL_NAME_free(name);
            return error_memory(err);
        }
    }
    *out = MOVE(names);
    return SE_OK;
}

/* ---- all of it ---- */

void cert_profile_free(struct cert_profile *profile)
{
    X509_NAME_free(profile->subject);
    GENERAL_NAMES_free(profile->alternatives);
    *profile = (struct cert_profile){ .subject = NULL };
}

se_status cert_profile_parse(struct cert_profile *out, const struct provision_profile *profile,
                             const struct target *target, enum key_family family, se_error *err)
{
    AUTO(cert_profile) parsed = { .days = profile->days };

    *out = (struct cert_profile){ .subject = NULL };
    TRY(key_uses_choose(&parsed.uses, profile->usage, target, family, err));
    TRY(*profile->subject ? subject_parse(&parsed.subject, profile->subject, err)
                          : subject_common_name(&parsed.subject, target->name, err));
    TRY(alternative_names(&parsed.alternatives, profile->alternatives, profile->alternative_count,
                          err));
    *out = MOVE(parsed);
    return SE_OK;
}
