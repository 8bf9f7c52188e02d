/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signs a file and verifies the signature through the library.
 *
 *   sign-file CONFIG DESCRIPTOR FILE      writes FILE.p7s
 */
#include <signengine.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    se_error error = SE_ERROR_INIT;
    se_engine *engine = NULL;
    se_signer signer;
    char signature[4096];

    if (argc != 4) {
        fprintf(stderr, "usage: sign-file CONFIG DESCRIPTOR FILE\n");
        return 64;
    }
    snprintf(signature, sizeof signature, "%s.p7s", argv[3]);
    if (!se_open(&engine, argv[1], NULL, &error) &&
        !se_sign_file(signature, engine, argv[2], argv[3], NULL, &error) &&
        !se_verify_file(&signer, engine, argv[2], argv[3], signature, NULL, &error))
        printf("%s: signed by %s, version %u, %s\n", signature, signer.subject, signer.version,
               signer.algorithm);
    else
        fprintf(stderr, "sign-file: %s (%s)\n", error.text, se_status_name(error.status));
    se_close(&engine);
    return error.status != SE_OK;
}
