/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What two systems do with a configuration export: one signs and encrypts it, the other one
 * decrypts and verifies it.
 *
 *   config-zip export CONFIG EXPORT.zip TRAVELLER            the sender
 *   config-zip import CONFIG TRAVELLER IMPORT.zip CA.pem     the receiver
 */
#include <inttypes.h>
#include <signengine.h>
#include <stdio.h>
#include <string.h>

static int complain(const se_error *error)
{
    fprintf(stderr, "config-zip: %s (%s)\n", error->text, se_status_name(error->status));
    return 1;
}

/* Long jobs say how far they are, and could be stopped here. */
static bool progress(void *arg, uint64_t done, uint64_t total)
{
    (void)arg;
    (void)done;
    (void)total;
    return true;
}

/* The signed zip goes straight into a container: it is never to be seen as a file. */
static int send_away(se_engine *engine, const char *from, const char *to)
{
    se_zip_sign_params params = SE_ZIP_SIGN_PARAMS_INIT;
    se_error error = SE_ERROR_INIT;

    params.encrypt = "ConfigZipEncrypter";
    params.progress = progress;
    if (se_zip_sign(to, engine, "ConfigZipSigner", from, &params, &error))
        return complain(&error);
    printf("%s: signed and encrypted\n", to);
    return 0;
}

static void tell_signer(void *arg, const char *name, const se_signer *signer)
{
    (void)arg;
    printf("%s: signed by %s\n", name, signer->subject);
}

static void tell_entry(void *arg, const se_zip_entry *entry)
{
    (void)arg;
    if (!entry->good)
        fprintf(stderr, "%s: %s\n", entry->name, se_zip_state_text(entry->state));
    else if (entry->state == SE_ZIP_SIGNED)
        printf("  %s, %" PRIu64 " bytes\n", entry->name, entry->size);
}

/* What is decrypted is not to be used before it is verified, so it gets its name only then. */
static int take_in(se_engine *engine, const char *from, const char *to, const char *ca)
{
    char unverified[4096];
    se_container_params decrypting = SE_CONTAINER_PARAMS_INIT;
    se_zip_verify_params verifying = SE_ZIP_VERIFY_PARAMS_INIT;
    se_error error = SE_ERROR_INIT;

    snprintf(unverified, sizeof unverified, "%s.unverified", to);
    decrypting.progress = progress;
    if (se_container_decrypt_file(unverified, engine, "ConfigZipEncrypter", from, &decrypting,
                                  &error))
        return complain(&error);
    verifying.trust = ca;
    verifying.signature = tell_signer;
    verifying.entry = tell_entry;
    if (se_zip_verify(engine, "ConfigZipSigner", unverified, &verifying, &error)) {
        remove(unverified);
        return complain(&error);
    }
    if (rename(unverified, to)) {
        perror(to);
        return 1;
    }
    printf("%s: good\n", to);
    return 0;
}

int main(int argc, char **argv)
{
    bool sends = argc == 5 && strcmp(argv[1], "export") == 0,
         takes = argc == 6 && strcmp(argv[1], "import") == 0;
    se_error error = SE_ERROR_INIT;
    se_engine *engine = NULL;
    int status;

    if (!sends && !takes) {
        fprintf(stderr, "usage: config-zip export CONFIG EXPORT.zip TRAVELLER\n"
                        "       config-zip import CONFIG TRAVELLER IMPORT.zip CA.pem\n");
        return 64;
    }
    if (se_open(&engine, argv[2], NULL, &error))
        return complain(&error);
    status =
        sends ? send_away(engine, argv[3], argv[4]) : take_in(engine, argv[3], argv[4], argv[5]);
    se_close(&engine);
    return status;
}
