/* An input whose first bytes were looked at before it is read. */
#ifndef CLI_SENSED_H
#define CLI_SENSED_H

#include "cli/stream.h"

enum { SENSED = 4 };
struct sensed {
    struct input input;
    unsigned char first[SENSED];
    size_t size, at;
    bool encrypted; /* it is taken for a container */
    bool zip;       /* it begins as a zip does */
    se_source source;
};

SE_MUST_CHECK se_status sensed_open(struct sensed *sensed, const char *path, se_error *err);
void sensed_close(struct sensed *sensed);
AUTO_KIND(sensed, struct sensed, sensed_close(p))

/* What is no container passes as it is. */
SE_MUST_CHECK se_status sensed_copy(const struct result *result, struct sensed *sensed,
                                    se_error *err);

/*
 * A zip to be verified: as it is, or what it decrypts to if it is a container, held back.  With an
 * output always held back, so that what is verified is what is committed.
 */
struct expected_signer {
    struct sensed in;
    struct result held;
    bool is_held;
    char path[RESULT_PATH]; /* if it is held: a way to it */
};
#define CANDIDATE_INIT                                                                             \
    {                                                                                              \
        .in = { .input = INPUT_INIT }, .held = RESULT_INIT                                         \
    }

/* How a container is decrypted. */
struct decrypting {
    se_engine *engine;
    const char *descriptor;
    se_bytes context;
};

/* `out` may be NULL.  What is neither a zip nor a container is left to who verifies it. */
SE_MUST_CHECK se_status candidate_open(struct expected_signer *c, const char *out,
                                       const struct decrypting *how, const char *in, se_error *err);
/* Where it is to be verified. */
const char *candidate_path(const struct expected_signer *c);
/* Puts the name of the input into an error, where a way to what is held is. */
void candidate_blame(const struct expected_signer *c, se_error *err);
void candidate_close(struct expected_signer *c);
AUTO_KIND(candidate, struct expected_signer, candidate_close(p))

#endif
