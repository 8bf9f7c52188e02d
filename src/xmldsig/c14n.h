/* SPDX-License-Identifier: Apache-2.0 */
/* Canonical XML 1.0 and Exclusive Canonical XML 1.0, without comments; and hashing it. */
#ifndef XMLDSIG_C14N_H
#define XMLDSIG_C14N_H

#include <libxml/tree.h>

#include "base/stream.h"
#include "crypto/key.h"

enum { XML_PREFIXES_MAX = 32 };

struct xml_c14n {
    bool exclusive;
    bool prefixed; /* exclusive: it has a list */
    xmlChar *prefixes[XML_PREFIXES_MAX +
                      1]; /* InclusiveNamespaces: ends with NULL, points into `list` */
    char *list;
};
void xml_c14n_free(struct xml_c14n *c14n);
AUTO_KIND(xml_c14n, struct xml_c14n, xml_c14n_free(p))

/* Names to tell between white space; SE_ERR_REJECTED: too many. */
SE_MUST_CHECK se_status xml_c14n_prefixes(struct xml_c14n *c14n, const char *list, se_error *err);

/* `top` with all that is in it, or NULL for the whole document, to `take` piece by piece.  It takes
 * no longer for what is outside. */
SE_MUST_CHECK se_status xml_c14n_write(const struct xml_c14n *how, xmlDoc *doc, xmlNode *top,
                                       stream_take_fn take, void *arg, se_error *err);

/* Appends to a struct writer; a stream_take_fn. */
SE_MUST_CHECK se_status xml_collect(void *writer, se_bytes piece, se_error *err);

/* All of `in`, NUL-terminated; SE_ERR_FORMAT: more than a document may have. */
SE_MUST_CHECK se_status xml_read_all(se_buf *out, struct stream *in, se_error *err);

#endif
