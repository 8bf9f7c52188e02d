/* SPDX-License-Identifier: Apache-2.0 */
/* The files that a configuration names.  What is in those with certificates is part of what a
 * signature of the configuration covers. */
#ifndef CONFIG_FILES_H
#define CONFIG_FILES_H

#include "config/config.h"

enum { CERTIFICATE_FILE_LIMIT = 1 << 20, FILE_HASH_TEXT = 65, FILES_HASH = 32 };

/* The property of a canonical configuration (doc/formats.md). */
#define FILE_HASH_PROPERTY "certificateSHA-256"

/* All of the file that ref->certificate names: as config_files_read() has read it, else as it is
 * now. */
SE_MUST_CHECK se_status certificate_file_read(se_buf *out, const struct keyref *ref, se_error *err);

/* Its SHA-256 in lower-case hexadecimal; "": it names none, or one that can't be read. */
SE_MUST_CHECK se_status certificate_file_hash(char out[FILE_HASH_TEXT], const struct keyref *ref,
                                              se_error *err);

/* Once for all, so that what is checked is what is used later.  The failure names the key and the
 * file. */
SE_MUST_CHECK se_status config_files_read(struct config *config, se_error *err);

/*
 * Tells `fn` of each file that is read for the keys of the configuration.  `secret`: it may hold a
 * private key or a PIN.  A file that several keys name is told for each.
 */
typedef void (*config_file_fn)(void *arg, const char *path, bool secret);
void config_files_list(const struct config *config, config_file_fn fn, void *arg);

/* SHA-256. */
SE_MUST_CHECK se_status files_hash_text(unsigned char out[FILES_HASH], se_bytes text,
                                        se_error *err);

/*
 * How they all look now; what changes one of them changes this.  `text`: the hash of the
 * configuration's own text; NULL: as its file is now.  `more`: another file with certificates;
 * may be NULL.
 */
SE_MUST_CHECK se_status config_files_hash(unsigned char out[FILES_HASH],
                                          const struct config *config, const unsigned char *text,
                                          const char *more, se_error *err);

typedef void (*exposure_fn)(void *arg, const char *text);

/* Tells `fn` of each file of `ref` that others than root and the user of this process may read or
 * change, though they should not. */
void keyref_exposure(const struct keyref *ref, exposure_fn fn, void *arg);

#endif
