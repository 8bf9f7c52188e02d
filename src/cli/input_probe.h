/* SPDX-License-Identifier: Apache-2.0 */
/* An input whose first bytes were looked at before it is read. */
#ifndef CLI_INPUT_PROBE_H
#define CLI_INPUT_PROBE_H

#include "cli/service.h"
#include "cli/stream.h"

enum { PROBE_SIZE = 4 };
struct input_probe {
    struct input input;
    unsigned char first[PROBE_SIZE];
    size_t size, at;
    bool encrypted; /* it is taken for a container */
    bool zip;       /* it begins as a zip does */
    se_source source;
};

SE_MUST_CHECK se_status input_probe_open(struct input_probe *probe, const char *path,
                                         se_error *err);
void input_probe_close(struct input_probe *probe);
AUTO_KIND(input_probe, struct input_probe, input_probe_close(p))

/* Copies an input that is no container. */
SE_MUST_CHECK se_status input_probe_copy(const struct result *result, struct input_probe *probe,
                                         se_error *err);

/*
 * A zip to be verified: as it is, or what it decrypts to if it is a container, held back.  With an
 * output always held back, so that what is verified is what is committed.
 */
struct zip_to_verify {
    struct input_probe in;
    struct result held;
    bool is_held;
    char path[RESULT_PATH]; /* if it is held: a way to it */
};
#define ZIP_TO_VERIFY_INIT                                                                         \
    {                                                                                              \
        .in = { .input = INPUT_INIT }, .held = RESULT_INIT                                         \
    }

/* How a container is decrypted. */
struct decrypting {
    const struct service *service;
    const char *descriptor;
    se_bytes context;
};

/* `out` may be NULL.  An input that is neither zip nor container is left to the verification. */
SE_MUST_CHECK se_status zip_to_verify_open(struct zip_to_verify *c, const char *out,
                                           const struct decrypting *how, const char *in,
                                           se_error *err);
/* Where it is to be verified. */
const char *zip_to_verify_path(const struct zip_to_verify *c);
/* Replaces the path of the held file in an error by the name of the input. */
void zip_to_verify_blame(const struct zip_to_verify *c, se_error *err);
void zip_to_verify_close(struct zip_to_verify *c);
AUTO_KIND(zip_to_verify, struct zip_to_verify, zip_to_verify_close(p))

#endif
