#include "zip/meta.h"

#include <string.h>
#include <strings.h>

enum { FOLDER_SIZE = sizeof META_FOLDER - 1 };

static const char *extension(const char *file)
{
    const char *dot = strrchr(file, '.');

    return dot ? dot + 1 : "";
}

enum meta meta_kind(const char *name)
{
    static const struct {
        const char *extension;
        enum meta kind;
    } extensions[] = {
        { "SF", META_SIGNATURE_FILE },
        { "RSA", META_BLOCK },
        { "EC", META_BLOCK },
        { "DSA", META_FOREIGN },
    };
    const char *file = name + FOLDER_SIZE;

    if (strncasecmp(name, META_FOLDER, FOLDER_SIZE) != 0 || strchr(file, '/'))
        return META_NONE;
    if (strcasecmp(name, META_MANIFEST_NAME) == 0)
        return META_MANIFEST;
    for (size_t i = 0; i < sizeof extensions / sizeof *extensions; i++)
        if (strcasecmp(extension(file), extensions[i].extension) == 0)
            return extensions[i].kind;
    return strncasecmp(file, "SIG-", 4) == 0 ? META_FOREIGN : META_NONE;
}

bool meta_is_plain(const char *name)
{
    const char *tail = meta_kind(name) == META_MANIFEST ? name : extension(name);

    if (strncmp(name, META_FOLDER, FOLDER_SIZE) != 0)
        return false;
    for (; *tail; tail++)
        if (*tail >= 'a' && *tail <= 'z')
            return false;
    return true;
}

size_t meta_stem(const char *name)
{
    return (size_t)(strrchr(name, '.') - name);
}

static char capital(char c)
{
    if (c >= 'a' && c <= 'z')
        return (char)(c - 0x20);
    return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ? c : '_';
}

void meta_stem_of(char out[META_STEM_MOST + 1], const char *alias)
{
    size_t size = 0;

    for (const unsigned char *p = (const unsigned char *)alias; *p && size < META_STEM_MOST; p++)
        if ((*p & 0xc0) != 0x80) /* Java counts letters, not bytes */
            out[size++] = capital((char)*p);
    out[size] = '\0';
}
