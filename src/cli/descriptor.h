/* `-d NAME[:VERSION]` */
#ifndef CLI_DESCRIPTOR_H
#define CLI_DESCRIPTOR_H

#include "cli/cli.h"

struct descriptor_option {
    char name[256];
    unsigned version; /* 0: not given */
};

/* An exit status: `text` may be missing. */
int descriptor_read(struct descriptor_option *out, const struct cli *cli, const char *text);

#endif
