/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The PINs in a configuration's text.  They are taken out before libxml2 sees it, and each value of
 * a PIN attribute is replaced by its number; or plain ones are scrambled where they are.
 */
#ifndef CONFIG_PIN_EXTRACT_H
#define CONFIG_PIN_EXTRACT_H

#include "base/buf.h"

struct redacted_pin {
    se_buf value;       /* decoded, NUL-terminated */
    size_t start, size; /* between the quotes of the original */
    bool encrypted;     /* of `pin.encrypted` */
};

struct redacted {
    struct writer text;        /* without PINs */
    struct redacted_pin *pins; /* the n-th is of the attribute that now reads "n" */
    size_t pin_count, pin_room;
    int *lines; /* of every element and attribute but xmlns, in the order of the file: libxml2 keeps
                   less */
    size_t line_count, line_room;
};

/* SE_ERR_CONFIG: the text is not UTF-8, or no XML that a configuration may be; *line is where. */
SE_MUST_CHECK se_status pins_extract(struct redacted *out, se_bytes text, int *line, se_error *err);
void redacted_free(struct redacted *redacted);
AUTO_KIND(redacted, struct redacted, redacted_free(p))

/* "pin", "pin.encrypted", and misspellings of them that begin with "pin"; "pin.source" holds no
 * PIN. */
bool pins_is_attribute(se_bytes name);

/*
 * Rewrites the plain values of `pin.encrypted` in a configuration's text and nothing else; *count
 * says how many.  SE_ERR_CONFIG: the text is no XML that a configuration may be.
 */
SE_MUST_CHECK se_status pins_scramble_text(se_buf *out, size_t *count, se_bytes config,
                                           const char *pin_key, se_error *err);

#endif
