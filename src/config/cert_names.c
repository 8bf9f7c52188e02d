/* SPDX-License-Identifier: Apache-2.0 */
#include "config/cert_names.h"

#include <ctype.h>
#include <openssl/err.h>

#include "base/text.h"

/* ---- distinguished names ---- */

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

/* With OpenSSL's reason, as "string too long"; empties this thread's error queue. */
static se_status refuse_value(se_error *err, const char *whole, const char *type)
{
    const char *reason = ERR_reason_error_string(ERR_peek_last_error());
    se_status st = error_set(err, SE_ERR_USAGE, "'%s': the value of '%s' is not possible%s%s",
                             whole, type, reason ? ": " : "", reason ? reason : "");

    ERR_clear_error();
    return st;
}

static se_status add_part(const struct naming *n, const char *type, se_bytes value, bool joined,
                          se_error *err)
{
    int nid = attribute_nid(type);
    int at = n->backwards ? 0 : -1;
    int set = !joined ? 0 : n->backwards ? 1 : -1;

    if (nid == NID_undef)
        return error_set(err, SE_ERR_USAGE, "'%s': there is no attribute type '%s'", n->whole,
                         type);
    if (!value.size)
        return error_set(err, SE_ERR_USAGE, "'%s': '%s' has no value", n->whole, type);
    if (X509_NAME_add_entry_by_NID(n->name, nid, MBSTRING_UTF8, value.data, (int)value.size, at,
                                   set))
        return SE_OK;
    return refuse_value(err, n->whole, type);
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
    if (type.failed)
        return error_memory(err);
    if (!type.buf.size || **p != '=')
        return error_set(err, SE_ERR_USAGE, "'%s': expected TYPE=VALUE at '%s'", n->whole, *p);
    *p = read_value(&value, *p + 1, n->backwards ? ",;+" : "/");
    if (value.failed)
        return error_memory(err);
    return add_part(n, writer_string(&type), buf_bytes(&value.buf), joined, err);
}

se_status distinguished_name_parse(X509_NAME **out, const char *text, se_error *err)
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

se_status common_name_make(X509_NAME **out, const char *common_name, se_error *err)
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

se_status alternative_name_parse(GENERAL_NAME **out, const char *text, se_error *err)
{
    *out = NULL;
    for (size_t i = 0; i < sizeof name_kinds / sizeof *name_kinds; i++) {
        const char *value = text + strlen(name_kinds[i].prefix);

        if (text_starts(text, name_kinds[i].prefix) && *value && is_printable_ascii(value))
            *out = a2i_GENERAL_NAME(NULL, NULL, NULL, name_kinds[i].type, value, 0);
    }
    if (*out)
        return SE_OK;
    ERR_clear_error();
    return error_set(err, SE_ERR_USAGE,
                     "'%s' is not a name as DNS:host, email:a@example.org, IP:192.0.2.1 or "
                     "URI:https://...",
                     text);
}
