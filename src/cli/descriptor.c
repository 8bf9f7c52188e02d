#include "cli/descriptor.h"

#include <stdio.h>

#include "base/text.h"

/* A name may hold a colon: only digits after the last one are a version. */
int descriptor_read(struct descriptor_option *out, const struct cli *cli, const char *text)
{
    const char *colon = text ? strrchr(text, ':') : NULL;
    unsigned long version = 0;
    size_t length;

    if (!text || !*text)
        return cli_usage(cli, "which descriptor? say -d NAME");
    length = colon && text_number(&version, colon + 1, INT32_MAX) ? (size_t)(colon - text)
                                                                  : strlen(text);
    if (length >= sizeof out->name)
        return cli_usage(cli, "a descriptor's name of %zu characters", length);
    (void)snprintf(out->name, sizeof out->name, "%.*s", (int)length, text);
    out->version = (unsigned)version;
    return EXIT_DONE;
}
