/* SPDX-License-Identifier: Apache-2.0 */
/* A configuration property by property, and its canonical form (doc/formats.md). */
#ifndef CONFIG_CANONICAL_H
#define CONFIG_CANONICAL_H

#include "config/config.h"

/* The first line of the canonical form. */
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

/* A line of the canonical form. */
void canonical_line(struct writer *w, const char *item, const char *property, const char *value);

/* Reads the files with certificates (config/files.h), which have to be those of the canonical
 * configuration that was signed. SE_ERR_REJECTED names the one that is not. */
SE_MUST_CHECK se_status config_files_check(struct config *config, se_bytes canonical,
                                           se_error *err);

#endif
