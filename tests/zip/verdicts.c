/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Verifies many zips in one process: reads their paths, a line each, and answers with a line each,
 * "good" or why not.
 *
 *   verdicts CONFIGURATION
 */
#include <stdio.h>
#include <string.h>

#include "signengine.h"

int main(int argc, char **argv)
{
    se_engine *engine = NULL;
    se_error failed = SE_ERROR_INIT;
    char path[4096];

    if (argc != 2 || se_open(&engine, argv[1], NULL, &failed)) {
        (void)fprintf(stderr, "verdicts: %s\n", argc == 2 ? failed.text : "which configuration?");
        return 1;
    }
    while (fgets(path, sizeof path, stdin)) {
        se_error why = SE_ERROR_INIT;

        path[strcspn(path, "\n")] = '\0';
        puts(se_zip_verify(engine, "ConfigZipSigner", path, NULL, &why) ? why.text : "good");
        (void)fflush(stdout);
    }
    se_close(&engine);
    return 0;
}
