/*
 * Takes the PINs out of a configuration's text before libxml2 sees it: each value of a PIN
 * attribute is replaced by its ordinal number.
 */
#ifndef CONFIG_PIN_EXTRACT_H
#define CONFIG_PIN_EXTRACT_H

#include "base/buf.h"

struct lifted {
    struct writer text;  /* without PINs */
    struct writer pins;  /* se_buf: decoded, NUL-terminated; the n-th is the value of the attribute
                            that now reads "n" */
    struct writer lines; /* int: of every element and attribute but xmlns, in the order of the file:
                            libxml2 keeps less */
};

/* SE_ERR_CONFIG: the text is no XML that a configuration may be; *line is where. */
SE_MUST_CHECK se_status lift_pins(struct lifted *out, se_bytes text, int *line, se_error *err);
void lifted_free(struct lifted *lifted);
AUTO_KIND(lifted, struct lifted, lifted_free(p))

size_t lifted_pins(const struct lifted *lifted);
se_buf *lifted_pin(const struct lifted *lifted, size_t index);
size_t lifted_lines(const struct lifted *lifted);
int lifted_line(const struct lifted *lifted, size_t index);

/* "pin", "pin.encrypted", and misspellings of them that begin with "pin"; "pin.source" holds no
 * PIN. */
bool lift_is_pin(se_bytes name);

/* The text that an attribute's value stands for. */
SE_MUST_CHECK se_status lift_decode(se_buf *out, se_bytes value, se_error *err);

#endif
