/*
 * Exclusive Canonical XML 1.0 of a whole document, without comments, while it is parsed: no tree is made of it, which would take most of
 * the time and memory that a signature needs.
 */
#ifndef FORMAT_XMLPASS_H
#define FORMAT_XMLPASS_H

#include "base/stream.h"
#include "model/scan.h"

/* What was passed by; may be NULL. */
struct xml_passed {
    struct scan_end root; /* where it ends */
    bool dsig;            /* there is an element of XML Signature's namespace */
};

/* A NUL follows the text.  SE_ERR_FORMAT as with xml_tree_read(). */
SE_MUST_CHECK se_status xml_pass(struct xml_passed *out, se_bytes text, stream_take_fn take, void *arg, se_error *err);

#endif
