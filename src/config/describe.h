/* A configuration, property by property: what config_describe() and config_canonical() share. */
#ifndef CONFIG_DESCRIBE_H
#define CONFIG_DESCRIBE_H

#include "config/config.h"

/* The first line of a canonical configuration (doc/formats.md). */
#define CANONICAL_HEADING "engineSignEncrypt 1\n"

struct describe {
    se_property_fn fn;
    void *arg;
    bool canonical; /* no PINs, and locations as they are written */
    bool failed;    /* out of memory */
};

void describe_descriptor(struct describe *d, const struct descriptor *descriptor);
void describe_key(struct describe *d, const struct key_entry *key);
void describe_replica(struct describe *d, const struct key_entry *key, size_t index);

/* A line of a canonical configuration. */
void canonical_line(struct writer *w, const char *item, const char *property, const char *value);

#endif
