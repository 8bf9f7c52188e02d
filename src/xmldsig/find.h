/* Which signature of a document counts, and what it may sign: decided by where things are, never by
 * what the signature says alone. */
#ifndef XMLDSIG_FIND_H
#define XMLDSIG_FIND_H

#include "xmldsig/tree.h"

struct xml_place {
    xmlNode *signature;
    xmlNode *target; /* that the signature must be about; NULL: the whole document */
    const char *id;  /* by which its Reference must name the target; NULL: it may be "" or the
                        target's only ID */
    bool enveloped;  /* the signature is a child of what it signs */
};

/*
 * `id` NULL: the signature over the document, which is a child of the root, or the root (then it
 * must be over its Object). Otherwise: the one over the element with that ID, which is its child,
 * or elsewhere but not around it. SE_ERR_FORMAT: there is none.  SE_ERR_REJECTED: there are
 * several, or which element is meant is not clear.
 */
SE_MUST_CHECK se_status xmldsig_find(struct xml_place *out, xmlDoc *doc, const char *id,
                                     se_error *err);

/*
 * Whether a new signature may become a child of `parent`.  SE_ERR_FORMAT, with where: there is a
 * signature that would then not be good any more, or beside which the new one could not be found.
 */
SE_MUST_CHECK se_status xmldsig_check_room(xmlDoc *doc, const xmlNode *parent, se_error *err);

/* The first Signature in `doc`; NULL: there is none. */
const xmlNode *xmldsig_first(const xmlDoc *doc);

#endif
