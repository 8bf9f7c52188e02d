/* Canonical XML 1.0 and Exclusive Canonical XML 1.0, without comments. */
#ifndef XMLDSIG_C14N_H
#define XMLDSIG_C14N_H

#include <libxml/tree.h>

#include "base/stream.h"

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

#endif
