/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any XML document as a libxml2 tree, for signatures: no DTD, hence no entities, no defaults and no
 * attributes that are IDs by declaration; nothing is fetched; nothing is printed.
 */
#ifndef XMLDSIG_TREE_H
#define XMLDSIG_TREE_H

#include <libxml/parser.h>
#include <libxml/tree.h>
#include <libxml/xmlerror.h>

#include "base/buf.h"

AUTO_KIND(xml_tree, xmlDoc *, xmlFreeDoc(*p))

/* libxml2 prints what it can't tie to a parser; while this is in scope it is kept quiet on this
 * thread. */
struct xml_quiet {
    xmlStructuredErrorFunc handler; /* the application's */
    void *arg;
};
struct xml_quiet xml_quiet_begin(void);
void xml_quiet_end(struct xml_quiet *quiet);
AUTO_KIND(xml_quiet, struct xml_quiet, xml_quiet_end(p))

enum { XML_DOCUMENT_LIMIT = 128 << 20 };

/*
 * How documents are read.  NOENT: values come with their characters; a document has no other
 * entities here.  OLD10: names as the JDK has them, which knows no later edition of XML 1.0 than
 * the fourth.  HUGE: libxml2's own limits depend on where in a file something is; ours do not, and
 * are narrower but for the size of a text.
 */
enum {
    XML_TREE_PARSE = XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_NOENT |
                     XML_PARSE_OLD10 | XML_PARSE_HUGE
};

/* A NUL follows the text, not counted.  SE_ERR_FORMAT: it is no XML, or none that we read. */
SE_MUST_CHECK se_status xml_tree_read(xmlDoc **out, se_bytes text, se_error *err);

/* The first child element, and the next sibling that is one. */
xmlNode *xml_tree_first(const xmlNode *parent);
xmlNode *xml_tree_next(const xmlNode *node);

/* In document order; NULL behind the last.  `top` limits the walk to what is inside it. */
xmlNode *xml_tree_walk(const xmlNode *node, const xmlNode *top);

bool xml_tree_is(const xmlNode *node, const char *uri, const char *name);
bool xml_tree_inside(const xmlNode *node, const xmlNode *ancestor); /* or `ancestor` itself */

/* The value of an attribute without a namespace; NULL: there is none. */
const char *xml_tree_attribute(const xmlNode *element, const char *name);

bool xml_tree_has_id(const xmlNode *element, const char *id);

/* The only element with that ID (Id, ID, id, xml:id, wsu:Id); SE_ERR_REJECTED: none, or several. */
SE_MUST_CHECK se_status xml_tree_find_id(xmlNode **out, const xmlDoc *doc, const char *id,
                                         se_error *err);

/* ---- signatures in it ---- */

#define XMLDSIG_NAMESPACE "http://www.w3.org/2000/09/xmldsig#"
bool xmldsig_is(const xmlNode *node, const char *name);

/* Which signature of a document counts, and what it may sign: decided by where things are, never by
 * what the signature says alone. */
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
