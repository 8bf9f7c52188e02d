#include "provision/subject.h"

#include <ctype.h>
#include <openssl/err.h>

#include "base/text.h"
#include "crypto/crypto.h"

/* One name being built.  RFC 4514 writes the encoded sequence backwards, so that its parts go to
 * the front. */
struct naming {
    X509_NAME *name;
    const char *whole;
    bool backwards;
};

/* RFC 4514 has attribute types in any case; OpenSSL knows "CN", not "cn". */
static int type_nid(const char *type)
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
    int nid = type_nid(type);
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

static bool hex_pair(unsigned char *out, const char *p)
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
static const char *unescape(struct writer *w, const char *p)
{
    unsigned char byte;

    if (hex_pair(&byte, p)) {
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
            p = unescape(w, p + 1);
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

static const struct {
    const char *prefix;
    int type;
} kinds[] = {
    { "DNS:", GEN_DNS }, { "email:", GEN_EMAIL }, { "IP:", GEN_IPADD }, { "URI:", GEN_URI }
};

static bool is_ascii(const char *text)
{
    while (isgraph((unsigned char)*text))
        text++;
    return !*text;
}

static GENERAL_NAME *alternative_name(const char *text)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        const char *value = text + strlen(kinds[i].prefix);

        if (text_starts(text, kinds[i].prefix) && *value && is_ascii(value))
            return a2i_GENERAL_NAME(NULL, NULL, NULL, kinds[i].type, value, 0);
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
        GENERAL_NAME *name = alternative_name(texts[i]);

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
