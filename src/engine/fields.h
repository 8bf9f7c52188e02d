/* SPDX-License-Identifier: Apache-2.0 */
/* What encrypting and decrypting share among single fields, batches and containers. */
#ifndef ENGINE_FIELDS_H
#define ENGINE_FIELDS_H

#include "engine/engine.h"
#include "fields/envelope.h"

/* An encryption that is under way, for the descriptor that `call` names. */
struct encryption {
    struct engine *engine;
    const struct descriptor *descriptor;
    bool is_stated; /* its version, by the caller */
    struct key *key;
    struct recipient recipient;
    const struct envelope_format *format;
    bool binary;
    struct data_key data_key; /* that the fields share for now */
    unsigned long uses;       /* that are left of it */
    uint64_t bytes;
};
/* `wish`: the time does not matter, for it is now. */
SE_MUST_CHECK se_status encryption_begin(struct encryption *out, struct engine *engine,
                                         struct api_call *call, const struct version_wish *wish);
struct version_wish field_version_wish(const se_field_params *params);
/* Whether the data key may have one value more; if not, there will be a new one for it. */
bool encryption_has_room(const struct encryption *e, se_bytes plain);
/* The data key counts one value more, which encryption_seal() is to make. */
SE_MUST_CHECK se_status encryption_reserve(struct encryption *e, se_bytes plain, se_bytes context,
                                           se_error *err);
/* With the data key or a copy of it, of which each thread has its own. */
SE_MUST_CHECK se_status encryption_seal(se_buf *out, const struct encryption *e,
                                        struct data_key *key, se_bytes plain, se_bytes context,
                                        se_error *err);
/* A new secret, and it wrapped. */
SE_MUST_CHECK se_status encryption_make_secret(struct data_key *out, const struct encryption *e,
                                               size_t size, se_error *err);
void encryption_end(struct encryption *e);
AUTO_KIND(encryption, struct encryption, encryption_end(p))

/* The versions of a descriptor that values may have been made for. */
struct reader_version {
    const struct descriptor *descriptor;
    struct key *key; /* its certificate, or more; NULL: out of reach */
};
struct decryption {
    struct engine *engine;
    struct api_call *call;
    const char *name;
    bool is_stated;                  /* one version, by the caller */
    struct reader_version *versions; /* newest first */
    size_t count;
    se_error missing; /* why a version is out of reach, if one is */
};
SE_MUST_CHECK se_status decryption_begin(struct decryption *out, struct engine *engine,
                                         struct api_call *call, unsigned version);
void decryption_end(struct decryption *dec);
AUTO_KIND(decryption, struct decryption, decryption_end(p))

/* Takes the value apart. */
SE_MUST_CHECK se_status decryption_parse(struct envelope *out, struct decryption *dec,
                                         se_bytes value, se_error *err);

/* Whether the version would have made it, as far as it says. */
bool decryption_is_for(const struct envelope *envelope, const struct reader_version *v);

/* The secret of the envelope's data key, from the cache or else from the key store.  *use: of the
 * key that did it, or was the last to try; it is for the caller to tell.  Any thread may call it.
 */
SE_MUST_CHECK se_status decryption_unwrap(se_buf *secret, struct key_use *use,
                                          const struct decryption *dec,
                                          const struct envelope *envelope, se_error *err);

/* With the secret, which the data key takes over. */
SE_MUST_CHECK se_status decryption_prepare(struct data_key *out, se_buf *secret,
                                           const struct envelope *envelope, se_error *err);
SE_MUST_CHECK se_status decryption_finish(se_buf *out, struct data_key *key,
                                          const struct envelope *envelope, se_bytes context,
                                          se_error *err);

#endif
