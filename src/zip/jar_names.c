#include "zip/jar_names.h"

#include <string.h>
#include <strings.h>

enum { FOLDER_SIZE = sizeof JAR_FOLDER - 1 };

static const char *find_extension(const char *file)
{
    const char *dot = strrchr(file, '.');

    return dot ? dot + 1 : "";
}

enum jar_name jar_name_kind(const char *name)
{
    static const struct {
        const char *extension;
        enum jar_name kind;
    } extensions[] = {
        { "SF", JAR_SIGNATURE_FILE },
        { "RSA", JAR_BLOCK },
        { "EC", JAR_BLOCK },
        { "DSA", JAR_FOREIGN },
    };
    const char *file = name + FOLDER_SIZE;

    if (strncasecmp(name, JAR_FOLDER, FOLDER_SIZE) != 0 || strchr(file, '/'))
        return JAR_OTHER;
    if (strcasecmp(name, JAR_MANIFEST_NAME) == 0)
        return JAR_MANIFEST;
    for (size_t i = 0; i < sizeof extensions / sizeof *extensions; i++)
        if (strcasecmp(find_extension(file), extensions[i].extension) == 0)
            return extensions[i].kind;
    return strncasecmp(file, "SIG-", 4) == 0 ? JAR_FOREIGN : JAR_OTHER;
}

bool jar_name_is_plain(const char *name)
{
    const char *tail = jar_name_kind(name) == JAR_MANIFEST ? name : find_extension(name);

    if (strncmp(name, JAR_FOLDER, FOLDER_SIZE) != 0)
        return false;
    for (; *tail; tail++)
        if (*tail >= 'a' && *tail <= 'z')
            return false;
    return true;
}

size_t jar_name_measure_stem(const char *name)
{
    return (size_t)(strrchr(name, '.') - name);
}

static char make_capital(char c)
{
    if (c >= 'a' && c <= 'z')
        return (char)(c - 0x20);
    return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ? c : '_';
}

void jar_name_make_stem(char out[JAR_STEM_MOST + 1], const char *alias)
{
    size_t size = 0;

    for (const unsigned char *p = (const unsigned char *)alias; *p && size < JAR_STEM_MOST; p++)
        if ((*p & 0xc0) != 0x80) /* Java counts letters, not bytes */
            out[size++] = make_capital((char)*p);
    out[size] = '\0';
}
