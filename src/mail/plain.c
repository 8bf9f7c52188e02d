#include "mail/plain.h"

#include <strings.h>

static bool is_alnum(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* Up to what is neither letter nor digit nor one of `others`. */
static const char *skip(const char *p, const char *others)
{
    while (is_alnum(*p) || (*p && strchr(others, *p)))
        p++;
    return p;
}

/* Words with a dot between them; NULL: there is none where one should be. */
static const char *skip_dotted(const char *p, const char *others)
{
    const char *end = skip(p, others);

    while (end > p && *end == '.') {
        p = end + 1;
        end = skip(p, others);
    }
    return end > p ? end : NULL;
}

static bool is_charset(const char *p)
{
    static const char start[] = "; charset=";
    const char *value = p + sizeof start - 1, *end;
    bool quoted;

    if (strncasecmp(p, start, sizeof start - 1) != 0)
        return false;
    quoted = *value == '"';
    value += quoted;
    end = skip(value, "-");
    return end > value && (!quoted || *end == '"') && !end[quoted];
}

bool plain_media(struct media *out, const char *value)
{
    const char *slash = skip(value, "-"), *end = *slash == '/' ? skip(slash + 1, "-.+") : slash;

    if (slash == value || end - slash < 2 || end - value >= (ptrdiff_t)sizeof out->type || (*end && !is_charset(end)))
        return false;
    *out = (struct media){ .type = "" };
    for (char *to = out->type; value < end; value++)
        *to++ = *value >= 'A' && *value <= 'Z' ? (char)(*value - 'A' + 'a') : *value;
    return true;
}

bool plain_address(char out[320], const char *value)
{
    const char *name = skip(value, " "), *address = *name == '<' && name > value ? name + 1 : value, *at, *end;

    /* a domain with "--" may be that of another alphabet (RFC 5891, 4.2.3.1) */
    if (!(at = skip_dotted(address, "-_+")) || *at != '@' || !(end = skip_dotted(at + 1, "-")) || strstr(at, "--") || end - address >= 320)
        return false;
    if (strcmp(end, address > value ? ">" : "") != 0)
        return false;
    memcpy(out, address, (size_t)(end - address));
    out[end - address] = '\0';
    return true;
}
