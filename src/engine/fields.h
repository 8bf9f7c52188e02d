/* What the functions for encrypted fields and containers share. */
#ifndef ENGINE_FIELDS_H
#define ENGINE_FIELDS_H

#include "engine/engine.h"
#include "engine/event.h"
#include "fields/envelope.h"

SE_MUST_CHECK se_status field_params_read(se_field_params *out, const se_field_params *params,
                                          se_error *err);

/* An encryption that is under way. */
struct sealing {
    se_engine *engine;
    const struct descriptor *descriptor;
    struct key *key;
    struct recipient recipient;
    const struct envelope_format *format;
    bool binary;
    struct data_key data_key; /* that the fields share for now */
    unsigned long uses;       /* that are left of it */
    uint64_t bytes;
};
SE_MUST_CHECK se_status sealing_begin(struct sealing *out, se_engine *engine,
                                      const char *descriptor, const se_field_params *params,
                                      se_error *err);
SE_MUST_CHECK se_status sealing_add(se_buf *out, struct sealing *s, se_bytes plain,
                                    se_bytes context, se_error *err);
/* A new secret, and it wrapped. */
SE_MUST_CHECK se_status sealing_secret(struct data_key *out, struct sealing *s, size_t size,
                                       se_error *err);
void sealing_end(struct sealing *s);
AUTO_KIND(sealing, struct sealing, sealing_end(p))

/* The versions of a descriptor that values may have been made for. */
struct reader_version {
    const struct descriptor *descriptor;
    struct key *key; /* its certificate, or more; NULL: out of reach */
};
struct unsealing {
    se_engine *engine;
    const char *name;
    struct reader_version *versions; /* newest first */
    size_t count;
    se_error missing; /* why a version is out of reach, if one is */
};
SE_MUST_CHECK se_status unsealing_begin(struct unsealing *out, se_engine *engine,
                                        const char *descriptor, unsigned version, se_error *err);
void unsealing_end(struct unsealing *o);
AUTO_KIND(unsealing, struct unsealing, unsealing_end(p))

/* Takes the value apart. */
SE_MUST_CHECK se_status unsealing_read(struct envelope *out, struct unsealing *o, se_bytes value,
                                       se_error *err);

/* From the memory, or else from the key store: the secret of the envelope's data key.  Any thread
 * may call it. */
SE_MUST_CHECK se_status unsealing_unwrap(se_buf *secret, const struct unsealing *o,
                                         const struct envelope *envelope, se_error *err);

/* With the secret, which the data key takes over. */
SE_MUST_CHECK se_status unsealing_prepare(struct data_key *out, se_buf *secret,
                                          const struct envelope *envelope, se_error *err);
SE_MUST_CHECK se_status unsealing_finish(se_buf *out, struct data_key *key,
                                         const struct envelope *envelope, se_bytes context,
                                         se_error *err);

/*
 * All of `fields`: `status` and `out` of each; several data keys at once.  `target`, which may be
 * NULL: values that are as it would make them stay what they are.  Returns the first failure.
 */
SE_MUST_CHECK se_status open_all(se_field *fields, size_t count, struct unsealing *o,
                                 const struct sealing *target, se_error *err);

#endif
