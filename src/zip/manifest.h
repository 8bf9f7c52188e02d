/* SPDX-License-Identifier: Apache-2.0 */
/*
 * MANIFEST.MF and signature files: sections of attributes (JAR file specification, "JAR Manifest").
 * Stricter than Java where readers could understand a text differently: CR LF or LF, one empty line
 * between sections, `Name` first, no attribute twice.
 */
#ifndef ZIP_MANIFEST_H
#define ZIP_MANIFEST_H

#include "base/buf.h"

/* ---- names: what a file of META-INF is to a signed archive ("Signed JAR File") ---- */

#define JAR_FOLDER        "META-INF/"
#define JAR_MANIFEST_NAME JAR_FOLDER "MANIFEST.MF"

enum jar_name {
    JAR_OTHER = 0, /* a file like any other, to be signed */
    JAR_MANIFEST,
    JAR_SIGNATURE_FILE, /* NAME.SF */
    JAR_BLOCK,          /* NAME.RSA, NAME.EC: the signature of NAME.SF */
    JAR_FOREIGN, /* NAME.DSA, SIG-NAME: part of a signature for Java, which we do not accept */
};

/* By name in any case, as Java sees it. */
enum jar_name jar_name_kind(const char *name);

/* Whether a name of such a kind is spelled in capitals, as everybody writes it. */
bool jar_name_is_plain(const char *name);

/* "META-INF/NAME" without extension; how many characters. */
size_t jar_name_measure_stem(const char *name);

enum { JAR_STEM_MOST = 8 };
/* jarsigner's rule: eight characters of the alias, in capitals, whatever else is an underscore. */
void jar_name_make_stem(char out[JAR_STEM_MOST + 1], const char *alias);

/* ---- texts ---- */

struct attribute {
    const char *name, *value; /* continuation lines joined */
};

enum { ATTRIBUTES_MOST = 256 };

struct section {
    se_bytes raw; /* as it stands in the text, with the empty line that ends it; what is digested */
    const char *name;                   /* "" of the first one, the main section */
    const struct attribute *attributes; /* without Name */
    size_t count;
};

/* Strings of a section last until the next is read. */
struct section_reader {
    const char *file; /* for messages */
    se_bytes text;
    bool
        anew; /* empty lines too many are passed over: the text that is made of this one has none */
    size_t at, line, count; /* offset, lines and sections so far */
    struct writer scratch;
    struct attribute attributes[ATTRIBUTES_MOST];
};

/* The main section comes first, and begins with the attribute `first`, "Manifest-Version", whose
 * value is 1.0.  SE_ERR_FORMAT. */
SE_MUST_CHECK se_status section_read_first(struct section *out, struct section_reader *reader,
                                           const char *first, se_error *err);

/* out->raw is empty at the end. */
SE_MUST_CHECK se_status section_read_next(struct section *out, struct section_reader *reader,
                                          se_error *err);

/* A section by itself, that section_read_next() has read before: from `raw`. */
SE_MUST_CHECK se_status section_read_again(struct section *out, struct section_reader *reader,
                                           se_bytes raw, se_error *err);

void section_reader_free(struct section_reader *reader);
AUTO_KIND(section_reader, struct section_reader, section_reader_free(p))

/* The value of an attribute, by its name in any case; NULL: there is none. */
const char *section_get(const struct section *section, const char *name);

/* "Name: value", in lines of at most 72 bytes. */
void attribute_write(struct writer *w, const char *name, const char *value);
void section_write_end(struct writer *w);

#endif
